"""JSON values a line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.framings.ndjson import is_lines, is_stream, lines

OBJECTS = st.lists(
    st.dictionaries(
        st.text(max_size=4), st.none() | st.text(max_size=6) | st.lists(st.text(max_size=3), max_size=2),
        max_size=3,
    ),
    max_size=5,
)  # fmt: skip


@given(OBJECTS, st.sampled_from(["\n", "\r\n", "\n\n"]))
@settings(max_examples=50)
def test_lines_are_the_documents_written(documents: list[dict[str, Any]], end: str) -> None:
    """Blank ones do not count; an offset stands behind its line."""
    body = "".join(json.dumps(one) + end for one in documents).encode()
    found = list(lines(body))
    assert [json.loads(one.data) for one in found] == documents
    assert all(body[one.end - 1 : one.end] == b"\n" for one in found)


def test_what_was_cut_off_is_given_too() -> None:
    """As far as it came."""
    assert [one.data for one in lines(b'{"a": 1}\n{"a')] == [b'{"a": 1}', b'{"a']


@given(st.binary(max_size=100))
def test_any_bytes_have_lines(body: bytes) -> None:
    """In order, within the body."""
    ends = [one.end for one in lines(body)]
    assert ends == sorted(ends)
    assert all(0 < end <= len(body) for end in ends)


@pytest.mark.parametrize(
    ("kind", "stream", "rows"),
    [
        ("application/x-ndjson; charset=utf-8", True, True), ("Application/JSONLines", False, True),
        ("application/json", False, False), ("", False, False),
    ],
)  # fmt: skip
def test_headers_tell_streams_from_rows(kind: str, stream: bool, rows: bool) -> None:
    """Lines that are sent as they are made, and rows of a batch."""
    assert (is_stream({"content-type": kind}), is_lines({"content-type": kind})) == (stream, rows)
