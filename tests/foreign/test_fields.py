"""Times, counts and names in whatever form a log has them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.foreign import fields


@pytest.mark.parametrize(
    "said",
    [
        "2023-11-14T22:13:20Z", "2023-11-14T22:13:20", "2023-11-14 22:13:20.000", "2023-11-14T23:13:20+01:00",
        "2023-11-14T17:13:20.000000-0500", 1_700_000_000, 1_700_000_000.0, 1_700_000_000_000, "1700000000", "1700000000000",
        1_700_000_000_000_000_000, "1700000000000000000",
    ],
)  # fmt: skip
def test_a_time_is_one_moment_in_every_form(said: Any) -> None:
    """One without an offset is in UTC, as servers write it; a number says by its size what it counts."""
    assert fields.moment(said) == 1_700_000_000.0


@given(st.text(max_size=40) | st.floats() | st.integers() | st.none() | st.lists(st.integers()))
def test_what_is_no_time_or_number_is_none(said: Any) -> None:
    """Nothing is raised."""
    for found in (fields.moment(said), fields.number(said), fields.positive(said)):
        assert found is None or isinstance(found, float)
    assert isinstance(fields.name(said), str)


def test_a_span_that_is_none_is_not_known() -> None:
    """Of a failed row, which ends when it starts, the latency was not measured."""
    assert fields.span(5.0, 5.0) is None
    assert fields.span(5.0, 4.0) is None
    assert fields.span(5.0, 6.0) == 1.0
