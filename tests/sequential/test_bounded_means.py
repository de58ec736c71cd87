"""Evidence about means of bounded values is fair, and intervals hold while they are watched."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sequential.bounded_means import interval, log_evidence, log_evidence_beyond

VALUES = st.lists(st.floats(-1, 1), max_size=30).map(lambda found: np.array(found, np.float64))


@pytest.mark.parametrize("bound", [-0.5, 0.0, 0.02, 0.5])
@pytest.mark.parametrize("outcomes", [(-1.0, 1.0), (-0.3, 1.0), (-1.0, 0.6)])
def test_the_mean_of_the_evidence_is_at_most_one(
    bound: float, outcomes: tuple[float, float]
) -> None:
    """Exactly, over all sequences of eight values whose mean is the bound: the worst that is allowed."""
    low, high = outcomes
    share = (bound - low) / (high - low)
    if not 0 <= share <= 1:
        return
    total = math.fsum(
        share ** sum(drawn) * (1 - share) ** (8 - sum(drawn))
        * math.exp(log_evidence(np.where(drawn, high, low), bound))
        for drawn in product((0, 1), repeat=8)
    )  # fmt: skip
    assert total <= 1 + 1e-9


@given(VALUES, st.floats(0, 0.5))
def test_evidence_is_finite_and_falls_with_the_bound(values: np.ndarray, bound: float) -> None:
    """Whatever the values; on both sides alike."""
    first = log_evidence(values, bound)
    assert math.isfinite(first)
    assert log_evidence(values, bound + 0.1) <= first + 1e-9
    assert log_evidence_beyond(values, bound) == pytest.approx(log_evidence_beyond(-values, bound))


@given(VALUES)
def test_the_interval_is_around_the_mean(values: np.ndarray) -> None:
    """It is everything where nothing is known, and never more than the values may be."""
    found = interval(values, 0.05)
    assert -1 <= found.lower <= found.upper <= 1
    if len(values):
        assert found.lower - 1e-9 <= found.number <= found.upper + 1e-9
    else:
        assert math.isnan(found.number)


def test_the_interval_holds_at_every_moment() -> None:
    """Watched after every fifth of 200 values it ever leaves out the truth in at most 1 of 20 runs."""
    chance = np.random.default_rng(7)
    missed = 0
    for _ in range(60):
        values = chance.choice([-1.0, 0.0, 0.5], 200, p=[0.2, 0.3, 0.5])
        bars = (log_evidence(values[:seen], 0.05) for seen in range(5, 201, 5))
        below = (log_evidence(-values[:seen], -0.05) for seen in range(5, 201, 5))
        missed += max(*bars, *below) >= math.log(2 / 0.05)
    assert missed <= 3
