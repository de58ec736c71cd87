"""Frames between our own processes: 4 bytes length, big-endian, then msgpack."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from monitor.errors import ParseError
from monitor.types import Exchange, Fate

T = TypeVar("T")

MAX_FRAME_BYTES = 1 << 30


class Handover(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Proxy → recorder: exchanges; `again` when an earlier recorder may have had them already."""

    exchanges: list[Exchange]
    again: bool = False


class Holdings(msgspec.Struct, frozen=True):
    """Recorder → proxy, when they meet and when the spool has become empty: what is held here.

    `records` are numbers of records without a last Fate by what in their ids names the proxy that
    gave them, protocol, operation and outcome; `damaged` are places of the spool where at least one
    cannot be read. `told` is how many Fates `appended` and `lost` went out on the connection before
    this one, whose end may not have heard the last of them.
    """

    records: list[tuple[str, str, str, str, int]]
    told: tuple[int, int]
    damaged: int
    spool_is_empty: bool


Told = list[Fate] | Holdings
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
