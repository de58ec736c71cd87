"""Evidence about means of bounded values is fair, and intervals hold while they are watched."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sequential.bounded_means import (
    interval,
    log_evidence,
    log_evidence_beyond,
    times_until_beyond,
    times_until_within,
)

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


@given(VALUES.filter(len), st.floats(0.01, 0.9))
def test_as_many_times_the_values_tell_and_no_fewer(values: np.ndarray, tolerance: float) -> None:
    """The interval then lies within the tolerance, or the evidence is beyond; infinite is never."""
    within = times_until_within(values, tolerance, 0.05)
    beyond = times_until_beyond(values, tolerance, 6.0)
    assert within > 0
    assert beyond > 0
    if 2 < within < 100:
        enough = interval(np.tile(values, math.ceil(within * 1.001)), 0.05)
        assert max(-enough.lower, enough.upper) <= tolerance + 1e-5
        few = interval(np.tile(values, math.floor(within * 0.999)), 0.05)
        assert max(-few.lower, few.upper) >= tolerance - 1e-5
    if beyond < 100:
        many = np.tile(values, math.ceil(beyond * 1.001))
        assert log_evidence_beyond(many, tolerance) >= 6.0
