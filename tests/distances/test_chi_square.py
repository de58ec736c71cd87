"""Chi-square beside scipy's and Evidently's."""

from __future__ import annotations

import pytest
import scipy

from monitor.distances.chi_square import MEASURE


def test_it_is_pearsons_statistic_a_record(categories) -> None:
    """Multiplied back by mn/(m+n), the score and its correction are scipy's statistic."""
    reference, current, windows = categories
    m, n = len(reference), len(current)
    table = [window.counts[:8] for window in windows]
    theirs = scipy.stats.chi2_contingency(table, correction=False).statistic
    chance = 7 * (1 / m + 1 / n) * (m + n) / (m + n - 1)
    ours = (MEASURE.score(*windows) + chance) * m * n / (m + n)
    assert ours == pytest.approx(theirs, rel=1e-9)
