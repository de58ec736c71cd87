"""Bytes of a JSON array that is sent piece by piece → its elements, each with the offset behind it.

Gemini streams so without `alt=sse`. Only brackets and strings are looked at (RFC 8259); whoever
reads an element finds what else is wrong with it. What the end of the bytes cut off is given too,
as in `sse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Item(NamedTuple):
    """`end` is the offset behind the value, in bytes of the stream."""

    data: bytes
    end: int


TOKENS = re.compile(rb'"(?>[^"\\]*(?:\\.[^"\\]*)*)(?:"|\Z)|[][{}]', re.DOTALL)
"""Strings, of which the last may have no end, and brackets."""


def elements(body: bytes) -> Iterator[Item]:
    """The objects in a JSON array, or the one object that stands there instead.

    >>> list(elements(b'[{"a": "]"}\\r\\n,\\r\\n{"a": {}}'))
    [Item(data=b'{"a": "]"}', end=11), Item(data=b'{"a": {}}', end=25)]
    """
    outer = 1 if body.lstrip()[:1] == b"[" else 0
    depth = start = 0
    for match in TOKENS.finditer(body):
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
    for match in TOKENS.finditer(body):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if not depth:
                return False
    return True
