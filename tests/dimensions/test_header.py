"""A dimension's value from a header."""

from __future__ import annotations

import pytest

from monitor.dimensions import from_header
from monitor.recorder import calls
from monitor.types import Exchange, Inference, Message, Outcome


@pytest.mark.parametrize(
    ("fields", "value"),
    [(b"X-Population: north\r\n", "north"), (b"", "none"), (b"x-population:  \r\n", "none")],
)
def test_a_header_is_a_value_and_its_absence_is_none(fields: bytes, value: str) -> None:
    """Names in any case, values without their spaces."""
    head = b"GET / HTTP/1.1\r\n" + fields + b"\r\n"
    call = calls.read(Exchange("i", 0.0, 0.0, Message(head), None, [], Outcome.CLIENT_GONE))
    dimension = from_header("population", "X-Population")
    assert dimension.value(call, Inference("p", "o", "m")) == value
