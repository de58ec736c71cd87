"""Cohere's own API: what the goldens of its clients do not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.protocols.cohere import PROTOCOL
from monitor.types import Call, Tokens
from tests.protocols.dialects import lines, named

Make = Callable[..., Call]
V2 = b'{"model": "m", "messages": [{"role": "user", "content": "Where?"}]}'
V1 = b'{"model": "m", "message": "Where?"}'
EVENTS, LINES = "text/event-stream", "application/stream+json"


@pytest.mark.parametrize(
    ("path", "body", "is_ours"),
    [
        ("/v2/chat", V2, True), ("/cohere/v1/chat/", V1, True), ("/v1/generate", b'{"model": "m", "prompt": "a"}', True),
        ("/v2/embed", b'{"model": "m", "texts": ["a"]}', True), ("/v1/chat", b'{"message": "a", "chat_history": []}', True),
        ("/v1/chat", b'{"message": "a"}', False), ("/v1/generate", b'{"model": "m", "inputs": "a"}', False),
        ("/v1/chat/completions", V2, False), ("/chat", V1, False),
    ],
)  # fmt: skip
def test_what_is_claimed(call: Make, path: str, body: bytes, is_ours: bool) -> None:
    """Others have such paths; Cohere's requests have more than one member."""
    assert PROTOCOL.claims(call(path, body)) == is_ours


def test_the_last_event_of_v1_repeats_the_answer(call: Make) -> None:
    """Its counts are taken, and its calls of tools were there before."""
    tool = {"name": "find", "parameters": {"city": "Ulm"}}
    whole = {"text": "Ulm.", "tool_calls": [tool], "response_id": "r-1",
             "meta": {"tokens": {"input_tokens": 9, "output_tokens": 4}, "billed_units": {"search_units": 2}}}  # fmt: skip
    body = lines(
        {"event_type": "text-generation", "text": "Ulm."},
        {"event_type": "tool-calls-generation", "tool_calls": [tool]},
        {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": whole},
    )  # fmt: skip
    found = PROTOCOL.read(call("/v1/chat", V1, body, answer_type=LINES))
    assert [part.text for part in found.outputs] == [
        "Ulm.",
        '{"name":"find","arguments":{"city":"Ulm"}}',
    ]
    assert (found.tokens, found.units, found.response_id) == (
        Tokens(9, 4),
        {"searches": 2.0},
        "r-1",
    )


def test_counts_that_are_charged_stand_in(call: Make) -> None:
    """Where nobody says how many there were."""
    usage: dict[str, Any] = {"billed_units": {"input_tokens": 9, "output_tokens": 4}}
    answer = {"message": {"content": [{"type": "text", "text": "a"}]}, "usage": usage}
    found = PROTOCOL.read(call("/v2/chat", V2, json.dumps(answer).encode()))
    assert found.tokens == Tokens(9, 4)
    usage["tokens"] = {"input_tokens": 99}
    found = PROTOCOL.read(call("/v2/chat", V2, json.dumps(answer).encode()))
    assert found.tokens == Tokens(99, 4)


def test_generated_texts_and_other_answers(call: Make) -> None:
    """Several texts are several outputs; what is not Cohere's is read as any JSON."""
    asked = b'{"model": "m", "prompt": "Where?"}'
    told = {
        "generations": [
            {"text": "Ulm.", "finish_reason": "COMPLETE"},
            {"text": "Bonn.", "finish_reason": "MAX_TOKENS"},
        ]
    }
    found = PROTOCOL.read(call("/v1/generate", asked, json.dumps(told).encode()))
    assert [part.text for part in found.outputs] == ["Ulm.", "Bonn."]
    assert (found.finish_reasons, found.operation) == (
        ["COMPLETE", "MAX_TOKENS"],
        "text_completion",
    )
    found = PROTOCOL.read(call("/v2/chat", V2, b'{"score": 0.5}'))
    assert [(part.name, part.data) for part in found.outputs] == [("score", [0.5])]
    thought = {"type": "content-delta", "delta": {"message": {"content": {"thinking": "Hm."}}}}
    found = PROTOCOL.read(call("/v2/chat", V2, named(thought), answer_type=EVENTS))
    assert ([(part.role, part.text) for part in found.outputs], found.first_token) == (
        [("reasoning", "Hm.")],
        0.5,
    )


@given(st.binary(max_size=120), st.sampled_from([EVENTS, LINES, "application/json"]))
def test_any_bytes_are_read(call: Make, answer: bytes, kind: str) -> None:
    """No exception."""
    for data in (answer, b"data: " + answer):
        PROTOCOL.read(call("/v2/chat", V2, data, answer_type=kind))
