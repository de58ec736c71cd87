"""Bytes of a gRPC body → its messages, each with the offset behind it; trailers → how it ended.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: before each message stand one byte,
1 if it is compressed, and its length in four bytes, big-endian. What the end of the bytes cut off
is given as far as it came: a request longer than what is captured names its model at the start.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from monitor import zstd

MAX_DECODED_BYTES = 8 << 20
"""What the compressed messages of a body may decode to, together."""


class Message(NamedTuple):
    """`end` is the offset behind the message, in bytes of the body. One that is not whole was cut
    off or could not be decoded to its end."""

    data: bytes
    end: int
    is_whole: bool = True


class Status(NamedTuple):
    """How a call ended: 0 is OK, the other codes are those of gRPC's status codes document."""

    code: int
    message: str


_PREFIX = struct.Struct(">BI")
_WINDOW_BITS = {"gzip": 31, "deflate": 15}


def messages(body: bytes, coding: str = "") -> Iterator[Message]:
    """Messages of a whole body, in order, without their compression.

    `coding` is the header `grpc-encoding` of the same direction: gzip, deflate, zstd. Of a message
    in any other nothing is given but its end. Behind a first byte that is neither 0 nor 1 nothing
    can be told: what is left is one message that is not whole.

    >>> list(messages(b"\\0\\0\\0\\0\\2hi\\0\\0\\0\\0\\3y"))
    [Message(data=b'hi', end=7, is_whole=True), Message(data=b'y', end=13, is_whole=False)]
    """
    coding = coding.strip().lower()
    room = MAX_DECODED_BYTES
    start = 0
    while len(body) - start >= _PREFIX.size:
        is_compressed, length = _PREFIX.unpack_from(body, start)
        if is_compressed > 1:
            yield Message(b"", len(body), is_whole=False)
            return
        begin = start + _PREFIX.size
        start = min(begin + length, len(body))
        data, is_whole = body[begin:start], begin + length <= len(body)
        if is_compressed:
            data, is_decoded = _decoded(data, coding, room)
            room -= len(data)
            is_whole = is_whole and is_decoded
        yield Message(data, start, is_whole)


def _decoded(data: bytes, coding: str, room: int) -> tuple[bytes, bool]:
    """At most `room` bytes of what was compressed, and whether that is all of it."""
    stream = (
        zlib.decompressobj(_WINDOW_BITS[coding])
        if coding in _WINDOW_BITS
        else zstd.decompressor()
        if coding == "zstd"
        else None
    )
    if stream is None or not data or room <= 0:
        return b"", False
    try:
        found = stream.decompress(data, room)
    except (zlib.error, zstd.ZstdError):
        return b"", False
    return found, stream.eof


def status(headers: dict[str, str], trailers: dict[str, str]) -> Status | None:
    """The status in a response's trailers, or in its headers where there is no message; None where
    there is none, or no number: clients take that for UNKNOWN (2).

    >>> status({}, {"grpc-status": "8", "grpc-message": "too%20much"})
    Status(code=8, message='too much')
    """
    fields = trailers if "grpc-status" in trailers else headers
    said = fields.get("grpc-status", "")
    if not (said.isascii() and said.isdigit() and len(said) <= 3):
        return None
    return Status(int(said), unquote(fields.get("grpc-message", "")))


def is_call(headers: dict[str, str]) -> bool:
    """Whether a message's headers announce gRPC; gRPC-Web frames its trailers in another way."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/grpc" or kind.startswith("application/grpc+")
