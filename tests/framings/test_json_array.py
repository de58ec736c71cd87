"""The elements of an array that is sent piece by piece."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.framings.json_array import elements, is_cut
from tests.framings.test_ndjson import OBJECTS


@given(OBJECTS, st.sampled_from([",", " ,\r\n", "\n,"]), st.booleans())
@settings(max_examples=50)
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


@given(OBJECTS.filter(bool), st.data())
@settings(max_examples=50)
def test_every_beginning_of_a_value_is_cut(documents: list[dict[str, Any]], data: Any) -> None:
    """Wherever it ends, but behind its end."""
    body = json.dumps(documents).encode()
    assert is_cut(body[: data.draw(st.integers(1, len(body) - 1))])
    assert not is_cut(body)
    assert not is_cut(body + b"\n[")


@given(st.binary(max_size=100))
def test_any_bytes_have_elements(body: bytes) -> None:
    """In order, within the body."""
    ends = [one.end for one in elements(body)]
    assert ends == sorted(ends)
    assert all(0 < end <= len(body) for end in ends)
    is_cut(body)


def test_a_hostile_array_takes_linear_time() -> None:
    """Strings that never end are read once."""
    body = b'[{"a": "' + b'\\"' * 500_000
    assert len(list(elements(body))) == 1
    assert list(elements(b"]" * 500_000)) == []
