"""Predicted numbers with and without labels → how far off they are to be expected, and until when.

The first labels of a segment say how far off predictions of each size are: the mean absolute and
squared error by bins of the prediction. From then on every row is expected to be off by as much as
others of its size, whether its label comes or not (the idea is direct loss estimation, NannyML
2022, with one input in place of all). That holds as long as predictions of a size are off by what
they were, however the inputs drift. Whether they are is watched: how far off a label is, in
multiples of what was expected. What has changed there withdraws the estimate.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import msgspec

from monitor.analysis.classes import LARGE, value_of
from monitor.rows import Row, Truth
from monitor.types import Observation

STEPS = 16
"""Cells from one power of two to the next; those of a bin stand side by side."""

SMALLEST, LARGEST = -64, 340
"""Powers of two between which numbers are told apart."""

BITS = 40
"""Errors are whole numbers of 2⁻⁴⁰: sums are exact, in whatever order they are added up."""

BINS = 20
"""Bins are made of so many equal parts of the labels."""

FEWEST = 20
"""Labels of a bin, at least."""

OUTSIDE = 0.1
"""Where a larger share of the rows is of a size that no label was, nothing is expected."""

RATIO = "error_ratio"
"""The feature that is watched: an error by what was expected of it."""


class Predicted(NamedTuple):
    """The cell of a predicted number, and how far off it was (None without a label)."""

    cell: int
    error: float | None


class Bin(NamedTuple):
    """The last cell of a bin, and what is to be expected there."""

    last: int
    absolute: float
    squared: float


def predicted(truth: Truth) -> Predicted | None:
    """What a row predicted, where that is a number and no class (of which there is a score)."""
    said = value_of(truth.prediction)
    if truth.score is not None or not isinstance(said, float) or not abs(said) < LARGE:
        return None
    label = value_of(truth.label)
    if not isinstance(label, float) or not abs(label) < LARGE:
        return Predicted(cell(said), None)
    return Predicted(cell(said), abs(said - label))


def cell(number: float) -> int:
    """The cell of a number, which never falls as the number rises.

    >>> cell(0.0), cell(100.0) - cell(99.0), cell(200.0) - cell(100.0), cell(-3.0) == -cell(3.0)
    (0, 0, 16, True)
    """
    if not number:
        return 0
    power = math.log2(abs(number))
    place = 1 + math.floor((min(max(power, SMALLEST), LARGEST) - SMALLEST) * STEPS)
    return place if number > 0 else -place


_Saved = tuple[list[tuple[int, tuple[int, int, int]]], list[tuple[int, int]]]


@dataclass
class ExpectedLosses:
    """What is counted of one segment.

    `known` are the labels that say how far off predictions are: (how many, Σ of errors, Σ of their
    squares) by cell. `coming` are the rows since, with a label or not, by cell. `labels` are those
    of `known`, `bins` are made of them when they are asked for.
    """

    known: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    coming: dict[int, int] = field(default_factory=dict)
    labels: int = 0
    bins: list[Bin] | None = field(default=None, compare=False)

    def add(self, one: Predicted, learn: int, *, weighs_one: bool) -> None:
        """Count a row; the first `learn` labels that weigh one say what is to be expected."""
        if self.labels >= learn:
            self.coming[one.cell] = self.coming.get(one.cell, 0) + 1
        elif one.error is not None and weighs_one:
            error = _fixed(one.error)
            count, sums, squares = self.known.get(one.cell, (0, 0, 0))
            self.known[one.cell] = count + 1, sums + error, squares + error * error
            self.labels += 1

    def merge(self, other: Self) -> None:
        """Add the counts of another shard."""
        for where, (count, sums, squares) in other.known.items():
            ours = self.known.get(where, (0, 0, 0))
            self.known[where] = ours[0] + count, ours[1] + sums, ours[2] + squares
        for where, count in other.coming.items():
            self.coming[where] = self.coming.get(where, 0) + count
        self.labels += other.labels
        self.bins = None

    def measures(self) -> dict[str, float]:
        """What is to be expected of the rows since, by measure; empty before there are any, and
        where too many are of another size than all labels were."""
        rows = sum(self.coming.values())
        if not rows or not self.known:
            return {}
        low, high = min(self.known), max(self.known)
        outside = sum(count for where, count in self.coming.items() if not low <= where <= high)
        if outside > OUTSIDE * rows:
            return {}
        found = [(count, self._bin(where)) for where, count in sorted(self.coming.items())]
        absolute = math.fsum(count * one.absolute for count, one in found) / rows
        squared = math.fsum(count * one.squared for count, one in found) / rows
        return {"mae": absolute, "rmse": math.sqrt(squared)}

    def watched(self, row: Row, one: Predicted, learn: int) -> Row | None:
        """What is watched of a row: how far off it was, in multiples of what was expected; None
        without a label, and while there is nothing to expect."""
        if one.error is None or self.labels < learn:
            return None
        expected = self._bin(one.cell).absolute
        if not expected:
            return Row(row.at, {}, [Observation(RATIO, "numeric", float(one.error > 0))])
        return Row(row.at, {}, [Observation(RATIO, "numeric", one.error / expected)])

    def _bin(self, where: int) -> Bin:
        if self.bins is None:
            self.bins = _binned(self.known, self.labels)
        lasts = [one.last for one in self.bins]
        return self.bins[min(bisect_left(lasts, where), len(lasts) - 1)]

    def saved(self) -> bytes:
        """Both tables as JSON; integers have no end there."""
        return msgspec.json.encode((list(self.known.items()), list(self.coming.items())))

    @classmethod
    def restored(cls, entry: bytes) -> Self:
        """What was saved; raises msgspec.DecodeError where it is damaged."""
        known, coming = msgspec.json.decode(entry, type=_Saved)
        return cls(dict(known), dict(coming), sum(count for _, (count, _, _) in known))


def _binned(known: Mapping[int, tuple[int, int, int]], labels: int) -> list[Bin]:
    """Neighbouring cells, as many as hold a part of the labels."""
    least = max(FEWEST, labels // BINS)
    cells = sorted(known.items())
    left, bins = labels, list[Bin]()
    sums = (0, 0, 0)
    for where, counts in cells:
        sums = (sums[0] + counts[0], sums[1] + counts[1], sums[2] + counts[2])
        left -= counts[0]
        if sums[0] >= least and (left >= least or not left):
            bins.append(_bin_of(where, sums))
            sums = (0, 0, 0)
    if sums[0]:
        bins.append(_bin_of(cells[-1][0], sums))
    return bins


def _bin_of(last: int, sums: tuple[int, int, int]) -> Bin:
    count, errors, squares = sums
    return Bin(last, errors / (count << BITS), squares / (count << 2 * BITS))


def _fixed(error: float) -> int:
    return round(math.ldexp(error, BITS))
