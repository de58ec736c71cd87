"""Jensen-Shannon beside scipy's."""

from __future__ import annotations

import math

import pytest
import scipy

from monitor.distances.jensen_shannon import jensen_shannon


def test_shares_agree_with_scipy() -> None:
    """On large counts the divergence is scipy's distance squared."""
    reference, current = [100000, 200000, 300000], [300000, 200000, 100000]
    theirs = scipy.spatial.distance.jensenshannon(reference, current) ** 2
    assert jensen_shannon(reference, current) == pytest.approx(theirs, rel=0.001)


def test_windows_without_a_common_bin_are_at_most_ln_2_apart() -> None:
    """The divergence is bounded, which makes it the measure to draw."""
    assert 0.68 < jensen_shannon([10**6, 0], [0, 10**6]) <= math.log(2)
