"""Wasserstein: small windows, far shifts and directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.distances.wasserstein import MEASURE, shift
from monitor.types import Window

Values = npt.NDArray[np.float64]


def test_a_small_window_of_the_same_is_not_drift(binned) -> None:
    """Of 100 records without a change at most 8 % score 0.1; uncorrected it is 66-70 %."""
    rng = np.random.default_rng(4)
    for draw in (rng.standard_normal, lambda n: rng.lognormal(0, 1, n)):
        scores = [MEASURE.score(*binned(draw(5000), draw(100))) for _ in range(100)]
        assert np.mean(np.array(scores) >= 0.1) <= 0.08


def test_a_far_shift_is_understated_but_seen(binned) -> None:
    """Beyond the reference's range the outermost bin has no end: 2 reads as 1.5 or more."""
    values = np.random.default_rng(2).standard_normal(5000)
    assert 1.5 < MEASURE.score(*binned(values, values + 2)) <= 2


def test_the_shift_has_a_direction() -> None:
    """Up is positive, down negative, and nothing is nothing."""
    places = [-1.0, 0.0, 1.0]
    assert shift([9, 9, 9], [0, 9, 18], places) > 0 > shift([9, 9, 9], [18, 9, 0], places)
    assert shift([9, 9, 9], [0, 0, 0], places) == 0


def test_a_constant_has_no_unit() -> None:
    """A reference without spread scores 0 instead of dividing by it."""
    points = (5.0, 5.0, 5.0)
    reference, current = Window((0, 9, 0, 0, 0, 0), points), Window((0, 0, 9, 0, 0, 0), points)
    assert MEASURE.score(reference, current) == 0
