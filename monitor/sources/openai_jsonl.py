"""Lines that applications keep of OpenAI's API, and its files for fine-tuning → exchanges.

| a line has | is |
|---|---|
| `request`, `response` | the two bodies, or objects with a `body` and what HTTP says beside it |
| `messages`, and `completion` or `response` | what was asked, and the answer in whatever form |
| `messages` alone | a conversation for tuning; what the assistant said last is its answer |
| `choices`, `object: chat.completion` | a stored answer without its request |
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import packing
from monitor.counts import count
from monitor.errors import ParseError
from monitor.foreign import chats, documents, heads
from monitor.foreign.fields import moment, name, positive, span
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

_RECORD = {"endpoint", "protocol", "started", "request"}
_ASKS = {"messages", "input", "prompt", "body", "contents"}
_TIMES = ("timestamp", "created_at", "started_at", "start_time", "started", "time", "created")
_ENDS = ("ended_at", "end_time", "completed_at", "finished_at")
_SCALES = {"duration_ms": 1e3, "latency_ms": 1e3, "response_ms": 1e3, "elapsed_ms": 1e3,
           "duration_s": 1.0, "latency_s": 1.0, "duration_seconds": 1.0,
           "latency_seconds": 1.0}  # fmt: skip
"""Names that say their unit; a bare `latency` may be in any."""
_NAMED = 32
"""Members of `metadata` that are dimensions, at most."""


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def claims(head: Head) -> bool:
    """Whether the first row holds a request and its answer, or a conversation."""
    row = heads.first(head)
    if row.keys() >= _RECORD or head.text[:1] not in (b"{", b"["):
        return False
    messages = row.get("messages")
    if "messages" in row:
        return messages is None or _are_messages(messages)
    if "choices" in row:
        return row.get("object") in ("chat.completion", "text_completion")
    asked = row.get("request")
    return "response" in row and isinstance(asked, dict) and bool(asked.keys() & _ASKS)


def read(row: bytes) -> list[Logged]:
    """The exchange of a line; raises what `foreign.documents` counts as unreadable."""
    said = _decode(row)
    if "choices" in said and "messages" not in said:
        return [_exchange(said, b"", said, chats.CHAT)]
    if "messages" in said:
        return [_conversation(said)]
    asked, answer = chats.parsed(said.get("request")), chats.parsed(said.get("response"))
    if not isinstance(asked, dict):
        raise ParseError("holds neither a request nor messages")
    target = asked.get("url", asked.get("path", said.get("url", said.get("endpoint"))))
    if "body" in asked:
        asked = chats.parsed(asked["body"])
    if not (isinstance(target, str) and target.startswith(("/", "http"))):
        target = chats.target(asked)
    return [_exchange(said, msgspec.json.encode(asked), answer, target)]


def _conversation(said: dict[str, Any]) -> Logged:
    messages = said["messages"]
    if not _are_messages(messages):
        raise ParseError("messages: is not a list of objects with a role")
    answer = said.get("completion", said.get("response"))
    is_told = answer is not None or "error" in said
    if not is_told and messages[-1].get("role") in ("assistant", "model"):
        messages, answer = messages[:-1], messages[-1]
    given = {key: said[key] for key in ("tools", "functions") if key in said}
    body = chats.request({"messages": messages, **given}, name(said.get("model")))
    if not is_told:
        found = _exchange(said, body, None, chats.CHAT)
        outcome = None if found.status is None else found.outcome
        return msgspec.structs.replace(found, response=chats.response(answer), outcome=outcome)
    return _exchange(said, body, answer, chats.CHAT)


def _exchange(said: dict[str, Any], body: bytes, answer: Any, target: str) -> Logged:
    status = _status(said)
    if isinstance(answer, dict) and "body" in answer:
        status = _status(answer) if status is None else status
        answer = chats.parsed(answer["body"])
    if answer is None and said.get("error"):
        response, outcome = chats.failure(said["error"]), Outcome.SERVER_ERROR
    elif isinstance(answer, dict) and answer.keys().isdisjoint(("role", "content", "messages")):
        response, outcome = msgspec.json.encode(answer), Outcome.OK
    else:
        response, outcome = chats.response(answer), Outcome.OK
    started = _first(said, _TIMES)
    if started is None and isinstance(answer, dict):
        started = moment(answer.get("created", answer.get("created_at")))
    return Logged(
        started=started,
        duration=_duration(said) or span(started, _first(said, _ENDS)),
        outcome=None if status is not None else outcome,
        status=status,
        target=target,
        request=body,
        response=response,
        model=name(said.get("model")),
        segments=_segments(said.get("metadata")),
        id=name(said.get("request_id", said.get("id"))),
    )


def _status(said: dict[str, Any]) -> int | None:
    for key in ("status_code", "status"):
        found = count(said[key]) if key in said else None
        if found is not None and 100 <= found < 600:
            return found
    return None


def _first(said: dict[str, Any], names: tuple[str, ...]) -> float | None:
    for key in names:
        if key in said and (found := moment(said[key])) is not None:
            return found
    return None


def _duration(said: dict[str, Any]) -> float | None:
    for key, scale in _SCALES.items():
        if key in said:
            return positive(said[key], scale)
    return None


def _segments(given: Any) -> dict[str, str]:
    given = chats.usage(given)
    found = ((name(key), name(value)) for key, value in list(given.items())[:_NAMED])
    return {key: value for key, value in found if key and value}


def _are_messages(given: Any) -> bool:
    return (
        isinstance(given, list)
        and bool(given)
        and all(isinstance(one, dict) and "role" in one for one in given)
    )


SOURCE = Source(
    "openai_jsonl", packing.named(".jsonl", ".ndjson", ".json"), claims,
    exchanges=documents.each(read),
)  # fmt: skip
