"""Consecutive rows of a table, column by column: the same observations as its Rows hold.

What is alike in many rows is observed once, and plain numbers stay an array, so that a column can
be counted at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from monitor.rows import Row
from monitor.types import Observation

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64] | npt.NDArray[np.int64]

NUMBER = -1
"""The code of a value that is a plain number."""


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """What was observed of one feature, in the order of rows.

    `codes` say which of `seen` each value is; a `NUMBER` is that of `numbers`, finite, at the same
    place. `rows` are the places in the block of the rows that have a value, rising; None is all.
    """

    feature: str
    codes: Ints
    seen: list[Observation] = field(default_factory=list)
    numbers: Numbers | None = None
    rows: Ints | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def places(self) -> Ints:
        """The place in the block of each value."""
        return np.arange(len(self.codes)) if self.rows is None else self.rows

    def plain(self) -> Numbers:
        """Return those values that are codes of `numbers`, in order."""
        if self.numbers is None:
            return np.empty(0)
        return self.numbers if not self.seen else self.numbers[self.codes == NUMBER]

    def tally(self) -> Iterator[tuple[Observation, int]]:
        """What else was observed, and how often."""
        if self.seen:
            times = np.bincount(self.codes + 1, minlength=len(self.seen) + 1)[1:]
            for place in np.flatnonzero(times).tolist():
                yield self.seen[place], int(times[place])

    def observations(self) -> Iterator[Observation]:
        """Yield what was observed in each row that has a value, in order."""
        numbers = None if self.numbers is None else self.numbers.tolist()
        for place, code in enumerate(self.codes.tolist()):
            if code == NUMBER:
                assert numbers is not None  # noqa: S101  for the type checker
                yield Observation(self.feature, "numeric", numbers[place])
            else:
                yield self.seen[code]

    def part(self, places: slice | Ints) -> Column:
        """Some of the values, by their places among these."""
        return replace(
            self,
            codes=self.codes[places],
            numbers=None if self.numbers is None else self.numbers[places],
            rows=None if self.rows is None else self.rows[places],
        )

    def take(self, rows: Ints, total: int) -> Column:
        """What some `rows` of a block of `total` have, rising places."""
        if self.rows is None:
            return self.part(rows)
        new = np.full(total, -1)
        new[rows] = np.arange(len(rows))
        found = new[self.rows]
        kept = self.part(np.flatnonzero(found >= 0))
        return replace(kept, rows=found[found >= 0])


@dataclass(frozen=True, eq=False, slots=True)
class Labels:
    """The values of a dimension: which of the different `values` each row has."""

    codes: Ints
    values: list[str]

    def are(self, value: str) -> Flags:
        """Return a flag for each row: whether it has this value."""
        return np.isin(self.codes, [self.values.index(value)] if value in self.values else [])

    def counts(self) -> dict[str, int]:
        """How many rows have each value, in the order of the first of them."""
        counts = np.bincount(self.codes, minlength=len(self.values))
        return {self.values[code]: int(counts[code]) for code in _in_order(self.codes)}


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Consecutive rows of a table; each has a time (`Row.at`), a value of each dimension, and what
    the columns hold, each of another feature. `accepted` says it of each row; None is all.
    `edge_cases` say of each which rows are of it, in the order in which a row names them."""

    at: Floats
    segments: dict[str, Labels]
    columns: list[Column]
    accepted: Flags | None = None
    edge_cases: dict[str, Flags] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: Ints) -> Block:
        """Return the block of some of the rows, named by rising places from 0."""
        if len(rows) == len(self):
            return self
        segments = {
            name: Labels(labels.codes[rows], labels.values)
            for name, labels in self.segments.items()
        }
        columns = [column.take(rows, len(self)) for column in self.columns]
        taken = None if self.accepted is None else self.accepted[rows]
        cases = {name: flags[rows] for name, flags in self.edge_cases.items()}
        return Block(self.at[rows], segments, columns, taken, cases)

    def between(self, first: int, end: int) -> Block:
        """The rows from `first` until before `end`."""
        whole = first <= 0 and end >= len(self)
        return self if whole else self.take(np.arange(max(first, 0), min(end, len(self))))

    def parts(self, dimension: str) -> Iterator[tuple[str, Block]]:
        """(value, rows that have it) of a dimension, in the order of the first row of each."""
        labels = self.segments[dimension]
        codes = _in_order(labels.codes)
        if len(codes) == 1:
            yield labels.values[codes[0]], self
            return
        for code in codes:
            yield labels.values[code], self.take(np.flatnonzero(labels.codes == code))

    def within(self, kept: Mapping[str, set[str]]) -> Block:
        """The same, with `other` for the values of a dimension that are not kept."""
        return replace(
            self,
            segments={
                name: relabelled(
                    labels.codes,
                    [value if value in kept.get(name, ()) else "other" for value in labels.values],
                )
                for name, labels in self.segments.items()
            },
        )

    def rows(self) -> Iterator[Row]:
        """Take the block apart: yield what row-wise reading would have given."""
        observations: list[list[Observation]] = [[] for _ in range(len(self))]
        for column in self.columns:
            for row, seen in zip(column.places.tolist(), column.observations(), strict=True):
                observations[row].append(seen)
        values = [
            [one.values[code] for code in one.codes.tolist()] for one in self.segments.values()
        ]
        names = list(self.segments)
        taken = [True] * len(self) if self.accepted is None else self.accepted.tolist()
        cases: list[list[str]] = [[] for _ in range(len(self))]
        for name, flags in self.edge_cases.items():
            for place in np.flatnonzero(flags).tolist():
                cases[place].append(name)
        for place, at in enumerate(self.at.tolist()):
            segments = {name: of[place] for name, of in zip(names, values, strict=True)}
            yield Row(at, segments, observations[place], taken[place], edge_cases=cases[place])


def count(one: Row | Block) -> int:
    """Return how many rows that is: 1, or those of a block."""
    return len(one) if isinstance(one, Block) else 1


def relabelled(codes: Ints, values: list[str]) -> Labels:
    """Labels of which several may be equal."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    new = np.array([places[value] for value in values], dtype=np.intp)
    return Labels(new[codes] if len(places) < len(values) else codes, list(places))


def _in_order(codes: Ints) -> list[int]:
    """The different codes, in the order of the first of each."""
    found, first = np.unique(codes, return_index=True)
    order: list[int] = found[np.argsort(first)].tolist()
    return order
