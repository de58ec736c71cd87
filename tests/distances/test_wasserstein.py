"""Wasserstein beside Evidently's on the raw values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from monitor.distances.wasserstein import MEASURE, shift
from monitor.types import Window

Values = npt.NDArray[np.float64]


@pytest.fixture
def theirs(evidently) -> Callable[..., float]:
    """Evidently's distance of two samples."""
    peer = evidently("wasserstein_distance_norm")

    def distance(reference: Values, current: Values) -> float:
        samples = pd.Series(reference), pd.Series(current)
        return float(peer._wasserstein_distance_norm(*samples, peer.ColumnType.Numerical, 0.1)[0])

    return distance


def test_it_agrees_with_evidently(samples, binned, theirs) -> None:
    """20 bins put the distance within 0.03 standard deviations of the raw one."""
    assert MEASURE.score(*binned(*samples)) == pytest.approx(theirs(*samples), abs=0.03)


def test_it_agrees_on_a_skewed_distribution(binned, theirs) -> None:
    """Likewise for a lognormal, whose bins are far from equally wide."""
    rng = np.random.default_rng(9)
    reference, current = rng.lognormal(0, 1, 20000), rng.lognormal(0.2, 1, 20000)
    expected = theirs(reference, current)
    assert MEASURE.score(*binned(reference, current)) == pytest.approx(expected, abs=0.03)


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
