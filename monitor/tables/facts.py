"""Blocks → what the columns of a table hold: how much is missing, of which types, from where to
where, how many different values. Facts of shards add up, in any order."""

from __future__ import annotations

import math
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.rows import Row
from monitor.tables.blocks import Block, Column, Numbers
from monitor.texts import VOCABULARY, visible

CELLS = 1 << 14
"""Cells of the bitmap that different values are counted by (linear counting: Whang, Vander-Zanden
and Taylor 1990); with 10,000 of them the count is off by about 1 %."""

MANY = 5 * CELLS
"""More different values cannot be told apart."""

CATEGORIES = 1000
"""Categories whose names are kept; with more of them none is."""

RARE = 5
"""A category, or a word, of fewer rows is not named."""

WORDS = 400
"""Words of a column of texts that are counted, the most frequent ones."""

DIGITS = 3
"""A range is told to so many digits, rounded outwards: no report shows anybody's exact value."""

_FACTOR = 0x9E3779B97F4A7C15
_SHIFT = 64 - CELLS.bit_length() + 1


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a column holds."""

    values: int
    """Cells that were looked at, those without a value among them."""
    missing: int = 0
    """Cells without a value."""
    kinds: dict[str, int] = {}
    """How many cells hold what: `number`, `word`, `yes or no`, `text`, `vector`, `not finite`."""
    different: int | None = None
    """About how many different values there are; null where they are too many to tell, or texts."""
    smallest: float | None = None
    """The smallest number, rounded down to three digits."""
    largest: float | None = None
    """The largest number, rounded up to three digits."""
    categories: dict[str, int] = {}
    """How many rows have each category, of those that have some; none where they are very many."""
    words: dict[int, int] = {}
    """How many texts have a word, of the most frequent ones, by its cell in a vocabulary."""


class _Seen:
    """What was seen of one column."""

    __slots__ = (
        "bits", "categories", "is_told", "kinds", "largest", "smallest", "values", "words",
    )  # fmt: skip

    def __init__(self) -> None:
        self.values = 0
        self.kinds: Counter[str] = Counter()
        self.smallest, self.largest = math.inf, -math.inf
        self.bits: npt.NDArray[np.uint8] = np.zeros(CELLS // 8, dtype=np.uint8)
        self.categories: Counter[str] | None = Counter()
        self.is_told = True
        self.words: npt.NDArray[np.int64] | None = None

    def add(self, column: Column) -> None:
        """Look at the values of a column of a block."""
        self.values += len(column)
        places, texts = [], []
        for seen, times in column.tally():
            places += self._one(seen.value, times)
            if type(seen.value) is bytes:
                texts.append((seen.value, times))
        self._read(texts)
        numbers = column.plain()
        if len(numbers):
            self._numbers(numbers)
        if places:
            self._mark(np.array(places))

    def add_one(self, value: Any) -> None:
        """Look at one value."""
        self.values += 1
        for place in self._one(value, 1):
            self.bits[place >> 3] |= 128 >> (place & 7)  # as np.packbits puts it
        if type(value) is bytes:
            self._read([(value, 1)])

    def merge(self, other: _Seen) -> None:
        """Add the facts of another shard of the table."""
        self.values += other.values
        self.kinds.update(other.kinds)
        self.smallest = min(self.smallest, other.smallest)
        self.largest = max(self.largest, other.largest)
        self.bits |= other.bits
        self.is_told = self.is_told and other.is_told
        if other.words is not None:
            self.words = other.words + (0 if self.words is None else self.words)
        if self.categories is not None and other.categories is not None:
            self.categories.update(other.categories)
        if other.categories is None or len(self.categories or ()) > CATEGORIES:
            self.categories = None

    def facts(self) -> Facts:
        """What is known now."""
        free = CELLS - int(np.unpackbits(self.bits).sum())
        different = round(-CELLS * math.log(free / CELLS)) if free else MANY
        has_numbers = self.smallest <= self.largest
        named = Counter(self.categories or {})
        return Facts(
            self.values,
            self.kinds["missing"],
            {kind: count for kind, count in sorted(self.kinds.items()) if kind != "missing"},
            different if self.is_told and different < MANY else None,
            outwards(self.smallest, -1) if has_numbers else None,
            outwards(self.largest, 1) if has_numbers else None,
            {name: count for name, count in sorted(named.items()) if count >= RARE},
            {} if self.words is None else _frequent(self.words),
        )

    def _one(self, value: Any, times: int) -> list[int]:
        """Look at a value that comes so many `times`; return its place in the bitmap, if any."""
        kind = _kind(value)
        self.kinds[kind] += times
        if kind == "number":
            self._reach(float(value), float(value))
            return [_place_of(float(value))]
        if kind in ("word", "yes or no"):
            name = visible(value) if kind == "word" else str(value).lower()
            if self.categories is not None:
                self.categories[name] += times
                if len(self.categories) > CATEGORIES:
                    self.categories = None
            return [_place(name)]
        if kind in ("text", "vector"):
            self.is_told = False
        return []

    def _read(self, texts: Sequence[tuple[bytes, int]]) -> None:
        """Count the texts that have each word; `texts` are cells of words, and how often each
        comes."""
        packed = [(text, times) for text, times in texts if text and len(text) % 2 == 0]
        if not packed:
            return
        sizes = np.fromiter((len(text) // 2 for text, _ in packed), np.intp, len(packed))
        cells = np.frombuffer(b"".join(text for text, _ in packed), dtype=np.uint16)
        if cells.max() >= VOCABULARY:
            return  # bytes of somebody's own feature, which are no words
        rows = np.repeat(np.arange(len(packed)), sizes)
        pairs = np.unique(rows * VOCABULARY + cells)
        times = np.fromiter((times for _, times in packed), np.int64, len(packed))
        if self.words is None:
            self.words = np.zeros(VOCABULARY, dtype=np.int64)
        np.add.at(self.words, pairs % VOCABULARY, times[pairs // VOCABULARY])

    def _numbers(self, numbers: Numbers) -> None:
        self.kinds["number"] += len(numbers)
        self._reach(float(numbers.min()), float(numbers.max()))
        self._mark(_places(numbers.astype(np.float64)))

    def _reach(self, low: float, high: float) -> None:
        self.smallest, self.largest = min(self.smallest, low), max(self.largest, high)

    def _mark(self, places: npt.NDArray[Any]) -> None:
        mask = np.zeros(CELLS, dtype=np.bool_)
        mask[places] = True
        self.bits |= np.packbits(mask)


class TableFacts:
    """What was seen of every column of a table, by feature."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def add(self, one: Row | Block) -> None:
        """Look at a row or a block."""
        if isinstance(one, Block):
            for column in one.columns:
                self._of(column.feature).add(column)
            return
        for seen in one.observations:
            self._of(seen.feature).add_one(seen.value)

    def merge(self, other: TableFacts) -> None:
        """Add what was seen elsewhere."""
        for feature, seen in other._seen.items():
            self._of(feature).merge(seen)

    def facts(self) -> dict[str, Facts]:
        """What every column holds, in order of name."""
        return {visible(feature): seen.facts() for feature, seen in sorted(self._seen.items())}

    def passing(self, rows: Iterable[Row | Block]) -> Iterator[Row | Block]:
        """The rows, each looked at on its way."""
        for one in rows:
            self.add(one)
            yield one

    def _of(self, feature: str) -> _Seen:
        found = self._seen.get(feature)
        if found is None:
            found = self._seen[feature] = _Seen()
        return found


