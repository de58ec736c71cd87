"""A dimension's value from the query."""

from __future__ import annotations

import pytest

from monitor.dimensions import dimension
from monitor.dimensions.query import MAX_FIELDS
from monitor.types import Inference

NOTHING = Inference("p", "o", "m")


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("/a?cohort=b", "b"), ("/a?x=1&cohort=a%20b+c", "a b c"), ("/a?cohort=1&cohort=2", "1"),
        ("/a", "none"), ("/a?cohort=", "none"), ("/a?cohort", "none"), ("/a?xcohort=1", "none"),
        ("/a?" + "x=1&" * MAX_FIELDS + "cohort=late", "none"),
    ],
)  # fmt: skip
def test_a_field_is_the_value(call, target: str, value: str) -> None:
    """Decoded; the first of several; within a bound of fields."""
    assert dimension("d", "query", "cohort").value(call(target), NOTHING) == value
