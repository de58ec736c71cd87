"""OpenAI's Realtime over a WebSocket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.openai_realtime import PROTOCOL
from monitor.recorder import calls
from monitor.types import Call, Exchange, Inference, Message, Outcome, Tokens


def side(*events: tuple[float, Any]) -> bytes:
    """The proxy's copy of one side."""
    return b"".join(
        json.dumps({"type": "text", "data": json.dumps(event), "at": at}).encode() + b"\n"
        for at, event in events
    )


def connection(asked: bytes, told: bytes, path: str = "/v1/realtime?model=gpt-realtime") -> Call:
    head = f"GET {path} HTTP/1.1\r\nupgrade: websocket\r\n\r\n".encode()
    back = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"
    exchange = Exchange(
        "id", 1.0, 9.0, Message(head, asked, len(asked)), Message(back, told, len(told)),
        [(0.2, len(told))], Outcome.OK, "websocket",
    )  # fmt: skip
    return calls.read(exchange)


def read(asked: bytes, told: bytes) -> Inference:
    call = connection(asked, told)
    assert PROTOCOL.claims(call)
    return PROTOCOL.read(call)


def said(text: str, kind: str = "output_audio") -> dict[str, Any]:
    member = "text" if kind.endswith("text") else "transcript"
    return {"type": "message", "role": "assistant", "content": [{"type": kind, member: text}]}


def done(id_: str, *items: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "type": "response.done",
        "response": {"id": id_, "status": status, "output": list(items), **more},
    }


def usage(read_: int, written: int, cached: int) -> dict[str, Any]:
    return {"usage": {
        "total_tokens": read_ + written, "input_tokens": read_, "output_tokens": written,
        "input_token_details": {"text_tokens": 1, "audio_tokens": read_ - 1, "cached_tokens": cached},
        "output_token_details": {"text_tokens": 2, "audio_tokens": written - 2},
    }}  # fmt: skip


CREATED = {
    "type": "session.created",
    "session": {"id": "sess_1", "model": "gpt-realtime-2025-08-28"},
}
SCHEMA = {"type": "object"}


