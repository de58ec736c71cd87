"""Bytes of a `text/event-stream` → its events, with the offset at which each was complete.

The algorithm is that of the HTML standard, §9.2.6 "Interpreting an event stream", except that an
event that the end of the bytes cut off before its blank line is given too: the record should hold
what the client had been sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Event(NamedTuple):
    """`end` is the offset behind the event, in bytes of the stream."""

    type: str
    data: bytes
    end: int


_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n?|\n)")
_LINE_END = re.compile(rb"\r\n|\n|\r")


def events(body: bytes) -> Iterator[Event]:
    """Events of a whole stream, in order; those without data are left out.

    >>> list(events(b"data: a\\n\\n: comment\\n\\nevent: done\\ndata: b\\ndata: c\\n\\n"))
    [Event(type='', data=b'a', end=9), Event(type='done', data=b'b\\nc', end=49)]
    """
    start = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    while start < len(body):
        blank = _BLANK_LINE.search(body, start)
        stop, end = (blank.start(), blank.end()) if blank else (len(body), len(body))
        event = _event(body[start:stop], end)
        if event is not None:
            yield event
        start = end


def _event(block: bytes, end: int) -> Event | None:
    if block.startswith(b"data: ") and b"\n" not in block and b"\r" not in block:
        return Event("", block[6:], end)  # what nearly every event of a model looks like
    kind, data = "", []
    for line in _LINE_END.split(block):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            kind = value.decode("utf-8", "replace")
    return Event(kind, b"\n".join(data), end) if data else None


def is_stream(headers: dict[str, str]) -> bool:
    """Whether a response's headers announce an event stream."""
    return headers.get("content-type", "").lstrip().lower().startswith("text/event-stream")
