"""(reference, current) → population stability index, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.interfaces import Measure
from monitor.types import Window

SMALLEST = 0.001


def psi(reference: Sequence[int], current: Sequence[int]) -> float:
    """How far the shares moved, in nats: Σ (q − p) ln(q / p), less what chance alone would show.

    Shares are smoothed by half a count a bin (Krichevsky and Trofimov 1981), so an empty bin is
    finite; bins empty in both windows do not exist. No share counts as less than `SMALLEST`: how
    large a change is must not depend on how many values have shown that a bin is usually empty.
    Under no change the raw index has mean (K − 1)(1/m + 1/n) (Yurdakul 2018), which is taken off.
    An empty window says nothing: 0.

    Convention: 0.1 is a moderate, 0.25 a large shift (Siddiqi 2006); a normal that moves by d
    standard deviations has d².

    >>> psi([500, 300, 200], [500, 300, 200])
    0.0
    >>> round(psi([500, 300, 200], [300, 300, 400]), 3)
    0.236
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    bins = [(r, c) for r, c in zip(reference, current, strict=True) if r or c]
    k = len(bins)
    shares = [
        (max((r + 0.5) / (m + k / 2), SMALLEST), max((c + 0.5) / (n + k / 2), SMALLEST))
        for r, c in bins
    ]
    index = math.fsum((q - p) * math.log(q / p) for p, q in shares)
    return max(0.0, index - (k - 1) * (1 / m + 1 / n))


def _score(reference: Window, current: Window) -> float:
    return psi(reference.counts, current.counts)


MEASURE = Measure("psi", _score, threshold=0.02)
