"""Counts as endpoints say them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counts import LARGEST, count


@given(st.integers(0, LARGEST))
def test_a_whole_number_is_read_however_it_is_written(number: int) -> None:
    """As a number, a float or digits."""
    assert count(number) == count(str(number)) == count(float(number)) == number


@given(
    st.one_of(
        st.integers(max_value=-1), st.integers(min_value=LARGEST + 1), st.booleans(), st.none(),
        st.floats().filter(lambda one: not one.is_integer()), st.text(alphabet="0½²x-. ", min_size=17),
        st.lists(st.integers()), st.dictionaries(st.text(), st.integers()),
    )
)  # fmt: skip
def test_everything_else_is_no_count(value: Any) -> None:
    """Neither an exception nor a number that would spoil a sum."""
    assert count(value) is None


@pytest.mark.parametrize("value", ["-1", "1.0", "1e3", "²", "", " 5", "9" * 17, "9" * 5000, 1e300])
def test_near_numbers_are_no_counts(value: Any) -> None:
    """Digits, and nothing but digits."""
    assert count(value) is None
