"""Counts of a group and the rest → how far apart they are, in an interval, and what makes the gap.

An interval holds at all moments together. From `LEAST` rows on each side it is the asymptotic one
of a difference of means, before that the exact ones of both rates, far apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from monitor.analysis.fairness.reading import RESIDUAL
from monitor.analysis.quality.intervals import ALPHA, of_rate
from monitor.findings import Driver
from monitor.sequential.confidence_sequences import Moments, difference

LEAST, EVENTS = 500, 50
"""Rows of both sides, and rarer outcomes on each, from which on an interval is the asymptotic
one."""

PLANNED = 10
"""An asymptotic interval is narrowest at so many times the rows that a group must have."""

DRIVERS = 5

Beside = tuple[int, int, int, int]
"""How many rows of the group were looked at, how many counted, and the same of the rest."""


class Gap(NamedTuple):
    """The group's mean minus that of the rest, with its interval; None where a side is empty."""

    number: float | None
    lower: float | None
    upper: float | None


def of_rates(counts: Beside, minimum: int) -> Gap:
    """The gap between two rates; `minimum` as in the settings.

    >>> of_rates((1000, 300, 1000, 200), 100).number
    0.1
    >>> of_rates((0, 0, 10, 1), 100)
    Gap(number=None, lower=None, upper=None)
    """
    n, x, m, y = counts
    if not n or not m:
        return Gap(None, None, None)
    number = round(x / n - y / m, 12)
    if n + m >= LEAST and min(x, n - x, y, m - y) >= EVENTS:
        ours, theirs = (Moments(k, hits, k, hits, hits, k) for k, hits in ((n, x), (m, y)))
        found = difference(ours, theirs, PLANNED * minimum, ALPHA)
        return Gap(number, *_ends(found.lower, found.upper))
    (low, high), (rest_low, rest_high) = of_rate(x, n), of_rate(y, m)
    return Gap(number, *_ends(low - rest_high, high - rest_low))


def of_residuals(ours: list[int], theirs: list[int], minimum: int) -> Gap:
    """The gap between two means of residuals, each [rows, Σ, Σ of squares] in `RESIDUAL`s."""
    if not ours[0] or not theirs[0]:
        return Gap(None, None, None)
    one, other = (Moments(n, total, n, square, total, n) for n, total, square in (ours, theirs))
    found = difference(one, other, PLANNED * minimum, ALPHA)
    number = found.number / RESIDUAL
    if ours[0] + theirs[0] < LEAST:
        return Gap(number, None, None)
    return Gap(number, *_ends(found.lower / RESIDUAL, found.upper / RESIDUAL))


def drivers(
    mixes: Mapping[str, Mapping[str, Beside]], gap: float, tolerance: float
) -> list[Driver]:
    """The segments that make a gap which is a matter of the mix: within the values of one dimension
    group and rest differ by half of it at most, or by no more than is tolerated.

    A gap is the sum of two parts (Kitagawa 1955): within segments, and because the group is in
    other segments than the rest. The shares are parts of the latter, the largest first.

    >>> hard, easy = (400, 80, 100, 20), (100, 70, 400, 280)
    >>> found = drivers({"office": {"hard": hard, "easy": easy}}, -0.3, 0.1)
    >>> sorted((one.value, round(one.share, 6)) for one in found)
    [('easy', 0.5), ('hard', 0.5)]
    >>> drivers({"office": {"one": (500, 150, 500, 300)}}, -0.3, 0.1)
    []
    """
    found: list[Driver] = []
    if abs(gap) <= tolerance:
        return found
    for dimension, values in mixes.items():
        within, parts = _parts(values)
        if abs(within) > max(abs(gap) / 2, tolerance) or len(parts) < 2:
            continue
        made = math.fsum(parts.values())
        shares = [
            Driver(dimension, value, part / made)
            for value, part in parts.items()
            if made and part / made > 0.01
        ]
        found += sorted(shares, key=lambda one: (-one.share, one.value))[:DRIVERS]
    return found


def _parts(values: Mapping[str, Beside]) -> tuple[float, dict[str, float]]:
    """(the gap within segments, what the mix of each segment adds), by Kitagawa's formula."""
    rows = sum(one[0] for one in values.values())
    rest = sum(one[2] for one in values.values())
    if not rows or not rest:
        return math.inf, {}
    within, parts = 0.0, {}
    middle = sum(one[1] + one[3] for one in values.values()) / (rows + rest)
    for value, (n, x, m, y) in values.items():
        share, other = n / rows, m / rest
        rate = x / n if n else y / m if m else middle
        beside = y / m if m else rate
        within += (share + other) / 2 * (rate - beside)
        parts[value] = (share - other) * ((rate + beside) / 2 - middle)
    return within, parts


def _ends(lower: float, upper: float) -> tuple[float, float]:
    """The ends of an interval of a difference of shares."""
    return max(-1.0, lower), min(1.0, upper)
