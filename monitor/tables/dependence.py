"""Rows of a table, in order → whether they are copies of each other, or resemble their neighbours.

What is promised of evidence and intervals holds for rows that are independent of each other.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.rows import Row
from monitor.tables.blocks import NUMBER, Block, Column, Floats, Ints
from monitor.texts import visible

Hashes = npt.NDArray[np.uint64]

KEPT = 1 << 14
"""Different rows whose copies are counted, at most: of more of them a sample by their checksums."""

COPIED = 0.05
"""From this share on copies are told."""

CERTAIN = 3.0
"""Standard deviations by which copies must be more than chance."""

FEWEST = 100
"""So many pairs of neighbours tell something, at least."""

ALIKE, SURE = 0.1, 5.0
"""Neighbours are alike from this correlation on, where it is so many standard deviations."""

LARGEST = 0.98
"""A larger correlation is told as this one: 99 rows for one."""

SORTED = 0.01
"""Where not even this share of the steps goes the other way, rows are sorted, not alike."""

ROUNDING = 1e-9
"""A smaller part of a variance is an error of rounding."""

_TOGETHER = 1024
"""Rows that come one by one and are looked at together."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


class Copies(NamedTuple):
    """Rows that are copies of others: their share of all, and how often each comes."""

    share: float
    times: int


class Neighbour(NamedTuple):
    """How much a column of a row is like that of the row before."""

    feature: str
    correlation: float

    @property
    def times(self) -> int:
        """So many rows tell of a mean what one would, as in a first-order autoregression."""
        return math.ceil((1 + self.correlation) / (1 - self.correlation))


@dataclass
class _Pairs:
    """Sums over the values of a column, and over those of neighbours."""

    values: int = 0
    pairs: int = 0
    shift: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    ends: float = 0.0
    moments: float = 0.0
    rises: int = 0
    falls: int = 0
    same: int = 0
    far: int = 0

    def add_numbers(self, values: Floats, are_next: npt.NDArray[np.bool_] | None = None) -> None:
        """Look at numbers; `are_next` says of each but the last whether a neighbour follows, which
        it does of each where nothing is said."""
        if not self.values:
            self.shift = float(values[0])
        x = values - self.shift
        before, after = x[:-1], x[1:]
        if are_next is not None:
            before, after = before[are_next], after[are_next]
        total = float(np.add.reduce(x))
        self.moments += float(x @ np.arange(len(x))) + self.values * total
        self.values += len(x)
        self.pairs += len(before)
        self.total += total
        self.squares += float(x @ x)
        self.products += float(before @ after)
        self.ends += float(np.add.reduce(before) + np.add.reduce(after)) / 2
        self.rises += int(np.count_nonzero(after > before))
        self.falls += int(np.count_nonzero(after < before))

    def add_words(self, hashes: Hashes) -> None:
        """Look at what is equal or not: neighbours, and rows far from each other."""
        self.pairs += len(hashes) - 1
        self.same += int((hashes[1:] == hashes[:-1]).sum())
        half = len(hashes) // 2
        self.far += int((hashes[:-1] == np.roll(hashes, half)[:-1]).sum())

    def merge(self, other: _Pairs) -> None:
        """Add the sums of other rows, about the shift that these have."""
        if not self.values:
            self.shift = other.shift
        by = other.shift - self.shift
        places = other.values * (other.values - 1) / 2 + self.values * other.values
        self.moments += other.moments + self.values * other.total + by * places
        self.squares += other.squares + by * (2 * other.total + other.values * by)
        self.products += other.products + by * (2 * other.ends + other.pairs * by)
        self.total += other.total + other.values * by
        self.ends += other.ends + other.pairs * by
        self.values += other.values
        self.pairs += other.pairs
        self.rises += other.rises
        self.falls += other.falls
        self.same += other.same
        self.far += other.far

    def correlation(self) -> float:
        """That of neighbours, apart from a steady rise or fall, as of times or numbers of rows that
        came a little out of order; 0 where they are sorted, or too few to tell."""
        if self.pairs < FEWEST:
            return 0.0
        if self.values:
            mean = self.total / self.values
            spread = self.squares / self.values - mean * mean
            if min(self.rises, self.falls) <= SORTED * (self.rises + self.falls) or spread <= 0:
                return 0.0
            covariance = (self.products - 2 * mean * self.ends) / self.pairs + mean * mean
            steady = self._steady(mean)
            found = (covariance - steady) / max(spread - steady, spread * ROUNDING)
        elif (rest := 1 - self.far / self.pairs) <= 0:
            return 0.0
        else:
            found = (self.same - self.far) / self.pairs / rest
        is_sure = found >= ALIKE and found * math.sqrt(self.pairs) >= SURE
        return min(found, LARGEST) if is_sure else 0.0

    def _steady(self, mean: float) -> float:
        """The part of the variance that a straight line over the rows explains."""
        size = self.values
        slope = 12 * (self.moments / size - mean * (size - 1) / 2) / (size * size - 1)
        return slope * slope * (size * size - 1) / 12


