"""A ColumnType, how a column is read → the function that reads its values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from monitor.tables import numerals, times
from monitor.texts import seconds

Kind = Literal[
    "numeric",
    "boolean",
    "datetime",
    "categorical",
    "text",
    "identifier",
    "vector",
    "list",
    "unknown",
]

MISSING = frozenset(
    (
        "", "-", "--", "---", "–", "—", "na", "n/a", "n.a.", "#n/a", "#na", "#n/a n/a", "<na>",
        "nan", "-nan", "null", "(null)", "none", "nil", "nat", "\\n", "#null!", "#value!", "#ref!",
        "#div/0!", "#name?", "#num!", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan",
    )
)  # fmt: skip
"""How missing values are written, in lower case, in tables of every format."""

TRUTH = {
    "true": True, "false": False, "yes": True, "no": False, "y": True, "n": False, "t": True,
    "f": False, "on": True, "off": False, "ja": True, "nein": False, "oui": True, "non": False,
    "sí": True, "si": True, "sì": True, "sim": True, "não": False, "wahr": True, "falsch": False,
    "vrai": True, "faux": False, "verdadero": True, "falso": False, "verdadeiro": True,
    "vero": True, "nee": False, "nej": False, "tak": True, "nie": False, "evet": True,
    "hayır": False, "да": True, "нет": False, "はい": True, "いいえ": False, "是": True,
    "否": False, "✓": True, "✗": False, "✔": True, "✘": False, "enabled": True,
    "disabled": False, "1": True, "0": False, "1.0": True, "0.0": False,
}  # fmt: skip
"""How booleans are written, in lower case."""

ALIKE = "a value"
"""What is observed of an identifier: that it is there."""


class ColumnType(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the values of a column are read.

    numeric: with `decimal` as decimal sign; with `clock` hours, minutes and seconds are read as
    seconds. datetime: with the day before the month, or not, where
    it is written in figures; numbers count `unit`. text: words that people wrote. vector:
    lists of `width` numbers. list: all other lists. identifier: values that nearly all differ.
    `note` is what to say of it, where it is a guess.
    """

    kind: Kind
    decimal: numerals.Decimal = "."
    day_first: bool = False
    unit: times.Unit | None = None
    width: int = 0
    note: str = ""
    clock: bool = False

    @property
    def words(self) -> str:
        """How it is read, for a person.

        >>> ColumnType("numeric", ",").words, ColumnType("datetime", unit="ms").words
        ('numeric, decimal comma', 'datetime, ms since 1970')
        """
        match self:
            case ColumnType(kind="numeric", clock=True) | ColumnType(kind="numeric", decimal=","):
                return "numeric, H:MM:SS" if self.clock else "numeric, decimal comma"
            case ColumnType(kind="datetime", unit="date"):
                return "datetime, YYYYMMDD"
            case ColumnType(kind="datetime", unit=str(unit)):
                return f"datetime, {unit} since 1970"
            case ColumnType(kind="datetime", day_first=True):
                return "datetime, day first"
            case ColumnType(kind="vector"):
                return f"vector of {self.width} numbers"
        return self.kind


UNKNOWN = ColumnType("unknown")

_NAMED = {
    one.words: one
    for one in (
        *(ColumnType(kind) for kind in ("numeric", "boolean", "datetime", "categorical", "text")),
        ColumnType("identifier"), ColumnType("list"), ColumnType("numeric", decimal=","),
        ColumnType("datetime", day_first=True), ColumnType("numeric", clock=True),
        *(ColumnType("datetime", unit=unit) for unit in ("s", "ms", "us", "ns", "date")),
    )
}  # fmt: skip
WORDS = (*_NAMED, "vector of N numbers")
"""What may be said of how a column is read."""

_VECTOR = re.compile(r"vector of ([1-9][0-9]{0,6}) numbers")

_FIGURES = frozenset(("numeric", "datetime", "boolean", "vector"))


def named(words: str) -> ColumnType | None:
    """The ColumnType that somebody names, by `ColumnType.words`; None for what is none.

    >>> named("numeric, decimal comma").decimal, named("vector of 3 numbers").width, named("int")
    (',', 3, None)
    """
    if match := _VECTOR.fullmatch(words):
        return ColumnType("vector", width=int(match[1]))
    return _NAMED.get(words)


