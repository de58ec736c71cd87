"""(reference, current) → Wasserstein distance in reference standard deviations, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from monitor.interfaces import Measure
from monitor.types import Window


def wasserstein(reference: Sequence[int], current: Sequence[int], places: Sequence[float]) -> float:
    """How far the values moved on average, in standard deviations of the reference.

    Σ |Q − P| Δx over the cumulative shares P and Q of ordered bins; `places` says where in each
    bin the reference's mean lies, in standard deviations, in ascending order (the outermost bins
    at their edge). What chance alone would show, √(2v/π) Σ √(H(1 − H)) Δx with v = 1/m + 1/n and H
    the pooled cumulative shares, is taken off. An empty window says nothing: 0. A shift far beyond
    the range of the reference is understated, because the outermost bins have no end.

    Convention: in standard deviations; PSI 0.1 is 0.32 of a normal. Vallender 1974; the mean under
    no change as in del Barrio, Giné and Matrán 1999.

    >>> wasserstein([50, 50, 50], [50, 50, 50], [-1.0, 0.0, 1.0])
    0.0
    >>> round(wasserstein([500, 500, 500], [0, 500, 1000], [-1.0, 0.0, 1.0]), 2)
    0.64
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    sums = list(zip(accumulate(reference), accumulate(current), strict=True))
    steps = [b - a for a, b in pairwise(places)]
    moved = math.fsum(abs(c / n - r / m) * step for (r, c), step in zip(sums, steps, strict=False))
    spread = math.fsum(
        math.sqrt((r + c) * (m + n - r - c)) / (m + n) * step
        for (r, c), step in zip(sums, steps, strict=False)
    )
    return max(0.0, moved - math.sqrt(2 * (1 / m + 1 / n) / math.pi) * spread)


def shift(reference: Sequence[int], current: Sequence[int], places: Sequence[float]) -> float:
    """The same distance with its direction: the mean of the current less the reference's.

    >>> round(shift([500, 500, 500], [0, 500, 1000], [-1.0, 0.0, 1.0]), 2)
    0.67
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    return math.fsum(
        (c / n - r / m) * place for r, c, place in zip(reference, current, places, strict=True)
    )


def _score(reference: Window, current: Window) -> float:
    if not reference.scale:
        return 0.0  # a constant has no unit to measure by; that it changed is for the others to say
    ordered = len(reference.points)
    places = [point / reference.scale for point in reference.points]
    return wasserstein(reference.counts[:ordered], current.counts[:ordered], places)


MEASURE = Measure("wasserstein", _score, threshold=0.14, ordered=True)
