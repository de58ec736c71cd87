"""Intervals: right at every look, about as wide as they may be, and integers underneath."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy

from monitor.sequential.confidence_sequences import (
    Moments,
    Rates,
    difference,
    lift,
    margin,
    ratio,
    together,
)


def moments(x: np.ndarray, k: np.ndarray | None = None) -> Moments:
    k = np.ones_like(x) if k is None else k
    sums = (x.sum(), k.sum(), (x * x).sum(), (x * k).sum(), (k * k).sum())
    return Moments(len(x), *(int(one) for one in sums))


def test_the_variance_is_that_of_the_sample() -> None:
    """Of a mean numpy's; of a ratio that of its residuals."""
    chance = np.random.default_rng(2)
    x, k = chance.integers(0, 900, 50), chance.integers(1, 9, 50)
    assert moments(x).variance == pytest.approx(float(x.var(ddof=1)))
    both = moments(x, k)
    residuals = (x - both.ratio * k) / k.mean()
    assert both.variance == pytest.approx(float(residuals.var(ddof=1)))
    assert together([moments(x[:20], k[:20]), moments(x[20:], k[20:])]) == both


def test_the_margin_is_the_published_one() -> None:
    """Half as much again as the usual interval at the planned number, twice that far before it."""
    usual = float(scipy.stats.norm.ppf(0.975))
    for units, times in ((10_000, 1.55), (100_000, 1.65), (1_000, 2.0), (100, 4.6)):
        width = margin(units, 1.0, 10_000, 0.05) * math.sqrt(units) / usual
        assert width == pytest.approx(times, abs=0.1)


def test_the_true_difference_is_inside_at_every_look() -> None:
    """Revenue, 5 % buy for lognormal amounts in cents, 40 looks: of 150 runs few ever leave it out."""
    chance = np.random.default_rng(4)
    left = 0
    for _ in range(150):
        paid = np.minimum(np.exp(chance.normal(6, 1, (2, 8_000))), 20_000).astype(np.int64)
        paid *= chance.random((2, 8_000)) < 0.05
        looks = [
            difference(moments(paid[0, :n]), moments(paid[1, :n]), 16_000, 0.05)
            for n in range(1_000, 8_001, 175)
        ]
        left += not all(look.lower <= 0 <= look.upper for look in looks)
    assert left <= 10


def test_a_ratio_by_unit_knows_that_users_differ() -> None:
    """Clicks of users who differ by 1.0 logits: the interval is wider than that of single events."""
    chance = np.random.default_rng(6)
    views = chance.poisson(20, 3_000) + 1
    rates = 1 / (1 + np.exp(2 - chance.normal(0, 1, 3_000)))
    clicks = chance.binomial(views, rates)
    by_user = ratio(moments(clicks, views), 3_000, 0.05)
    share = clicks.sum() / views.sum()
    by_event = margin(int(views.sum()), float(share * (1 - share)), int(views.sum()), 0.05)
    assert by_user.number == pytest.approx(float(share))
    assert (by_user.upper - by_user.lower) / 2 > 1.3 * by_event


def test_a_lift_is_said_only_where_the_control_is_above_nothing() -> None:
    """And is about the difference over the control."""
    one, other = moments(np.tile([12, 8], 2_000)), moments(np.tile([11, 7], 2_000))
    found = lift(one, other, 8_000, 0.05)
    assert found is not None
    assert found.number == pytest.approx(1 / 9)
    assert found.lower < 1 / 9 < found.upper
    width = difference(one, other, 8_000, 0.05)
    assert found.upper - found.lower == pytest.approx((width.upper - width.lower) / 9, rel=0.1)
    nothing = moments(np.zeros(4_000, dtype=np.int64))
    assert lift(one, nothing, 8_000, 0.05) is None
    assert lift(nothing, one, 8_000, 0.05) is None
    assert lift(one, moments(np.array([5, 0])), 8_000, 0.05) is None


def test_nothing_known_is_everywhere() -> None:
    """No unit, one unit, no base: an interval without ends, and no exception."""
    some = moments(np.array([3, 4, 5]))
    for empty in (Moments(0, 0, 0, 0, 0, 0), moments(np.array([3])), Moments(5, 0, 0, 0, 0, 0)):
        found = difference(some, empty, 100, 0.05)
        assert found.upper - found.lower == math.inf or math.isnan(found.number)
        assert lift(some, empty, 100, 0.05) is None


def test_rates_have_an_exact_interval() -> None:
    """Of 40 runs with 30 looks few ever leave out the truth; at the planned number it is at most
    1.8 times as wide as the usual interval, on a grid of quarters of the effect."""
    chance = np.random.default_rng(8)
    rates = Rates(0.05)
    runs = np.array(
        [
            [[50, chance.binomial(50, 0.25), 50, chance.binomial(50, 0.2)] for _ in range(30)]
            for _ in range(40)
        ]
    )
    before, logs, out = np.zeros((40, 4), dtype=np.int64), 0, np.zeros(40, dtype=bool)
    for look in range(30):
        logs = logs + rates.factors(runs[:, look], before)  # each run as a stratum, read alone
        before = before + runs[:, look]
        found = [
            rates.interval(logs[:, [run]], before[[run]], 0.05) for run in range(40)
        ]  # fmt: skip
        out |= [not one.lower <= 0.05 <= one.upper for one in found]
    usual = 2 * 1.96 * math.sqrt((0.25 * 0.75 + 0.2 * 0.8) / 1500)
    assert out.sum() <= 4
    assert np.median([one.upper - one.lower for one in found]) <= 1.8 * usual


def test_strata_that_disagree_leave_no_difference() -> None:
    """The estimate is that of Mantel and Haenszel; where no difference fits, the interval is empty."""
    rates = Rates(0.2)
    before, logs = np.zeros((2, 4), dtype=np.int64), 0
    pane = np.array([[400, 360, 400, 40], [400, 40, 400, 360]])
    for _ in range(20):
        logs = logs + rates.factors(pane, before)
        before = before + pane
    found = rates.interval(logs, before, 0.05)
    assert found.number == pytest.approx(0.0)
    assert found.lower > found.upper
    assert math.isnan(rates.interval(logs, np.zeros((2, 4), dtype=np.int64), 0.05).number)
