"""Lines of requests and answers, and of conversations, as exchanges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.damage import Damage
from monitor.foreign import chats
from monitor.logged import Logged
from monitor.replay import files
from monitor.replay.recording import READING, _call
from monitor.sources import openai_jsonl
from monitor.types import Inference, Outcome

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1764000000, "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "On its way."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
}  # fmt: skip


def one(row: dict[str, Any]) -> tuple[Logged, Inference]:
    (said,) = openai_jsonl.read(json.dumps(row).encode())
    return said, READING.read(_call(said, 0), {})


def source(tmp_path: Path, *rows: dict[str, Any]) -> str:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return files.find([str(path)])[0][1].name


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"request": ASKED, "response": ANSWER}, "openai_jsonl"),
        ({"messages": [{"role": "user", "content": "a"}]}, "openai_jsonl"),
        ({"messages": [{"role": "user", "content": "a"}], "completion": "b"}, "openai_jsonl"),
        (ANSWER, "openai_jsonl"),
        ({"request": 12, "response": 200}, "jsonl"),
        ({"messages": 12, "a": 3}, "jsonl"),
        ({"request": {"age": 41}, "response": {"score": 0.2}}, "jsonl"),
        ({"choices": 3}, "jsonl"),
        ({"prompt": "a", "completion": "b"}, "jsonl"),
        ({"endpoint": "e", "protocol": "p", "started": 1.0, "request": {}, "response": {}}, "records"),
    ],
)  # fmt: skip
def test_only_requests_and_conversations_are_claimed(
    tmp_path: Path, row: dict[str, Any], name: str
) -> None:
    """JSON lines of any other objects are a table as ever, and Records are Records."""
    assert source(tmp_path, row) == name


def test_an_exchange_is_read_as_on_the_wire() -> None:
    """With its times, by the name that says their unit, and its status."""
    said, found = one({"request": ASKED, "response": ANSWER, "latency_ms": 250, "status_code": 200,
                       "timestamp": "2025-11-24T16:00:00Z", "metadata": {"team": "a", "n": 3, "x": {}}})  # fmt: skip
    assert (said.started, said.duration, said.status, said.ended) == (
        1764000000.0,
        0.25,
        200,
        Outcome.OK,
    )
    assert said.segments == {"team": "a", "n": "3"}
    assert (found.protocol, found.model, found.response_id) == (
        "openai_chat",
        "gpt-4o-2024-08-06",
        "chatcmpl-1",
    )
    assert found.tokens is not None
    assert (found.tokens.input, found.tokens.output) == (9, 4)
    assert [part.text for part in [*found.inputs, *found.outputs]] == [
        "Where is my parcel?",
        "On its way.",
    ]


def test_what_is_not_said_is_not_there() -> None:
    """A latency without a unit is none, the time is that of the answer, and of how a conversation ended nobody knows."""
    said, _ = one({"request": ASKED, "response": ANSWER, "latency": 250})
    assert (said.started, said.duration, said.status) == (1764000000.0, None, None)
    said, found = one({"messages": [*ASKED["messages"], {"role": "assistant", "content": "Yes"}]})
    assert (said.started, said.duration, said.ended) == (None, None, None)
    assert [part.text for part in [*found.inputs, *found.outputs]] == ["Where is my parcel?", "Yes"]
    said, found = one({"messages": ASKED["messages"]})
    assert (said.ended, found.outputs) == (None, [])


def test_http_around_bodies_is_read() -> None:
    """The target, a body that is a text, and a status in the answer."""
    said, found = one({"request": {"method": "POST", "url": "/v1/chat/completions", "body": json.dumps(ASKED)},
                       "response": {"status_code": 429, "body": {"error": {"message": "Slow down"}}}})  # fmt: skip
    assert (said.target, said.status, said.ended) == (chats.CHAT, 429, Outcome.RATE_LIMITED)
    assert found.outputs[0].role == "error"


def test_a_failure_is_one() -> None:
    """Without an answer, with an error beside."""
    said, found = one({"request": ASKED, "response": None, "error": "Connection reset"})
    assert said.ended is Outcome.SERVER_ERROR
    assert found.outputs


def test_other_apis_are_told_by_their_requests() -> None:
    """Embeddings and responses."""
    assert (
        one({"request": {"model": "e", "input": "a"}, "response": {}})[0].target == chats.EMBEDDINGS
    )
    assert (
        one(
            {"request": {"model": "g", "input": [{"role": "user", "content": "a"}]}, "response": {}}
        )[0].target
        == chats.RESPONSES
    )


@pytest.mark.parametrize("row", [b"12", b"{}", b'{"request": 1}', b'{"messages": 1}', b'{"messages": []}', b"[" * 9000, b"{"])  # fmt: skip
def test_what_is_of_another_kind_is_told(tmp_path: Path, row: bytes) -> None:
    """With its line, and the good ones are read."""
    path, damage = tmp_path / "a.jsonl", Damage()
    good = json.dumps({"request": ASKED, "response": ANSWER}).encode()
    path.write_bytes(b"\n".join([good, row, good]))
    exchanges = openai_jsonl.SOURCE.exchanges
    assert exchanges is not None
    assert len(list(exchanges([path], damage))) == 2
    assert [one.place for one in damage.listed()] == [f"{path}:2"]
