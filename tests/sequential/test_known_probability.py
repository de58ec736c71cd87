"""Known probabilities: the counts' evidence is never more than a fair bet's, and finds what is off."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from monitor.sequential import known_probability as known
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.known_probability import UNIT, units

EDGES = np.linspace(0, 1, 21)[1:-1]
MIDDLES = (np.linspace(0, 1, 21)[1:] + np.linspace(0, 1, 21)[:-1]) / 2

PROBABILITY = st.floats(0, 1)


def counted(p: Floats, y: Ints) -> tuple[Ints, Ints, Ints]:
    """The counts, ones and sums of twenty cells, (1, cells) each, without a float sum."""
    cells = np.searchsorted(EDGES, p, side="right")
    whole = np.round(p * UNIT).astype(np.int64)
    found = np.zeros((3, 1, 20), dtype=np.int64)
    for row, values in enumerate((np.ones_like(whole), y, whole)):
        np.add.at(found[row, 0], cells, values)
    return found[0], found[1], found[2]


@given(st.lists(st.tuples(PROBABILITY, st.booleans()), min_size=1, max_size=40),
       st.floats(-3, 3).filter(lambda a: abs(a) > 1e-3))  # fmt: skip
def test_the_counts_never_say_more_than_the_single_outcomes(
    outcomes: list[tuple[float, bool]], bet: float
) -> None:
    """Jensen: e^(ay) / (1 + p̄(e^a - 1))^n is at most the product over outcomes, for every bet."""
    single = math.fsum(bet * y - math.log1p(p * math.expm1(bet)) for p, y in outcomes)
    n, y = len(outcomes), sum(y for _, y in outcomes)
    sums = np.array([[sum(units(p) for p, _ in outcomes)]])
    bounds = known._bounds(np.array([[n]]), sums, 0.0)
    counts = known._gains(np.array([[n]]), np.array([[y]]), bounds, np.array([[bet]]))
    assert counts[0, 0, 0] <= single + 1e-12 * n
    assert counts[0, 0, 0] >= n * (-abs(bet) - 1)


@pytest.mark.parametrize("tolerance", [0.0, 0.03])
def test_the_mean_is_one_at_most(tolerance: float) -> None:
    """Over all outcomes of eight records in four cells, at the truth and all around it that the
    tolerance allows: the largest mean is 1 or less by what the counts of a cell cost, and by what
    those bets do that look to the other side."""
    p = np.array([0.04, 0.31, 0.31, 0.33, 0.52, 0.52, 0.97, 0.98])
    logs = {
        y: float(known.log_evidence(*counted(p, np.array(y)), MIDDLES, tolerance)[0])
        for y in itertools.product((0, 1), repeat=8)
    }
    worst = 0.0
    for signs in itertools.product((-1, 0, 1), repeat=4):
        off = np.repeat(signs, [1, 3, 2, 2]) * tolerance
        truth = np.clip(p + off, 0, 1)
        mean = sum(
            math.exp(log) * float(np.prod(np.where(y, truth, 1 - truth))) for y, log in logs.items()
        )
        worst = max(worst, mean)
    assert 0.94 < worst <= 1.0


def test_equal_probabilities_cost_nothing() -> None:
    """Where p is constant in a cell, the mean is 1 but for the rounding."""
    p = np.full(6, 0.375)
    mean = sum(
        math.exp(float(known.log_evidence(*counted(p, np.array(y)), MIDDLES)[0]))
        * float(np.prod(np.where(y, p, 1 - p)))
        for y in itertools.product((0, 1), repeat=6)
    )
    assert mean == pytest.approx(1.0, abs=1e-7)
    assert mean <= 1.0


def drawn(
    chance: np.random.Generator, n: int, truth: Floats | None = None
) -> tuple[Ints, Ints, Ints]:
    """Counts after each hundred of n records of a model with the given truth, else a perfect one."""
    p = chance.beta(1.5, 1.5, n)
    y = chance.random(n) < (
        p if truth is None else np.interp(p, np.linspace(0, 1, len(truth)), truth)
    )
    steps = [counted(p[at : at + 100], y[at : at + 100]) for at in range(0, n, 100)]
    parts = (np.cumsum([step[place][0] for step in steps], axis=0) for place in range(3))
    counts, ones, sums = parts
    return counts, ones, sums


def test_perfect_models_are_rarely_blamed() -> None:
    """Of 200 watched over 5,000 records at 50 looks, few ever pass 1 / .05."""
    chance = np.random.default_rng(11)
    passed = sum(
        known.log_evidence(*drawn(chance, 5_000), MIDDLES).max() >= math.log(20) for _ in range(200)
    )
    assert passed <= 10


@pytest.mark.parametrize(("stretch", "shift", "within"), [(1.5, 0.0, 700), (1.0, 0.3, 2_500)])
def test_what_is_off_is_found(stretch: float, shift: float, within: int) -> None:
    """Logits 1.5 times too large, or .3 too small, in the median within so many records."""
    chance = np.random.default_rng(13)
    grid = np.linspace(1e-6, 1 - 1e-6, 2001)
    truth = 1 / (1 + np.exp(-(np.log(grid / (1 - grid)) / stretch + shift)))
    needed = []
    for _ in range(31):
        logs = known.log_evidence(*drawn(chance, 5_000, truth), MIDDLES)
        passed = np.flatnonzero(logs >= math.log(20))
        needed.append(100 * (passed[0] + 1) if len(passed) else 10_000)
    assert np.median(needed) <= within


def test_a_tolerated_error_is_never_found() -> None:
    """Off by 2 points everywhere, tolerated: less than no evidence after a million records."""
    counts = np.full((1, 20), 50_000)
    sums = np.round(counts * MIDDLES * UNIT).astype(np.int64)
    ones = np.round(counts * np.clip(MIDDLES + 0.02, 0, 1)).astype(np.int64)
    assert known.log_evidence(counts, ones, sums, MIDDLES)[0] > 100
    assert known.log_evidence(counts, ones, sums, MIDDLES, 0.02)[0] < 0


def test_impossible_outcomes_are_certain_evidence() -> None:
    """A score of 1 that was wrong, over and over; one of 0 that was right; and no outcome at all."""
    counts, sums = np.zeros((3, 20), dtype=np.int64), np.zeros((3, 20), dtype=np.int64)
    ones = np.zeros_like(counts)
    counts[0, 19], sums[0, 19] = 60, 60 * UNIT
    counts[1, 0], ones[1, 0] = 60, 60
    logs = known.log_evidence(counts, ones, sums, MIDDLES)
    assert logs[0] > 20
    assert logs[1] > 20
    assert logs[2] == pytest.approx(0.0, abs=1e-12)
    assert np.isfinite(logs).all()


def test_a_rate_that_is_known_is_a_fair_bet() -> None:
    """Misses of intervals, over all that may come, with and without a tolerance."""
    n = 12
    for tolerance, truth in ((0.0, 0.1), (0.02, 0.12), (0.02, 0.08), (0.02, 0.1)):
        y = np.arange(n + 1)
        more = 0.8 if truth > 0.1 else 0.5
        logs = known.log_evidence_of_rate(np.full(n + 1, n), y, 0.1, tolerance, more=more)
        mean = float((np.exp(logs) * scipy.stats.binom.pmf(y, n, truth)).sum())
        assert 0.8 < mean <= 1.0


def test_what_a_calibration_sample_promises_is_a_fair_bet() -> None:
    """In the mean over calibration samples: Beta(l, n + 1 - l), which is the law of the misses."""
    n, sample = 30, 200
    low = 20  # ⌊.1 x 201⌋
    y = np.arange(n + 1)
    for came, missed in ((0, 0), (50, 9)):
        before = np.full(n + 1, came), np.full(n + 1, missed)
        logs = known.log_evidence_of_sampled_rate(np.full(n + 1, n), y, before, 0.1, sample)
        a, b = low + missed, sample + 1 - low + came - missed
        null = scipy.stats.betabinom.pmf(y, n, a, b)
        assert float((np.exp(logs) * null).sum()) == pytest.approx(1.0, abs=1e-6)
    none = np.array([0])
    with pytest.raises(ValueError, match="at least 9 can"):
        known.log_evidence_of_sampled_rate(none, none, (none, none), 0.1, 8)


def test_shares_of_arms_are_a_fair_bet() -> None:
    """Over all counts of nine units in three arms; and the published mismatch is certain."""
    shares, mean = [0.5, 0.3, 0.2], 0.0
    for a in range(10):
        for b in range(10 - a):
            counts = [a, b, 9 - a - b]
            likely = scipy.stats.multinomial.pmf(counts, 9, shares)
            mean += likely * math.exp(known.log_evidence_of_shares(counts, shares))
    assert mean == pytest.approx(1.0, abs=1e-9)
    assert round(known.log_evidence_of_shares([9463, 7681], [0.5, 0.5])) == 89
