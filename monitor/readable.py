"""Numbers and times → words for a person."""

from __future__ import annotations

import datetime
import math

NOTHING = "–"
ALL = 1e-9
"""How far from 1 a share is that adding up may have moved there."""


def count(number: float | None) -> str:
    """A whole number with its thousands apart.

    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return NOTHING if number is None else f"{number:,.0f}"


def percent(share: float | None, digits: int = 3) -> str:
    """A share in per cent, with so many digits that count; below 10 % with one less, of two at
    least. What is not none is never 0 %, and what is not all (to a billionth) never 100 %.

    >>> percent(0.0312), percent(0.5), percent(0.3124), percent(None), percent(1e-5)
    ('3.1 %', '50 %', '31.2 %', '–', '0.001 %')
    >>> percent(0.9996), percent(0.99999), percent(1.0), percent(-0.25), percent(1.5), percent(-0.0)
    ('99.96 %', '99.999 %', '100 %', '-25 %', '150 %', '0 %')
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    if abs(share) < 0.0995:
        digits = max(2, digits - 1)
    said = _hundredfold(share, digits)
    while abs(float(said)) == 100 and abs(abs(share) - 1) > ALL:
        digits += 1
        said = _hundredfold(share, digits)
    return f"{said} %"


def rounded(share: float | None) -> str:
    """`percent` with two digits that count, for a sentence.

    >>> rounded(0.3124), rounded(0.999), rounded(0.004)
    ('31 %', '99.9 %', '0.4 %')
    """
    return percent(share, 2)


def as_set(share: float) -> str:
    """`percent` of a share that somebody has set, with all digits of it, up to six.

    >>> as_set(0.995), as_set(0.9), as_set(0.001), as_set(0.99995)
    ('99.5 %', '90 %', '0.1 %', '99.995 %')
    """
    return percent(share, 6)


def _hundredfold(share: float, digits: int) -> str:
    """A hundred times a share; all digits before the point are told."""
    hundredfold = 100 * share + 0.0  # which makes 0 of -0
    said = f"{hundredfold:.{digits}g}"
    return f"{hundredfold:.0f}" if "e+" in said else said


def seconds(number: float | None) -> str:
    """A duration in the unit that fits.

    >>> seconds(0.00123), seconds(0.25), seconds(12.34), seconds(7200), seconds(None)
    ('1.23 ms', '250 ms', '12.3 s', '2 h 0 min', '–')
    """
    if number is None or not math.isfinite(number):
        return NOTHING
    if number < 1:
        return f"{1000 * number:.3g} ms"
    if number < 120:
        return f"{number:.3g} s"
    minutes = int(number // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"


def decimal(number: float | None) -> str:
    """A number with three digits that count.

    >>> decimal(0.012345), decimal(-1234.5), decimal(None)
    ('0.0123', '-1,230', '–')
    """
    if number is None or not math.isfinite(number):
        return NOTHING
    return f"{float(f'{number:.3g}'):,g}" if abs(number) < 1e15 else f"{number:.3g}"


def size(number: float | None) -> str:
    """Bytes in the unit that fits.

    >>> size(512), size(64 << 20), size(3 << 30)
    ('512 B', '64 MB', '3 GB')
    """
    if number is None:
        return NOTHING
    for unit in ("B", "kB", "MB"):
        if abs(number) < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} GB"


def moment(time: float | None) -> str:
    """Unix seconds as a date and a time of day.

    >>> moment(0.0), moment(None), moment(1e20)
    ('1970-01-01 00:00:00', '–', '1e+20')
    """
    if time is None:
        return NOTHING
    try:
        return f"{datetime.datetime.fromtimestamp(time, datetime.UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return f"{time:g}"


FILTERS = {
    "count": count, "percent": percent, "seconds": seconds, "decimal": decimal, "size": size,
    "moment": moment,
}  # fmt: skip
"""Filters of the templates, by name."""
