"""The values of a column → how the column is read, decided once, for every table alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

import msgspec

from monitor.tables import numerals, times
from monitor.texts import CATEGORY, seconds

Kind = Literal[
    "numeric", "boolean", "datetime", "categorical", "identifier", "vector", "list", "unknown"
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
    "sí": True, "si": True, "sim": True, "não": False, "wahr": True, "falsch": False,
    "vrai": True, "faux": False, "1": True, "0": False, "1.0": True, "0.0": False,
}  # fmt: skip
"""How booleans are written, in lower case."""

MAJORITY = 0.9
"""So many of a column's values must read as numbers for the others to be of a wrong type."""

SAMPLE = 1000
"""Values of each side, at most, that decide how a column is read."""

FEW = 30
"""With fewer values nobody can say that they all differ."""

DIFFERENT = 0.9
"""A column of names with more values than this for each row tells of no distribution."""

ALIKE = "a value"
"""What is observed of an identifier: that it is there."""

_IDENTIFIER = re.compile(
    r"(?:^|[\W_])(?:id|ids|uuid|guid|key|pk|idx|index|row|rowid|rownum|nr|no|unnamed: \d+)$"
    r"|[a-z](?:Id|ID|Key|Index|No|Nr)$",
)
_HUGE = 1e15
"""Whole numbers from here on are no measurements."""


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the values of a column are read.

    numeric: with `decimal` as decimal sign. datetime: with the day before the month, or not, where
    it is written in figures; numbers count `unit`. vector: lists of `width` numbers. list: all
    other lists. identifier: values that nearly all differ. `note` is what to say of it, where it is
    a guess.
    """

    kind: Kind
    decimal: numerals.Decimal = "."
    day_first: bool = False
    unit: times.Unit | None = None
    width: int = 0
    note: str = ""

    @property
    def words(self) -> str:
        """How it is read, for a person.

        >>> Reading("numeric", ",").words, Reading("datetime", unit="ms").words
        ('numeric, decimal comma', 'datetime, ms since 1970')
        """
        match self:
            case Reading(kind="numeric", decimal=","):
                return "numeric, decimal comma"
            case Reading(kind="datetime", unit="date"):
                return "datetime, YYYYMMDD"
            case Reading(kind="datetime", unit=str(unit)):
                return f"datetime, {unit} since 1970"
            case Reading(kind="datetime", day_first=True):
                return "datetime, day first"
            case Reading(kind="vector"):
                return f"vector of {self.width} numbers"
        return self.kind


UNKNOWN = Reading("unknown")


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
        self._made: Reading | None = None
        self._signs = (numerals.Signs(), numerals.Signs())
        self._orders = (times.Orders(), times.Orders())

    def add(self, value: Any, *, current: bool = False) -> None:
        """Look at one more value; `current` is what is compared with the reference."""
        if self._ruled and self._personal is not None:
            value = self._personal(self._name, value)
        if is_missing(value):
            return
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
        match self.reading().kind:
            case "numeric":
                return self._sign().is_certain
            case "datetime":
                return self._order().is_certain
            case kind:
                return kind != "unknown"

    def reading(self) -> Reading:
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

    def _decided(self) -> Reading:
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
            return Reading("datetime", unit=self._unit(others))
        if _are_truth(usual, others):
            return Reading("boolean")
        if not any(value[0] == "0" and value.isdigit() and len(value) > 1 for value in texts):
            found = self._numeric(texts, typed, least)
            found = found or self._datetime(texts, typed, least, self._unit(others))
            if found is not None:
                return found
        return Reading("identifier" if self._all_differ(usual) else "categorical")

    def _numeric(self, texts: Sequence[str], typed: Sequence[Any], least: float) -> Reading | None:
        decimal, note = self._sign().decide(self._usual)
        found = _numbers([*texts, *typed], decimal)
        if len(found) < least:
            return None
        numbers = [value for value in found if math.isfinite(value)]
        named = _IDENTIFIER.search(self._name) is not None
        unit = None if named else times.unit(numbers)
        if unit is not None:
            return Reading("datetime", decimal, unit=unit)
        if _are_identifiers(numbers, named=named):
            return Reading("identifier")
        return Reading("numeric", decimal, note=note)

    def _datetime(
        self, texts: Sequence[str], typed: Sequence[Any], least: float, unit: times.Unit | None
    ) -> Reading | None:
        day_first, note = self._order().decide()
        found = sum(seconds(text, day_first) is not None for text in texts)
        found += sum(isinstance(value, date) for value in typed)
        if found < least:
            return None
        return Reading("datetime", day_first=day_first, unit=unit, note=note)

    def _unit(self, others: Sequence[Any]) -> times.Unit | None:
        """What the other side counts, where it has numbers for times."""
        return times.unit(_numbers(others, "."))

    def _all_differ(self, values: Sequence[Any]) -> bool:
        """Whether nearly all values are different ones, personal data aside, and none is a text."""
        if len(values) < FEW or len(set(map(str, values))) < DIFFERENT * len(values):
            return False
        if sum(len(str(value)) > CATEGORY for value in values) > (1 - MAJORITY) * len(values):
            return False
        if self._personal is None:
            return True
        safe = {str(self._personal(self._name, value)) for value in map(str, values)}
        return len(safe) >= DIFFERENT * len(values)


def reading(values: Iterable[Any]) -> Reading:
    """How a column with these values is read.

    >>> [reading(values).kind for values in (["1", "2.5", ""], ["a", "b"], ["Yes", "no"], [""])]
    ['numeric', 'categorical', 'boolean', 'unknown']
    >>> reading(["01234", "98765"]).kind, reading(["2024-02-29", "2024-03-01 12:00:00"]).kind
    ('categorical', 'datetime')
    """
    column = Column("")
    for value in values:
        column.add(value)
    return column.reading()


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
    found += [_float(value) for value in values if _is_number(value)]
    return [number for number in found if number is not None]


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _are_identifiers(numbers: Sequence[float], *, named: bool) -> bool:
    """Whether whole numbers, nearly all different, count rows or name things."""
    if len(numbers) < FEW or len(set(numbers)) < DIFFERENT * len(numbers):
        return False
    if any(value != int(value) for value in numbers):
        return False
    steps = [after - before for before, after in pairwise(numbers)]
    counted = steps.count(steps[len(steps) // 2])
    return named or counted >= DIFFERENT * len(steps) or min(map(abs, numbers)) >= _HUGE


def _lists(lists: Sequence[Sequence[Any]]) -> Reading:
    widths = {len(value) for value in lists}
    numbers = all(_is_number(item) or item is None for value in lists for item in value)
    if len(widths) == 1 and numbers and widths != {0}:
        return Reading("vector", width=widths.pop())
    return Reading("list")


# --- values --------------------------------------------------------------------------------------


def reader(how: Reading | None) -> Callable[[Any], Any]:
    """The function (value as it stands in a text or a typed table) → value that windows know.

    What cannot be read as it should be stays a text. Without a reading only types count.

    >>> read = reader(Reading("numeric"))
    >>> read(" 1.50"), read("n/a"), read("x"), read(Decimal("1.5"))
    (1.5, None, 'x', 1.5)
    """
    match how.kind if how is not None else None:
        case "numeric":
            assert how is not None  # noqa: S101  for the type checker
            return _number_reader(how.decimal)
        case "boolean":
            return _read_boolean
        case "datetime":
            assert how is not None  # noqa: S101
            return _time_reader(how)
        case "identifier":
            return _read_identifier
        case "categorical" | "unknown":
            return _read_category
        case _:
            return plain_value


def _number_reader(decimal: numerals.Decimal) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        kind = type(value)
        if kind is str:
            text = value.strip()
            if text.lower() in MISSING:
                return None
            number = numerals.number(text, decimal)
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


def _time_reader(how: Reading) -> Callable[[Any], Any]:
    day_first = how.day_first
    scale = times.SCALES.get(how.unit, 1.0) if how.unit is not None else 1.0

    def count(number: float) -> float | None:
        return times.date(number) if how.unit == "date" else number / scale

    def read(value: Any) -> Any:
        if type(value) is str:
            text = value.strip()
            if text.lower() in MISSING:
                return None
            number = numerals.number(text, how.decimal) if how.unit is not None else None
            moment = seconds(text, day_first) if number is None else count(number)
            return text if moment is None else moment
        if how.unit is None or not _is_number(value):
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
    return str(value) if _is_number(value) else value


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
