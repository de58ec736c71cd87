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
        ({"input_tokens": 8, "cache_read_input_tokens": 100}, {"input_tokens": 8, "output_tokens": 4}, Tokens(108, 4, cached=100)),
        ({"input_tokens": 8}, {"input_tokens": 0, "output_tokens": 4}, Tokens(8, 4)),
        ({"input_tokens": 0}, {"input_tokens": 8, "output_tokens": 4}, Tokens(8, 4)),
        ({"input_tokens": 8, "output_tokens": 7}, {"cache_creation_input_tokens": 5, "output_tokens": 1}, Tokens(13, 1, cache_write=5)),
        ({"input_tokens": 8, "cache_read_input_tokens": None}, {"input_tokens": 20, "output_tokens": 4}, Tokens(20, 4)),
        ({}, {"output_tokens": 4}, Tokens(None, 4)),
    ],
    ids=["the start's cache stays", "a gateway's 0", "known late", "a cache written", "more rounds", "never said"],
)  # fmt: skip
def test_each_count_replaces_itself_alone(
    call: Make, start: dict[str, Any], delta: dict[str, Any], right: Tokens
) -> None:
    """Sums are made at the end, of what was said last of each."""
    body = named(
        {"type": "message_start", "message": {"model": "c", "usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": delta},
        {"type": "message_stop"},
    )
    found = PROTOCOL.read(call("/v1/messages", b"{}", body, answer_type="text/event-stream"))
    assert found.tokens == right


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


def test_what_is_said_beside_the_texts(call: Make) -> None:
    """Four counts of input and their parts, thoughts, searches, tier, id, tools, schema."""
    schema = {"type": "object"}
    asked = {
        "model": "c", "tools": [{"name": "find", "input_schema": schema}, {"type": "web_search_20250305", "name": "web_search"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }  # fmt: skip
    usage = {
        "input_tokens": 8, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 50, "output_tokens": 40,
        "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20},
        "server_tool_use": {"web_search_requests": 2}, "service_tier": "priority",
        "output_tokens_details": {"thinking_tokens": 25},
    }  # fmt: skip
    answer = {
        "id": "msg_1",
        "model": "c-1",
        "content": [],
        "stop_reason": "pause_turn",
        "usage": usage,
    }
    found = PROTOCOL.read(
        call("/v1/messages", json.dumps(asked).encode(), json.dumps(answer).encode())
    )
    assert found.tokens == Tokens(
        158, 40, cached=100, cache_write=50, cache_write_1h=20, reasoning=25
    )
    assert found.units == {"searches": 2}
    assert (found.response_id, found.service_tier) == ("msg_1", "priority")
    assert (found.model, found.requested_model) == ("c-1", "c")
    assert (found.finish_reasons, found.schema, found.wants_json) == (["pause_turn"], schema, True)
    assert found.tools == {"find": schema, "web_search": None}


def test_the_fast_mode_is_a_tier_of_its_own(call: Make) -> None:
    """It is dearer, whatever the tier."""
    usage = {"output_tokens": 1, "service_tier": "standard", "speed": "fast"}
    answer = json.dumps({"content": [], "usage": usage}).encode()
    assert PROTOCOL.read(call("/v1/messages", b"{}", answer)).service_tier == "fast"


VERTEX = "/v1/projects/p/locations/l/publishers/anthropic/models/"


@pytest.mark.parametrize("verb", ["rawPredict", "streamRawPredict"])
def test_at_vertex_the_model_stands_in_the_path(call: Make, verb: str) -> None:
    """The answer's own name comes first; other publishers' models are others' matter."""
    made = call(f"{VERTEX}claude-x@20250101:{verb}", b'{"anthropic_version": "v", "messages": []}')
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert (found.operation, found.model) == ("chat", "claude-x@20250101")
    assert not PROTOCOL.claims(call(f"{VERTEX}m:{verb}".replace("anthropic", "mistralai")))


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", f"{VERTEX}count-tokens:rawPredict"])
def test_counting_tokens_is_another_operation(call: Make, path: str) -> None:
    """It uses none."""
    made = call(path, b'{"model": "c", "messages": []}', b'{"input_tokens": 11}')
    found = PROTOCOL.read(made)
    assert (found.operation, found.model, found.tokens) == ("count_tokens", "c", None)
    assert [(part.name, part.data) for part in found.outputs] == [("input_tokens", [11])]


@pytest.mark.parametrize("is_streamed", [True, False])
def test_what_is_hidden_is_named_by_its_size(call: Make, is_streamed: bool) -> None:
    """Thoughts that the server encrypts, signatures, and pages that it found."""
    blocks: list[dict[str, Any]] = [
        {"type": "redacted_thinking", "data": "YWI="},
        {"type": "thinking", "thinking": "Hm.", "signature": "x" * 99},
        {"type": "web_search_tool_result", "content": [{"title": "Ulm", "encrypted_content": "y" * 99}]},
    ]  # fmt: skip
    body = json.dumps({"content": blocks, "stop_reason": "end_turn"}).encode()
    if is_streamed:
        starts = [
            {"type": "content_block_start", "index": place, "content_block": block}
            for place, block in enumerate(blocks)
        ]
        body = named(*starts, {"type": "message_stop"})
    kind = "text/event-stream" if is_streamed else "application/json"
    found = PROTOCOL.read(call("/v1/messages", b"{}", body, answer_type=kind))
    assert [(part.role, part.text) for part in found.outputs] == [
        ("reasoning", "[redacted_thinking 2 bytes]"), ("reasoning", "Hm."),
        ("tool", '{"content":[{"title":"Ulm"}]}'),
    ]  # fmt: skip


def test_a_document_is_its_text(call: Make) -> None:
    """Where it is one; else its type and size."""
    content = [
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Ulm."},
        },
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "YWI="},
        },
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png?sig=x"}},
    ]
    asked = json.dumps({"messages": [{"role": "user", "content": content}]}).encode()
    (part,) = PROTOCOL.read(call("/v1/messages", asked)).inputs
    assert (part.text or "").split("\n") == [
        "Ulm.", "[document application/pdf 2 bytes]", "[image https://example.com/a.png]",
    ]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200), answer=st.binary(max_size=200), stream=st.booleans())
def test_any_bytes_are_read(call: Make, body: bytes, answer: bytes, stream: bool) -> None:
    """No exception."""
    kind = "text/event-stream" if stream else "application/json"
    PROTOCOL.read(call("/v1/messages", body, answer, answer_type=kind))
