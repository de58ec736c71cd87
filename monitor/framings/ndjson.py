"""Bytes of newline-delimited JSON → its lines, with the offset at which each was complete.

https://github.com/ndjson/ndjson-spec; what the end of the bytes cut off is given too, as in `sse`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Item(NamedTuple):
    """`end` is the offset behind the value, in bytes of the stream."""

    data: bytes
    end: int


_STREAMS = ("application/x-ndjson", "application/ndjson", "application/stream+json")
_LINES = (*_STREAMS, "application/jsonl", "application/x-jsonl", "application/jsonlines")


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


def is_stream(headers: dict[str, str]) -> bool:
    """Whether a response's headers announce lines that are sent as they are made."""
    return _kind(headers) in _STREAMS


def is_lines(headers: dict[str, str]) -> bool:
    """Whether a message's headers announce a JSON value a line."""
    return _kind(headers) in _LINES


def _kind(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
