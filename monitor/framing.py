"""Frames between our own processes: 4 bytes length, big-endian, then msgpack."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from monitor.errors import ParseError
from monitor.types import Exchange, Receipt

T = TypeVar("T")

MAX_FRAME_BYTES = 1 << 30


class ProxyState(msgspec.Struct, frozen=True):
    """Proxy → recorder: the answer to RecorderState. The proxy has saved that state in its ledger,
    so the recorder may send Receipts from now on.

    `process` is the part of an exchange's id that names this proxy. `predecessors` are the dead
    proxies whose accounts are open: their `process`, and the Unix time from which on the stream may
    hold exchanges that the ledger does not know as appended (infinite: there are none).
    """

    process: str
    predecessors: list[tuple[str, float]]


class Batch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Proxy → recorder: exchanges, oldest first.

    `redelivered`: an earlier recorder may have handled them already. `suspect`: one of them may
    have ended that recorder, so the recorder sends a Processing before it reads each. `state` comes
    once, in the first batch of a connection, without exchanges. `awaited`: somebody waits for the
    Receipts of all that was sent.
    """

    exchanges: list[Exchange]
    redelivered: bool = False
    suspect: bool = False
    state: ProxyState | None = None
    awaited: bool = False


class RecorderState(msgspec.Struct, frozen=True, tag=True):
    """Recorder → proxy, first on a connection: what the recorder found in the spool at its start.

    `records` are sets of exchange numbers (first number and bits of a `Numbers`) by process,
    protocol, operation and outcome. `damaged` counts places with at least one unreadable record.
    """

    records: list[tuple[str, str, str, str, int, bytes]]
    damaged: int


class Reconciliation(msgspec.Struct, frozen=True, tag=True):
    """Recorder → proxy: the spool is empty, and the recorder holds nothing of the processes in
    `records`. With each process comes the set of its exchange numbers that the stream has."""

    records: list[tuple[str, int, bytes]]


class Processing(msgspec.Struct, frozen=True, tag=True):
    """Recorder → proxy: the recorder begins to read this exchange of a suspect batch, and has read
    the one before it. An empty id says that it has read the last one."""

    id: str


RecorderMessage = list[Receipt] | RecorderState | Reconciliation | Processing
"""All that a recorder sends to its proxy."""


_encoder = msgspec.msgpack.Encoder()


def pack(value: Any) -> bytes:
    """Return one frame holding `value`.

    >>> pack(1)
    b'\\x00\\x00\\x00\\x01\\x01'
    """
    frame = bytearray(4)
    _encoder.encode_into(value, frame, 4)
    frame[:4] = (len(frame) - 4).to_bytes(4, "big")
    return bytes(frame)


class Unpacker(Generic[T]):
    """Turns bytes, in pieces of any size, into values of one type, in order.

    >>> unpacker = Unpacker(int)
    >>> unpacker.feed(pack(1) + pack(2)[:3]), unpacker.feed(pack(2)[3:])
    ([1], [2])
    """

    def __init__(self, kind: type[T]) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[T]:
        """Return the values that `data` completes. Raises ParseError if a frame is larger than
        1 GiB or does not decode to this type."""
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