class Dependence:
    """What was seen of the rows of a side, in bounded memory."""

    def __init__(self) -> None:
        self.rows = 0
        self._counts: Counter[int] = Counter()
        self._shift = 0
        self._pairs: dict[str, _Pairs] = {}
        self._waiting: list[Row] = []

    def passing(self, rows: Iterable[Row | Block]) -> Iterator[Row | Block]:
        """The rows, each looked at on its way."""
        for one in rows:
            if isinstance(one, Block):
                self._add(one.columns, len(one))
            else:
                self._waiting.append(one)
                if len(self._waiting) == _TOGETHER:
                    self._flush()
            yield one
        self._flush()

    def merge(self, other: Dependence) -> None:
        """Add what was seen of the rows that come next, but for the pair where they meet."""
        self.rows += other.rows
        for name, pairs in other._pairs.items():
            self._pairs.setdefault(name, _Pairs()).merge(pairs)
        self._counts.update(other._counts)
        self._shift = max(self._shift, other._shift)
        self._thin()
        self._bound()

    def copies(self) -> Copies | None:
        """The rows that come more than once, where that is more than chance makes of independent
        rows, however frequent each is.

        Of independent rows k! x (number of those that come k times) is log-convex in k on average,
        as moments of a measure are. Where it is not, the smallest such k is how often they come.
        """
        total = self._counts.total()
        share = 1 - len(self._counts) / total if total else 0.0
        if share < COPIED:
            return None
        often = Counter(self._counts.values())
        for k in sorted(often):
            least = often[k] - CERTAIN * math.sqrt(often[k])
            most = _most(often[k - 1]) * _most(often[k + 1])
            if k > 1 and least > 0 and least * least * k / (k + 1) > most:
                return Copies(share, k)
        return None

    def neighbours(self) -> list[Neighbour]:
        """The columns in which neighbouring rows are alike, the most alike first."""
        found = [
            Neighbour(visible(name), size)
            for name, pairs in self._pairs.items()
            if (size := pairs.correlation())
        ]
        return sorted(found, key=lambda one: (-one.correlation, one.feature))

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        by_feature: dict[str, tuple[list[int], list[Any]]] = {}
        for place, row in enumerate(rows):
            for seen in row.observations:
                places, values = by_feature.setdefault(seen.feature, ([], []))
                places.append(place)
                values.append(seen.value)
        if rows:
            found = [
                (name, *_of_values(values), np.array(places))
                for name, (places, values) in by_feature.items()
            ]
            self._count(found, len(rows))

    def _add(self, columns: Sequence[Column], rows: int) -> None:
        self._count([(one.feature, *_of_column(one), one.places) for one in columns], rows)

    def _count(self, columns: Iterable[tuple[str, Hashes, Floats, Ints]], rows: int) -> None:
        self.rows += rows
        whole = np.zeros(rows, dtype=np.uint64)
        with np.errstate(over="ignore", invalid="ignore"):  # of vast numbers nothing is told
            for name, hashes, numbers, places in columns:
                mixed = _mixed(hashes ^ np.uint64(zlib.crc32(name.encode(errors="replace"))))
                is_whole = len(places) == rows and not np.count_nonzero(places[1:] <= places[:-1])
                if is_whole:
                    whole += mixed
                else:
                    whole[places] += mixed
                pairs = self._pairs.setdefault(name, _Pairs())
                are = np.isfinite(numbers)
                if rows and is_whole and np.count_nonzero(are) == rows:
                    pairs.add_numbers(numbers)
                elif are.any():
                    pairs.add_numbers(numbers[are], np.diff(places[are]) == 1)
                elif not pairs.values and len(places) > 1:
                    pairs.add_words(hashes)
        self._keep(_mixed(whole))

    def _keep(self, hashes: Hashes) -> None:
        kept = hashes[hashes >> np.uint64(64 - self._shift) == 0] if self._shift else hashes
        values, counts = np.unique(kept, return_counts=True)
        before = self._shift
        while len(values) > KEPT:  # before any is counted one by one
            self._shift += 1
            few = int(np.searchsorted(values, np.uint64(1 << (64 - self._shift))))
            values, counts = values[:few], counts[:few]
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            self._counts[value] += count
        if self._shift != before:
            self._thin()
        self._bound()

    def _bound(self) -> None:
        while len(self._counts) > KEPT:
            self._shift += 1
            self._thin()

    def _thin(self) -> None:
        """Keep the sample alone that the shift means: the lowest checksums."""
        bar = 1 << (64 - self._shift)
        self._counts = Counter({one: n for one, n in self._counts.items() if one < bar})


