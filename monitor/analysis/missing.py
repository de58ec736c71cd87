"""Outcome rows → Missing: were there Records to judge for long, and too few labels to judge them?

A stretch begins with the first Record that is due, and ends with enough labels; then a new one
begins. One that lasts longer than allowed is overdue, if so many Records were due in it that half
of their labels would have been enough. So little traffic is never blamed for being little, and a
while without traffic for having no labels. Time is that of the Records.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import msgspec

from monitor.findings import Missing
from monitor.rows import Row
from monitor.types import WHOLE, Measurement, WatchKey

ALL = "all"
"""The one entry of what is kept."""


@dataclass(frozen=True)
class Question:
    """What the monitor called `name` asks: of which rows that are `due`, and which of these are
    `answered`. From `enough` answers on it can judge."""

    name: str
    due: Callable[[Row], bool]
    answered: Callable[[Row], bool]
    enough: int


class _Stretch(msgspec.Struct, array_like=True):
    """The Records of closed panes since a monitor last had enough labels. Its panes ended from
    `since` to `until`, in Unix seconds; None before the first one with a Record that was due."""

    since: float | None = None
    until: float = 0.0
    due: int = 0
    answered: int = 0


_Counts = dict[str, tuple[int, int]]


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    stretches: dict[str, _Stretch]
    open: dict[int, _Counts]


class MissingMonitor:
    """The Monitor of labels that do not come.

    A stretch may last `allowed` seconds. Labels are known of the `share` of Records at least, less
    than 1 where people are asked about a sample.
    """

    name = "missing"

    def __init__(self, questions: Sequence[Question], allowed: float, share: float) -> None:
        self._questions = tuple(questions)
        self._allowed = allowed
        self._least = {one.name: least(one.enough, share) for one in questions}
        self._stretches = {one.name: _Stretch() for one in questions}
        self._open: dict[int, _Counts] = {}
        self._is_changed = True

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count for each question whether a row is one of its own, and answered."""
        del at
        counts = self._open.setdefault(pane, {})
        self._is_changed = True
        for one in self._questions:
            if one.due(row):
                due, answered = counts.get(one.name, (0, 0))
                counts[one.name] = due + 1, answered + one.answered(row)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`; stretches begin and end here."""
        for pane in sorted(pane for pane in self._open if pane <= last):
            self._is_changed = True
            for name, (due, answered) in self._open.pop(pane).items():
                stretch, enough = self._stretches[name], self._enough(name)
                since = end(pane) if stretch.since is None else stretch.since
                known = stretch.answered + answered
                self._stretches[name] = (
                    _Stretch() if known >= enough
                    else _Stretch(since, end(pane), stretch.due + due, known)
                )  # fmt: skip

    def merge(self, other: Self) -> None:
        """Add what `other` counted before a pane was closed."""
        self._is_changed = True
        for pane, theirs in other._open.items():
            self._add(pane, theirs)

    def state(self) -> dict[str, bytes]:
        """All of it, if anything has changed since the last call."""
        if not self._is_changed:
            return {}
        self._is_changed = False
        return {ALL: msgspec.msgpack.encode(_Kept(self._stretches, self._open))}

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from what `state` gave; raises msgspec.DecodeError where it is damaged."""
        del newest
        if ALL not in state:
            return
        kept = msgspec.msgpack.decode(state[ALL], type=_Kept)
        names = {
            one.name for one in self._questions
            if all(keeps((name, WHOLE.dimension, WHOLE.value)) for name in (self.name, one.name))
        }  # fmt: skip
        self._stretches |= {name: one for name, one in kept.stretches.items() if name in names}
        for pane, counts in kept.open.items():
            self._add(place(pane), {name: two for name, two in counts.items() if name in names})
        self._is_changed = True

    def findings(self) -> list[Missing]:
        """Return a finding for each monitor of outcomes."""
        return [self._finding(one.name) for one in self._questions]

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """Yield `monitor_outcome_overdue_seconds` of each monitor of outcomes."""
        for one in self.findings():
            labels = {"endpoint": endpoint, "monitor": one.monitor}
            yield Measurement("monitor_outcome_overdue_seconds", labels, one.overdue)

    def _finding(self, name: str) -> Missing:
        stretch, is_much = self._stretches[name], self._least[name]
        since = stretch.since
        late = 0.0 if since is None else stretch.until - since - self._allowed
        overdue = max(0.0, late) if stretch.due >= is_much else 0.0
        return Missing(name, overdue, stretch.due, stretch.answered, self._enough(name), since)

    def _enough(self, name: str) -> int:
        return next(one.enough for one in self._questions if one.name == name)

    def _add(self, pane: int, theirs: _Counts) -> None:
        counts = self._open.setdefault(pane, {})
        for name, (due, answered) in theirs.items():
            before = counts.get(name, (0, 0))
            counts[name] = before[0] + due, before[1] + answered


def least(enough: int, share: float) -> int:
    """Of how many Records half of the labels are enough, where those of a `share` are known.

    >>> least(50, 1.0), least(50, 1 / 16)
    (100, 1600)
    """
    return math.ceil(2 * enough / share)
