"""Ollama's own API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from monitor.protocols.ollama import PROTOCOL
from monitor.types import Call, Tokens
from tests.protocols.dialects import lines

Make = Callable[..., Call]
NDJSON = "application/x-ndjson"


def test_a_chat_with_thoughts_and_tools(call: Make) -> None:
    """Calls come whole, one or more a line, with objects as arguments."""

    def tool(name: str, **arguments: Any) -> dict[str, Any]:
        return {"function": {"name": name, "arguments": arguments}}

    asked = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Where?", "images": ["abcd"]},
            {"role": "assistant", "content": "", "tool_calls": [tool("find", at="Ulm")]},
            {"role": "tool", "content": "48.4"},
        ],
    }
    body = lines(
        {"message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
        {
            "message": {
                "content": "",
                "tool_calls": [tool("find", at="Ulm"), tool("find", at="Bonn")],
            }
        },
        {"message": {"content": "", "tool_calls": [tool("today")]}},
        {"message": {"content": ""}, "done": True, "done_reason": "stop", "eval_count": 9},
    )
    made = call("/api/chat", json.dumps(asked).encode(), body, answer_type=NDJSON)
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert [(part.role, part.text) for part in found.inputs] == [
        ("user", "Where?\n[image 4 characters]"),
        ("assistant", '{"name":"find","arguments":{"at":"Ulm"}}'), ("tool", "48.4"),
    ]  # fmt: skip
    assert [(part.role, part.text) for part in found.outputs] == [
        ("reasoning", "Hm."), ("tool_call", '{"name":"find","arguments":{"at":"Ulm"}}'),
        ("tool_call", '{"name":"find","arguments":{"at":"Bonn"}}'),
        ("tool_call", '{"name":"today","arguments":{}}'),
    ]  # fmt: skip
    assert found.tokens == Tokens(None, 9)  # a cached prompt is not counted
    assert not found.incomplete


def test_generate_is_a_text_completion(call: Make) -> None:
    """Plain, with `stream: false`."""
    asked = {"model": "m", "system": "Be brief.", "prompt": "Where?", "stream": False}
    answer = {"model": "m", "response": "Ulm.", "done": True, "done_reason": "length"}
    made = call("/api/generate", json.dumps(asked).encode(), json.dumps(answer).encode())
    found = PROTOCOL.read(made)
    assert (found.operation, found.finish_reasons, found.streamed) == (
        "text_completion",
        ["length"],
        False,
    )
    assert [(part.role, part.text) for part in found.inputs] == [
        ("system", "Be brief."),
        ("user", "Where?"),
    ]
    assert [part.text for part in found.outputs] == ["Ulm."]


def test_an_error_may_end_the_stream_without_a_newline(call: Make) -> None:
    """What came before it stays."""
    body = lines({"message": {"content": "Ul"}}) + b'{"error": "model runner has stopped"}'
    found = PROTOCOL.read(call("/api/chat", b'{"model": "m"}', body, answer_type=NDJSON))
    assert found.failed
    assert [part.role for part in found.outputs] == ["assistant", "error"]


def test_lines_are_a_stream_whatever_they_say_they_are(call: Make) -> None:
    """Proxies on the way call them JSON."""
    body = lines({"message": {"content": "Ul"}}, {"message": {"content": "m."}, "done": True})
    found = PROTOCOL.read(call("/api/chat", b'{"model": "m"}', body))
    assert ([part.text for part in found.outputs], found.streamed) == (["Ulm."], True)


def test_another_server_with_such_a_path_is_not_claimed(call: Make) -> None:
    """Only what names a model is for Ollama."""
    assert not PROTOCOL.claims(call("/api/chat", b'{"text": "hello"}'))
    events = call("/api/chat", b'{"model": "m"}', b"data: hi\n\n", answer_type="text/event-stream")
    assert not PROTOCOL.claims(events)
    found = PROTOCOL.read(call("/api/chat", b'{"model": "m"}', b'{"reply": "hello"}'))
    assert [(part.name, part.data) for part in found.outputs] == [("reply", ["hello"])]
