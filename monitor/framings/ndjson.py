"""Bytes of JSON values in a row → the values, with the offset at which each was complete.

Newline-delimited JSON (https://github.com/ndjson/ndjson-spec), and one JSON array that is sent
element by element. What the end of the bytes cut off is given too, as in `sse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Item(NamedTuple):
    """`end` is the offset behind the value, in bytes of the stream."""

    data: bytes
    end: int


_STREAMS = ("application/x-ndjson", "application/ndjson", "application/stream+json")
_LINES = (*_STREAMS, "application/jsonl", "application/x-jsonl", "application/jsonlines")
_TOKENS = re.compile(rb'"(?>[^"\\]*(?:\\.[^"\\]*)*)(?:"|\Z)|[][{}]', re.DOTALL)


def lines(body: bytes) -> Iterator[Item]:
    """The lines of a stream that are not blank.

    >>> list(lines(b'{"a": 1}\\n\\n{"a": 2}'))
    [Item(data=b'{"a": 1}', end=9), Item(data=b'{"a": 2}', end=18)]
    """
    start = 0
    while start < len(body):
        end = body.find(b"\n", start) + 1 or len(body)
        line = body[start:end].strip()
        if line:
            yield Item(line, end)
        start = end


def elements(body: bytes) -> Iterator[Item]:
    """The objects in a JSON array, or the one object that stands there instead.

    >>> list(elements(b'[{"a": "]"}\\r\\n,\\r\\n{"a": {}}'))
    [Item(data=b'{"a": "]"}', end=11), Item(data=b'{"a": {}}', end=25)]
    """
    outer = 1 if body.lstrip()[:1] == b"[" else 0
    depth = start = 0
    for match in _TOKENS.finditer(body):
        token = match.group()
        if token in (b"{", b"["):
            if depth == outer:
                start = match.start()
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == outer:
                yield Item(body[start : match.end()], match.end())
            elif depth < outer:
                return
    if depth > outer:
        yield Item(body[start:], len(body))


def is_cut(body: bytes) -> bool:
    """Whether a body begins as a JSON object or array that it does not end.

    >>> is_cut(b'{"a": [1, 0.'), is_cut(b'{"a": [1]}'), is_cut(b"Good day."), is_cut(b"")
    (True, False, False, False)
    """
    if body.lstrip()[:1] not in (b"{", b"["):
        return False
    depth = 0
    for match in _TOKENS.finditer(body):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if not depth:
                return False
    return True


def is_stream(headers: dict[str, str]) -> bool:
    """Whether a response's headers announce lines that are sent as they are made."""
    return _kind(headers) in _STREAMS


def is_lines(headers: dict[str, str]) -> bool:
    """Whether a message's headers announce a JSON value a line."""
    return _kind(headers) in _LINES


def _kind(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
