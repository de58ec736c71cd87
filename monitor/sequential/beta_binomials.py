"""Counts and beta weights → the logarithm of how likely the counts are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

IN_CACHE = 1 << 13
"""So many numbers are worked on at once: a dozen operations one after the other find them there."""

AT_ONCE = IN_CACHE // 8
"""So few numbers are worked on in one array: each operation takes longer to begin than to do."""


def beta_binomial(left: Floats, right: Floats, a: Floats, b: Floats) -> Floats:
    """ln of the probability of a sequence with `left` and `right` under beta weights a, b."""
    shape = np.broadcast_shapes(left.shape, right.shape, a.shape, b.shape)
    if math.prod(shape) > AT_ONCE:
        return rise(a, left) + rise(b, right) - rise(a + b, left + right)
    ends = np.empty((6, *shape))
    ends[0], ends[1], ends[2] = a, b, a + b
    ends[3], ends[4], ends[5] = a + left, b + right, (a + b) + (left + right)
    logs = _log_gamma(ends)
    steps = logs[3:] - logs[:3]
    found: Floats = steps[0] + steps[1] - steps[2]
    return found


def rise(start: Floats, steps: Floats) -> Floats:
    """ln of the rising factorial, start (start + 1) … over so many steps."""
    return log_gamma(start + steps) - log_gamma(start)


def log_gamma(x: Floats) -> Floats:
    """ln Γ(x) for x > 0: Stirling's series at x + 8, taken back by eight factors."""
    if x.size <= IN_CACHE:
        return _log_gamma(x)
    flat, found = x.ravel(), np.empty(x.size)
    for start in range(0, x.size, IN_CACHE):
        found[start : start + IN_CACHE] = _log_gamma(flat[start : start + IN_CACHE])
    return found.reshape(x.shape)


def _log_gamma(x: Floats) -> Floats:
    product = x * (x + 7)
    product = product * (product + 6) * (product + 10) * (product + 12)
    z = x + 8
    i = 1 / (z * z)
    series = (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i * (1 / 1680 - i / 1188)))) / z
    half_log_tau = 0.9189385332046727
    result: Floats = (z - 0.5) * np.log(z) - z + half_log_tau + series - np.log(product)
    return result