def _frequent(words: npt.NDArray[np.int64]) -> dict[int, int]:
    """The cells that most texts have, with their number; of equal ones the first."""
    order = np.argsort(-words, kind="stable")[:WORDS]
    return {int(cell): int(words[cell]) for cell in order if words[cell] >= RARE}


def outwards(number: float, way: int) -> float:
    """A number to three digits, rounded down (`way` -1) or up (1).

    >>> outwards(12345, -1), outwards(12345, 1), outwards(-0.012345, -1), outwards(40, 1)
    (12300.0, 12400.0, -0.0124, 40.0)
    """
    if not number or not math.isfinite(number):
        return number
    digits = DIGITS - 1 - math.floor(math.log10(abs(number)))
    near = float(f"{number:.{DIGITS - 1}e}")
    if (near - number) * way >= 0:
        return near
    if not -300 < digits < 300:
        return number
    return float(f"{near + way * 10.0**-digits:.{DIGITS - 1}e}")


def _kind(value: Any) -> str:
    """What a value is, in a word."""
    if value is None:
        return "missing"
    kind = type(value)
    if kind is bool:
        return "yes or no"
    if kind is float or kind is int:
        try:
            return "number" if math.isfinite(value) else "not finite"
        except OverflowError:
            return "not finite"
    if kind is str:
        return "word"
    return "text" if kind is bytes else "vector"


def _place(name: str) -> int:
    """The place of a category in the bitmap: its checksum, mixed as MurmurHash3 does at its end."""
    bits = zlib.crc32(name.encode(errors="replace"))
    bits = ((bits ^ bits >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    bits = ((bits ^ bits >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return (bits ^ bits >> 16) % CELLS


def _place_of(number: float) -> int:
    """The place of a number in the bitmap, as `_places` says it of many."""
    (bits,) = struct.unpack("<Q", struct.pack("<d", number + 0.0))  # no minus zero
    place: int = ((bits ^ bits >> 32) * _FACTOR & 0xFFFFFFFFFFFFFFFF) >> _SHIFT
    return place


def _places(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """The place of each number in the bitmap; equal numbers share theirs."""
    bits = (numbers + 0.0).view(np.uint64)  # no minus zero
    mixed = (bits ^ (bits >> np.uint64(32))) * np.uint64(_FACTOR)
    return (mixed >> np.uint64(_SHIFT)).astype(np.intp)
