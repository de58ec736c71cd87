"""What a proxy leaves: its ledger, in memory that the supervisor holds, for its successor."""

from __future__ import annotations

import os
import zlib

import msgspec

from monitor.proxy.ledger import Left

VARIABLE = "MONITOR_LEDGER_FD"
_SLOT = 1 << 26
"""Bytes that a document may have; the file is as large as what was written."""
_HEAD = 16

_decode = msgspec.msgpack.Decoder(Left).decode


def found() -> int:
    """A file for one worker that no disk stands behind, where the system has such."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("monitor-ledger")
    import tempfile  # no part of every start

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Estate:
    """The file of one worker, which outlives its proxies.

    Two places are written in turn: a proxy may be killed in the middle of one.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._number = 0
        self._last = b""

    def read(self) -> Left | None:
        """What was left last; None when there was nobody before."""
        for slot in (0, 1):
            head = os.pread(self._fd, _HEAD, slot * _SLOT)
            number, size = int.from_bytes(head[:8], "big"), int.from_bytes(head[8:12], "big")
            document = os.pread(self._fd, size, slot * _SLOT + _HEAD)
            whole = len(head) == _HEAD and zlib.crc32(head[:12] + document).to_bytes(4, "big")
            if whole == head[12:] and number > self._number:
                self._number, self._last = number, document
        return _decode(self._last) if self._last else None

    def write(self, left: Left) -> None:
        """Leave this from now on."""
        document = msgspec.msgpack.encode(left)
        if document == self._last or len(document) > _SLOT - _HEAD:
            return
        self._number += 1
        self._last = document
        head = self._number.to_bytes(8, "big") + len(document).to_bytes(4, "big")
        crc = zlib.crc32(head + document).to_bytes(4, "big")
        os.pwrite(self._fd, head + crc + document, self._number % 2 * _SLOT)
