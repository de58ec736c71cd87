"""Time-ordered ids of exchanges: UUIDv7 (RFC 9562) that also number them within this process."""

from __future__ import annotations

from collections.abc import Callable


class Ids:
    """Makes ids of 48 bits of Unix milliseconds, 34 bits of the process and a 40-bit counter.

    Ids rise even if the clock is set back.

    >>> ids = Ids(0x123456789ABCDEF, lambda: 1700000000.0)
    >>> ids.new()
    '018bcfe5-6800-7def-9abc-e20000000001'
    >>> ids.number(ids.new()), ids.number("018bcfe5-6800-7def-9abd-e20000000002")
    (2, None)
    """

    def __init__(self, process: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        low, middle, high = process & 0xFFF, process >> 12 & 0x3FFF, process >> 26 & 0xFF
        self._tail = f"-7{low:03x}-{middle | 0x8000:04x}-{high:02x}"
        self._number = 0
        self._millisecond = -1
        self._prefix = ""

    def new(self) -> str:
        """Return the next id, later in order than those before."""
        self._number = number = self._number + 1
        millisecond = int(self._clock() * 1000)
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            time = f"{millisecond:012x}"
            self._prefix = f"{time[:8]}-{time[8:]}{self._tail}"
        return f"{self._prefix}{number:010x}"

    @property
    def process(self) -> str:
        """Return the part `id[13:26]` that all ids of this process share."""
        return self._tail

    def number(self, id_: str) -> int | None:
        """Return the number of an id of this process; None for one of another."""
        return int(id_[26:], 16) if id_[13:26] == self._tail else None
