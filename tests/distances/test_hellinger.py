"""Hellinger beside Evidently's."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from monitor.distances.hellinger import MEASURE, hellinger


def test_categories_agree_with_evidently(categories, evidently) -> None:
    """On categories only the correction (off the square) and the smoothing differ."""
    reference, current, windows = categories
    peer = evidently("hellinger_distance")
    theirs, _ = peer._hellinger_distance(
        pd.Series(reference), pd.Series(current), peer.ColumnType.Categorical, 0.1
    )
    chance = 7 * (1 / len(reference) + 1 / len(current)) / 8
    ours = math.sqrt(MEASURE.score(*windows) ** 2 + chance)
    assert ours == pytest.approx(theirs, rel=0.002)


def test_it_is_bounded_by_one() -> None:
    """Windows without a common bin are at distance 1, less the smoothing."""
    assert 0.99 < hellinger([10**6, 0], [0, 10**6]) <= 1
