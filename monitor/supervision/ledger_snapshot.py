"""A proxy's LedgerSnapshot in memory that the supervisor holds, for the proxy's successor."""

from __future__ import annotations

import os
import zlib

import msgspec

from monitor.proxy.ledger import LedgerSnapshot

VARIABLE = "MONITOR_LEDGER_FD"
_SLOT = 1 << 26
"""The most bytes of a snapshot; the file takes as much memory as was written."""
_HEAD = 16

_decode = msgspec.msgpack.Decoder(LedgerSnapshot).decode


def create() -> int:
    """Return the descriptor of a new file for one worker, in memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("monitor-ledger")
    import tempfile  # no part of every start

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class SnapshotFile:
    """The snapshot file of one worker; it outlives the worker's proxies.

    Writes alternate between two slots, because a proxy may be killed in the middle of a write.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._number = 0
        self._last = b""

    def read(self) -> LedgerSnapshot | None:
        """Return the latest whole snapshot, or None if there is none."""
        for slot in (0, 1):
            head = os.pread(self._fd, _HEAD, slot * _SLOT)
            number, size = int.from_bytes(head[:8], "big"), int.from_bytes(head[8:12], "big")
            document = os.pread(self._fd, size, slot * _SLOT + _HEAD)
            whole = len(head) == _HEAD and zlib.crc32(head[:12] + document).to_bytes(4, "big")
            if whole == head[12:] and number > self._number:
                self._number, self._last = number, document
        return _decode(self._last) if self._last else None

    def write(self, snapshot: LedgerSnapshot) -> None:
        """Save `snapshot`, unless it is the same as the last or too large for a slot."""
        document = msgspec.msgpack.encode(snapshot)
        if document == self._last or len(document) > _SLOT - _HEAD:
            return
        self._number += 1
        self._last = document
        head = self._number.to_bytes(8, "big") + len(document).to_bytes(4, "big")
        crc = zlib.crc32(head + document).to_bytes(4, "big")
        os.pwrite(self._fd, head + crc + document, self._number % 2 * _SLOT)
