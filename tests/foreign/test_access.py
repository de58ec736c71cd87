"""Fields of access logs: a path without what is secret, times in all their forms."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.foreign import access


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_query_survives(where: str, query: str) -> None:
    """Whatever stands before it: what comes behind `?` or `#` is in no path, whose length has a
    bound."""
    found = access.path(f"/{where}?{query}")
    assert found == "/" + where.partition("?")[0].partition("#")[0]
    assert "?" not in access.path(where)
    assert len(access.path("/" + "a" * 100_000)) == access.LONGEST


@given(st.text(max_size=60))
def test_any_text_is_a_time_or_none(said: str) -> None:
    """And any text is a route, a trace id or none."""
    at = access.clock(said)
    assert at is None or at > 0
    assert len(access.route(said)) <= 200
    assert len(access.trace_of(said)) in (0, 32)
    assert access.method_of(said)


def test_the_first_name_with_a_value_is_taken() -> None:
    """Of `-`, an empty text and null nothing is."""
    choose = access.chosen({"at": ("a", "b"), "id": ("c",)})
    assert choose({"a": "-", "b": 0, "c": None}) == {"at": 0}
    assert choose({"b": "x", "a": "y", "c": ""}) == {"at": "y"}
    assert choose({}) == {}


def test_a_line_that_says_nothing_of_the_end_is_no_exchange() -> None:
    """Neither a status in HTTP's range nor an outcome."""
    for status in (None, 0, "-", 99, 1000, "20x"):
        with pytest.raises(ParseError, match="says neither"):
            access.exchange(
                started=1.0, duration=None, status=status, outcome=None, method="GET", target="/"
            )


def test_bytes_that_are_no_text_cost_no_line() -> None:
    """nginx escapes quotes and control characters in JSON, and leaves the rest as it came."""
    assert access.row(b'{"ua": "caf\xe9", "status": 200}') == {"ua": "caf\ufffd", "status": 200}
    with pytest.raises(msgspec.DecodeError):
        access.row(b"\xe9")
