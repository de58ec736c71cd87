"""The values of a column → its ColumnType: decided once, for every table alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from itertools import islice, pairwise
from typing import Any

import msgspec

from monitor.damage import Damage
from monitor.interfaces import Table
from monitor.picks import pick
from monitor.tables import arrays, numerals, times
from monitor.tables.cells import Sanitizer, sanitized
from monitor.tables.column_types import (
    TRUTH,
    UNKNOWN,
    ColumnType,
    Kind,
    is_missing,
    is_number,
    is_spoilt,
    plain_value,
    reader,
)
from monitor.texts import CATEGORY, seconds, words

MAJORITY = 0.9
"""So many of a column's values must read as numbers for the others to be of a wrong type."""

SAMPLE = 1000
"""Values of each side, at most, that decide how a column is read."""

TABLES = 32
"""So many of the tables of a side are looked at, to see whether its columns are as they were."""

FEW = 30
"""With fewer values nobody can say that they all differ."""

DIFFERENT = 0.9
"""A column of names with more values than this for each row tells of no distribution."""

WORDS, LOOKED_AT = 3, 12
"""So many words make a text, of the first ones of a value."""

_PARTS = re.compile(r"\s|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
"""What parts words: white space, or a script that is written without."""

BATCH = 4096
"""Rows between two looks at whether a column is understood."""

_IDENTIFIER = re.compile(
    r"(?:^|[\W_])(?:id|ids|uuid|guid|key|pk|idx|index|row|rowid|rownum|nr|no|unnamed: \d+)$"
    r"|[a-z](?:Id|ID|Key|Index|No|Nr)$",
)
_HUGE = 1e15
"""Whole numbers from here on are no measurements."""
_EXACT = 2.0**53
"""Floats from here on are whole, whatever they measure."""


class ColumnTypes(msgspec.Struct):
    """How each column is read: decided once, for the reference and what is compared with it.

    `shapes` are those of the features of a reference profile that does not say how its columns were
    read. `expected` are the columns of the reference: of one that is gone all values are missing.
    """

    shapes: dict[str, str] = {}
    by_column: dict[str, ColumnType] = {}
    expected: tuple[str, ...] = ()

    def learn(
        self,
        reference: Sequence[Table],
        current: Sequence[Table] = (),
        sanitizer: Sanitizer | None = None,
    ) -> None:
        """Decide the columns that are not decided yet, by the first rows, and by as many more as it
        takes. Where the two sides are of different kinds the reference's holds."""
        columns: dict[str, Column] = {}
        for tables, is_current in ((reference, False), (current, True)):
            for table in tables:
                new = [name for name in table.names if name not in self.by_column]
                for name in new:
                    if name not in columns:
                        columns[name] = _column(name, table.usual, sanitizer)
                for _, values in islice(table.rows(new, Damage()), SAMPLE if new else 0):
                    for name, value in zip(new, values, strict=True):
                        columns[name].add(value, current=is_current)
        for tables, is_current in ((reference, False), (current, True)):
            for table in tables:
                _learn_more(table, columns, current=is_current)
        for name, column in columns.items():
            self.by_column[name] = self._shaped(name, column.type())

    def of(self, name: str) -> ColumnType:
        """How a column is read."""
        return self.by_column.get(name, UNKNOWN)

    def unlike(
        self, tables: Sequence[Table], sanitizer: Sanitizer | None = None
    ) -> dict[str, ColumnType]:
        """Columns whose first values in `tables` are mostly of another kind than they are read as,
        each with how it would be read by itself. Of many tables some are looked at, from the first
        to the last, at fewer rows of each."""
        columns: dict[str, Column] = {}
        step = -(-len(tables) // TABLES) or 1
        parts = [tables[at : at + step] for at in range(0, len(tables), step)]
        tables = [part[pick(number, len(part))] for number, part in enumerate(parts)]
        each = SAMPLE // max(len(tables), 1)
        for table in tables:
            for name in table.names:
                columns.setdefault(name, _column(name, table.usual, sanitizer))
            for _, values in islice(table.rows(table.names, Damage()), each):
                for name, value in zip(table.names, values, strict=True):
                    columns[name].add(value)
        return {
            name: column.type()
            for name, column in columns.items()
            if name in self.by_column and not column.fits(self.by_column[name])
        }

    def _shaped(self, name: str, how: ColumnType) -> ColumnType:
        shape = self.shapes.get(name)
        if shape == "categorical" and how.kind in ("numeric", "datetime", "text", "identifier"):
            return ColumnType("categorical")
        if shape == "numeric" and how.kind != "datetime":
            return ColumnType("numeric", how.decimal, note=how.note, clock=how.clock)
        return how


def _column(name: str, usual: numerals.Decimal, sanitizer: Sanitizer | None) -> Column:
    if sanitizer is None:
        return Column(name, usual)

    def safe(name: str, value: Any) -> Any:
        return sanitized(name, value, sanitizer)

    return Column(name, usual, safe, ruled=sanitizer.minds(name))


def _learn_more(table: Table, columns: Mapping[str, Column], *, current: bool) -> None:
    """Look at all rows of a table for what its first rows did not tell of some columns."""
    open_ = [name for name in table.names if name in columns and not columns[name].is_certain]
    for step in _later(table, open_) if open_ else ():
        for name, array in zip(open_, step, strict=True):
            if not all(map(is_missing, arrays.distinct(array)[1])):
                for value in arrays.values(array):
                    columns[name].add(value, current=current)
        if all(columns[name].is_certain for name in open_):
            return


def _later(table: Table, names: Sequence[str]) -> Iterator[list[Any]]:
    """The columns of the rows after the first, some rows at a time."""
    if table.batches is None:
        rows = islice(table.rows(names, Damage()), SAMPLE, None)
        while some := list(islice(rows, BATCH)):
            yield [list(column) for column in zip(*(values for _, values in some), strict=True)]
        return
    before = 0
    for batch in table.batches(names, (), Damage()):
        for start in range(max(SAMPLE - before, 0), len(batch), BATCH):
            yield [column[start : start + BATCH] for column in batch.columns]
        before += len(batch)


class Column:
    """Values of one column, of the reference and of what is compared, until they tell how to read.

    `usual` is the decimal sign where the values do not tell. `personal` makes a value safe: what is
    alike afterwards is alike. With `ruled` it is what comes of that which has to be read.
    """

    def __init__(
        self,
        name: str,
        usual: numerals.Decimal = ".",
        personal: Callable[[str, Any], Any] | None = None,
        *,
        ruled: bool = False,
    ) -> None:
        self._name = name
        self._ruled = ruled
        self._usual = usual
        self._personal = personal
        self._sides: tuple[list[Any], list[Any]] = ([], [])
        self._made: ColumnType | None = None
        self._signs = (numerals.Signs(), numerals.Signs())
        self._orders = (times.Orders(), times.Orders())

    def add(self, value: Any, *, current: bool = False) -> None:
        """Look at one more value; `current` is what is compared with the reference."""
        if self._ruled and self._personal is not None:
            value = self._personal(self._name, value)
        if is_missing(value):
            return
        if isinstance(value, timedelta | time):
            value = plain_value(value)
        self._made = None
        side = self._sides[current]
        if len(side) < SAMPLE:
            side.append(value.strip() if type(value) is str else value)
        if type(value) is str:
            text = value.strip()
            self._signs[current].add(text)
            self._orders[current].add(text)

    @property
    def is_certain(self) -> bool:
        """Whether more values would not change how the column is read."""
        match self.type().kind:
            case "numeric":
                return self._sign().is_certain
            case "datetime":
                return self._order().is_certain
            case kind:
                return kind != "unknown"

    def fits(self, how: ColumnType) -> bool:
        """Whether the values of the reference are mostly of the kind that `how` says."""
        read, values = reader(how), self._sides[0]
        spoilt = sum(is_spoilt(read(value), how.kind) for value in values)
        return len(values) - spoilt >= MAJORITY * len(values)

    def type(self) -> ColumnType:
        """How the column is read: what most values are, the reference's where there are any."""
        if self._made is None:
            self._made = self._decided()
        return self._made

    def _sign(self) -> numerals.Signs:
        """What the reference says of decimals, or both sides where it says nothing."""
        usual, others = self._signs
        return usual if usual.tells else usual.merged(others)

    def _order(self) -> times.Orders:
        usual, others = self._orders
        return usual if usual.tells else usual.merged(others)

    def _decided(self) -> ColumnType:
        usual, others = self._sides if self._sides[0] else self._sides[::-1]
        if not usual:
            return UNKNOWN
        least = MAJORITY * len(usual)
        texts = [value for value in usual if type(value) is str]
        typed = [value for value in usual if type(value) is not str]
        lists = [value for value in typed if isinstance(value, list | tuple)]
        if len(lists) >= least:
            return _lists(lists)
        if sum(isinstance(value, date) for value in typed) >= least:
            return ColumnType("datetime", unit=self._unit(others))
        if _are_truth(usual, others):
            return ColumnType("boolean")
        if not any(value[0] == "0" and value.isdigit() and len(value) > 1 for value in texts):
            found = self._numeric(texts, typed, least)
            found = found or self._datetime(texts, typed, least, self._unit(others))
            found = found or _durations(texts, typed, least)
            if found is not None:
                return found
        return ColumnType(self._of_words(usual, texts))

    def _of_words(self, values: Sequence[Any], texts: Sequence[str]) -> Kind:
        """What values are that are no figures; `texts` are those of them that are texts."""
        if sum(map(_is_long_text, texts)) > (1 - MAJORITY) * len(values):
            return "text"
        if not self._all_differ(values):
            return "categorical"
        return "text" if 2 * sum(map(_is_text, texts)) >= len(values) else "identifier"

    def _numeric(
        self, texts: Sequence[str], typed: Sequence[Any], least: float
    ) -> ColumnType | None:
        decimal, note = self._sign().decide(self._usual)
        found = _numbers([*texts, *typed], decimal)
        if len(found) < least:
            return None
        numbers = [value for value in found if math.isfinite(value)]
        named = _IDENTIFIER.search(self._name) is not None
        unit = None if named else times.unit(numbers)
        if unit is not None:
            return ColumnType("datetime", decimal, unit=unit)
        if _are_identifiers(numbers, named=named) and (named or not _are_measured(texts, typed)):
            return ColumnType("identifier")
        return ColumnType("numeric", decimal, note=note)

    def _datetime(
        self, texts: Sequence[str], typed: Sequence[Any], least: float, unit: times.Unit | None
    ) -> ColumnType | None:
        day_first, note = self._order().decide()
        found = sum(seconds(text, day_first) is not None for text in texts)
        found += sum(isinstance(value, date) for value in typed)
        if found < least:
            return None
        return ColumnType("datetime", day_first=day_first, unit=unit, note=note)

    def _unit(self, others: Sequence[Any]) -> times.Unit | None:
        """What the other side counts, where it has numbers for times."""
        return times.unit(_numbers(others, "."))

    def _all_differ(self, values: Sequence[Any]) -> bool:
        """Whether nearly all values are different ones, personal data aside."""
        if len(values) < FEW or len(set(map(str, values))) < DIFFERENT * len(values):
            return False
        if self._personal is None:
            return True
        safe = {str(self._personal(self._name, value)) for value in map(str, values)}
        return len(safe) >= DIFFERENT * len(values)


def _durations(texts: Sequence[str], typed: Sequence[Any], least: float) -> ColumnType | None:
    """How hours, minutes and seconds are read; typed ones among them are seconds already."""
    found = sum(numerals.duration(text) is not None for text in texts)
    if not found or found + sum(map(is_number, typed)) < least:
        return None
    return ColumnType("numeric", clock=True)


def _is_long_text(value: str) -> bool:
    """Whether a value is too long to be a category, and has words.

    >>> _is_long_text("to be or not to be " * 4), _is_long_text("0123456789abcdef" * 5)
    (True, False)
    """
    return len(value) > CATEGORY and (_PARTS.search(value) is not None)


def _is_text(value: str) -> bool:
    """Whether somebody wrote a value in words, of which there are some.

    >>> [_is_text(value) for value in ("where is it", "包裹没有到", "INV 2026 1", "Ada Lovelace")]
    [True, True, False, False]
    """
    found = [word for word in words(value, LOOKED_AT) if word.isalpha()]
    return len(found) >= WORDS and _PARTS.search(value) is not None


def _are_truth(usual: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether all values are booleans, and not mere numbers or initials."""
    words = {str(value).lower() for value in usual}
    if not words <= TRUTH.keys():
        return False
    if all(type(value) is bool for value in usual):
        return True
    more = {str(value).lower() for value in others}
    words |= more if more <= TRUTH.keys() else set()
    if all(word[0] in "01" for word in words):
        return False
    return bool(words & {"true", "false"}) or len({TRUTH[word] for word in words}) == 2


def _numbers(values: Sequence[Any], decimal: numerals.Decimal) -> list[float]:
    """The numbers among values."""
    found = [numerals.number(value, decimal) for value in values if type(value) is str]
    found += [_float(value) for value in values if is_number(value)]
    return [number for number in found if number is not None]


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _are_identifiers(numbers: Sequence[float], *, named: bool) -> bool:
    """Whether whole numbers, nearly all different, count rows or name things."""
    if len(numbers) < FEW or len(set(numbers)) < DIFFERENT * len(numbers):
        return False
    if any(value != int(value) for value in numbers):
        return False
    steps = [after - before for before, after in pairwise(numbers)]
    counted = steps.count(steps[len(steps) // 2])
    return named or counted >= DIFFERENT * len(steps) or min(map(abs, numbers)) >= _HUGE


def _are_measured(texts: Sequence[str], typed: Sequence[Any]) -> bool:
    """Whether one of some numbers is a float so large that all such are whole, or was written with
    a power of ten: nobody counts or names in these.

    >>> _are_measured(["6.02e23"], []), _are_measured([], [3e20]), _are_measured(["602"], [3.0])
    (True, True, False)
    """
    return any(type(value) is float and abs(value) >= _EXACT for value in typed) or any(
        "e" in text.lower() for text in texts
    )


def _lists(lists: Sequence[Sequence[Any]]) -> ColumnType:
    widths = {len(value) for value in lists}
    numbers = all(is_number(item) or item is None for value in lists for item in value)
    if len(widths) == 1 and numbers and widths != {0}:
        return ColumnType("vector", width=widths.pop())
    return ColumnType("list")
