"""Rows → counts: of all of them, of each chunk, of each shard of a chunk."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.types import Finding, Row


class Fold(Protocol):
    """The analysis, as far as it matters here."""

    def add_row(self, row: Row) -> None:
        """Fold one row into the analysis."""

    def merge(self, other: Any) -> None:
        """Add what another one counted."""

    def findings(self) -> list[Finding]:
        """What is known now."""


@dataclass(frozen=True)
class Begin:
    """How an analysis begins; can be sent to a worker."""

    rules: Rules
    baseline: Baseline
    by: tuple[str, ...]

    def __call__(self, at: float) -> Analysis:
        return analysis_of((), self.rules, self.baseline, dimensions=self.by, began=at)


class Part:
    """Rows in one analysis, which begins with the first of them."""

    def __init__(self, begin: Callable[[float], Fold]) -> None:
        self.rows = 0
        self.unrecorded = 0.0  # exchanges that the rows stand for beside their own
        self.start = math.inf
        self.end = -math.inf
        self.fold: Fold | None = None
        self._begin = begin

    def add(self, row: Row) -> None:
        """Fold one row, the first of which begins the fold."""
        if self.fold is None:
            self.fold = self._begin(row.at)
        self.fold.add_row(row)
        self.rows += 1
        self.unrecorded += row.weight - 1
        self.start, self.end = min(self.start, row.at), max(self.end, row.at)

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, each folded on its way."""
        for row in rows:
            self.add(row)
            yield row

    def merge(self, other: Part) -> None:
        """Add what another part has counted."""
        if other.fold is not None:
            if self.fold is None:
                self.fold = self._begin(other.start)
            self.fold.merge(other.fold)
        self.rows += other.rows
        self.unrecorded += other.unrecorded
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)

    @property
    def estimated(self) -> int | None:
        """About how many exchanges the rows stand for; None where each stands for itself."""
        return self.rows + round(self.unrecorded) if self.unrecorded else None

    def findings(self) -> list[Finding]:
        """What is known of the rows."""
        return (self.fold or self._begin(0.0)).findings()


def cut(
    rows: Iterable[Row],
    begin: Callable[[float], Fold],
    *,
    chunks: int,
    total: int,
    first: int = 0,
) -> dict[int, Part]:
    """The rows by the chunk they belong to, of `chunks` equal runs of a `total`; `first` rows came
    before these."""
    limits = [(index + 1) * total // chunks for index in range(chunks)]
    parts: dict[int, Part] = {}
    for number, row in enumerate(rows, start=first):
        index = min(bisect_right(limits, number), chunks - 1)
        part = parts.get(index)
        if part is None:
            part = parts[index] = Part(begin)
        part.add(row)
    return parts
