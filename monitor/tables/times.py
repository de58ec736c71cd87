"""Times of a column → which of day and month comes first, and what a number counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from monitor.texts import DATE, seconds

Unit = Literal["s", "ms", "us", "ns", "date"]

SCALES: dict[Unit, float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}

EARLIEST = 946_684_800.0
"""2000-01-01; a column of smaller numbers does not hold Unix times."""

LATEST = 2_524_608_000.0
"""2050-01-01; from here on microseconds look like the numbers of cards."""


class Orders:
    """What values of a column say of day and month; more may be added until it `is_certain`."""

    def __init__(self) -> None:
        self._day = 0
        """Dates whose first number is no month."""
        self._month = 0
        self._points = False
        """Whether there are dates with points."""
        self._either = False
        """Whether a date can be read in two ways."""

    def add(self, text: str) -> None:
        """Count how one more text of the column writes its date."""
        match = DATE.match(text)
        if match is None or len(match[1]) > 2:
            return
        first, second = int(match[1]), int(match[3])
        self._points |= match[2] == "."
        if first > 12:
            self._day += second <= 12
        elif second > 12:
            self._month += 1
        elif first != second and match[2] != ".":
            self._either = True

    def merged(self, other: Orders) -> Orders:
        """What the values of both say."""
        both = Orders()
        both._day, both._month = self._day + other._day, self._month + other._month
        both._points = self._points or other._points
        both._either = self._either or other._either
        return both

    @property
    def tells(self) -> bool:
        """Whether a value can be read in one way only."""
        return bool(self._day or self._month)

    @property
    def is_certain(self) -> bool:
        """Whether more values would not change what `decide` says, or none needs it."""
        return self.tells or not self._either

    def decide(self) -> tuple[bool, str]:
        """Whether the day comes first, and what to say of it where that is a guess.

        Between points it does unless a value denies it; elsewhere, where no value tells, the month.
        """
        if self.tells:
            return self._day >= self._month, ""
        if not self._either:
            return self._points, ""
        return False, "no value tells day from month; they were read as month, day, year"


def orders(texts: Iterable[str]) -> Orders:
    """What texts say of day and month.

    >>> orders(["01/02/2026", "13/02/2026"]).decide(), orders(["1.2.2026"]).decide()
    ((True, ''), (True, ''))
    >>> orders(["01/02/2026"]).decide()
    (False, 'no value tells day from month; they were read as month, day, year')
    """
    found = Orders()
    for text in texts:
        found.add(text)
    return found


def unit(numbers: Sequence[float]) -> Unit | None:
    """What a column of numbers counts, where they can be times: seconds (or finer) since 1970, or
    dates as YYYYMMDD.

    >>> unit([1.7e9, 1.71e9]), unit([1700000000123]), unit([20240229, 20231231]), unit([5, 7])
    ('s', 'ms', 'date', None)
    """
    if not numbers:
        return None
    low, high = min(numbers), max(numbers)
    for name, scale in SCALES.items():
        if EARLIEST * scale <= low and high < LATEST * scale:
            return name
    if low >= 19000101 and high < 21000101 and all(date(value) is not None for value in numbers):
        return "date"
    return None


def date(value: float) -> float | None:
    """Unix seconds of a day written as the number YYYYMMDD, or None.

    >>> date(20240229), date(20240230), date(2024022), date(20240229.5)
    (1709164800.0, None, None, None)
    """
    text = f"{value:.0f}"
    if len(text) != 8 or value != int(value):
        return None
    return seconds(f"{text[:4]}-{text[4:6]}-{text[6:]}")
