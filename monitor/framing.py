"""Frames between our own processes: 4 bytes length, big-endian, then msgpack."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from monitor.errors import ParseError
from monitor.types import Exchange, Fate

T = TypeVar("T")

MAX_FRAME_BYTES = 1 << 30


class Meeting(msgspec.Struct, frozen=True):
    """Proxy → recorder, in answer to Holdings: they are written down, and Fates may come.

    `process` is what in ids names this proxy. `dead` are those before it whose accounts are open,
    and since when (Unix seconds, perhaps infinite) the stream may hold what is not in them.
    """

    process: str
    dead: list[tuple[str, float]]


class Handover(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Proxy → recorder: exchanges; `again` when an earlier recorder may have had them already.
    With `care` it says of each that it begins to read it: one may have ended the one before."""

    exchanges: list[Exchange]
    again: bool = False
    care: bool = False
    meeting: Meeting | None = None


class Holdings(msgspec.Struct, frozen=True, tag=True):
    """Recorder → proxy, when they meet: what it found in the spool when it began.

    `records` are sets of records (`numbers.Numbers`) by what in their ids names the proxy that gave
    them, protocol, operation and outcome; `damaged` are places where at least one cannot be read.
    """

    records: list[tuple[str, str, str, str, int, bytes]]
    damaged: int


class Accounted(msgspec.Struct, frozen=True, tag=True):
    """Recorder → proxy: nothing is in the spool, nor held here of the processes in `records`; with
    each stand the numbers of its exchanges that the stream has."""

    records: list[tuple[str, int, bytes]]


class Reading(msgspec.Struct, frozen=True, tag=True):
    """Recorder → proxy: of the exchanges that came with care, this one is read from now on, and the
    one before has been; the empty id: the last one has been."""

    id: str


Told = list[Fate] | Holdings | Accounted | Reading
"""Recorder → proxy."""


_encoder = msgspec.msgpack.Encoder()


def pack(value: Any) -> bytes:
    """One frame holding `value`.

    >>> pack(1)
    b'\\x00\\x00\\x00\\x01\\x01'
    """
    frame = bytearray(4)
    _encoder.encode_into(value, frame, 4)
    frame[:4] = (len(frame) - 4).to_bytes(4, "big")
    return bytes(frame)


class Unpacker(Generic[T]):
    """Bytes in any pieces → values, in order.

    >>> unpacker = Unpacker(int)
    >>> unpacker.feed(pack(1) + pack(2)[:3]), unpacker.feed(pack(2)[3:])
    ([1], [2])
    """

    def __init__(self, kind: type[T]) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[T]:
        """Values completed by `data`; raises ParseError where it is not a frame of this kind."""
        buffer = self._buffer
        buffer += data
        values: list[T] = []
        start = 0
        with memoryview(buffer) as view:
            while len(buffer) - start >= 4:
                end = start + 4 + int.from_bytes(view[start : start + 4], "big")
                if end - start > MAX_FRAME_BYTES:
                    raise ParseError("a frame is larger than 1 GiB")
                if end > len(buffer):
                    break
                try:
                    values.append(self._decode(view[start + 4 : end]))
                except msgspec.DecodeError:
                    raise ParseError("a frame does not hold what was agreed") from None
                start = end
        del buffer[:start]
        return values
