"""Sums of labels → intervals that may be looked at every moment: 95 % hold at all looks together.

A rate has an exact one: the bets are beta mixtures, and a rate stays in the interval while the
evidence against it is below 1 / ALPHA (Robbins 1970; Howard et al., AoS 2021). Everything else has
an asymptotic one (`sequential.confidence_sequences`), from `LEAST` labels on.
"""

from __future__ import annotations

import math

from monitor.sequential import confidence_sequences

ALPHA = 0.05
"""The probability that an interval ever leaves out what is true."""

LEAST = 100
"""Labels below which no asymptotic interval is told."""

PLANNED = 1000
"""Labels at which asymptotic intervals are narrowest, beside a fixed one of as many labels."""

_STEPS = 50


def of_rate(hits: int, count: int) -> tuple[float, float]:
    """(lower, upper) of a rate of which `hits` of `count` labels were; (0, 1) without any.

    >>> [round(end, 3) for end in of_rate(90, 100)], of_rate(0, 0)
    ([0.772, 0.971], (0.0, 1.0))
    """
    misses = count - hits
    lower = _end(hits, misses) if hits else 0.0
    upper = 1 - _end(misses, hits) if misses else 1.0
    return lower, upper


def _end(hits: int, misses: int) -> float:
    """The smallest rate that is not refuted, by bisection below hits / (hits + misses)."""
    mixture = math.lgamma(hits + 1) + math.lgamma(misses + 1) - math.lgamma(hits + misses + 2)
    bar = mixture + math.log(ALPHA)
    low, high = 0.0, hits / (hits + misses)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        likely = hits * math.log(middle) + misses * math.log1p(-middle)
        low, high = (low, middle) if likely > bar else (middle, high)
    return low


def margin(variance: float, count: int) -> float | None:
    """How far an asymptotic interval reaches to both sides of an estimate of `variance`, which
    `count` labels gave; None where they are too few.

    >>> margin(0.0001, 99) is None, round(margin(0.0001, 1000) / 0.0196, 2)
    (True, 1.55)
    """
    if count < LEAST or not math.isfinite(variance):
        return None
    return confidence_sequences.margin(count, max(variance, 0.0) * count, PLANNED, ALPHA)
