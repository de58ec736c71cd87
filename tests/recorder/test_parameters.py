"""The parameters of a request are read in every dialect, and nothing else of it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.recorder import parameters

ALL = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "seed": 7}


@pytest.mark.parametrize(
    "body",
    [
        {**ALL, "stop": ["a", "b"]},
        {**ALL, "stop_sequences": ["a", "b"]},
        {"generationConfig": {
            "maxOutputTokens": 9, "temperature": 0.5, "topP": 0.9, "topK": 4.0, "seed": 7,
            "stopSequences": ["a", "b"],
        }},
        {"options": {**ALL, "stop": ["a", "b"]}, "stream": False},
        {"parameters": {**ALL, "stop": ["a", "b"]}, "inputs": "x"},
    ],
)  # fmt: skip
def test_dialects_say_the_same_in_other_words(body: dict[str, Any]) -> None:
    """At the top, or in a section; whole numbers written as floats are whole."""
    found = parameters.read(json.dumps(body).encode())
    assert (found.numbers, found.stops) == (ALL, ["a", "b"])
    assert type(found.numbers["top_k"]) is int
    assert type(parameters.read(b'{"temperature": 1}').numbers["temperature"]) is float


def test_a_conversation_is_named_or_an_object() -> None:
    """As the Responses API has it; the answer before by its id."""
    for said in ('"c1"', '{"id": "c1"}'):
        body = f'{{"conversation": {said}, "previous_response_id": "r1", "stream": true}}'
        found = parameters.read(body.encode())
        assert (found.conversation, found.previous, found.stream) == ("c1", "r1", True)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"null", b"\xff", b'{"temperature": "hot", "max_tokens": 1.5}',
        b'{"seed": 9223372036854775808}', b'{"seed": 1e999}', b'{"n": true}',
        b'{"stop": {"a": 1}, "options": [1], "conversation": 5}',
    ],
)  # fmt: skip
def test_what_is_of_another_type_is_left_out(body: bytes) -> None:
    """And never ends the reading."""
    assert parameters.read(body) == parameters.NONE


def test_many_stop_sequences_are_cut() -> None:
    """A client cannot make a span as large as it likes."""
    found = parameters.read(json.dumps({"stop": ["x"] * 10000}).encode())
    assert found.stops == ["x"] * parameters.MOST_STOPS


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["temperature", "n", "stop", "options", "id", "x"]), inner, max_size=4
    ),
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["temperature", "n", "stop", "options", "conversation"]), JSON)
)
def test_any_request_has_parameters(body: dict[str, Any]) -> None:
    """Numbers of 64 bits, and texts."""
    found = parameters.read(json.dumps(body).encode())
    assert all(
        type(one) is float or (type(one) is int and -(1 << 63) <= one < 1 << 63)
        for one in found.numbers.values()
    )
    assert all(isinstance(one, str) for one in found.stops)