def test_a_connection_of_two_turns() -> None:
    """What was said both ways, tokens of both turns added up, the first turn's first token."""
    asked = side(
        (0.1, {"type": "session.update", "session": {"instructions": "Be brief.", "tools": [
            {"type": "function", "name": "find", "parameters": SCHEMA}]}}),
        (0.2, {"type": "input_audio_buffer.append", "audio": "YWI="}),
        (0.3, {"type": "input_audio_buffer.append", "audio": "YWI="}),
        (0.4, {"type": "input_audio_buffer.commit"}),
        (3.0, {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": "48.4 N"}}),
        (3.1, {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And Bonn?"}]}}),
        (3.2, {"type": "response.create"}),
    )  # fmt: skip
    told = side(
        (0.0, CREATED),
        (0.5, {"type": "conversation.item.input_audio_transcription.completed", "transcript": "Where is Ulm?"}),
        (1.0, {"type": "response.created", "response": {"id": "r1", "status": "in_progress"}}),
        (1.25, {"type": "response.output_audio_transcript.delta", "response_id": "r1", "output_index": 0, "delta": "On the "}),
        (1.5, {"type": "response.output_audio.delta", "response_id": "r1", "output_index": 0, "delta": "YWJj"}),
        (1.75, done("r1", said("On the Danube."), {"type": "function_call", "name": "find", "arguments": '{"at":"Ulm"}'}, **usage(10, 20, 4))),
        (3.5, {"type": "response.created", "response": {"id": "r2"}}),
        (4.0, {"type": "response.output_text.delta", "response_id": "r2", "delta": "On the Rhine."}),
        (4.5, {"type": "response.output_text.delta", "response_id": "r2", "delta": " Yes."}),
        (5.0, done("r2", said("On the Rhine. Yes.", "output_text"), **usage(40, 6, 30))),
    )  # fmt: skip
    found = read(asked, told)
    assert [(part.role, part.text) for part in found.inputs] == [
        ("system", "Be brief."), ("user", "[audio 4 bytes]"), ("user", "Where is Ulm?"), ("tool", "48.4 N"),
        ("user", "And Bonn?"),
    ]  # fmt: skip
    assert [(part.role, part.text) for part in found.outputs] == [
        ("assistant", "On the Danube."), ("tool_call", '{"name":"find","arguments":{"at":"Ulm"}}'),
        ("assistant", "[audio 3 bytes]"), ("assistant", "On the Rhine. Yes."),
    ]  # fmt: skip
    assert found.tokens == Tokens(50, 26, cached=34, audio_input=48, audio_output=22)
    assert found.finish_reasons == ["completed", "completed"]
    assert (found.operation, found.response_id) == ("realtime", "sess_1")
    assert (found.model, found.requested_model) == ("gpt-realtime-2025-08-28", "gpt-realtime")
    assert found.tools == {"find": SCHEMA}
    assert (found.first_token, found.last_token) == (0.25, 0.25 + 0.25 + 0.5)
    assert (found.failed, found.incomplete, found.streamed) == (False, False, True)


def test_without_their_end_responses_are_what_came() -> None:
    """Under the names of the beta, too. A client may hang up at any moment: that is no failure."""
    told = side(
        (0.0, CREATED),
        (1.0, {"type": "response.output_item.added", "response_id": "r", "output_index": 1, "item": {"type": "function_call", "name": "find"}}),
        (1.0, {"type": "response.audio_transcript.delta", "response_id": "r", "output_index": 0, "delta": "On"}),
        (1.1, {"type": "response.text.delta", "response_id": "r", "output_index": 0, "delta": " the"}),
        (1.2, {"type": "response.function_call_arguments.delta", "response_id": "r", "output_index": 1, "delta": "{}"}),
    )  # fmt: skip
    found = read(b"", told)
    assert [(part.role, part.text) for part in found.outputs] == [
        ("assistant", "On the"), ("tool_call", '{"name":"find","arguments":{}}'),
    ]  # fmt: skip
    assert (found.finish_reasons, found.failed, found.incomplete) == (["incomplete"], False, False)
    assert found.tokens is None


@pytest.mark.parametrize(
    ("status", "details", "right"),
    [("completed", {}, ("completed", False)), ("cancelled", {"reason": "turn_detected"}, ("cancelled", False)),
     ("incomplete", {"reason": "max_output_tokens"}, ("max_output_tokens", False)),
     ("incomplete", {"reason": "content_filter"}, ("content_filter", False)),
     ("failed", {"error": {"code": "server_error"}}, ("failed", True))],
)  # fmt: skip
def test_how_a_response_ended(
    status: str, details: dict[str, Any], right: tuple[str, bool]
) -> None:
    """To be interrupted is no failure, and a bound that was reached is none."""
    found = read(b"", side((0.0, CREATED), (1.0, done("r", status=status, status_details=details))))
    assert (found.finish_reasons, found.failed) == ([right[0]], right[1])


def test_an_error_event_ends_nothing() -> None:
    """It is on record, and the conversation goes on."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no such item"}}
    found = read(b"", side((0.0, CREATED), (0.5, error), (1.0, done("r", said("Ulm.")))))
    assert [part.role for part in found.outputs] == ["assistant", "error"]
    assert not found.failed


def test_a_connection_of_nothing_but_an_error_is_one() -> None:
    """As where the key is wrong."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no such key"}}
    found = read(b"", side((0.0, error)))
    assert [part.role for part in found.outputs] == ["error"]


def test_messages_of_somebody_else_are_left_to_any_websocket() -> None:
    """As are other connections, and requests that were not upgraded."""
    assert not PROTOCOL.claims(connection(b"", side((0.0, {"event": "phx_reply"}))))
    assert PROTOCOL.claims(connection(b"", b""))
    assert not PROTOCOL.claims(connection(b"", b"", "/realtime/v1/websocket"))


@pytest.mark.parametrize(
    "told", [{"event": "phx_reply", "of": '"session.'}, "x", {"type": 7}, [], 'say "session.']
)
def test_what_a_client_says_makes_no_other_server_one_of_realtime(told: Any) -> None:
    """Its messages would be passed over, or be read as items that are whole."""
    item = {
        "type": "conversation.item.create",
        "item": {"content": [{"type": "input_text", "text": "hi"}]},
    }
    asked = side((0.0, {"type": "session.update"}), (0.1, item))
    assert not PROTOCOL.claims(connection(asked, side((0.2, told))))
    assert not PROTOCOL.claims(connection(asked, side((0.2, told), (0.3, {"type": "error"}))))
    assert PROTOCOL.claims(connection(asked, b""))
    assert PROTOCOL.claims(connection(asked, side((0.2, told), (0.3, CREATED))))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.lists(st.sampled_from([
    CREATED, {"type": "response.done"}, {"type": "response.done", "response": {"output": [1, {"content": "x"}]}},
    {"type": "response.output_text.delta", "delta": 3}, {"type": "response.output_text.delta", "delta": "a", "output_index": "x"},
    {"type": "conversation.item.create", "item": {"content": [1, {}]}}, {"type": "session.update", "session": []},
    {"type": 7}, [], "x", {"type": "response.done", "response": {"id": [1], "usage": {"input_token_details": 3}}},
]), max_size=6))  # fmt: skip
def test_any_messages_are_read(noise: bytes, events: list[Any]) -> None:
    """By their own reader, or as any JSON."""
    told = side((0.0, CREATED), *((float(place), one) for place, one in enumerate(events)))
    assert read(noise, told + noise).operation == "realtime"
