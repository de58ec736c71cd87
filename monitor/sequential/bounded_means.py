"""Values between -1 and 1 → whether their mean may be so much, and an interval that may be watched.

Each value x multiplies the capital of a bet by 1 + λ(x - m). With 0 ≤ λ < 1/(1 + m) the factor is
positive, and its mean is at most 1 while the mean of x, given all before, is at most m: an
e-process (Waudby-Smith and Ramdas, JRSSB 2024). The interval holds all means that are not rejected.
What is read does not depend on the order of the values. Logarithms are natural.
"""

from __future__ import annotations

import math

import numpy as np

from monitor.sequential.beta_binomials import Floats
from monitor.sequential.confidence_sequences import Interval
from monitor.sequential.e_values import log_mean

STAKES = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01)
"""Bets, in multiples of the largest that cannot ruin."""

SAFE = 0.99
"""So much of what would be ruin is the largest bet."""

_STEPS = 24


def log_evidence(values: Floats, bound: float) -> float:
    """ln E against `the mean is at most bound`; `bound` is at least -1.

    >>> log_evidence(np.full(20, 1.0), 0.1) > 9, log_evidence(np.full(20, 0.1), 0.1) <= 0
    (True, True)
    """
    return _mixed(_capitals(values, bound))


def log_evidence_beyond(values: Floats, tolerance: float) -> float:
    """ln E against `the mean is at most tolerance away from 0`, on whichever side."""
    return _mixed(_beyond(np.asarray(values, np.float64), tolerance))


def interval(values: Floats, alpha: float) -> Interval:
    """The mean, in an interval that leaves it out at any moment with probability `alpha` at most.

    >>> [round(end, 2) for end in interval(np.zeros(200), 0.05)]
    [0.0, -0.03, 0.03]
    """
    values = np.asarray(values, np.float64)
    if not len(values):
        return Interval(math.nan, -1.0, 1.0)
    bar = math.log(2 / alpha)
    return Interval(float(values.mean()), _lower(values, bar), -_lower(-values, bar))


def times_until_within(values: Floats, tolerance: float, alpha: float) -> float:
    """How many times as many values it takes until the interval lies within the tolerance, if more
    come that scatter as these do; infinite where it never will.

    >>> round(200 * times_until_within(np.zeros(200), 0.02, 0.05))
    269
    """
    values = np.asarray(values, np.float64)
    bar = math.log(2 / alpha)
    return max(_times_until(_capitals(one, -tolerance), bar) for one in (values, -values))


def times_until_beyond(values: Floats, tolerance: float, bar: float) -> float:
    """How many times as many values it takes until `log_evidence_beyond` reaches the bar, if more
    come that scatter as these do; infinite where it never will.

    >>> times_until_beyond(np.zeros(200), 0.02, 5.0)
    inf
    """
    return _times_until(_beyond(np.asarray(values, np.float64), tolerance), bar)


def _capitals(values: Floats, bound: float) -> Floats:
    """The logarithm of what each bet on a mean above the bound has become."""
    stakes = SAFE / (1 + bound) * np.array(STAKES) if bound > -1 else np.array(STAKES)
    values = np.asarray(values, np.float64)
    capitals: Floats = np.log1p(np.multiply.outer(stakes, values - bound)).sum(axis=-1)
    return capitals


def _beyond(values: Floats, tolerance: float) -> Floats:
    """The same of bets on either side."""
    return np.concatenate([_capitals(values, tolerance), _capitals(-values, tolerance)])


def _mixed(capitals: Floats) -> float:
    """The logarithm of the mean of all bets."""
    return float(log_mean(capitals, np.full(len(capitals), 1 / len(capitals))))


def _times_until(capitals: Floats, bar: float) -> float:
    """By how much bets must be multiplied until their mean reaches the bar; it is convex in that,
    and begins at 0."""
    best = float(capitals.max())
    if best <= 0 or bar == math.inf:
        return math.inf
    low, high = 0.0, (bar + math.log(len(capitals))) / best
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _mixed(middle * capitals) >= bar:
            high = middle
        else:
            low = middle
    return high


def _lower(values: Floats, bar: float) -> float:
    """The largest bound that is rejected, -1 where none is."""
    low, high = -1.0, float(values.mean())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if log_evidence(values, middle) >= bar:
            low = middle
        else:
            high = middle
    return low
