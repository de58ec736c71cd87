"""Pieces that were forwarded → their observers, a batch at a time.

Between two system calls an observer finds none of its code and data in the processor's caches;
after some hundred others it finds all of them, and costs half. The times are those of arrival.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

BATCH_BYTES = 524288
"""Bytes that may wait to be looked at, and PIECE_BYTES for each piece: about half a millisecond."""
PIECE_BYTES = 1024
AGE = 0.02
"""Seconds after which the next piece has all be looked at …"""
LONGEST = 0.05
"""… and after which they are without one: traffic that has stopped wakes nobody for each piece."""


class Seen(Protocol):
    """What receives: its observer, and whom to tell when that fails."""

    observe: Any
    splice: Any


def look(side: Seen, data: bytes, at: float) -> None:
    """Have one piece looked at; an observer never harms the traffic."""
    try:
        side.observe(data, at)
    except Exception:  # noqa: BLE001
        side.splice.opaque("observer_failed")


class Backlog:
    """What this process has forwarded and not looked at yet, in order of arrival."""

    __slots__ = ("_due", "_is_waiting", "_loop", "_pieces", "_size")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pieces: list[tuple[Seen, bytes, float]] = []
        self._size = 0
        self._due = 0.0
        self._is_waiting = False

    def add(self, side: Seen, data: bytes, at: float) -> None:
        """Have `data`, which came at the monotonic time `at`, looked at soon."""
        if not self._pieces:
            self._due = at + AGE
            if not self._is_waiting:
                self._is_waiting = True
                self._loop.call_later(LONGEST, self._last)
        self._pieces.append((side, data, at))
        self._size = size = self._size + len(data) + PIECE_BYTES
        if at > self._due or size > BATCH_BYTES:
            self.catch_up()

    def catch_up(self) -> None:
        """Have all looked at that has come: whoever asks an observer does this first."""
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._size = 0
            for side, data, at in pieces:
                look(side, data, at)

    def _last(self) -> None:
        self._is_waiting = False
        self.catch_up()
