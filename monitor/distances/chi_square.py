"""(reference, current) → Pearson's chi-square as an effect size, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.interfaces import Measure
from monitor.types import Window


def chi_square(reference: Sequence[int], current: Sequence[int]) -> float:
    """Pearson's (1900) statistic of the 2 x K table a record: Σ (p − q)² / h, h the pooled shares.

    The statistic itself, `mn/(m+n)` times this sum, grows with the traffic and so does every
    verdict made of it; divided, it is a size that does not. Its exact mean over all ways to deal
    the records, (K − 1)(1/m + 1/n) N/(N − 1) with N = m + n, is taken off. An empty window says
    nothing: 0.

    Convention: small shifts have their PSI, so 0.1 is moderate.

    >>> chi_square([500, 300, 200], [500, 300, 200])
    0.0
    >>> round(chi_square([500, 300, 200], [300, 300, 400]), 3)
    0.229
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    total = m + n
    bins = [(r, c) for r, c in zip(reference, current, strict=True) if r or c]
    size = math.fsum((r / m - c / n) ** 2 * total / (r + c) for r, c in bins)
    return max(0.0, size - (len(bins) - 1) * (1 / m + 1 / n) * total / (total - 1))


def _score(reference: Window, current: Window) -> float:
    return chi_square(reference.counts, current.counts)


MEASURE = Measure("chi_square", _score, threshold=0.02)
