"""Exchanges of units → what each unit did in the time after it first came, once that is over.

A unit that came yesterday has had less time than one that came a week ago. So where one arm got
its units later, it looks better or worse for that alone. Here each unit counts once, with what it
did in its first so many seconds, when these are over (growthbook#68, PostHog#72763; "Peeking
problem 2.0", Spotify 2023).

Time is cut into slots of a 32nd of that, on one grid for all units. A unit's time is the slot in
which it first came and the 31 next, and sums are kept by slot. So in whatever order exchanges come,
in shards or not, the same are added up. All are integers.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

import msgspec

from monitor.analysis.experiments.arms import UNIT
from monitor.analysis.experiments.declared import Metric
from monitor.turns import in_turns

SLOTS = 32
"""Slots in the time of a unit."""

PIECES = 256
"""Parts in which the units that are followed are saved; only those that have changed are."""

NEVER = -(1 << 60)


class Sums(NamedTuple):
    """Of a unit by one metric: exchanges, and sums of their values and their base, in `UNIT`s."""

    exchanges: int
    total: int
    base: int

    def plus(self, other: Sums) -> Sums:
        """Return the sums over the exchanges of both."""
        return Sums(*(one + more for one, more in zip(self, other, strict=True)))


Slots = dict[int, dict[str, Sums]]
"""By the number of a slot, and by the name of a metric."""


class FollowUp:
    """The units whose time is not over, with what they did so far. Units are numbers of 64 bits;
    `seconds` is how long each is followed."""

    def __init__(self, seconds: float) -> None:
        self.changed: set[int] = set()
        self.over = NEVER
        self._newest = NEVER
        self._width = seconds / SLOTS
        self._pieces: list[dict[int, Slots]] = [{} for _ in range(PIECES)]

    @property
    def open(self) -> int:
        """How many units are followed whose time is not over."""
        return sum(map(len, self._pieces))

    def is_over(self, first: float) -> bool:
        """Whether units that first came then (Unix seconds) have been told."""
        return self._slot(first) + SLOTS < self.over

    def add(self, unit: int, at: float, values: Iterable[tuple[str, float, float]]) -> None:
        """Count an exchange that began at Unix seconds, with (metric, value, base)."""
        self.come(at)
        sums = {
            name: Sums(1, round(value * UNIT), round(base * UNIT)) for name, value, base in values
        }
        self._add(unit, self._slot(at), sums)

    def come(self, at: float) -> None:
        """An exchange came at Unix seconds; one at no time is none."""
        if math.isfinite(at):
            self._newest = max(self._newest, self._slot(at))

    def merge(self, other: FollowUp) -> None:
        """Add the counts of another shard."""
        self._newest = max(self._newest, other._newest)
        for unit, slots in other._every():
            for slot, sums in slots.items():
                self._add(unit, slot, sums)

    def keep(self, units: Container[int]) -> None:
        """Follow no other units than these from now on."""
        for unit in [unit for unit, _ in self._every() if unit not in units]:
            self._pop(unit)

    def settle(self, until: float) -> Iterator[tuple[int, dict[str, Sums]]]:
        """Yield each unit whose time was over at Unix seconds, and its sums by metric; it is
        followed no more. Exchanges may end a slot later than they began."""
        slot = self._slot(until)
        if slot <= self.over:
            return
        self.over, due = slot, []
        for unit, slots in self._every():
            first = min(slots)
            if first + SLOTS < slot:
                due.append(unit)
            elif len(past := [one for one in slots if one < slot]) > 1:  # when it came is settled
                slots[first] = _added(slots.pop(one) for one in past)
                self.changed.add(unit % PIECES)
        for unit in in_turns(due):
            yield unit, _added(self._pop(unit).values())

    def settled(self) -> Iterator[tuple[int, dict[str, Sums]]]:
        """Yield the same by the newest exchange; they are still followed."""
        for unit, slots in self._every():
            if min(slots) + SLOTS < self._newest:
                yield unit, _added(slots.values())

    def saved(self, piece: int) -> bytes:
        """The units of a piece as JSON, whose integers have no end; empty where there are none."""
        self.changed.discard(piece)
        units = [(unit, list(slots.items())) for unit, slots in self._pieces[piece].items()]
        return msgspec.json.encode(units) if units else b""

    def restore(self, entry: bytes) -> None:
        """Follow the units of a piece; raises msgspec.DecodeError where it is damaged."""
        kept = msgspec.json.decode(entry, type=list[tuple[int, list[tuple[int, dict[str, Sums]]]]])
        for unit, slots in kept:
            self._pieces[unit % PIECES][unit] = dict(slots)

    def _add(self, unit: int, slot: int, sums: dict[str, Sums]) -> None:
        slots = self._pieces[unit % PIECES].setdefault(unit, {})
        first = min(slots, default=slot)
        if slot >= first + SLOTS:
            return
        there = slots.setdefault(slot, {})
        for name, one in sums.items():
            there[name] = there[name].plus(one) if name in there else one
        if slot < first:
            for late in [one for one in slots if one >= slot + SLOTS]:
                del slots[late]
        self.changed.add(unit % PIECES)

    def _every(self) -> Iterator[tuple[int, Slots]]:
        """All units with their slots."""
        for piece in self._pieces:
            yield from in_turns(piece.items())

    def _pop(self, unit: int) -> Slots:
        self.changed.add(unit % PIECES)
        return self._pieces[unit % PIECES].pop(unit)

    def _slot(self, at: float) -> int:
        return math.floor(at / self._width)


def of_unit(metric: Metric, sums: Sums) -> Sums:
    """What a unit counts for: its sums, or of a metric `of_units` once, with what became of it.

    >>> of_unit(Metric("bought", "event", "bought", of_units=True), Sums(9, 2 * UNIT, 9 * UNIT))
    Sums(exchanges=1, total=1048576, base=1048576)
    """
    if not metric.of_units:
        return sums
    least, most = metric.bounds if metric.is_mean else (0.0, 1.0)
    return Sums(1, min(max(sums.total, round(least * UNIT)), round(most * UNIT)), UNIT)


def _added(slots: Iterable[dict[str, Sums]]) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    for sums in slots:
        for name, one in sums.items():
            found[name] = found[name].plus(one) if name in found else one
    return found
