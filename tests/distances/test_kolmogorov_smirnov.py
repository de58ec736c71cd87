"""Kolmogorov-Smirnov beside scipy's on the raw values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from monitor.distances.kolmogorov_smirnov import MEASURE


def test_it_agrees_with_scipy(samples, binned) -> None:
    """20 bins lose at most a bin's share of change, here under 0.015, correction included."""
    theirs = scipy.stats.ks_2samp(*samples).statistic
    ours = MEASURE.score(*binned(*samples))
    assert theirs - 0.015 < ours <= theirs


@pytest.mark.parametrize("k", [2, 5, 10, 20, 100])
@pytest.mark.parametrize("n", [50, 1000])
def test_chance_is_taken_off_on_average(k: int, n: int) -> None:
    """Without a change half of the scores, or more, are 0, and the rest are small."""
    rng = np.random.default_rng(k * n)
    points = tuple(float(x) for x in range(k))
    from monitor.types import Window

    scores = [
        MEASURE.score(
            *(
                Window((*map(int, rng.multinomial(size, [1 / k] * k)), 0, 0, 0), points, 1.0)
                for size in (5000, n)
            )
        )
        for _ in range(200)
    ]
    assert np.mean(np.array(scores) == 0) > 0.45
    assert np.mean(scores) < 0.3 / np.sqrt(n)
