"""(reference, current) → Kolmogorov-Smirnov distance of ordered bins, bias-corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from monitor.interfaces import Measure
from monitor.types import Window

_MEAN = math.sqrt(math.pi / 2) * math.log(2)
"""Mean of the largest |Brownian bridge| (Kolmogorov 1933)."""

_DISCRETE = 0.5826
"""How far the maximum over steps lies below, in steps' deviations: −ζ(½)/√(2π) (Siegmund 1979)."""


def kolmogorov_smirnov(reference: Sequence[int], current: Sequence[int]) -> float:
    """The largest difference of the cumulative shares of ordered bins, 0 … 1.

    Below the distance of the raw values by at most the largest share that changed *within* a bin.
    What chance alone would show is taken off: √v times the mean of the largest |Brownian bridge|
    seen at as many steps as there are bins (1/Σh², for unequal ones), or the mean total variation
    where that is less; v = 1/m + 1/n, h the pooled shares. An empty window says nothing: 0.

    Convention: in the unit of shares; a normal that moves by 0.32 standard deviations (PSI 0.1)
    has 0.13. Smirnov 1939.

    >>> kolmogorov_smirnov([500, 300, 200], [500, 300, 200])
    0.0
    >>> round(kolmogorov_smirnov([500, 300, 200], [300, 300, 400]), 3)
    0.176
    """
    m, n = sum(reference), sum(current)
    if not (m and n):
        return 0.0
    total = m + n
    distance = max(
        abs(r / m - c / n) for r, c in zip(accumulate(reference), accumulate(current), strict=True)
    )
    shares = [(r + c) / total for r, c in zip(reference, current, strict=True)]
    step = math.sqrt(math.fsum(h * h for h in shares))
    most = 0.5 * math.fsum(math.sqrt(h * (1 - h)) for h in shares) * math.sqrt(2 / math.pi)
    chance = min(_MEAN - _DISCRETE * step, most) * math.sqrt(1 / m + 1 / n)
    return max(0.0, distance - chance)


def _score(reference: Window, current: Window) -> float:
    ordered = len(reference.points)
    return kolmogorov_smirnov(reference.counts[:ordered], current.counts[:ordered])


MEASURE = Measure("kolmogorov_smirnov", _score, threshold=0.056, ordered=True)
