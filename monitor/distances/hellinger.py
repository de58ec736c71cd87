"""(reference, current) → Hellinger distance, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.interfaces import Measure
from monitor.types import Window


def hellinger(reference: Sequence[int], current: Sequence[int]) -> float:
    """The distance of Hellinger (1909), 0 … 1: √(1 − Σ √(p q)).

    Shares are smoothed by half a count a bin, bins empty in both windows dropped. What chance
    alone would show is taken off the *square*, whose mean under no change is
    (K − 1)(1/m + 1/n) / 8. An empty window says nothing: 0.

    Convention: a small shift has √(PSI / 8), so 0.11 stands where PSI 0.1 does.

    >>> hellinger([500, 300, 200], [500, 300, 200])
    0.0
    >>> round(hellinger([500, 300, 200], [300, 300, 400]), 3)
    0.171
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    bins = [(r, c) for r, c in zip(reference, current, strict=True) if r or c]
    k = len(bins)
    shares = [((r + 0.5) / (m + k / 2), (c + 0.5) / (n + k / 2)) for r, c in bins]
    # 1 − Σ √(pq) = ½ Σ (√p − √q)², which does not cancel when the shares are nearly equal
    square = 0.5 * math.fsum((math.sqrt(p) - math.sqrt(q)) ** 2 for p, q in shares)
    return math.sqrt(max(0.0, square - (k - 1) * (1 / m + 1 / n) / 8))


def _score(reference: Window, current: Window) -> float:
    return hellinger(reference.counts, current.counts)


MEASURE = Measure("hellinger", _score, threshold=0.05)
