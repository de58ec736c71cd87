"""Rows → how many there are, when they came, and which values of each dimension are watched."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.types import EDGE_CASE

BUDGET = 50
"""Values of a dimension that are watched, the most frequent; all others are `other`."""


LIMIT = 1 << 17
"""Values of a dimension that are counted at once, at most. Where there are more, the rarer half is
forgotten, and a value that comes again begins anew: those that are watched come far more often."""


class Census(msgspec.Struct):
    """How many rows there are, the first and the last time among them, and how often each value of
    each dimension comes, as far as that can be told in bounded memory."""

    rows: int = 0
    values: dict[str, Counter[str]] = {}
    first: float = math.inf
    last: float = -math.inf
    first_row: int = 0
    """The number of the row of the first time, from 1."""
    last_row: int = 0
    """That of the row of the last time."""

    def count(self, rows: Iterable[Row | Block]) -> None:
        """Add rows to what was counted."""
        for one in rows:
            if isinstance(one, Block):
                for place in (int(one.at.argmin()), int(one.at.argmax())):
                    self._see(float(one.at[place]), self.rows + place + 1)
                self.rows += len(one)
                for dimension, labels in one.segments.items():
                    self._add(dimension, labels.counts())
                continue
            self.rows += 1
            self._see(one.at, self.rows)
            for dimension, value in one.segments.items():
                counts = self.values.setdefault(dimension, Counter())
                counts[value] += 1
                if len(counts) > LIMIT:
                    self._forget(dimension)
            if one.edge_cases:
                self.values.setdefault(EDGE_CASE, Counter()).update(one.edge_cases)

    def _add(self, dimension: str, found: Mapping[str, int]) -> None:
        counts = self.values.setdefault(dimension, Counter())
        counts.update(found)
        if len(counts) > LIMIT:
            self._forget(dimension)

    def _forget(self, dimension: str) -> None:
        """Keep the values that came most often; of equal ones the first by name."""
        order = sorted((-n, value) for value, n in self.values[dimension].items())
        self.values[dimension] = Counter({value: -n for n, value in order[: LIMIT // 2]})

    def _see(self, at: float, row: int) -> None:
        if at < self.first:
            self.first, self.first_row = at, row
        if at > self.last:
            self.last, self.last_row = at, row

    def merge(self, other: Census) -> None:
        """Add the counts of another shard."""
        if other.rows:
            self._see(other.first, self.rows + other.first_row)
            self._see(other.last, self.rows + other.last_row)
        self.rows += other.rows
        for dimension, counts in other.values.items():
            self._add(dimension, counts)

    def kept(self, budget: int = BUDGET) -> dict[str, set[str]]:
        """The most frequent values of each dimension; ties go by name."""
        return {
            dimension: {
                value for _, value in sorted((-n, value) for value, n in counts.items())[:budget]
            }
            for dimension, counts in self.values.items()
        }


def within_budget(
    rows: Iterable[Row | Block], kept: Mapping[str, set[str]]
) -> Iterator[Row | Block]:
    """The rows, with `other` for the values of a dimension that are not kept."""
    for row in rows:
        if isinstance(row, Block):
            yield row.within(kept)
            continue
        segments = {
            name: value if value in kept.get(name, ()) else "other"
            for name, value in row.segments.items()
        }
        names = row.edge_cases
        if names:
            known = kept.get(EDGE_CASE, ())
            names = list(dict.fromkeys(one if one in known else "other" for one in names))
        if segments == row.segments and names == row.edge_cases:
            yield row
        else:
            yield msgspec.structs.replace(row, segments=segments, edge_cases=names)
