"""Energy distance beside scipy's on the raw values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from monitor.distances.energy import MEASURE


def test_it_agrees_with_scipy(samples, binned) -> None:
    """scipy reports the square root; squared and in deviations, 20 bins are within 5 %."""
    theirs = scipy.stats.energy_distance(*samples) ** 2 / np.std(samples[0])
    assert MEASURE.score(*binned(*samples)) == pytest.approx(theirs, rel=0.05)
