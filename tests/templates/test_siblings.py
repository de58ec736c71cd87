"""Texts that differ at one place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.templates.siblings import SIBLING, one_place

TEXTS = st.text(st.sampled_from("ab c."), max_size=40)


@given(TEXTS, TEXTS)
def test_siblings_have_all_but_one_place_in_common(one: str, other: str) -> None:
    """The place is of few characters in both, and the same whichever comes first."""
    place = one_place(one, other)
    assert place == one_place(other, one)
    if place is not None:
        begin, end = place
        assert one[:begin] == other[:begin]
        assert one[len(one) - end :] == other[len(other) - end :]
        assert 0 <= max(len(one), len(other)) - begin - end <= SIBLING