def is_figure(kind: str) -> bool:
    """Whether no text belongs to a kind of columns."""
    return kind in _FIGURES


def is_spoilt(value: Any, kind: str) -> bool:
    """Whether a value that was taken of a column of some kind could not be read so."""
    return type(value) is str and kind in _FIGURES


def is_missing(value: Any) -> bool:
    """Whether a value of any table is a missing one.

    >>> [is_missing(value) for value in (None, " N/A ", float("nan"), "-", 0, "0", False)]
    [True, True, True, True, False, False, False]
    """
    kind = type(value)
    if kind is str:
        return value.strip().lower() in MISSING
    if kind is Decimal:
        return bool(value.is_nan())
    return value is None or (kind is float and math.isnan(value))


def is_number(value: Any) -> bool:
    """Whether a value of a typed table is a number; a boolean is none."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def reader(how: ColumnType | None) -> Callable[[Any], Any]:
    """The function (value as it stands in a text or a typed table) → value that windows know.

    What cannot be read as it should be stays a text. Without a column type only types count.

    >>> read = reader(ColumnType("numeric"))
    >>> read(" 1.50"), read("n/a"), read("x"), read(Decimal("1.5"))
    (1.5, None, 'x', 1.5)
    """
    match how.kind if how is not None else None:
        case "numeric":
            assert how is not None  # noqa: S101  for the type checker
            return _number_reader(how)
        case "boolean":
            return _read_boolean
        case "datetime":
            assert how is not None  # noqa: S101
            return _time_reader(how)
        case "identifier":
            return _read_identifier
        case "categorical" | "text" | "unknown":
            return _read_category
        case _:
            return plain_value


def _number_reader(how: ColumnType) -> Callable[[Any], Any]:
    decimal, clock = how.decimal, how.clock

    def read(value: Any) -> Any:
        kind = type(value)
        if kind is str:
            text = value.strip()
            if text.lower() in MISSING:
                return None
            number = numerals.number(text, decimal)
            if number is None and clock:
                number = numerals.duration(text)
            return text if number is None else number
        if kind is float:
            return value if value == value else None  # noqa: PLR0124  NaN equals nothing
        return plain_value(value)

    return read


def _read_boolean(value: Any) -> Any:
    kind = type(value)
    if kind is bool or value is None:
        return value
    text = str(value).strip()
    low = text.lower()
    return None if low in MISSING else TRUTH.get(low, text)


def _time_reader(how: ColumnType) -> Callable[[Any], Any]:
    day_first = how.day_first
    scale = times.SCALES.get(how.unit, 1.0) if how.unit is not None else 1.0

    def count(number: float) -> float | None:
        try:
            return times.date(number) if how.unit == "date" else number / scale
        except OverflowError:  # an integer beyond any float
            return None

    def read(value: Any) -> Any:
        if type(value) is str:
            text = value.strip()
            if text.lower() in MISSING:
                return None
            number = numerals.number(text, how.decimal) if how.unit is not None else None
            moment = seconds(text, day_first) if number is None else count(number)
            return text if moment is None else moment
        if how.unit is None or not is_number(value):
            return plain_value(value)
        number = plain_value(value)
        moment = number if number is None else count(number)
        return str(value) if moment is None and number is not None else moment

    return read


def _read_identifier(value: Any) -> Any:
    return None if is_missing(value) else ALIKE


def _read_category(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        text = value.strip()
        return None if text.lower() in MISSING else text
    value = plain_value(value)
    return str(value) if is_number(value) else value


def plain_value(value: Any) -> Any:
    """A value of a typed table as one that windows know; NaN is missing, as in pandas.

    >>> plain_value(date(2024, 2, 29)), plain_value(Decimal("1.5")), plain_value(float("nan"))
    (1709164800.0, 1.5, None)
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return value
    if kind is float or kind is Decimal:
        return None if is_missing(value) else float(value)
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    return value.decode(errors="replace") if isinstance(value, bytes) else value
