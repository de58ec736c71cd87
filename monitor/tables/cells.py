"""Cells of somebody's table → Observations: which columns are looked at, and what a value is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import msgspec

from monitor.errors import SourceError
from monitor.tables import numerals
from monitor.tables.damage import Damage
from monitor.tables.readings import (
    MISSING,
    SAMPLE,
    TRUTH,
    UNKNOWN,
    Column,
    Reading,
    is_missing,
    plain_value,
    reader,
)
from monitor.texts import CATEGORY, observe_text, plain, seconds
from monitor.types import Observation, Row

MILLISECONDS = 1e11
"""A larger time stamp is not in seconds."""

BATCH = 4096
"""Rows between two looks at whether a column is understood."""

REMEMBERED = 1 << 12
"""Texts of a column of which is remembered how they are read."""

INDEX = re.compile(r"__index_level_\d+__")
"""How pandas calls an index without a name; a number of a row is no data."""


class Columns(msgspec.Struct, frozen=True):
    """What the columns of a table are for. `by` are dimensions; the rest is looked at, unless
    only the dimensions are wanted (`segments_only`)."""

    by: tuple[str, ...] = ()
    timestamp: str = ""
    ignore: tuple[str, ...] = ()
    segments_only: bool = False

    def needed(self) -> tuple[str, ...]:
        """The columns that every table must have."""
        return (*self.by, self.timestamp) if self.timestamp else self.by

    def looks_at(self, name: str) -> bool:
        """Whether the values of a column are watched."""
        unseen = not name or INDEX.fullmatch(name) or name in self.ignore or name in self.needed()
        return not self.segments_only and not unseen

    def wants(self, name: str) -> bool:
        """Whether a column has to be read."""
        return self.looks_at(name) or name in self.needed()


@dataclass(frozen=True)
class Table:
    """A file as rows of values in named columns.

    `rows` gives the number of each row or line and its values in the columns asked for; what it
    cannot read it tells the Damage. `place` names a row, `usual` is the decimal sign of its kind.
    `apart` are columns that cannot be looked at.
    """

    path: Path
    names: list[str]
    rows: Callable[[Sequence[str], Damage], Iterator[tuple[int, Sequence[Any]]]]
    place: Callable[[int], str]
    usual: numerals.Decimal = "."
    apart: tuple[str, ...] = ()


class Readings(msgspec.Struct):
    """How each column is read: decided once, for the reference and what is compared with it.

    `shapes` are those of the features of a reference profile that does not say how its columns were
    read. `expected` are the columns of the reference: of one that is gone all values are missing.
    """

    shapes: dict[str, str] = {}
    by_column: dict[str, Reading] = {}
    expected: tuple[str, ...] = ()

    def learn(
        self,
        reference: Sequence[Table],
        current: Sequence[Table] = (),
        clean: Clean | None = None,
    ) -> None:
        """Decide the columns that are not decided yet, by the first rows, and by as many more as it
        takes. Where the two sides are of different kinds the reference's holds."""
        columns: dict[str, Column] = {}
        for tables, is_current in ((reference, False), (current, True)):
            for table in tables:
                new = [name for name in table.names if name not in self.by_column]
                for name in new:
                    if name not in columns:
                        columns[name] = _column(name, table.usual, clean)
                for _, values in islice(table.rows(new, Damage()), SAMPLE if new else 0):
                    for name, value in zip(new, values, strict=True):
                        columns[name].add(value, current=is_current)
        for tables, is_current in ((reference, False), (current, True)):
            for table in tables:
                _learn_more(table, columns, current=is_current)
        for name, column in columns.items():
            self.by_column[name] = self._shaped(name, column.reading())

    def of(self, name: str) -> Reading:
        """How a column is read."""
        return self.by_column.get(name, UNKNOWN)

    def _shaped(self, name: str, how: Reading) -> Reading:
        shape = self.shapes.get(name)
        if shape == "categorical" and how.kind in ("numeric", "datetime", "identifier"):
            return Reading("categorical")
        if shape == "numeric" and how.kind != "datetime":
            return Reading("numeric", how.decimal, note=how.note)
        return how


