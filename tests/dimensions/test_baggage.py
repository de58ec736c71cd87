"""A dimension's value from W3C baggage."""

from __future__ import annotations

import pytest

from monitor.dimensions import dimension
from monitor.dimensions.baggage import MAX_BYTES
from monitor.types import Inference

NOTHING = Inference("p", "o", "m")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("region=eu", "eu"), ("a=1, region = eu ;p=1 , b=2", "eu"), ("region=a%20b", "a b"),
        ("region=1,region=2", "2"), ("region", "none"), ("regions=eu", "none"), ("", "none"),
        ("a=" + "x" * MAX_BYTES + ",region=eu", "none"),
    ],
)  # fmt: skip
def test_a_member_is_the_value(call, header: str, value: str) -> None:
    """Spaces and properties apart; the last of several; within the bound of the specification."""
    made = call("/", f"baggage: {header}\r\n")
    assert dimension("d", "baggage", "region").value(made, NOTHING) == value
