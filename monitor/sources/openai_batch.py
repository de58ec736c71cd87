"""The files of OpenAI's batch API → exchanges: requests, answers and errors, joined by `custom_id`.

They come in files of their own, each in an order of its own; those of one directory, or those that
are named together, are joined. An exchange stands where its request does; a request that nobody
answered is none. What has an id that was used twice cannot be joined. No file says when anything
was.
https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import compress, decompress

import msgspec

from monitor import packing
from monitor.counts import count
from monitor.damage import Damage
from monitor.errors import ParseError
from monitor.foreign import chats, documents, heads
from monitor.foreign.fields import name
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

_ABSENT = msgspec.Raw(b"null")
KEPT = 64 << 20
"""Bytes of answers that are kept as they are until their requests come; more are packed."""
_TWICE = b""
"""What is kept instead of the answers to an id that came twice."""


class _Answer(msgspec.Struct):
    status_code: Any = None
    request_id: Any = None
    body: msgspec.Raw = _ABSENT


class _Line(msgspec.Struct):
    custom_id: str
    method: str | None = None
    url: str | None = None
    body: msgspec.Raw = _ABSENT
    response: _Answer | None = None
    error: Any = None

    @property
    def is_request(self) -> bool:
        """Whether it asks rather than answers."""
        return self.url is not None or self.body != _ABSENT


_decode = msgspec.json.Decoder(_Line).decode


def claims(head: Head) -> bool:
    """Whether the first line is of a batch: a request, or an answer."""
    names = heads.first(head).keys()
    return "custom_id" in names and bool(
        names >= {"url", "body"} or names >= {"method", "body"} or names & {"response", "error"}
    )


def exchanges(paths: Sequence[Path], damage: Damage) -> Iterator[Logged]:
    """The exchanges of all files: requests in order with their answers, then answers alone.

    Of answers that have requests in another file the bytes are kept meanwhile.
    """
    asking = [path for path in paths if _asks(path)]
    answering = [path for path in paths if path not in asking]
    if not asking or not answering:
        for path in paths:
            for _, _, line in _lines(path, damage):
                yield _exchange(line, line) if line.is_request else _exchange(None, line)
        return
    kept: dict[str, bytes] = {}
    room = KEPT
    for path in answering:
        for number, text, line in _lines(path, damage):
            if line.custom_id in kept:
                kept[line.custom_id] = _TWICE
                damage.rows(path, f"{path}:{number}", "its custom_id has come before")
            else:
                room -= len(text)
                kept[line.custom_id] = text if room >= 0 else compress(text, 1)
    yield from _joined(asking, kept, damage)


def _joined(asking: Sequence[Path], kept: dict[str, bytes], damage: Damage) -> Iterator[Logged]:
    """Requests that were answered, then answers to none."""
    for path in asking:
        for _, _, line in _lines(path, damage):
            answer = kept.get(line.custom_id)
            kept[line.custom_id] = _TWICE
            if answer:
                yield _exchange(line, _unpacked(answer))
    for answer in filter(None, kept.values()):
        yield _exchange(None, _unpacked(answer))


def _unpacked(answer: bytes) -> _Line:
    is_packed = answer[:1] == b"x"  # RFC 1950; no JSON object begins so
    return _decode(decompress(answer) if is_packed else answer)


def _asks(path: Path) -> bool:
    for _, text in documents.rows(path, Damage()):
        try:
            return _decode(text).is_request
        except documents.UNREADABLE:
            continue
    return False


def _lines(path: Path, damage: Damage) -> Iterator[tuple[int, bytes, _Line]]:
    damage.begin(path)
    for number, text in documents.rows(path, damage):
        try:
            line = _decode(text)
            if not line.is_request and line.response is None and line.error is None:
                raise ParseError("neither asks nor answers")
        except documents.UNREADABLE as error:
            damage.rows(path, f"{path}:{number}", documents.reason(error))
        else:
            yield number, text, line


def _exchange(asked: _Line | None, answer: _Line | None) -> Logged:
    said = None if answer is None else answer.response
    status = None if said is None else count(said.status_code)
    status = status if status is not None and 100 <= status < 600 else None
    body = b"" if said is None or said.body == _ABSENT else bytes(said.body)
    error = None if answer is None else answer.error
    if error and not body:
        body = chats.failure(error)
    request = b"" if asked is None or asked.body == _ABSENT else bytes(asked.body)
    target = asked.url if asked is not None and asked.url else _target(body)
    one = asked or answer
    return Logged(
        outcome=Outcome.SERVER_ERROR if error and status is None else None,
        status=status,
        method=(asked.method if asked is not None else None) or "POST",
        target=target,
        request=request,
        response=body,
        id=name(one.custom_id) if one is not None else "",
    )


def _target(body: bytes) -> str:
    """Whose answer it is, by the kind of object that it says it is."""
    start = body[:400]
    if b'"chat.completion' in start:
        return chats.CHAT
    if b'"text_completion' in start:
        return chats.COMPLETION
    if b'"list"' in start and b'"embedding' in start:
        return chats.EMBEDDINGS
    return chats.RESPONSES if b'"response"' in start else chats.CHAT


SOURCE = Source(
    "openai_batch", packing.named(".jsonl", ".ndjson"), claims, exchanges=exchanges
)  # fmt: skip
