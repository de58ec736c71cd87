"""PSI beside Evidently's on the raw values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitor.distances.psi import MEASURE, psi


def test_categories_agree_with_evidently(categories, evidently) -> None:
    """On categories there is no binning: what is left is the correction and the smoothing."""
    reference, current, windows = categories
    peer = evidently("psi")
    kind = peer.ColumnType.Categorical
    theirs, _ = peer._psi(pd.Series(reference), pd.Series(current), kind, 0.1)
    chance = 7 * (1 / len(reference) + 1 / len(current))
    assert MEASURE.score(*windows) + chance == pytest.approx(theirs, rel=0.002)


def test_numbers_agree_with_evidently(samples, binned, evidently) -> None:
    """20 quantile bins lose less than 10 % against Evidently's equal-width ones."""
    peer = evidently("psi")
    kind = peer.ColumnType.Numerical
    theirs, _ = peer._psi(pd.Series(samples[0]), pd.Series(samples[1]), kind, 0.1)
    assert MEASURE.score(*binned(*samples)) == pytest.approx(theirs, rel=0.1)


def test_a_small_window_of_the_same_is_not_drift() -> None:
    """K = 20, n = 100, m = 5,000: uncorrected, chance alone reads 0.19; corrected, 0 on average."""
    rng = np.random.default_rng(3)
    shares = [1 / 20] * 20
    scores = [
        psi(rng.multinomial(5000, shares).tolist(), rng.multinomial(100, shares).tolist())
        for _ in range(200)
    ]
    assert np.mean(np.array(scores) >= 0.1) <= 0.05


def test_a_bin_that_empties_is_finite() -> None:
    """A category that vanishes or appears costs a few nats, not infinity."""
    assert 1 < psi([1000, 1000], [1000, 0]) < 10
    assert 1 < psi([1000, 0], [1000, 1000]) < 10
