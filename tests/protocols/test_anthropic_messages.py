"""Anthropic's messages dialect, plain and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.anthropic_messages import PROTOCOL
from monitor.types import Call, Tokens
from tests.protocols.dialects import named

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


@pytest.mark.parametrize(
    ("start", "delta", "right"),
    [
        ({"input_tokens": 8, "cache_read_input_tokens": 100}, {"input_tokens": 8, "output_tokens": 4}, (108, 4)),
        ({"input_tokens": 8}, {"input_tokens": 0, "output_tokens": 4}, (8, 4)),
        ({"input_tokens": 0}, {"input_tokens": 8, "output_tokens": 4}, (8, 4)),
        ({"input_tokens": 8, "output_tokens": 7}, {"cache_creation_input_tokens": 5, "output_tokens": 1}, (13, 1)),
        ({"input_tokens": 8, "cache_read_input_tokens": None}, {"input_tokens": 20, "output_tokens": 4}, (20, 4)),
        ({}, {"output_tokens": 4}, (None, 4)),
    ],
    ids=["the start's cache stays", "a gateway's 0", "known late", "a cache written", "more rounds", "never said"],
)  # fmt: skip
def test_each_count_replaces_itself_alone(
    call: Make, start: dict[str, Any], delta: dict[str, Any], right: tuple[int | None, int]
) -> None:
    """Sums are made at the end, of what was said last of each."""
    body = named(
        {"type": "message_start", "message": {"model": "c", "usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": delta},
        {"type": "message_stop"},
    )
    found = PROTOCOL.read(call("/v1/messages", b"{}", body, answer_type="text/event-stream"))
    assert found.tokens == Tokens(*right)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b'{"sid": "SM1", "status": "queued"}', "application/json"),
     (b'data: {"text": "hi"}\n\n', "text/event-stream")],
)  # fmt: skip
def test_an_answer_of_somebody_else_is_read_as_any_json(
    call: Make, answer: bytes, kind: str
) -> None:
    """Others have messages too."""
    found = PROTOCOL.read(call("/v1/messages", b'{"to": "x"}', answer, answer_type=kind))
    assert not found.incomplete
    assert found.outputs != []
    assert all(part.role != "error" for part in found.outputs)


@pytest.mark.parametrize("kind", ["tool_use", "server_tool_use", "mcp_tool_use"])
@pytest.mark.parametrize("given_", [{}, {"query": "Ulm"}])
def test_every_kind_of_tool_is_a_call(call: Make, kind: str, given_: dict[str, Any]) -> None:
    """Whole, streamed in pieces, or streamed with all of it at the start; what it found is none."""
    block = {"type": kind, "id": "t", "name": "find", "input": given_}
    found_ = {"type": "web_search_tool_result", "content": [{"title": "Ulm"}]}
    whole = json.dumps({"content": [block, found_], "stop_reason": "end_turn"}).encode()
    pieces = [
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": one},
        }
        for one in json.dumps(given_)
    ]
    starts = [{"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}}}]
    ends = [
        {"type": "content_block_start", "index": 1, "content_block": found_},
        {"type": "message_stop"},
    ]
    at_once = named({**starts[0], "content_block": block}, *ends)
    for body, type_ in (
        (whole, "application/json"), (named(*starts, *pieces, *ends), "text/event-stream"),
        (at_once, "text/event-stream"),
    ):  # fmt: skip
        outputs = PROTOCOL.read(call("/v1/messages", b"{}", body, answer_type=type_)).outputs
        assert [part.role for part in outputs] == ["tool_call", "tool"]
        assert json.loads(outputs[0].text or "") == {"name": "find", "arguments": given_}
        assert "Ulm" in (outputs[1].text or "")


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200), answer=st.binary(max_size=200), stream=st.booleans())
def test_any_bytes_are_read(call: Make, body: bytes, answer: bytes, stream: bool) -> None:
    """No exception."""
    kind = "text/event-stream" if stream else "application/json"
    PROTOCOL.read(call("/v1/messages", body, answer, answer_type=kind))
