"""(reference, current) → Cramér-von Mises distance of ordered bins, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from monitor.interfaces import Measure
from monitor.types import Window


def cramer_von_mises(reference: Sequence[int], current: Sequence[int]) -> float:
    """The mean squared difference of the cumulative shares: Σ h (P − Q)², 0 … 1/3.

    h are the pooled shares of ordered bins, P and Q the cumulative ones. Anderson's (1962) T is
    `mn/(m+n)` times this; divided, it does not grow with the traffic. Its exact mean over all ways
    to deal the records, v N/(N − 1) Σ h H(1 − H) with v = 1/m + 1/n and N = m + n, is taken off. An
    empty window says nothing: 0.

    Convention: a normal that moves by d standard deviations has d² / (2π√3); PSI 0.1 is 0.009.

    >>> cramer_von_mises([500, 300, 200], [500, 300, 200])
    0.0
    >>> round(cramer_von_mises([500, 300, 200], [300, 300, 400]), 3)
    0.028
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    total = m + n
    bins = list(zip(reference, current, accumulate(reference), accumulate(current), strict=True))
    distance = math.fsum((r + c) / total * (p / m - q / n) ** 2 for r, c, p, q in bins)
    spread = math.fsum(
        (r + c) / total * ((p + q) / total) * ((total - p - q) / total) for r, c, p, q in bins
    )
    return max(0.0, distance - (1 / m + 1 / n) * total / (total - 1) * spread)


def _score(reference: Window, current: Window) -> float:
    ordered = len(reference.points)
    return cramer_von_mises(reference.counts[:ordered], current.counts[:ordered])


MEASURE = Measure("cramer_von_mises", _score, threshold=0.0018, ordered=True)
