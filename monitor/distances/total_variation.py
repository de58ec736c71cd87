"""(reference, current) → total variation distance, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.interfaces import Measure
from monitor.types import Window


def total_variation(reference: Sequence[int], current: Sequence[int]) -> float:
    """The share of the traffic that would have to move to another bin: ½ Σ |p − q|, 0 … 1.

    What chance alone would show, ½ Σ √(2 h (1 − h) (1/m + 1/n) / π) with h the pooled shares (the
    mean of the absolute value of a normal), is taken off. An empty window says nothing: 0.

    Convention: in the unit of shares; a normal that moves by 0.32 standard deviations (PSI 0.1)
    has 0.13. Levin, Peres and Wilmer, Markov Chains and Mixing Times, chapter 4.

    >>> total_variation([500, 300, 200], [500, 300, 200])
    0.0
    >>> round(total_variation([500, 300, 200], [300, 300, 400]), 3)
    0.175
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    bins = [(r, c) for r, c in zip(reference, current, strict=True) if r or c]
    distance = 0.5 * math.fsum(abs(r / m - c / n) for r, c in bins)
    spread = math.fsum(math.sqrt((r + c) * (m + n - r - c)) for r, c in bins) / (m + n)
    return max(0.0, distance - 0.5 * spread * math.sqrt(2 * (1 / m + 1 / n) / math.pi))


def _score(reference: Window, current: Window) -> float:
    return total_variation(reference.counts, current.counts)


MEASURE = Measure("total_variation", _score, threshold=0.056)
