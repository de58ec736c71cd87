"""How many Records are remembered: all, or of their ids' digests a half, a quarter, an eighth …

Which share it is depends on the Records alone and on their own times, so live and replay keep the
same ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

DEEPEST = 40
"""So many times the share is halved, at most."""
SLOTS = 32
"""The time for which Records are remembered is counted in so many slots."""


class Saved(msgspec.Struct, frozen=True):
    """What is kept of a Share."""

    level: int
    newest: int
    slots: dict[int, list[int]]
    raises: list[tuple[int, int]]


class Share:
    """Keeps what takes at most `room` places within `wait` seconds of the Records' own time.

    `level` is how many times the share is halved. A place is counted by the slot in which its
    Record ended, and by the number of zeros that the digest of its id begins with.
    """

    def __init__(self, wait: float, room: int) -> None:
        self.level = 0
        self._room = room
        self._width = max(wait / SLOTS, 1e-3)
        self._slots: dict[int, list[int]] = {}
        self._newest = -(1 << 60)
        self._kept = 0
        self._raises: list[tuple[int, int]] = []

    def add(self, digest: int, ended: float, places: int, sequence: int) -> bool:
        """Count a Record that is about to be given the number `sequence`; whether the level has
        risen, so that others have to be left out from now on."""
        slot = math.floor(ended / self._width)
        is_later = slot > self._newest
        if is_later:
            self._newest = slot
            if any(old < slot - SLOTS for old in self._slots):
                self._slots = {o: c for o, c in self._slots.items() if o >= slot - SLOTS}
                self._kept = self._taken(self.level)
        if slot < self._newest - SLOTS:
            return False
        counts = self._slots.get(slot)
        if counts is None:
            counts = self._slots[slot] = [0] * (DEEPEST + 1)
        depth = zeros(digest)
        counts[depth] += places
        if depth >= self.level:
            self._kept += places
        before = self.level
        while self._kept > self._room and self.level < DEEPEST:
            self._to(self.level + 1)
        if self.level > before:
            self._raises = [one for one in self._raises if one[1] > self.level]
            self._raises.append((sequence, self.level))
        elif is_later:
            while self.level and self._taken(self.level - 1) <= self._room // 2:
                self._to(self.level - 1)
        return self.level > before

    def keeps(self, digest: int) -> bool:
        """Whether a Record that comes now is remembered."""
        return not self.level or zeros(digest) >= self.level

    def halvings(self, level: int, sequence: int) -> int:
        """How often the share was halved, at most, since a Record came at `level`."""
        return max([level, *(raised for at, raised in self._raises if at > sequence)])

    def saved(self) -> Saved:
        """What a later process needs to go on."""
        return Saved(self.level, self._newest, self._slots, self._raises)

    def restore(self, saved: Saved, width: float | None = None) -> None:
        """Go on; counts in slots of another width are left to go."""
        self.level, self._raises = saved.level, list(saved.raises)
        if width is None or width == self._width:
            self._newest, self._slots = saved.newest, _as_lists(saved.slots)
        self._kept = self._taken(self.level)

    def forget(self, before: int) -> None:
        """Forget what says something only of Records with numbers below `before`."""
        self._raises = [one for one in self._raises if one[0] > before]

    @property
    def width(self) -> float:
        """How many seconds of event time a slot holds."""
        return self._width

    def _taken(self, level: int) -> int:
        return sum(sum(counts[level:]) for counts in self._slots.values())

    def _to(self, level: int) -> None:
        self.level = level
        self._kept = self._taken(level)


def zeros(digest: int) -> int:
    """With how many zeros 64 bits begin, up to DEEPEST.

    >>> zeros(1 << 63), zeros(1 << 60), zeros(0)
    (0, 3, 40)
    """
    return min(64 - digest.bit_length(), DEEPEST)


def _as_lists(slots: Mapping[int, list[int]]) -> dict[int, list[int]]:
    return {slot: list(counts) for slot, counts in slots.items()}
