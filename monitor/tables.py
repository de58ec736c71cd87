"""Cells of somebody's table → Observations: which columns are looked at, and what a value is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, Protocol

import msgspec

from monitor.errors import SourceError
from monitor.texts import observe_string, seconds
from monitor.types import Observation, Row

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "<na>", "nat", "#n/a"))
"""How missing values are written, in lower case."""

MAJORITY = 0.9
"""So many of a column's values must read as numbers for the others to be of a wrong type."""

MILLISECONDS = 1e11
"""A larger time stamp is not in seconds."""

Reading = Literal["numeric", "boolean", "datetime", "categorical", "unknown"]


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

    def wants(self, name: str) -> bool:
        """Whether a column has to be read."""
        looked_at = not self.segments_only and bool(name) and name not in self.ignore
        return looked_at or name in self.needed()


class Readings(msgspec.Struct):
    """How each column of text is read. The first table decides, so that later ones compare.

    `shapes` are those of the features of a reference profile, where there is one.
    """

    shapes: dict[str, str] = {}
    by_column: dict[str, Reading] = {}

    def learn(self, names: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
        """Decide the columns that are not decided yet."""
        for index, name in enumerate(names):
            if self.by_column.get(name, "unknown") == "unknown":
                how = reading([row[index] for row in sample])
                shape = self.shapes.get(name)
                if shape == "categorical" and how in ("numeric", "datetime"):
                    how = "categorical"
                elif shape == "numeric" and how != "datetime":
                    how = "numeric"
                self.by_column[name] = how


def reading(values: Iterable[str]) -> Reading:
    """What most values of a column of text are.

    >>> reading(["1", "2.5", ""]), reading(["yes", "no"]), reading(["True", "false"])
    ('numeric', 'categorical', 'boolean')
    >>> reading(["01234", "98765"]), reading(["2024-02-29", "2024-03-01 12:00:00"]), reading([""])
    ('categorical', 'datetime', 'unknown')
    """
    present = [value for value in map(str.strip, values) if value.lower() not in MISSING]
    if not present:
        return "unknown"
    least = MAJORITY * len(present)
    if any(value[0] == "0" and value.isdigit() and len(value) > 1 for value in present):
        return "categorical"
    if sum(_number(value) is not None for value in present) >= least:
        return "numeric"
    if all(value.lower() in ("true", "false") for value in present):
        return "boolean"
    if sum(seconds(value) is not None for value in present) >= least:
        return "datetime"
    return "categorical"


def read_text(value: str, how: Reading) -> Any:
    """A field of a text file as a value; what cannot be read as it should be stays a text.

    >>> read_text(" 1.50", "numeric"), read_text("n/a", "numeric"), read_text("x", "numeric")
    (1.5, None, 'x')
    """
    value = value.strip()
    if value.lower() in MISSING:
        return None
    match how:
        case "numeric":
            number = _number(value)
            return value if number is None else number
        case "boolean":
            return {"true": True, "false": False}.get(value.lower(), value)
        case "datetime":
            moment = seconds(value)
            return value if moment is None else moment
        case _:
            return value


def _number(value: str) -> float | None:
    if "_" in value:
        return None  # Python reads 1_000 as a number; a table that holds it means a name
    try:
        return float(value)
    except ValueError:
        return None


def plain_value(value: Any) -> Any:
    """A value of a typed table as one that windows know; NaN is missing, as in pandas.

    >>> plain_value(date(2024, 2, 29)), plain_value(Decimal("1.5")), plain_value(float("nan"))
    (1709164800.0, 1.5, None)
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return value
    if kind is float or kind is Decimal:
        return float(value) if value == value else None  # noqa: PLR0124  NaN equals nothing
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.decode(errors="replace") if isinstance(value, bytes) else value


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


def observer(
    names: Sequence[str],
    columns: Columns,
    clean: Clean,
    where: str,
    ways: Sequence[Reading] | None = None,
) -> Callable[[Sequence[Any], int, str], Row]:
    """The function (values of a row, its number, its place for a message) → Row.

    Values are texts to be read by `ways`, one for each column, or those of a typed table. Raises
    SourceError naming `where` for a column that is not there; the function raises it, naming the
    place, for a time that is none.
    """
    for name in columns.needed():
        if name not in names:
            raise SourceError(f"{where}: no column {name!r}; there are {_listed(names)}")
    unseen = {*columns.by, *columns.ignore, columns.timestamp, ""}
    looked_at = [
        (index, clean.text(name), _taker(name, ways[index] if ways else None, clean))
        for index, name in enumerate(names)
        if not columns.segments_only and name not in unseen and not clean.drops(name)
    ]
    dimensions = [(names.index(name), name) for name in columns.by]
    clock = names.index(columns.timestamp) if columns.timestamp else -1

    def plain(values: Sequence[Any], index: int) -> Any:
        return read_text(values[index], ways[index]) if ways else plain_value(values[index])

    def observe(values: Sequence[Any], number: int, place: str) -> Row:
        at = float(number)
        if clock >= 0:
            found = moment(plain(values, clock))
            if found is None:
                raise SourceError(
                    f"{place}: column {columns.timestamp!r} holds no time (RFC 3339, Unix seconds)"
                )
            at = found
        segments = {name: _segment(name, plain(values, index), clean) for index, name in dimensions}
        observations: list[Observation] = []
        for index, name, take in looked_at:
            value = take(values[index])
            if type(value) is str:
                observations += observe_string(name, value, str(number))
            else:
                observations.append(_observation(name, value))
        return Row(at, segments, observations)

    return observe


def _taker(name: str, how: Reading | None, clean: Clean) -> Callable[[Any], Any]:
    """The function (value as it stands) → value to look at.

    Where a rule or the column's name says something of every value, it is said of the value as it
    stands; elsewhere a value is read first.
    """

    def ruled(value: Any) -> Any:
        if isinstance(value, date):
            value = value.isoformat()
        value = plain_value(value) if how is None else read_text(value, "categorical")
        if type(value) is list:
            return None  # a rule speaks of scalars
        done = clean.cell(name, value)
        return done if how is None or type(done) is not str else read_text(done, how)

    def read(value: Any) -> Any:
        value = plain_value(value) if how is None else read_text(value, how)
        kind = type(value)
        if kind is str or ((kind is int or kind is float) and not -LARGE < value < LARGE):
            return clean.cell(name, value)
        return value

    return ruled if clean.minds(name) else read


def _observation(name: str, value: Any) -> Observation:
    kind = type(value)
    if kind is bool:
        return Observation(name, "boolean", value)
    if kind is list:
        return Observation(name, "vector", value)
    return Observation(name, "numeric", value)


def _segment(name: str, value: Any, clean: Clean) -> str:
    """A dimension's value: `1`, `1.0` and `"1"` are one."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, int | float):
        value = f"{value:.12g}" if abs(value) < LARGE else f"{value:.0f}"
    return clean.segment(name, value) if isinstance(value, str) else "other"


def moment(value: Any) -> float | None:
    """Unix seconds of a time stamp: ISO 8601, or a number of seconds, milli- or nanoseconds.

    >>> moment("2023-11-14T22:13:20Z"), moment(1.7e9), moment("1700000000000"), moment("soon")
    (1700000000.0, 1700000000.0, 1700000000.0, None)
    """
    if isinstance(value, str):
        number = _number(value)
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
            raise SourceError(f"{where}: two columns are called {name!r}")
        seen.add(name)
    if not seen:
        raise SourceError(f"{where}: no column has a name")
    return trimmed
