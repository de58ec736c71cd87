"""Anthropic's messages dialect, plain and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.anthropic_messages import PROTOCOL
from monitor.types import Call, Tokens

Make = Callable[..., Call]


def test_a_plain_answer(call: Make) -> None:
    """System, messages, content blocks, usage, stop reason."""
    request = {
        "model": "c",
        "system": "Be kind.",
        "messages": [{"role": "user", "content": "Hello"}],
    }
    answer = {
        "model": "c-1", "content": [{"type": "text", "text": "Good day."}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 2},
    }  # fmt: skip
    made = call("/v1/messages", json.dumps(request).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    seen = PROTOCOL.read(made)
    assert [(p.role, p.text) for p in seen.inputs] == [("system", "Be kind."), ("user", "Hello")]
    assert [p.text for p in seen.outputs] == ["Good day."]
    assert seen.tokens == Tokens(3, 2)
    assert seen.finish_reasons == ["end_turn"]


def test_a_stream_is_joined_and_timed(call: Make) -> None:
    """The first token is the first content_block_delta, not message_start."""
    events = [
        {"type": "message_start", "message": {"model": "c", "usage": {"input_tokens": 3}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Go"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "od"}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_stop"},
    ]
    body, chunks = b"", []
    for place, one in enumerate(events):
        body += f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode()
        chunks.append((float(place), len(body)))
    made = call("/v1/messages", b"{}", body, answer_type="text/event-stream", chunks=chunks)
    seen = PROTOCOL.read(made)
    assert [p.text for p in seen.outputs] == ["Good"]
    assert (seen.first_token, seen.last_token) == (2.0, 3.0)
    assert seen.tokens == Tokens(3, 2)


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200), answer=st.binary(max_size=200), stream=st.booleans())
def test_any_bytes_are_read(call: Make, body: bytes, answer: bytes, stream: bool) -> None:
    """No exception."""
    kind = "text/event-stream" if stream else "application/json"
    PROTOCOL.read(call("/v1/messages", body, answer, answer_type=kind))
