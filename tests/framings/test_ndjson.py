"""JSON values in a row: lines, and the elements of an array that is sent piece by piece."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.framings.ndjson import elements, is_cut, is_lines, is_stream, lines

OBJECTS = st.lists(
    st.dictionaries(
        st.text(max_size=4), st.none() | st.text(max_size=6) | st.lists(st.text(max_size=3), max_size=2),
        max_size=3,
    ),
    max_size=5,
)  # fmt: skip


@given(OBJECTS, st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_lines_are_the_documents_written(documents: list[dict[str, Any]], end: str) -> None:
    """Blank ones do not count; an offset stands behind its line."""
    body = "".join(json.dumps(one) + end for one in documents).encode()
    found = list(lines(body))
    assert [json.loads(one.data) for one in found] == documents
    assert all(body[one.end - 1 : one.end] == b"\n" for one in found)


@given(OBJECTS, st.sampled_from([",", " ,\r\n", "\n,"]), st.booleans())
def test_elements_are_the_objects_of_an_array(
    documents: list[dict[str, Any]], comma: str, raw: bool
) -> None:
    """Whatever their strings hold; an offset stands behind the closing brace."""
    body = f"[{comma.join(json.dumps(one, ensure_ascii=raw) for one in documents)}]".encode(
        "utf-8", "replace"
    )
    found = list(elements(body))
    assert len(found) == len(documents)
    assert all(body[one.end - 1 : one.end] == b"}" for one in found)
    assert [json.loads(one.data) for one in found] == json.loads(body)


def test_what_was_cut_off_is_given_too() -> None:
    """As far as it came, also in the middle of a string."""
    assert [one.data for one in elements(b'[{"a": 1}, {"a": "[{')] == [b'{"a": 1}', b'{"a": "[{']
    assert [one.data for one in elements(b'{"error": {}}')] == [b'{"error": {}}']
    assert [one.data for one in lines(b'{"a": 1}\n{"a')] == [b'{"a": 1}', b'{"a']


@given(OBJECTS.filter(bool), st.data())
def test_every_beginning_of_a_value_is_cut(documents: list[dict[str, Any]], data: Any) -> None:
    """Wherever it ends, but behind its end."""
    body = json.dumps(documents).encode()
    assert is_cut(body[: data.draw(st.integers(1, len(body) - 1))])
    assert not is_cut(body)
    assert not is_cut(body + b"\n[")


@given(st.binary(max_size=100))
def test_any_bytes_have_elements_and_lines(body: bytes) -> None:
    """In order, within the body."""
    for found in (list(elements(body)), list(lines(body))):
        ends = [one.end for one in found]
        assert ends == sorted(ends)
        assert all(0 < end <= len(body) for end in ends)


def test_a_hostile_array_takes_linear_time() -> None:
    """Strings that never end are read once."""
    body = b'[{"a": "' + b'\\"' * 500_000
    assert len(list(elements(body))) == 1
    assert list(elements(b"]" * 500_000)) == []


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
