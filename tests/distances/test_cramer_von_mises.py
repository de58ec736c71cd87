"""Cramér-von Mises beside scipy's on the raw values."""

from __future__ import annotations

import pytest
import scipy

from monitor.distances.cramer_von_mises import MEASURE


def test_it_agrees_with_scipy(samples, binned) -> None:
    """mn/(m+n) times the score is Anderson's T less its mean, within 3 % at 20 bins."""
    m, n = map(len, samples)
    theirs = scipy.stats.cramervonmises_2samp(*samples).statistic - (1 + 1 / (m + n)) / 6
    ours = MEASURE.score(*binned(*samples)) * m * n / (m + n)
    assert ours == pytest.approx(theirs, rel=0.03)