def _column(name: str, usual: numerals.Decimal, clean: Clean | None) -> Column:
    if clean is None:
        return Column(name, usual)

    def safe(name: str, value: Any) -> Any:
        return _ruled(name, value, clean)

    return Column(name, usual, safe, ruled=clean.minds(name))


def _learn_more(table: Table, columns: Mapping[str, Column], *, current: bool) -> None:
    """Look at all rows of a table for what its first rows did not tell of some columns."""
    open_ = [name for name in table.names if name in columns and not columns[name].is_certain]
    rows = islice(table.rows(open_, Damage()), SAMPLE, None) if open_ else iter(())
    while open_ and (batch := list(islice(rows, BATCH))):
        for name, values in zip(open_, zip(*(row for _, row in batch), strict=True), strict=True):
            for value in values:
                columns[name].add(value, current=current)
        if all(columns[name].is_certain for name in open_):
            return


def picker(names: Sequence[str], wanted: Sequence[str]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The function (values of all columns) → those of the wanted ones, in their order."""
    if list(names) == list(wanted):
        return lambda values: values
    places = [names.index(name) for name in wanted]
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places) if places else lambda _: ()


class Clean(Protocol):
    """What makes values safe to look at."""

    def drops(self, column: str, /) -> bool:
        """Whether nothing of the column is looked at."""

    def minds(self, column: str, /) -> bool:
        """Whether every value of the column is to be cleaned, small numbers too."""

    def cell(self, column: str, value: Any, /) -> Any:
        """A scalar of a column, made safe; None where nothing of it may stay."""

    def segment(self, dimension: str, value: str, /) -> str:
        """A dimension's value, made safe."""

    def text(self, value: str, /) -> str:
        """A name, or a value of a Record, made safe."""


LARGE = 10**11
"""Whole numbers from here on have as many digits as a payment card: they are cleaned."""


def read(
    table: Table,
    columns: Columns,
    readings: Readings,
    clean: Clean,
    *,
    damage: Damage,
    first: int = 0,
) -> Iterator[Row]:
    """The rows of a table, numbered from `first`; those that cannot be read are told to `damage`.

    Raises SourceError naming the file for a column that is not there.
    """
    if any(name not in readings.by_column for name in table.names):
        readings.learn([table], clean=clean)
    observer(table.names, columns, clean, str(table.path))  # says which column is not there
    names = [name for name in table.names if columns.wants(name)] or table.names[:1]
    spoilt: list[tuple[str, str]] = []
    observe = observer(
        names,
        columns,
        clean,
        str(table.path),
        readings=readings,
        spoilt=lambda *cell: spoilt.append(cell),
    )
    damage.begin(table.path)
    index = first
    for number, values in table.rows(names, damage):
        try:
            row = observe(values, index, "")
        except SourceError as error:
            damage.rows(table.path, table.place(number), str(error).removeprefix(": "))
            spoilt.clear()
            continue
        if spoilt:
            for column, kind in spoilt:
                damage.cell(table.path, column, table.place(number), kind)
            spoilt.clear()
        index += 1
        yield row


def observer(
    names: Sequence[str],
    columns: Columns,
    clean: Clean,
    where: str,
    *,
    readings: Readings | None = None,
    spoilt: Callable[[str, str], None] | None = None,
) -> Callable[[Sequence[Any], int, str], Row]:
    """The function (values of a row, its number, its place for a message) → Row.

    Values are read as `readings` say; without them those of a typed table are taken as they are.
    `spoilt` is told the column and its kind of a cell that cannot be read so. Raises SourceError
    naming `where` for a column that is not there; the function raises it, naming the place, for a
    time that is none.
    """
    for name in columns.needed():
        if name not in names:
            raise SourceError(f"{where}: no column {name!r}; there are {_listed(names)}")
    ways: list[Reading | None] = [None if readings is None else readings.of(name) for name in names]
    looked_at = [
        (index, clean.text(name), _taker(name, how, clean), how.kind if how is not None else "")
        for index, (name, how) in enumerate(zip(names, ways, strict=True))
        if columns.looks_at(name) and not clean.drops(name) and not _counts_rows(name, how)
    ]
    gone = [
        Observation(clean.text(name), "categorical", None)
        for name in (readings.expected if readings is not None else ())
        if name not in names
        and columns.looks_at(name)
        and not clean.drops(name)
        and not _counts_rows(name, readings.of(name) if readings is not None else None)
    ]
    dimensions = [(names.index(name), name) for name in columns.by]
    clock = names.index(columns.timestamp) if columns.timestamp else -1
    time_of = _clock(ways[clock]) if clock >= 0 else None

    def observe(values: Sequence[Any], number: int, place: str) -> Row:
        at = float(number)
        if time_of is not None:
            found = time_of(values[clock])
            if found is None:
                raise SourceError(
                    f"{place}: column {columns.timestamp!r} holds no time (RFC 3339, Unix seconds)"
                )
            at = found
        segments = {
            name: _segment(name, _named(values[index], ways[index]), clean)
            for index, name in dimensions
        }
        observations = list(gone)
        for index, name, take, kind in looked_at:
            value = take(values[index])
            type_ = type(value)
            if type_ is float or type_ is int or value is None:
                observations.append(Observation(name, "numeric", value))
            elif type_ is str and kind == "categorical" and len(value) <= CATEGORY:
                observations.append(Observation(name, kind, plain(value)))
            else:
                if type_ is str and kind in _FIGURES and spoilt is not None:
                    spoilt(name, kind)
                observations += _observed(name, kind, value, number, clean)
        return Row(at, segments, observations)

    return observe


_FIGURES = frozenset(("numeric", "datetime", "boolean", "vector"))
"""Kinds that a text does not belong to."""


def _observed(name: str, kind: str, value: Any, number: int, clean: Clean) -> Iterable[Observation]:
    """What is seen in a value that is no number, of a column of some kind."""
    type_ = type(value)
    if type_ is str:
        if kind in _FIGURES:
            return (Observation(name, "categorical", value[:CATEGORY]),)
        return observe_text(name, plain(value), str(number))
    if type_ is bool:
        return (Observation(name, "boolean", value),)
    if type_ is list:
        if kind == "list":
            return _unfolded(name, value, number, clean)
        return (Observation(name, "vector", value),)
    return (Observation(name, "numeric", value),)


def _counts_rows(name: str, how: Reading | None) -> bool:
    """Whether a column is the index that pandas has written into a CSV file."""
    unnamed = name.startswith("Unnamed: ")
    return unnamed and how is not None and how.kind == "identifier"


def _unfolded(name: str, values: Sequence[Any], number: int, clean: Clean) -> Iterator[Observation]:
    """A list whose length varies, or which holds no numbers: its length, and one of its elements.

    The elements of one list belong together, so only one of them is evidence.
    """
    yield Observation(f"{name}.length", "numeric", len(values))
    one = values[number % len(values)] if values else None
    for inner, value in flat(one, name):
        found = clean.cell(inner, plain_value(value)) if _is_scalar(value) else value
        if type(found) is str:
            yield from observe_text(clean.text(inner), plain(found), str(number))
        elif type(found) is bool:
            yield Observation(clean.text(inner), "boolean", found)
        else:
            yield Observation(clean.text(inner), "numeric", found)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bytes | date)


