"""A conversation over OpenAI's Realtime: the client `openai` and a scripted WebSocket server."""

from __future__ import annotations

import base64
import importlib.metadata
import json
import sys
import threading
from typing import Any

from tests.protocols.goldens.scripted import PAUSE, write

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
SESSION = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime-2025-08-28",
}


def _text(words: str, kind: str = "output_audio") -> dict[str, Any]:
    member = "text" if kind.endswith("text") else "transcript"
    return {
        "id": "item_1",
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": kind, member: words}],
    }


def _usage(read: int, written: int, cached: int) -> dict[str, Any]:
    return {
        "total_tokens": read + written, "input_tokens": read, "output_tokens": written,
        "input_token_details": {"text_tokens": 12, "audio_tokens": read - 12, "cached_tokens": cached,
                                "cached_tokens_details": {"text_tokens": cached, "audio_tokens": 0}},
        "output_token_details": {"text_tokens": 5, "audio_tokens": written - 5},
    }  # fmt: skip


def _begun(name: str) -> dict[str, Any]:
    return {
        "type": "response.created",
        "response": {
            "object": "realtime.response",
            "id": name,
            "status": "in_progress",
            "output": [],
            "usage": None,
        },
    }


def _done(name: str, status: str, *items: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "response.done",
        "response": {
            "object": "realtime.response",
            "id": name,
            "status": status,
            "output": list(items),
            **more,
        },
    }


def _delta(kind: str, name: str, text: str) -> dict[str, Any]:
    return {
        "type": f"response.{kind}.delta",
        "response_id": name,
        "item_id": "item_1",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
    }


CALL = {
    "id": "item_2",
    "object": "realtime.item",
    "type": "function_call",
    "status": "completed",
    "name": "find_river",
    "call_id": "call_1",
    "arguments": '{"city":"Ulm"}',
}
SOUND = base64.b64encode(b"\x00\x01" * 24).decode()
TURNS: list[list[dict[str, Any]]] = [
    [{"type": "session.created", "session": SESSION}],
    [{"type": "session.updated", "session": SESSION}],
    [{"type": "input_audio_buffer.committed", "item_id": "item_0", "previous_item_id": None}, _begun("resp_1"),
     {"type": "conversation.item.input_audio_transcription.completed", "item_id": "item_0", "content_index": 0, "transcript": "Which river does Ulm lie on?", "usage": {"type": "duration", "seconds": 2.5}},
     _delta("output_audio_transcript", "resp_1", "I shall"), _delta("output_audio", "resp_1", SOUND), _delta("output_audio_transcript", "resp_1", " look."),
     _done("resp_1", "completed", _text("I shall look."), CALL, usage=_usage(60, 25, 0))],
    [_begun("resp_2"), _delta("output_text", "resp_2", "Ulm lies on the Danube"),
     _done("resp_2", "cancelled", _text("Ulm lies on the Danube", "output_text"), status_details={"type": "cancelled", "reason": "turn_detected"}, usage=_usage(140, 9, 64))],
]  # fmt: skip
ASKS: list[list[dict[str, Any]]] = [
    [{"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief.", "tools": [{"type": "function", "name": "find_river", "parameters": SCHEMA}]}}],
    [{"type": "input_audio_buffer.append", "audio": SOUND}, {"type": "input_audio_buffer.append", "audio": SOUND}, {"type": "input_audio_buffer.commit"}],
    [{"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "call_1", "output": '{"river":"Danube"}'}}, {"type": "response.create"}],
]  # fmt: skip


def record() -> None:
    """Play the conversation, and write what both sides sent as the proxy does."""
    if sys.argv[1:] and "openai_realtime/two-turns" not in sys.argv[1:]:
        return
    from openai import OpenAI
    from websockets.sync.server import ServerConnection, serve

    sides: dict[str, list[str]] = {"req": [], "res": []}
    clock = [0.0]

    def note(side: str, data: str | bytes) -> None:
        clock[0] += PAUSE
        text = data if isinstance(data, str) else data.decode()
        sides[side].append(
            json.dumps({"type": "text", "data": text, "at": clock[0]}, separators=(",", ":"))
        )

    def talk(connection: ServerConnection) -> None:
        for turn, asked in zip(TURNS, [*ASKS, []], strict=True):
            for event in turn:
                text = json.dumps({"event_id": f"event_{int(clock[0] / PAUSE)}", **event})
                note("res", text)
                connection.send(text)
            for _ in asked:
                note("req", connection.recv())

    texts: dict[str, str] = {}
    with serve(talk, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}/v1"
        client = OpenAI(base_url=url, websocket_base_url=url.replace("http", "ws"), api_key="test")
        with client.realtime.connect(model="gpt-realtime") as connection:
            for turn, asked in zip(TURNS, [*ASKS, []], strict=True):
                for _ in turn:
                    event = connection.recv()
                    if event.type.endswith(("transcript.delta", "text.delta")):
                        texts[event.response_id] = texts.get(event.response_id, "") + event.delta
                for one in asked:
                    connection.send(one)
        server.shutdown()
    head = b"GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nhost: model.example\r\nupgrade: websocket\r\nconnection: upgrade\r\nauthorization: Bearer test\r\nsec-websocket-version: 13\r\n\r\n"
    back = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
    bodies = {side: "".join(f"{line}\n" for line in said).encode() for side, said in sides.items()}
    about = {
        "client": f"openai {importlib.metadata.version('openai')}", "texts": list(texts.values()),
        "chunks": [[clock[0], len(bodies["res"])]], "upgraded": "websocket",
    }  # fmt: skip
    write("openai_realtime", "two-turns", head + bodies["req"], back + bodies["res"], about)
