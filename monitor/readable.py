"""Numbers and times → words for a person."""

from __future__ import annotations

import datetime
import math

NOTHING = "–"


def count(number: float | None) -> str:
    """A whole number with its thousands apart.

    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return NOTHING if number is None else f"{number:,.0f}"


def percent(share: float | None) -> str:
    """A share in percent.

    >>> percent(0.0312), percent(0.5), percent(None), percent(0.99999)
    ('3.1 %', '50 %', '–', '100 %')
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    return f"{100 * share:.3g} %" if abs(share) >= 0.0995 else f"{100 * share:.2g} %"


def as_set(share: float) -> str:
    """A share that somebody has set, in percent, without an end that says nothing.

    >>> as_set(0.995), as_set(0.9), as_set(0.001)
    ('99.5 %', '90 %', '0.1 %')
    """
    return f"{100 * share:.6g} %"


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
