"""Rows at rest → one document: what the analysis says of all of them, and of each chunk."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from monitor.analysis.drift.findings import moment, together, verdict
from monitor.analysis.drift.judgement import MINIMUM
from monitor.errors import SourceError
from monitor.types import Chunk, Finding, Replay, Row

BUDGET = 50
"""Values of a dimension that are watched, the most frequent; all others are `other`."""


class Fold(Protocol):
    """The analysis, as far as it matters here."""

    def add_row(self, row: Row) -> None:
        """Fold one row into the analysis."""

    def merge(self, other: Any) -> None:
        """Add what another one counted."""

    def findings(self) -> list[Finding]:
        """What is known now."""


class Census(msgspec.Struct):
    """How many rows there are, and how often each value of each dimension comes."""

    rows: int = 0
    values: dict[str, Counter[str]] = {}

    def count(self, rows: Iterable[Row]) -> None:
        """Add rows to what was counted."""
        for row in rows:
            self.rows += 1
            for dimension, value in row.segments.items():
                self.values.setdefault(dimension, Counter())[value] += 1

    def merge(self, other: Census) -> None:
        """Add what was counted elsewhere."""
        self.rows += other.rows
        for dimension, counts in other.values.items():
            self.values.setdefault(dimension, Counter()).update(counts)

    def kept(self, budget: int = BUDGET) -> dict[str, set[str]]:
        """The most frequent values of each dimension; ties go by name."""
        return {
            dimension: {
                value for _, value in sorted((-n, value) for value, n in counts.items())[:budget]
            }
            for dimension, counts in self.values.items()
        }


def within_budget(rows: Iterable[Row], kept: Mapping[str, set[str]]) -> Iterator[Row]:
    """The rows, with `other` for the values of a dimension that are not kept."""
    for row in rows:
        segments = {
            name: value if value in kept.get(name, ()) else "other"
            for name, value in row.segments.items()
        }
        yield row if segments == row.segments else msgspec.structs.replace(row, segments=segments)


class Part:
    """Rows in one analysis, which begins with the first of them."""

    def __init__(self, begin: Callable[[float], Fold]) -> None:
        self.rows = 0
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
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)

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


def replay(
    rows: Iterable[Row],
    begin: Callable[[float], Fold],
    *,
    chunks: int = 0,
    total: int = 0,
    begin_chunk: Callable[[float], Fold] | None = None,
) -> Replay:
    """Fold the rows, in order, into one analysis, and each chunk into its own."""
    check(chunks, total)
    whole = Part(begin)
    passing = whole.passing(rows)
    if chunks:
        parts = cut(passing, begin_chunk or begin, chunks=chunks, total=total)
        return _document(whole, parts)
    for _ in passing:
        pass
    return _document(whole, None)


def gather(
    counted: Iterable[Mapping[int, Part]],
    begin: Callable[[float], Fold],
    *,
    chunks: int = 0,
) -> Replay:
    """Add up what shards have counted of each chunk, and the chunks to the whole.

    Only counts that no pane was closed over add up: those of analyses that judge all at once.
    """
    parts: dict[int, Part] = {}
    for shard in counted:
        for index, part in shard.items():
            parts.setdefault(index, Part(begin)).merge(part)
    whole = Part(begin)
    for _, part in sorted(parts.items()):
        whole.merge(part)
    found = _document(whole, parts if chunks else None)
    features = [undated(finding) for finding in found.features]
    return msgspec.structs.replace(found, features=features, together=together(features))


def check(chunks: int, total: int) -> None:
    """Raise SourceError where there are fewer rows than chunks."""
    if chunks > total:
        raise SourceError(f"--chunks {chunks}: there are only {total} rows; give at most so many")


def _document(whole: Part, parts: Mapping[int, Part] | None) -> Replay:
    chunks = None
    if parts is not None:
        chunks = [_chunk(index, part) for index, part in sorted(parts.items())]
    findings = whole.findings()
    return Replay(verdict(findings), whole.rows, findings, chunks, together=together(findings))


def _chunk(index: int, part: Part) -> Chunk:
    found = [undated(finding) for finding in part.findings()]
    return Chunk(index, part.start, part.end, part.rows, verdict(found), found)


def explained(found: Replay, silent: Mapping[str, str]) -> Replay:
    """The same, with the reason for all that was not judged.

    `silent` are features, with the reason, of which it can only be seen that they are there: as
    long as they do not drift they are `insufficient`, not `ok`.
    """
    features = [_reasoned(one, silent) for one in found.features]
    chunks = None
    if found.chunks is not None:
        chunks = []
        for chunk in found.chunks:
            inside = [_reasoned(one, silent) for one in chunk.features]
            chunks.append(msgspec.structs.replace(chunk, features=inside, verdict=verdict(inside)))
    return msgspec.structs.replace(
        found, features=features, verdict=verdict(features), chunks=chunks
    )


def _reasoned(finding: Finding, silent: Mapping[str, str]) -> Finding:
    if finding.feature in silent and finding.status == "ok":
        reason = silent[finding.feature]
        return msgspec.structs.replace(finding, status="insufficient", reason=reason)
    if finding.status != "insufficient":
        return finding
    if finding.samples and not finding.reference_samples and not finding.scores:
        known = finding.words.endswith("is not in the reference")
        reason = "not in the reference" if known else "the reference is being learned"
    elif not finding.samples:
        reason = "no values"
    elif finding.samples < MINIMUM or finding.reference_samples < MINIMUM:
        reason = f"fewer than {MINIMUM} values"
    else:
        reason = "too few values for so many cells"
    return msgspec.structs.replace(finding, reason=reason)


def undated(finding: Finding) -> Finding:
    """A finding of one window as a whole, which says nothing of when in it a change came."""
    if finding.since is None:
        return finding
    words = finding.words.replace(f" since {moment(finding.since)}", "", 1)
    return msgspec.structs.replace(finding, since=None, words=words)
