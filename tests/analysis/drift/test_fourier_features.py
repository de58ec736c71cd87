"""Random Fourier features: integers of one length, near means for near clouds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.fourier_features import (
    FREQUENCIES,
    LENGTH,
    SIZE,
    fourier_features,
    frequencies,
)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=80),
    st.floats(1e-6, 1e6),
)
def test_every_vector_has_the_same_length(vector: list[float], width: float) -> None:
    """However large it is; sums of them are integers, so windows add up in any order."""
    found = fourier_features(vector, width)
    assert len(found) == SIZE
    assert all(type(value) is int for value in found)
    assert math.sqrt(sum(value**2 for value in found)) == pytest.approx(LENGTH, rel=1e-5)


def test_the_frequencies_are_normal_and_always_the_same() -> None:
    """Of a profile that was written elsewhere, too."""
    drawn = frequencies(384)
    assert drawn.shape == (FREQUENCIES, 384)
    assert abs(drawn.mean()) < 0.05
    assert drawn.std() == pytest.approx(1, abs=0.05)
    assert drawn[0, 0] == pytest.approx(FIRST, abs=1e-9)


FIRST = frequencies(384)[0, 0]


def test_the_mean_of_a_cloud_says_where_it_is() -> None:
    """The kernel of two vectors is the product of their features, about."""
    rng = np.random.default_rng(1)
    one = rng.standard_normal(64)
    products = []
    for step in (0.0, 0.5, 1.0, 3.0):
        other = one + step * math.sqrt(64) / 8 * rng.standard_normal(64)
        features: list[Any] = [
            np.array(fourier_features(v.tolist(), 8.0)) / LENGTH for v in (one, other)
        ]
        products.append(float(features[0] @ features[1]))
    assert products[0] == pytest.approx(1, abs=1e-4)
    assert products == sorted(products, reverse=True)
