"""Rows → counts: of all of them, of each chunk, of each shard of a chunk.

Chunks are equal runs of rows, numbered from 0, or periods, numbered as `Period.place` does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.findings import Finding
from monitor.replay.document import PAIRS, LeftOut
from monitor.replay.periods import Period
from monitor.replay.unlabelled import of_block, of_row
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.tables.facts import TableFacts


class Fold(Protocol):
    """The analysis, as far as it matters here."""

    def add_row(self, row: Row) -> None:
        """Fold one row into the analysis."""

    def add_block(self, block: Block) -> None:
        """Fold the rows of a block into the analysis."""

    def merge(self, other: Any) -> None:
        """Add the counts of another fold, which began alike."""

    def findings(self) -> list[Finding]:
        """Return the findings of all rows so far."""


@dataclass(frozen=True)
class Begin:
    """How an analysis begins; can be sent to a worker. Beside it facts of columns are counted where
    `with_facts` says so. Of columns that are `labels` only values that are there are judged."""

    rules: Rules
    baseline: Baseline
    by: tuple[str, ...]
    with_facts: bool = False
    labels: frozenset[str] = frozenset()

    def __call__(self, at: float) -> Analysis[Finding]:
        return analysis_of((), self.rules, self.baseline, dimensions=self.by, began=at)


class Part:
    """Rows in one analysis, which begins with the first of them."""

    def __init__(self, begin: Callable[[float], Fold]) -> None:
        self.rows = 0
        self.unrecorded = 0.0  # exchanges that the rows stand for beside their own
        self.start = math.inf
        self.end = -math.inf
        self.fold: Fold | None = None
        self.table = TableFacts() if isinstance(begin, Begin) and begin.with_facts else None
        self._begin = begin
        self._labels = begin.labels if isinstance(begin, Begin) else frozenset[str]()

    def add(self, row: Row) -> None:
        """Fold one row, the first of which begins the fold."""
        if self.fold is None:
            self.fold = self._begin(row.at)
        self.fold.add_row(of_row(row, self._labels))
        if self.table is not None:
            self.table.add(row)
        self.rows += 1
        self.unrecorded += row.weight - 1
        self.start, self.end = min(self.start, row.at), max(self.end, row.at)

    def add_block(self, block: Block) -> None:
        """Fold the rows of a block, of which there is at least one."""
        if self.fold is None:
            self.fold = self._begin(float(block.at[0]))
        self.fold.add_block(of_block(block, self._labels))
        if self.table is not None:
            self.table.add(block)
        self.rows += len(block)
        self.start = min(self.start, float(block.at.min()))
        self.end = max(self.end, float(block.at.max()))

    def passing(self, rows: Iterable[Row | Block]) -> Iterator[Row | Block]:
        """The rows, each folded on its way."""
        for one in rows:
            if isinstance(one, Block):
                self.add_block(one)
            else:
                self.add(one)
            yield one

    def merge(self, other: Part) -> None:
        """Add what another part has counted."""
        if other.fold is not None:
            if self.fold is None:
                self.fold = self._begin(other.start)
            self.fold.merge(other.fold)
        if self.table is not None and other.table is not None:
            self.table.merge(other.table)
        self.rows += other.rows
        self.unrecorded += other.unrecorded
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)

    @property
    def estimated(self) -> int | None:
        """About how many exchanges the rows stand for; None where each stands for itself."""
        return self.rows + round(self.unrecorded) if self.unrecorded else None

    @property
    def left_out(self) -> list[LeftOut]:
        """What had no place among what is watched."""
        return [
            LeftOut("drift", one.rules.watches, PAIRS, many)
            for one in self._drift
            if (many := one.watches.overflow + one.watches.unplaced)
        ]

    def findings(self) -> list[Finding]:
        """What is known of the rows."""
        return (self.fold or self._begin(0.0)).findings()

    def findings_by(self, rules: Rules) -> list[Finding]:
        """What other rules say of the same counts; only of an analysis that judges all at once."""
        return [found for monitor in self._drift for found in monitor.findings(rules)]

    @property
    def _drift(self) -> list[DriftMonitor]:
        fold = self.fold or self._begin(0.0)
        monitors = fold.monitors if isinstance(fold, Analysis) else ()
        return [one for one in monitors if isinstance(one, DriftMonitor)]


def cut(
    rows: Iterable[Row | Block],
    begin: Callable[[float], Fold],
    *,
    chunks: int,
    total: int,
    first: int = 0,
    period: Period | None = None,
) -> dict[int, Part]:
    """The rows by the chunk they belong to: a period each, or of `chunks` equal runs of a `total`;
    `first` rows came before these."""
    if period is not None:
        return _by_period(rows, begin, period)
    limits = [(index + 1) * total // chunks for index in range(chunks)]
    parts: dict[int, Part] = {}
    number = first
    for one in rows:
        if not isinstance(one, Block):
            _part(parts, _index(limits, number), begin).add(one)
            number += 1
            continue
        end = number + len(one)
        ends = [limit for limit in limits[:-1] if number < limit < end]
        for low, high in pairwise([number, *ends, end]):
            block = one.between(low - number, high - number)
            _part(parts, _index(limits, low), begin).add_block(block)
        number = end
    return parts


def counts(
    rows: Iterable[Row | Block], begins: Sequence[Callable[[float], Fold]], **limits: Any
) -> list[Mapping[int, Part]]:
    """What each way to begin counts of the same rows: the first by chunk, as `cut` does with these
    limits, the others of all rows, as the chunk 0."""
    others = [Part(begin) for begin in begins[1:]]
    for part in others:
        rows = part.passing(rows)
    return [cut(rows, begins[0], **limits), *({0: part} for part in others)]


def summed(counted: Iterable[Mapping[int, Part]], begin: Callable[[float], Fold]) -> Part:
    """All parts as one, added up in order of chunk."""
    whole = Part(begin)
    for parts in counted:
        for _, part in sorted(parts.items()):
            whole.merge(part)
    return whole


def _by_period(
    rows: Iterable[Row | Block], begin: Callable[[float], Fold], period: Period
) -> dict[int, Part]:
    parts: dict[int, Part] = {}
    for one in rows:
        if not isinstance(one, Block):
            _part(parts, period.place(one.at), begin).add(one)
            continue
        places = period.places(one.at)
        for place in np.unique(places).tolist():
            _part(parts, place, begin).add_block(one.take(np.flatnonzero(places == place)))
    return parts


def _index(limits: Sequence[int], number: int) -> int:
    """The run that a row belongs to, by its number."""
    return min(bisect_right(limits, number), len(limits) - 1)


def _part(parts: dict[int, Part], index: int, begin: Callable[[float], Fold]) -> Part:
    """The part of that number; made if new."""
    part = parts.get(index)
    if part is None:
        part = parts[index] = Part(begin)
    return part
