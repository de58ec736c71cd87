"""Rows, cells and files that could not be read → what is said of them, bounded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

LISTED = 20
"""Places of a file that are told of; of more, the number."""


WHOLE = -math.inf, math.inf
"""The range of a whole log."""


class Unreadable(msgspec.Struct, frozen=True):
    """What could not be read of a source."""

    place: str
    """The first place: `FILE:LINE`, or a column."""
    error: str
    """What was wrong there."""
    count: int = 1
    """How many rows, lines or cells of that kind; 0 where a file breaks off there: nobody knows how
    much is missing."""


class _Broken(msgspec.Struct):
    ends: list[Unreadable] = []
    places: list[Unreadable] = []
    more: int = 0
    erased: int = 0
    cells: dict[str, Unreadable] = {}


class Damage(msgspec.Struct):
    """What could not be read, by file, and what was erased there, which is no damage; a file that
    is read again is counted anew. `parts` are those that raised, by log and range of time."""

    files: dict[str, _Broken] = {}
    parts: dict[str, dict[tuple[float, float], Counter[tuple[str, str]]]] = {}

    def begin(self, path: Path | str) -> None:
        """Forget what was wrong with a file: it is read again."""
        self.files.pop(str(path), None)

    def rows(self, path: Path | str, place: str, error: str, count: int = 1) -> None:
        """Count rows or lines that could not be read."""
        broken = self.files.setdefault(str(path), _Broken())
        if len(broken.places) < LISTED:
            broken.places.append(Unreadable(place, error, count))
        else:
            broken.more += count

    def ends(self, path: Path | str, place: str, error: str) -> None:
        """Say that a file, or what is at a place of it, cannot be read from there on."""
        one = Unreadable(place, error, 0)
        ends = self.files.setdefault(str(path), _Broken()).ends
        if one not in ends and len(ends) < LISTED:
            ends.append(one)

    def lost(self, path: Path | str, place: str, error: str, count: int) -> None:
        """Count so many rows from a place on, or say that the file cannot be read from there on,
        where nobody knows how many they are: 0."""
        if count:
            self.rows(path, place, error, count)
        else:
            self.ends(path, place, error)

    def erased(self, path: Path) -> None:
        """Count a row that was erased on request: its tombstone is read."""
        self.files.setdefault(str(path), _Broken()).erased += 1

    def cell(self, path: Path, column: str, place: str, kind: str, count: int = 1) -> None:
        """Count a cell, the first of so many, that could not be read as its column is."""
        cells = self.files.setdefault(str(path), _Broken()).cells
        before = cells.get(column)
        count += 0 if before is None else before.count
        first = place if before is None else before.place
        cells[column] = Unreadable(first, f"column {column!r}: not {kind}", count)

    def failed(
        self, log: str, start: float, end: float, counts: Mapping[tuple[str, str], int]
    ) -> None:
        """Note on how many exchanges of a log that began from `start` until before `end` parts
        raised, by kind and name. Another reading may ask fewer parts; the most counts."""
        if counts:
            known = self.parts.setdefault(log, {})
            known[start, end] = known.get((start, end), Counter()) | Counter(counts)

    def failures(self) -> dict[tuple[str, str], int]:
        """On how many exchanges of all logs each part raised, by kind and name."""
        total = Counter[tuple[str, str]]()
        for ranges in self.parts.values():
            some = Counter[tuple[str, str]]()
            for range_, counts in ranges.items():
                some.update(counts if range_ != WHOLE else {})
            total.update(some | ranges.get(WHOLE, Counter()))
        return dict(sorted(total.items()))

    def merge(self, other: Damage) -> None:
        """Add what could not be read in another shard."""
        for path, theirs in other.files.items():
            for one in theirs.ends:
                self.ends(path, one.place, one.error)
            for one in theirs.places:
                self.rows(path, one.place, one.error, one.count)
            ours = self.files.setdefault(path, _Broken())
            ours.more += theirs.more
            ours.erased += theirs.erased
            for column, one in theirs.cells.items():
                before = ours.cells.get(column, msgspec.structs.replace(one, count=0))
                ours.cells[column] = msgspec.structs.replace(before, count=before.count + one.count)

    def renew(self, other: Damage) -> None:
        """The same of files that were read again."""
        for path in other.files:
            self.begin(path)
        self.merge(other)

    def rows_of(self, paths: Iterable[Path | str]) -> int:
        """How many rows or lines of these files could not be read when they were last read."""
        broken = [self.files[name] for name in {str(path) for path in paths} if name in self.files]
        return sum(one.more + sum(place.count for place in one.places) for one in broken)

    def ends_of(self, paths: Iterable[Path | str]) -> list[Unreadable]:
        """Where these files could not be read any further."""
        names = sorted({str(path) for path in paths})
        return [one for name in names if name in self.files for one in self.files[name].ends]

    @property
    def erasures(self) -> int:
        """How many rows of all files were erased."""
        return sum(broken.erased for broken in self.files.values())

    def listed(self) -> list[Unreadable]:
        """All of it, in order of file; first where files could not be read any further."""
        found = self.ends_of(self.files)
        for path, broken in sorted(self.files.items()):
            found += broken.places
            if broken.more:
                found.append(Unreadable(path, "more rows that could not be read", broken.more))
            found += (one for _, one in sorted(broken.cells.items()))
        return found

    def first(self) -> str:
        """What to say where nothing else was found."""
        for one in self.listed():
            return f"{one.place}: {one.error}"
        erased = [path for path, broken in sorted(self.files.items()) if broken.erased]
        return f"{erased[0]}: all its records were erased" if erased else ""
