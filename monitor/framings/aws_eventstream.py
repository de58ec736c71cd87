"""Bytes of an `application/vnd.amazon.eventstream` → its messages, each with the offset behind it.

The layout is that of Smithy's event stream specification
(https://smithy.io/2.0/aws/amazon-eventstream.html), numbers big-endian: length of the message and
of its headers, CRC-32 of these eight bytes, headers, payload, CRC-32 of all before it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

MAX_HEADER_BYTES = 128 << 10
"""Clients refuse a message with longer headers (botocore's limit)."""

Value = bool | int | float | str | bytes
"""Of a header: a timestamp is Unix seconds, a UUID its 16 bytes."""


class Message(NamedTuple):
    """`end` is the offset behind the message, in bytes of the stream. One that is not intact has
    neither headers nor payload: a check failed, or its headers are none."""

    headers: dict[str, Value]
    payload: bytes
    end: int
    is_intact: bool = True


_PRELUDE = struct.Struct(">III")
_CHECK = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_TRUE, _FALSE, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 6, 7, 8, 9
_NUMBERS = {
    kind: struct.Struct(f">{code}")
    for kind, code in ((2, "b"), (3, "h"), (4, "i"), (5, "q"), (_TIMESTAMP, "q"))
}


def messages(body: bytes) -> Iterator[Message]:
    """Messages of a whole stream, in order; one that the end of the bytes cut off is not given,
    since no client looks at it.

    Behind a wrong length or check of lengths nothing can be told: what is left is one message that
    is not intact.

    >>> body = bytes.fromhex("00000012 00000000 7f021b8b 7b7d 2f9261fa")
    >>> list(messages(body + body[:9]))
    [Message(headers={}, payload=b'{}', end=18, is_intact=True)]
    """
    view = memoryview(body)
    start = 0
    while len(body) - start >= _PRELUDE.size:
        total, header_bytes, check = _PRELUDE.unpack_from(body, start)
        end, payload = start + total, start + _PRELUDE.size + header_bytes
        if crc32(view[start : start + 8]) != check or payload + _CHECK.size > end:
            yield Message({}, b"", len(body), is_intact=False)
            return
        if end > len(body):
            return
        headers = None
        stop = end - _CHECK.size
        if crc32(view[start + 8 : stop], check) == _CHECK.unpack_from(body, stop)[0]:
            headers = _headers(body[start + _PRELUDE.size : payload])
        if headers is None:
            yield Message({}, b"", end, is_intact=False)
        else:
            yield Message(headers, body[payload:stop], end)
        start = end


def _headers(block: bytes) -> dict[str, Value] | None:
    """The headers by name; None where these bytes are none, or a name comes twice."""
    if len(block) > MAX_HEADER_BYTES:
        return None
    found: dict[str, Value] = {}
    place = 0
    try:
        while place < len(block):
            kind = place + 1 + block[place]
            name = block[place + 1 : kind].decode()
            value, place = _value(block, block[kind], kind + 1)
            if name in found or place > len(block):
                return None
            found[name] = value
    except (IndexError, KeyError, UnicodeDecodeError, struct.error):
        return None
    return found


def _value(block: bytes, kind: int, start: int) -> tuple[Value, int]:
    """(value, the place behind it); raises KeyError for a type that there is not, and what the
    lack of bytes raises."""
    if kind in (_BYTES, _STRING):
        end = start + 2 + _LENGTH.unpack_from(block, start)[0]
        found = block[start + 2 : end]
        return found.decode() if kind == _STRING else found, end
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, start
    if kind == _UUID:
        return block[start : start + 16], start + 16
    number = _NUMBERS[kind]
    (value,) = number.unpack_from(block, start)
    return value / 1000 if kind == _TIMESTAMP else value, start + number.size


def is_stream(headers: dict[str, str]) -> bool:
    """Whether a response's headers announce such a stream."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/vnd.amazon.eventstream"