def _most(count: int) -> float:
    """What a number of such rows may be on average, at most: of none 3 (Hanley, Lippman-Hand)."""
    return count + CERTAIN * math.sqrt(count) if count else CERTAIN


def _of_column(column: Column) -> tuple[Hashes, Floats]:
    """A checksum of each value, and the numbers among them."""
    if (
        column.numbers is not None
        and not column.seen
        and not np.count_nonzero(column.codes != NUMBER)
    ):
        numbers = column.numbers.astype(np.float64)
        return _of_numbers(numbers), numbers
    known = np.array([*(_checksum(one.value) for one in column.seen), 0], dtype=np.uint64)
    figures = np.array([*(_figure(one.value) for one in column.seen), math.nan])
    hashes, numbers = known[column.codes], figures[column.codes]
    if column.numbers is not None:
        plain = column.codes == NUMBER
        numbers = np.where(plain, column.numbers.astype(np.float64), numbers)
        hashes = np.where(plain, _of_numbers(numbers), hashes)
    return hashes, numbers


def _of_values(values: Sequence[Any]) -> tuple[Hashes, Floats]:
    numbers = np.array([_figure(one) for one in values])
    hashes = np.array([_checksum(one) for one in values], dtype=np.uint64)
    return np.where(np.isfinite(numbers), _of_numbers(numbers), hashes), numbers


def _figure(value: Any) -> float:
    """A number as it is, what is none as NaN."""
    if type(value) not in (int, float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _checksum(value: Any) -> int:
    if math.isfinite(number := _figure(value)):
        return int(_of_numbers(np.array([number]))[0])
    return zlib.crc32(value if type(value) is bytes else str(value).encode(errors="replace")) + 1


def _of_numbers(numbers: Floats) -> Hashes:
    return _mixed((numbers + 0.0).view(np.uint64))  # no minus zero


def _mixed(bits: Hashes) -> Hashes:
    """Bits spread over all of a number (a round of SplitMix64 and its shifts)."""
    bits = (bits ^ (bits >> _HALF)) * _FACTOR
    bits = (bits ^ (bits >> np.uint64(29))) * _FACTOR
    return bits ^ (bits >> _HALF)
