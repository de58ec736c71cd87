"""(reference, current) → squared maximum mean discrepancy of two clouds of vectors, unbiased."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.interfaces import Measure
from monitor.types import SPECIAL, Window


def mmd(reference: Sequence[float], m: int, current: Sequence[float], n: int) -> float:
    """‖a − b‖² of the means a, b of random Fourier features, less what chance adds.

    `reference` and `current` are sums over m and n vectors of unit length, so that
    (1 − ‖a‖²)/(m − 1) and (1 − ‖b‖²)/(n − 1) are the exact parts of chance (Gretton et al. 2012,
    the unbiased estimate). Fewer than two vectors say nothing: 0.

    Convention: 0 for one distribution, at most 2; a normal on a line that moves by 0.14 standard
    deviations has 0.004.

    >>> mmd([100.0, 0.0], 100, [100.0, 0.0], 100)
    0.0
    >>> round(mmd([100.0, 0.0], 100, [0.0, 100.0], 100), 2)
    2.0
    """
    if m < 2 or n < 2:
        return 0.0
    a, b = [value / m for value in reference], [value / n for value in current]
    apart = math.fsum((one - other) ** 2 for one, other in zip(a, b, strict=True))
    chance = (1 - math.fsum(one * one for one in a)) / (m - 1)
    chance += (1 - math.fsum(one * one for one in b)) / (n - 1)
    return max(0.0, apart - chance)


def _score(reference: Window, current: Window) -> float:
    if not (reference.fourier and current.fourier):
        return 0.0
    m, n = (sum(window.counts[: -len(SPECIAL)]) for window in (reference, current))
    return mmd(reference.fourier, m, current.fourier, n)


MEASURE = Measure("mmd", _score, threshold=0.004, vectors=True)
