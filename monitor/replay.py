"""Rows at rest → one document: what the analysis says of all of them, and of each chunk."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import msgspec

from monitor.errors import SourceError
from monitor.findings import moment, verdict
from monitor.types import Chunk, Finding, Replay, Row

BUDGET = 50
"""Values of a dimension that are watched, the most frequent; all others are `other`."""


class Fold(Protocol):
    """The analysis, as far as it matters here."""

    def add_row(self, row: Row) -> None:
        """Fold one row."""

    def merge(self, other: Any) -> None:
        """Add what another one counted."""

    def findings(self) -> list[Finding]:
        """What is known now."""


class Census(msgspec.Struct):
    """How many rows there are, and how often each value of each dimension comes."""

    rows: int = 0
    values: dict[str, Counter[str]] = {}

    def count(self, rows: Iterable[Row]) -> None:
        """Add rows."""
        for row in rows:
            self.rows += 1
            for dimension, value in row.segments.items():
                self.values.setdefault(dimension, Counter())[value] += 1

    def kept(self, budget: int = BUDGET) -> dict[str, set[str]]:
        """The most frequent values of each dimension; ties go by name."""
        return {
            dimension: {
                value for _, value in sorted((-n, value) for value, n in counts.items())[:budget]
            }
            for dimension, counts in self.values.items()
        }


def within_budget(rows: Iterable[Row], kept: dict[str, set[str]]) -> Iterator[Row]:
    """The rows, with `other` for the values of a dimension that are not kept."""
    for row in rows:
        segments = {
            name: value if value in kept.get(name, ()) else "other"
            for name, value in row.segments.items()
        }
        yield row if segments == row.segments else Row(row.at, segments, row.observations)


class _Part:
    """Rows on their way into one analysis."""

    def __init__(self, begin: Callable[[float], Fold]) -> None:
        self.rows = 0
        self.start = math.inf
        self.end = -math.inf
        self._begin = begin
        self._fold: Fold | None = None

    def add(self, row: Row) -> None:
        if self._fold is None:
            self._fold = self._begin(row.at)
        self._fold.add_row(row)
        self.rows += 1
        self.start, self.end = min(self.start, row.at), max(self.end, row.at)

    def merge(self, other: _Part) -> None:
        if self._fold is None:
            self._fold = self._begin(other.start)
        if other._fold is not None:
            self._fold.merge(other._fold)
        self.rows += other.rows

    def findings(self) -> list[Finding]:
        return (self._fold or self._begin(0.0)).findings()

    def chunk(self, index: int) -> Chunk:
        found = [undated(finding) for finding in self.findings()]
        return Chunk(index, self.start, self.end, self.rows, verdict(found), found)


def replay(
    rows: Iterable[Row],
    begin: Callable[[float], Fold],
    *,
    chunks: int = 0,
    total: int = 0,
    begin_chunk: Callable[[float], Fold] | None = None,
) -> Replay:
    """Fold the rows into one analysis, and each of `chunks` equal runs of the `total` into its own.

    `begin` and `begin_chunk` make an analysis that starts at a time; where they are the same, the
    whole is the chunks added up. Raises SourceError where there are fewer rows than chunks.
    """
    if chunks and total < chunks:
        raise SourceError(f"--chunks {chunks}: there are only {total} rows")
    begin_chunk = begin_chunk or begin
    whole, part = _Part(begin), _Part(begin_chunk)
    done: list[Chunk] = []
    for read, row in enumerate(rows, start=1):
        if not chunks or begin is not begin_chunk:
            whole.add(row)
        if chunks:
            part.add(row)
            if read == (len(done) + 1) * total // chunks:
                done.append(part.chunk(len(done)))
                if begin is begin_chunk:
                    whole.merge(part)
                part = _Part(begin_chunk)
    findings = whole.findings()
    return Replay(verdict(findings), whole.rows, findings, done if chunks else None)


def undated(finding: Finding) -> Finding:
    """A finding of one window as a whole, which says nothing of when in it a change came."""
    if finding.since is None:
        return finding
    words = finding.words.replace(f" since {moment(finding.since)}", "", 1)
    return msgspec.structs.replace(finding, since=None, words=words)
