"""Bodies → JSON values: parsed at most once, whoever asks."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import bodies
from monitor.dimensions import dimension
from monitor.errors import ParseError
from monitor.interfaces import Dimension
from monitor.meters import Meters
from monitor.privacy.patterns import Scanner
from monitor.privacy.policies import Policy
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recorder.capture import Capture
from monitor.types import Call, Exchange, Message, Outcome


class _Named(msgspec.Struct):
    name: str = ""


DECODER = msgspec.json.Decoder(_Named)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that are parsed whole from here on."""
    seen: list[bytes] = []
    parse = bodies._parse

    def watched(body: bytes) -> Any:
        seen.append(body)
        return parse(body)

    monkeypatch.setattr(bodies, "_parse", watched)
    return seen


def test_a_body_is_parsed_once(parsed: list[bytes]) -> None:
    """All get the same value; nobody who asks, no parse."""
    body = bodies.Body(b'{"a": [1]}')
    assert (body, parsed) == (b'{"a": [1]}', [])
    assert bodies.document(body) is bodies.document(body) is body.value
    assert len(parsed) == 1


def test_that_a_body_is_no_json_is_found_once(parsed: list[bytes]) -> None:
    """And said each time."""
    body = bodies.Body(b"Good day.")
    for _ in range(3):
        with pytest.raises(ParseError):
            bodies.document(body)
    assert len(parsed) == 1


def test_a_typed_reading_needs_no_value_of_its_own(parsed: list[bytes]) -> None:
    """It is made from the bytes, which is faster, unless some member is of another type."""
    assert bodies.decode(bodies.Body(b'{"name": "a"}'), DECODER) == _Named("a")
    assert parsed == []
    odd = bodies.Body(b'{"name": 1}')
    assert bodies.document(odd) == {"name": 1}
    assert bodies.decode(odd, DECODER) == _Named()
    assert len(parsed) == 1


def test_what_was_written_from_a_value_has_it(parsed: list[bytes]) -> None:
    """With the marks in it, which no bytes can have."""
    body = bodies.Document.of({"name": bodies.Kept("a")})
    assert body == b'{"name":"a"}'
    assert isinstance(bodies.decode(body, DECODER).name, bodies.Kept)
    assert isinstance(bodies.document(body)["name"], bodies.Kept)
    assert parsed == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('null"', max_size=5),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text("ab"), one, max_size=3),
)


@given(VALUES)
def test_bytes_are_read_where_they_tell_all(value: Any) -> None:
    """A number that is not finite they do not tell: then a value of any kind is read from itself."""
    body = bodies.written(value)
    is_told = not re.search("NaN|Infinity", json.dumps(value))
    assert type(body) is (bodies.Body if is_told else bodies.Document)
    assert repr(bodies.document(body)) == repr(value)


def test_what_is_too_deep_to_be_compared_is_written() -> None:
    """Nothing raises, however deep it is."""
    for depth in (100, 500, 900, 2000):
        value: Any = None
        for _ in range(depth):
            value = [value]
        assert isinstance(bodies.written(value), bodies.Body)


BY_PATH = Dimension("plan", lambda call, _: _plan(call))


def _plan(call: Call) -> str:
    return str(bodies.document(call.request_body)["rows"][0]["plan"])


@pytest.mark.parametrize("rules", [{}, {"request.rows[*].age": "drop"}])
def test_an_exchange_parses_each_body_once(parsed: list[bytes], rules: dict[str, str]) -> None:
    """Rules, a protocol that finds an error's name in it, and dimensions by a place together."""
    privacy = Privacy(
        scanner=Scanner(()), keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0,
        policy=Policy(rules) if rules else None,
    )  # fmt: skip
    dimensions = [dimension("population", "header", ["x-population"]), BY_PATH]
    reader = Capture("e", PROTOCOLS, dimensions, privacy, Meters("recorder", "e"))
    body = json.dumps({"rows": [{"plan": "pro", "age": 7}]}).encode()
    answer = json.dumps({"predictions": [{"error": 0.1}, {"error": 0.2}]}).encode()
    head = b"POST /any HTTP/1.1\r\ncontent-type: application/json\r\n\r\n"
    back = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    record, _ = reader.read(
        Exchange(
            "id", 1.0, 1.0, Message(head, body, len(body)), Message(back, answer, len(answer)),
            [(0.5, len(answer))], Outcome.OK,
        )
    )  # fmt: skip
    assert record.segments["plan"] == "pro"
    assert [part.name for part in record.outputs] == ["predictions.error"]
    assert sorted(parsed) == sorted([body, answer])
