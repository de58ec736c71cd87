"""A cell of somebody's table → a value that may be looked at: read as its column is, made safe."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

from monitor.tables import numerals
from monitor.tables.column_types import (
    MISSING,
    TRUTH,
    ColumnType,
    is_missing,
    plain_value,
    reader,
)
from monitor.texts import seconds

MILLISECONDS = 1e11
"""A larger time stamp is not in seconds, unless it is known to be."""

LATEST = 253_402_387_200.0
"""A day after the year 9999 in Unix seconds: no written time is later, whatever its offset."""

REMEMBERED = 1 << 12
"""Texts of a column of which is remembered how they are read."""


class Sanitizer(Protocol):
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


def taker(name: str, how: ColumnType | None, sanitizer: Sanitizer) -> Callable[[Any], Any]:
    """The function (value as it stands) → value to look at.

    Where a rule or the column's name says something of every value, it is said of the value as it
    stands; elsewhere a value is read first.
    """
    read = reader(how)

    def ruled(value: Any) -> Any:
        done = sanitized(name, value, sanitizer)
        return done if how is None or type(done) is not str else read(done)

    def usual(value: Any) -> Any:
        value = read(value)
        kind = type(value)
        if kind is str or ((kind is int or kind is float) and not -LARGE < value < LARGE):
            return sanitizer.cell(name, value)
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

    if sanitizer.minds(name):
        return ruled
    match how:
        case ColumnType(kind="identifier"):
            return read
        case ColumnType(kind="numeric", decimal="."):
            return number
        case ColumnType(kind="categorical" | "boolean" | "datetime"):
            return text
        case _:
            return usual


def sanitized(name: str, value: Any, sanitizer: Sanitizer) -> Any:
    """A value as it stands, made safe; a rule speaks of scalars, so nothing stays of a list."""
    if isinstance(value, date):
        value = value.isoformat()
    value = plain_value(value)
    if type(value) in (list, dict) or is_missing(value):
        return None
    return sanitizer.cell(name, value.strip() if type(value) is str else value)


def named(value: Any, how: ColumnType | None) -> Any:
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


def segment(name: str, value: Any, sanitizer: Sanitizer) -> str:
    """A dimension's value: `1`, `1.0` and `"1"` are one."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, int | float):
        try:
            value = f"{value:.12g}" if abs(value) < LARGE else f"{value:.0f}"
        except OverflowError:  # an integer beyond any float
            return "other"
    return sanitizer.segment(name, value) if isinstance(value, str) else "other"


def clock(how: ColumnType | None) -> Callable[[Any], float | None]:
    """The function (value of the column with times) → Unix seconds."""
    read = reader(how)
    is_time = how is not None and how.kind == "datetime"
    is_counted = how is not None and how.unit is not None

    def time_of(value: Any) -> float | None:
        if isinstance(value, date):
            return moment(value)
        found = read(value)
        if is_time and type(found) is str:
            return None  # a time in another order of day and month
        if is_time and (is_counted or type(value) is str) and type(found) is float:
            # It is in seconds, so that nothing is guessed of a time that there may be.
            return found if abs(found) < LATEST else moment(found)
        return moment(found)

    return time_of if how is not None and how.kind != "identifier" else moment_of


def moment_of(value: Any) -> float | None:
    """Unix seconds of a time stamp as it stands in a typed table."""
    return moment(value if isinstance(value, date) else plain_value(value))


def is_empty(start: float | None, end: float | None) -> bool:
    """Whether no time is `start` or later and before `end`; None is no bound.

    >>> is_empty(1.0, 2.0), is_empty(2.0, 2.0), is_empty(None, 2.0)
    (False, True, False)
    """
    return start is not None and end is not None and end <= start


def moment(value: Any) -> float | None:
    """Unix seconds of a time stamp: ISO 8601, a date, or a number of seconds, milli- or
    nanoseconds. Only of a number its size says what it counts; none of 1e11 or more is in seconds.

    >>> moment("2023-11-14T22:13:20Z"), moment(1.7e9), moment("1700000000000"), moment("soon")
    (1700000000.0, 1700000000.0, 1700000000.0, None)
    >>> moment("9999-12-31T00:00:00Z")
    253402214400.0
    """
    if isinstance(value, str):
        number = numerals.number(value)
        if number is None:
            return seconds(value.strip())
        value = number
    if isinstance(value, date):
        at = plain_value(value)
        return at if math.isfinite(at) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    at = float(value)
    while abs(at) >= MILLISECONDS:
        at /= 1000
    return at
