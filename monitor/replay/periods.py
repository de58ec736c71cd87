"""Unix seconds → the hour, day or week that they lie in, in UTC."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from monitor.analysis.drift.findings import moment
from monitor.errors import SourceError
from monitor.tables.blocks import Floats, Ints

DAY = 86400.0

MOST = 10000
"""Chunks, at most."""

USUAL = 20
"""Chunks of a timeline of rows that have no times."""

FEWEST = 6
"""Periods that a timeline is cut into at least, where nobody says in which."""


class Period(NamedTuple):
    """A stretch of time: its name, its length in seconds, and when one of them began."""

    name: str
    length: float
    origin: float = 0.0

    def place(self, at: float) -> int:
        """The number of the period that a time lies in.

        >>> PERIODS["day"].place(86399.9), PERIODS["day"].place(86400), PERIODS["week"].place(0)
        (0, 1, 0)
        """
        return math.floor((at - self.origin) / self.length)

    def places(self, at: Floats) -> Ints:
        """Return the `place` of each of many Unix times."""
        return np.floor((at - self.origin) / self.length).astype(np.intp)

    def start(self, place: int) -> float:
        """When a period begins.

        >>> moment(PERIODS["week"].start(1))
        '1970-01-05 00:00 UTC'
        """
        return self.origin + place * self.length

    def span(self, place: int, first: float = -math.inf) -> tuple[float, float]:
        """When a period begins and ends. One that holds the `first` time of all begins no sooner
        than its day, because nobody looked at the days before.

        >>> [moment(at) for at in PERIODS["week"].span(1, 6.5 * 86400)]
        ['1970-01-07 00:00 UTC', '1970-01-12 00:00 UTC']
        """
        begin = self.start(place)
        if begin < first < self.start(place + 1):
            begin = max(begin, first - first % DAY)
        return begin, self.start(place + 1)

    def check(self, first: float, last: float, rows: tuple[int, int]) -> None:
        """Raise SourceError where there are too many of them in a range of time, which begins and
        ends in these rows."""
        if first > last:  # there are no rows
            return
        if self.place(last) - self.place(first) >= MOST:
            raise SourceError(
                f"--chunks {self.name}: from {moment(first)} (row {rows[0]:,}) to {moment(last)} "
                f"(row {rows[1]:,}) there are more than {MOST:,}; give a longer period, or leave "
                "out what is not of that time with --from and --to"
            )


PERIODS = {
    one.name: one
    for one in (
        Period("hour", 3600.0),
        Period("day", DAY),
        Period("week", 7 * DAY, -3 * DAY),  # weeks begin on Monday
    )
}
"""What `--chunks` may name."""


def fitting(first: float, last: float) -> Period | None:
    """The longest period that a range of time has some of; None where it is too short for hours.

    >>> fitting(0, 30 * 86400).name, fitting(0, 86400).name, fitting(0, 60)
    ('day', 'hour', None)
    """
    return next(
        (one for one in reversed(PERIODS.values()) if last - first >= FEWEST * one.length), None
    )
