"""A dimension's value from a header."""

from __future__ import annotations

import pytest

from monitor.dimensions import dimension
from monitor.types import Inference

NOTHING = Inference("p", "o", "m")


@pytest.mark.parametrize(
    ("fields", "value"),
    [("X-Population: north\r\n", "north"), ("", "none"), ("x-population:  \r\n", "none")],
)
def test_a_header_is_a_value_and_its_absence_is_none(call, fields: str, value: str) -> None:
    """Names in any case, values without their spaces."""
    found = dimension("population", "header", ["X-Population"])
    assert found.value(call("/", fields), NOTHING) == value


@pytest.mark.parametrize(
    ("fields", "value"),
    [("x-b: 2\r\n", "2"), ("x-b: 2\r\nx-a: 1\r\n", "1"), ("x-a:\r\nx-b: 2\r\n", "2")],
)
def test_of_several_headers_the_first_that_says_something_counts(call, fields, value) -> None:
    """The order is the configuration's."""
    assert dimension("site", "header", ["x-a", "x-b"]).value(call("/", fields), NOTHING) == value
