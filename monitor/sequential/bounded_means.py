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
    stakes = SAFE / (1 + bound) * np.array(STAKES) if bound > -1 else np.array(STAKES)
    logs = np.log1p(np.multiply.outer(stakes, np.asarray(values, np.float64) - bound)).sum(axis=-1)
    return float(log_mean(logs, np.full(len(STAKES), 1 / len(STAKES))))


def log_evidence_beyond(values: Floats, tolerance: float) -> float:
    """ln E against `the mean is at most tolerance away from 0`, on whichever side."""
    values = np.asarray(values, np.float64)
    sides = np.array([log_evidence(values, tolerance), log_evidence(-values, tolerance)])
    return float(log_mean(sides, np.full(2, 0.5)))


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
