"""(reference, current) → the likelihood-ratio statistic G as an effect size, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.interfaces import Measure
from monitor.types import Window


def likelihood_ratio(reference: Sequence[int], current: Sequence[int]) -> float:
    """Wilks' (1938) G of the 2 x K table a record: 2 (1/m + 1/n) Σ O ln(O / E).

    G itself, `mn/(m+n)` times this, grows with the traffic and so does every verdict made of it;
    divided, it is a size that does not. The mean under no change, (K − 1)(1/m + 1/n), is taken
    off. An empty window says nothing: 0.

    Convention: small shifts have their PSI, so 0.1 is moderate.

    >>> likelihood_ratio([500, 300, 200], [500, 300, 200])
    0.0
    >>> round(likelihood_ratio([500, 300, 200], [300, 300, 400]), 3)
    0.233
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    v = 1 / m + 1 / n
    bins = [(r, c) for r, c in zip(reference, current, strict=True) if r or c]
    likelihood = math.fsum(
        observed * math.log(observed / size * (m + n) / (r + c))
        for r, c in bins
        for observed, size in ((r, m), (c, n))
        if observed
    )
    return max(0.0, 2 * v * likelihood - (len(bins) - 1) * v)


def _score(reference: Window, current: Window) -> float:
    return likelihood_ratio(reference.counts, current.counts)


MEASURE = Measure("g_test", _score, threshold=0.02)