def flat(value: Any, name: str, depth: int = 8) -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of everything inside an object; what is none is itself.

    >>> list(flat({"a": {"b": 1}, "c": [2]}, "x"))
    [('x.a.b', 1), ('x.c', [2])]
    """
    if isinstance(value, dict) and not value:
        yield name, None
    elif isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else str(key), depth - 1)
    else:
        yield name, value


def _taker(name: str, how: Reading | None, clean: Clean) -> Callable[[Any], Any]:
    """The function (value as it stands) → value to look at.

    Where a rule or the column's name says something of every value, it is said of the value as it
    stands; elsewhere a value is read first.
    """
    read = reader(how)

    def ruled(value: Any) -> Any:
        done = _ruled(name, value, clean)
        return done if how is None or type(done) is not str else read(done)

    def usual(value: Any) -> Any:
        value = read(value)
        kind = type(value)
        if kind is str or ((kind is int or kind is float) and not -LARGE < value < LARGE):
            return clean.cell(name, value)
        return value

    remembered = lru_cache(REMEMBERED)(usual)

    def text(value: Any) -> Any:
        return remembered(value) if type(value) is str else usual(value)

    def number(value: Any) -> Any:
        kind = type(value)
        if kind is str:
            try:
                found = float(value)
            except ValueError:
                return usual(value)
            return found if -LARGE < found < LARGE and "_" not in value else usual(value)
        small = (kind is float or kind is int) and -LARGE < value < LARGE
        return value if small else usual(value)

    if clean.minds(name):
        return ruled
    match how:
        case Reading(kind="identifier"):
            return read
        case Reading(kind="numeric", decimal="."):
            return number
        case Reading(kind="categorical" | "boolean" | "datetime"):
            return text
        case _:
            return usual


def _ruled(name: str, value: Any, clean: Clean) -> Any:
    """A value as it stands, made safe; a rule speaks of scalars, so nothing stays of a list."""
    if isinstance(value, date):
        value = value.isoformat()
    value = plain_value(value)
    if type(value) in (list, dict) or is_missing(value):
        return None
    return clean.cell(name, value.strip() if type(value) is str else value)


def _named(value: Any, how: Reading | None) -> Any:
    """A dimension's value: as it stands, but for numbers, which have many spellings."""
    if type(value) is not str:
        return plain_value(value)
    value = value.strip()
    if value.lower() in MISSING:
        return None
    if how is not None and how.kind == "numeric":
        number = numerals.number(value, how.decimal)
        return value if number is None else number
    if how is not None and how.kind == "boolean" and value.lower() in ("true", "false"):
        return TRUTH[value.lower()]
    return value


