"""G beside scipy's."""

from __future__ import annotations

import pytest
import scipy

from monitor.distances.likelihood_ratio import MEASURE


def test_it_is_the_likelihood_ratio_a_record(categories) -> None:
    """Multiplied back by mn/(m+n), the score and its correction are scipy's statistic."""
    reference, current, windows = categories
    m, n = len(reference), len(current)
    table = [window.counts[:8] for window in windows]
    theirs = scipy.stats.chi2_contingency(
        table, correction=False, lambda_="log-likelihood"
    ).statistic
    v = 1 / m + 1 / n
    assert (MEASURE.score(*windows) + 7 * v) / v == pytest.approx(theirs, rel=1e-9)
