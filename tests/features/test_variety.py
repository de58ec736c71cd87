"""Lexical variety."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from monitor.features.variety import FEATURE, WINDOW, moving_type_token_ratio
from monitor.types import Part


@given(
    tokens=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40), window=st.integers(1, 40)
)
def test_it_is_the_mean_over_all_stretches(tokens: list[str], window: int) -> None:
    """The moving count equals counting every stretch from the start."""
    if len(tokens) < window:
        return
    stretches = [tokens[i : i + window] for i in range(len(tokens) - window + 1)]
    plain = sum(len(Counter(stretch)) / window for stretch in stretches) / len(stretches)
    assert abs(moving_type_token_ratio(tokens, window) - plain) < 1e-12


def test_short_texts_say_nothing(record, seen) -> None:
    """Below a window of words there is no variety to speak of."""
    assert seen(FEATURE, record()) == {}
    long = record(inputs=[Part(role="user", text="again " * WINDOW)])
    assert seen(FEATURE, long) == {"input_variety": [1 / WINDOW]}