def _segment(name: str, value: Any, clean: Clean) -> str:
    """A dimension's value: `1`, `1.0` and `"1"` are one."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, int | float):
        value = f"{value:.12g}" if abs(value) < LARGE else f"{value:.0f}"
    return clean.segment(name, value) if isinstance(value, str) else "other"


def _clock(how: Reading | None) -> Callable[[Any], float | None]:
    """The function (value of the column with times) → Unix seconds."""
    read = reader(how)

    def time_of(value: Any) -> float | None:
        value = read(value)
        if how is not None and how.kind == "datetime" and type(value) is str:
            return None  # a time in another order of day and month
        return moment(value)

    return time_of if how is not None and how.kind != "identifier" else moment_of


def moment_of(value: Any) -> float | None:
    """Unix seconds of a time stamp as it stands in a typed table."""
    return moment(plain_value(value))


def moment(value: Any) -> float | None:
    """Unix seconds of a time stamp: ISO 8601, or a number of seconds, milli- or nanoseconds.

    >>> moment("2023-11-14T22:13:20Z"), moment(1.7e9), moment("1700000000000"), moment("soon")
    (1700000000.0, 1700000000.0, 1700000000.0, None)
    """
    if isinstance(value, str):
        number = numerals.number(value)
        value = seconds(value.strip()) if number is None else number
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    at = float(value)
    while abs(at) >= MILLISECONDS:
        at /= 1000
    return at


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(no name)" for name in names[:12])
    return f"{shown}, …" if len(names) > 12 else shown


def header(names: Sequence[str], where: str) -> list[str]:
    """The names of a table's columns; raises SourceError where two are the same.

    A column without a name is the index that pandas writes; it is not looked at.
    """
    trimmed = [name.strip() for name in names]
    seen: set[str] = set()
    for name in filter(None, trimmed):
        if name in seen:
            raise SourceError(f"{where}: two columns are called {name!r}; rename one")
        seen.add(name)
    if not seen:
        raise SourceError(f"{where}: no column has a name; the first line must hold the names")
    return trimmed
