"""Labels and scores, as all monitors of outcomes read them: one spelling, and no guess."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.classes import claim, scores_of, spelt, value_of
from monitor.rows import Truth

ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@pytest.mark.parametrize(
    ("score", "label", "found"),
    [
        (0.25, 1.0, (0.25, True)),
        (0.25, "true", (0.25, True)),
        (1, "0", (1.0, False)),
        (1, "2", (1.0, False)),
        (1, "no", None),
        ({"0": 0.9, "1": 0.1}, "0", (0.1, False)),
        ({"a": 0.2, "b": 0.5, "c": 0.3}, "b", (0.5, True)),
        ({"b": 0.5, "a": 0.5}, "a", (0.5, True)),
        ({"a": 0.2, "b": 1.5}, "b", None),
        (1.01, "1", None),
        (math.nan, "1", None),
        ({}, "1", None),
        (0.5, None, None),
        (0.5, " ", None),
        (0.5, math.nan, None),
        (None, "1", None),
    ],
)
def test_a_score_claims_one_thing(score: Any, label: Any, found: Any) -> None:
    """The positive class, or of several the likeliest; nothing where score or label is none."""
    assert claim(Truth(score=score, label=label), "1") == found


def test_a_score_of_a_named_class_knows_the_others_by_their_names() -> None:
    """Only where nobody said what the positive class is called, words say nothing."""
    assert claim(Truth(score=0.9, label="no"), "yes") == (0.9, False)
    assert claim(Truth(score=0.9, label="yes"), "yes") == (0.9, True)


@given(ANY | st.dictionaries(st.text(max_size=3), ANY, max_size=3), ANY)
def test_anything_is_read_or_left_out(score: Any, label: Any) -> None:
    """Whatever came as score and label, a claim is a probability and whether it came true."""
    truth = Truth(score=score, label=label)
    found = claim(truth, "1")
    assert found is None or (0 <= found[0] <= 1 and isinstance(found[1], bool))
    assert all(0 <= share <= 1 for share in scores_of(truth, "1")[0].values())
    value = value_of(label)
    assert value is None or spelt(value) == spelt(spelt(value))
