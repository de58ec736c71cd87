"""Bins → their names, for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from monitor.analysis.drift.windows import Bins
from monitor.texts import visible
from monitor.types import SPECIAL

Form = Literal["number", "date", "age"]
"""How numbers are told: as they are, Unix seconds as dates, or seconds as how long ago."""

CLOCKS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
"""How a date with a time of day is written, in steps of its end."""


def label(bins: Bins, index: int, form: Form = "number") -> str:
    """What a bin holds, for a person.

    >>> label(Bins("numeric", edges=[0, 0.5, 2]), 2), label(Bins("nothing"), 1)
    ('0.5 to 2', 'missing')
    >>> each = Bins("numeric", edges=[1.0, 1.0, 2.0, 2.0, 3.0, 3.0], exact=True)
    >>> label(each, 3), label(each, 4)
    ('2', 'between 2 and 3')
    >>> label(Bins("numeric", edges=[0, 5400, 86400]), 2, "date")
    '1970-01-01 01:30 to 1970-01-02 00:00 UTC'
    >>> label(Bins("numeric", edges=[0, 5400, 259200]), 2, "age")
    '90 min to 3 days before'
    """
    if index >= bins.ordinary:
        return SPECIAL[index - bins.ordinary]
    match bins.shape:
        case "numeric":
            if form == "age":
                return _age_label(bins, index)
            return _number_label(bins, index, _dates(bins.edges) if form == "date" else None)
        case "categorical":
            known = index < len(bins.categories)
            return visible(bins.categories[index]) if known else "any other value"
        case "vector":
            known = index < len(bins.centers)
            return f"cluster {index + 1}" if known else "far from all clusters"
        case _:
            return "a value"


def _number_label(bins: Bins, index: int, dates: Sequence[str] | None) -> str:
    edges = bins.edges
    zone = " UTC" if dates and ":" in dates[0] else ""
    if index in (0, len(edges)):
        place = index and index - 1
        said = f"{edges[place]:g}" if dates is None else dates[place]
        return f"{'above' if index else 'below'} {said}{zone}"
    low, high = edges[index - 1], edges[index]
    if index not in bins.between and (bins.exact or low == high):
        return f"{high:g}" if dates is None else f"{dates[index]}{zone}"
    first, last = _apart(low, high) if dates is None else dates[index - 1 : index + 1]
    joined = f"between {first} and {last}" if index in bins.between else f"{first} to {last}"
    return joined + zone


def _age_label(bins: Bins, index: int) -> str:
    edges = bins.edges
    ages = _ages(edges)
    if index in (0, len(edges)):
        place = index and index - 1
        is_before = edges[place] > 0 if index == 0 else edges[place] >= 0
        than = "more" if is_before == bool(index) else "less"
        return f"{than} than {ages[place]} {'before' if is_before else 'after'}"
    low, high = edges[index - 1], edges[index]
    first, last = ages[index - 1 : index + 1]
    if index not in bins.between and (bins.exact or low == high):
        return f"{last} {'before' if high >= 0 else 'after'}"
    if low >= 0:
        last = f"{last} before"
    elif high <= 0:
        first, last = last, f"{first} after"
    else:
        first, last = f"{first} after", f"{last} before"
    is_between = index in bins.between
    return f"between {first} and {last}" if is_between else f"{first} to {last}"


def _ages(edges: Sequence[float]) -> list[str]:
    """Seconds without their sign in the unit that fits, with as few digits as tell them apart.

    >>> _ages([-30, 0, 150, 7300, 86400 * 3.5]), _ages([86400 * 400, 86400 * 400 + 3600])
    (['30 s', '0 s', '2.5 min', '2.03 h', '3.5 days'], ['400 days', '400.042 days'])
    """
    told: list[str] = []
    for digits in (3, 6, 10, 17):
        told = [_age(abs(edge), digits) for edge in edges]
        if len(set(zip(told, (edge < 0 for edge in edges), strict=True))) == len(set(edges)):
            break
    return told


def _age(seconds: float, digits: int) -> str:
    units = ((86400, "days"), (3600, "h"), (60, "min"))
    size, unit = next((one for one in units if seconds >= 2 * one[0]), (1, "s"))
    return f"{seconds / size:.{digits}g} {unit}"


def _apart(low: float, high: float) -> tuple[str, str]:
    """Two numbers with as few digits, six at least, as tell them apart.

    >>> _apart(0.25, 1e6), _apart(1767225600.0, 1767226500.0)
    (('0.25', '1e+06'), ('1767225600', '1767226500'))
    """
    told = [(f"{low:.{digits}g}", f"{high:.{digits}g}") for digits in (6, 10, 14, 17)]
    return next((pair for pair in told if pair[0] != pair[1]), told[0])


def _dates(times: Sequence[float]) -> list[str] | None:
    """Unix seconds as dates in UTC, with the time of day as far as it takes to tell them apart;
    None where they are no dates, or less than a microsecond apart.

    >>> _dates([0, 86400]), _dates([0, 60.25]), _dates([0, 1, 1]), _dates([1e18])
    (['1970-01-01', '1970-01-02'], ['1970-01-01 00:00', '1970-01-01 00:01'], \
['1970-01-01 00:00:00', '1970-01-01 00:00:01', '1970-01-01 00:00:01'], None)
    """
    try:
        moments = [datetime.fromtimestamp(time, UTC) for time in times]
    except (ValueError, OverflowError, OSError):
        return None
    are_days = all(time % 86400 == 0 for time in times)
    for form in ("%Y-%m-%d", *CLOCKS)[not are_days :]:
        told = [f"{moment:{form}}" for moment in moments]
        if len(set(told)) == len(set(times)):
            return told
    return None
