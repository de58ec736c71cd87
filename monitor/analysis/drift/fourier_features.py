"""Vectors → integer sums of random Fourier features: where a cloud of embeddings lies.

The mean of √(1/F) (cos ωx, sin ωx) over enough normal frequencies ω stands for a distribution: the
squared distance of two such means is the maximum mean discrepancy of the Gaussian kernel (Rahimi
and Recht 2007; Gretton et al. 2012). Every vector has length 1, so that the spread of a sample is
known from its mean alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FREQUENCIES = 24
SIZE = 2 * FREQUENCIES
"""Sums a window: cosines, then sines."""

UNIT = 1 << 20
"""Units in 1."""

LENGTH = UNIT * FREQUENCIES**0.5
"""Length of every vector of features in units."""

LARGEST = 1e150
"""Coordinates beyond are taken for this."""


def fourier_features(vector: Sequence[float], width: float) -> list[int]:
    """The features of one vector in `UNIT`s, `SIZE` of them, for a kernel of that width.

    >>> squared = sum(value**2 for value in fourier_features([0.3, 4.0], 1.0))
    >>> round(squared / UNIT**2 / FREQUENCIES, 5)
    1.0
    """
    with np.errstate(over="ignore", invalid="ignore"):
        point = np.minimum(np.maximum(np.asarray(vector, dtype=np.float64), -LARGEST), LARGEST)
        phases = frequencies(len(vector)) @ (point / width)
    phases = np.where(np.isfinite(phases), phases, 0.0)
    both = np.concatenate((np.cos(phases), np.sin(phases)))
    found: list[int] = np.rint(both * UNIT).astype(np.int64).tolist()
    return found


@lru_cache(maxsize=16)
def frequencies(width: int) -> npt.NDArray[np.float64]:
    """`FREQUENCIES` rows of `width` standard normal numbers, the same everywhere and for ever."""
    count = FREQUENCIES * width + 1
    bits = hashlib.shake_256(f"waves:{width}".encode()).digest(8 * 2 * count)
    drawn = np.frombuffer(bits, dtype="<u8").astype(np.float64).reshape(2, -1) / 2.0**64
    radius = np.sqrt(-2 * np.log(1 - drawn[0] * (1 - 1e-16)))  # Box and Muller 1958
    return np.asarray((radius * np.cos(2 * np.pi * drawn[1]))[:-1].reshape(FREQUENCIES, width))
