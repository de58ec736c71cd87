"""How a request asked is kept, and nothing that somebody wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.privacy.parameters import LARGEST, MOST, NUMBERS, OBJECTS, UNTOLD, WORDS, parameters
from tests.privacy.test_records import Recorder, chat, exchange


def asked(**members: Any) -> dict[str, Any]:
    return parameters(json.dumps(members).encode(), lambda number, _: False)


def test_numbers_switches_and_known_words_are_kept() -> None:
    """Under the names of the dialect, those of objects with a dot."""
    assert asked(
        model="m", temperature=0.2, stream=True, max_tokens=256, reasoning_effort="low",
        response_format={"type": "json_object"}, generationConfig={"topP": 0.9, "thinkingConfig": {"thinkingBudget": 0}},
    ) == {
        "temperature": 0.2, "stream": True, "max_tokens": 256, "reasoning_effort": "low",
        "response_format.type": "json_object", "generationConfig.topP": 0.9,
        "generationConfig.thinkingConfig.thinkingBudget": 0,
    }  # fmt: skip


def test_of_what_cannot_be_kept_it_is_said_that_it_was_there() -> None:
    """How many tools and stops; that an id goes on with something; that there was an object."""
    assert asked(
        tools=[{}, {}], stop="END", previous_response_id="resp_1", tool_choice={"name": "find"},
        format={"type": "object"},
    ) == {"tools": 2, "stop": 1, "previous_response_id": True, "tool_choice": UNTOLD, "format": UNTOLD}  # fmt: skip
    assert asked(tools=[], stop=None, previous_response_id=None) == {}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b'{"temperature": }', b"\xff", b"[" * 5000]
)
def test_what_is_no_object_has_none(body: bytes) -> None:
    """And does not raise."""
    assert parameters(body, lambda number, _: True) == {}


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(
        ["temperature", "seed", "type", "stop", "options", "tools", "x"]), inner, max_size=4)),
    max_leaves=8,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["temperature", "seed", "format", "options", "text", "tool_choice"]), VALUES
    )
)
def test_nobodys_words_or_numbers_get_out(members: dict[str, Any]) -> None:
    """Every string is of a closed list, every number has few digits, whatever was sent."""
    known = {UNTOLD}.union(*WORDS.values())
    for value in asked(**members).values():
        assert type(value) in (bool, int, float) or value in known
        assert isinstance(value, str) or abs(value) < LARGEST


def test_a_stranger_cannot_make_them_many() -> None:
    """Objects within objects, each with all that is known."""
    inner = dict.fromkeys(NUMBERS, 1)
    outer = {name: inner | dict.fromkeys(OBJECTS, inner) for name in OBJECTS}
    assert len(asked(**inner, **outer)) == MOST


def test_a_record_says_how_it_was_asked() -> None:
    """A number that is a card goes nowhere; one of many digits that is nobody's stays."""
    recorder = Recorder()
    record = recorder.read(exchange(chat("hi", temperature=0, seed=4012888888881881, tools=[{}])))
    assert record.parameters == {"temperature": 0, "tools": 1}
    assert recorder.read(exchange(chat("hi", seed=123456789012))).parameters == {
        "seed": 123456789012
    }
    other = recorder.read(exchange('{"temperature": 21.5}', target="/predict"))
    assert (other.protocol, other.parameters) == ("generic_json", {})
