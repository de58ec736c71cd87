"""Ollama's own API."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

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
        ("user", "Where?\n[image 3 bytes]"),
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


def test_what_is_said_beside_the_texts(call: Make) -> None:
    """Log-probabilities by line, tools, and the schema that the answer was to have."""
    schema = {"type": "object"}
    asked = {
        "model": "m", "messages": [], "format": schema,
        "tools": [{"type": "function", "function": {"name": "find", "parameters": schema}}],
    }  # fmt: skip
    body = lines(
        {"message": {"content": "U"}, "done": False, "logprobs": [{"token": "U", "logprob": -1.0}]},
        {
            "message": {"content": "lm"},
            "done": True,
            "logprobs": [{"token": "lm", "logprob": -3.0}],
        },
    )
    found = PROTOCOL.read(call("/api/chat", json.dumps(asked).encode(), body, answer_type=NDJSON))
    assert (found.tools, found.schema, found.wants_json) == ({"find": schema}, schema, True)
    assert found.confidence == pytest.approx(math.exp(-2))
    assert found.confidence_min == pytest.approx(math.exp(-3))


@pytest.mark.parametrize(
    ("form", "right"), [("json", True), ("", False), (None, False), ({}, False)]
)
def test_json_may_be_asked_for_without_a_schema(call: Make, form: Any, right: bool) -> None:
    """By its name."""
    asked = json.dumps({"model": "m", "messages": [], "format": form}).encode()
    found = PROTOCOL.read(call("/api/chat", asked))
    assert (found.wants_json, found.schema) == (right, None)


@pytest.mark.parametrize(
    ("path", "asked", "answer"),
    [("/api/embed", {"input": ["Ulm", "Bonn"]},
      {"model": "m", "embeddings": [[0.5], [1.5]], "prompt_eval_count": 4}),
     ("/api/embeddings", {"prompt": "Ulm"}, {"embedding": [0.5]})],
)  # fmt: skip
def test_embeddings_are_one_tensor(
    call: Make, path: str, asked: dict[str, Any], answer: dict[str, Any]
) -> None:
    """Of the new path and of the old one."""
    made = call(path, json.dumps({"model": "m", **asked}).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    (part,) = found.outputs
    rows = len(answer.get("embeddings", [0]))
    assert (found.operation, part.name, part.shape) == ("embeddings", "embedding", [rows, 1])
    assert [one.text for one in found.inputs] == ["Ulm", "Bonn"][:rows]
    assert found.tokens == (Tokens(4, 0) if rows == 2 else None)
    assert not found.incomplete


@pytest.mark.parametrize("reason", ["load", "unload"])
def test_holding_a_model_in_memory_is_no_inference(call: Make, reason: str) -> None:
    """It is an operation of its own, so that it is not among the durations of chats."""
    answer = {
        "model": "m",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": reason,
    }
    found = PROTOCOL.read(
        call("/api/chat", b'{"model": "m", "messages": []}', json.dumps(answer).encode())
    )
    assert (found.operation, found.outputs, found.tokens) == (reason, [], None)
