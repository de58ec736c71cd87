"""Intervals that may be looked at every moment."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.quality.intervals import LEAST, margin, of_rate


@given(hits=st.integers(0, 5000), misses=st.integers(0, 5000))
def test_a_rate_is_within_its_interval(hits: int, misses: int) -> None:
    """And the interval within 0 to 1, whatever was counted."""
    lower, upper = of_rate(hits, hits + misses)
    assert 0 <= lower <= upper <= 1
    if hits + misses:
        assert lower <= hits / (hits + misses) <= upper


@pytest.mark.parametrize("rate", [0.02, 0.5, 0.9])
def test_looking_at_every_label_costs_nothing(rate: float) -> None:
    """In at most one of twenty runs of 1,000 labels the true rate is ever outside; a fixed interval
    loses it in a third."""
    chance = random.Random(5)
    lost = fixed = 0
    runs = 120
    for _ in range(runs):
        hits, ever, peeked = 0, False, False
        for count in range(1, 1001):
            hits += chance.random() < rate
            if count % 20 == 0:
                lower, upper = of_rate(hits, count)
                ever |= not lower <= rate <= upper
                now = hits / count
                reach = 1.96 * (now * (1 - now) / count) ** 0.5
                peeked |= not now - reach <= rate <= now + reach
        lost += ever
        fixed += peeked
    assert lost <= 0.05 * runs
    assert fixed > 0.2 * runs


def test_a_mean_is_covered_at_every_look() -> None:
    """An asymptotic interval of a skewed mean, from `LEAST` labels on: lost in at most 5 % of
    runs."""
    values = np.random.default_rng(11).exponential(1.0, (1500, 2000))
    looks = np.arange(LEAST, 2001, 10)
    means = np.cumsum(values, axis=1)[:, looks - 1] / looks
    squares = np.cumsum(values**2, axis=1)[:, looks - 1] / looks
    reach = np.array([margin(1.0, count) or 0.0 for count in looks.tolist()])
    deviations = np.sqrt((squares - means**2) / looks)
    lost = (abs(means - 1.0) > reach * deviations).any(axis=1)
    fixed = (abs(means - 1.0) > 1.96 * deviations).any(axis=1)
    assert lost.mean() <= 0.05
    assert fixed.mean() > 0.25


def test_few_labels_have_no_asymptotic_interval() -> None:
    """It would not hold."""
    assert margin(0.01, LEAST - 1) is None
    assert margin(float("nan"), 10_000) is None
    assert margin(0.01, LEAST) == pytest.approx(0.1 * 4.2, rel=0.25)
