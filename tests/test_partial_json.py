"""The beginning of a JSON text says what is certain of the whole, and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.partial_json import UNKNOWN, closed
from tests.pace import is_within

CHAT = {
    "model": "river-2024-05",
    "messages": [
        {"role": "user", "content": 'Grüße \U0001f600 an alle \\ "Ulmer"\nund Neu-Ulmer'},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}]},
    ],
    "n": 12,
    "rows": [[1, 2.5], [3, 4]],
    'odd\\"name': [None, True, "x", {}, []],
    "stop": ["a b", "c"],
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def is_certain(part: Any, whole: Any) -> bool:
    """Whether nothing in a value is otherwise in the whole: fewer members and elements, texts that
    go on, and no list of numbers of another length."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and is_certain(one, whole[name]) for name, one in part.items()
        )
    if isinstance(part, list):
        if not isinstance(whole, list) or len(part) > len(whole):
            return False
        is_short = len(part) < len(whole)
        ends_in_scalar = bool(part) and not isinstance(part[-1], str | list | dict)
        return not (is_short and ends_in_scalar) and all(map(is_certain, part, whole))
    if isinstance(part, str):
        return isinstance(whole, str) and whole.startswith(part)
    return type(part) is type(whole) and part == whole


def read(body: bytes) -> Any:
    """What a beginning says; None where that is nothing."""
    return json.loads(closed(body) or b"null")


@pytest.mark.parametrize("form", [{}, {"ensure_ascii": False}, {"indent": 1}])
def test_wherever_a_text_is_cut_what_is_read_is_certain(form: dict[str, Any]) -> None:
    """Between any two bytes, in an escape and in a character."""
    body = json.dumps(CHAT, **form).encode()
    for end in range(1, len(body)):
        found = read(body[:end])
        assert is_certain(found, CHAT), (body[:end], found)
    assert read(body) == CHAT


@given(VALUES, st.booleans(), st.floats(0, 1))
def test_so_it_is_of_any_value(value: Any, is_ascii: bool, at: float) -> None:
    """Whatever it has in it."""
    document = {"a": value}
    body = json.dumps(document, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    assert is_certain(read(body[: 1 + int(at * (len(body) - 1))]), document)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"model": "gpt-4o-2024-0', {}),
        (b'{"model": "gpt-4o", "messages": [{"role": "us', {"model": "gpt-4o", "messages": []}),
        (b'{"total": "It was 1,2', {"total": "It was "}),
        (b'{"text": "It was 1,2"', {"text": "It was 1,2"}),
        (b'{"text": "caf\xc3', {}),
        (b'{"text": "a caf\xc3', {"text": "a "}),
        (b'{"data": [{"index": 0, "embedding": [0.25, 0.5', {"data": [{"index": 0}]}),
        (b'{"input": ["Ulm", "Bonn", ', {"input": ["Ulm", "Bonn"]}),
        (b'{"a": {"b": tru', {}),
        (b'{"a\\"b": 1, "c\\"', {'a"b': 1}),
        (b'"Good day to yo', "Good day to "),
        (b"[1, 2", None),
        (b"{", {}),
    ],
)
def test_what_might_go_on_is_left_out(body: bytes, found: Any) -> None:
    """A number, a name, half a word, a list of numbers."""
    assert read(body) == found


def test_of_media_that_were_cut_the_size_is_unknown() -> None:
    """Their kind is said."""
    picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 20
    said = f'{{"url": "data:image/png;base64,{picture}'
    assert read(said.encode()) == {"url": "data:image/png;base64"}
    assert read(f'{{"type": "image", "data": "{picture}'.encode()) == {
        "type": "image", "data": UNKNOWN,
    }  # fmt: skip
    loop = "a" * 600
    assert read(f'{{"text": "{loop}'.encode()) == {"text": loop}  # no base64, and no name


@pytest.mark.parametrize(
    "body", [b'{"a": ]', b"}", b"[" * 2000, b'{"a": [}', b"[" + b"[]," * (1 << 18)]
)
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    """Brackets that do not match, or too many of them."""
    with pytest.raises(ParseError):
        closed(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "' + b"x" * (1 << 20),
        b'{"a": "' + b"\\" * (1 << 20),
        b'{"a": ' + b"7" * (1 << 20),
        b'{"' + b'\\"' * 500 + b'": 1' * (1 << 18),
        b"[" + b"[]," * (1 << 16),
        b"[" + b"7," * (1 << 19),
        b'{"a": "' + b"x " * (1 << 19),
    ],
    ids=["word", "backslashes", "digits", "quotes", "lists", "numbers", "words"],
)
def test_a_hostile_beginning_takes_bounded_time(body: bytes) -> None:
    """It grows with its bytes, not with their square."""
    before = time.process_time()
    closed(body)
    assert is_within(time.process_time() - before, 2)
