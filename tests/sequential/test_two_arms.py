"""Two arms: every factor is fair under every pair of the hypothesis, and finds what is declared."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sequential import two_arms
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.e_values import log_mean
from monitor.sequential.two_arms import (
    Comparison,
    Null,
    Pair,
    equal,
    factors,
    log_evidence,
    margin,
    ratio,
)

EQUAL = Null(line=True)
NULLS = [
    EQUAL,
    Null(slope=0.8),
    Null(offset=-0.02),
    Null(offset=-0.3),
    Null(offset=0.05),
    Null(offset=0.1, line=True),
    Null(offset=-0.4, line=True),
    Null(slope=1.25),
]
RATES = np.array([0.001, 0.02, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99])


def projection(guess: Pair, sizes: Pair, null: Null) -> tuple[Floats, Floats, Floats]:
    """The pair of the hypothesis that is nearest to a guess, and the slack."""
    edge = two_arms._border(null.slope, np.array([[null.offset]]))
    (q_a, q_b), slack = two_arms._projection(np.stack(guess), np.stack(sizes), edge, line=null.line)
    return q_a, q_b, slack


def border(null: Null) -> Floats:
    """Pairs of the hypothesis (2, pairs): on its border, and inside where it has an inside."""
    b = np.concatenate(([0.0, 1.0, 1e-6], np.linspace(0, 1, 201)))
    pairs = [(null.slope * b + null.offset, b)]
    if not null.line:
        pairs += [(null.slope * b + null.offset + more, b) for more in (0.01, 0.1, 0.4, 0.8)]
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    allowed = (a >= 0) & (a <= 1)
    return np.stack((a[allowed], b[allowed]))


@pytest.mark.parametrize("null", NULLS, ids=str)
def test_the_mean_of_a_factor_is_one_at_most(null: Null) -> None:
    """For all guesses of a grid, sizes of the arms, and pairs of the hypothesis, in closed form:
    the mean is Π (1 + (θ' - q)(θ - q) / (q (1 - q)))^n, less the slack."""
    worst = 0.0
    true_a, true_b = border(null)
    for n_a, n_b in (
        (1, 1),
        (1, 50),
        (50, 1),
        (20, 20),
        (1000, 10),
        (400, 5000),
        (100_000, 100_000),
    ):
        guess_a, guess_b = (side.ravel()[None] for side in np.meshgrid(RATES, RATES))
        sizes = np.array([[float(n_a)]]), np.array([[float(n_b)]])
        q_a, q_b, slack = projection((guess_a, guess_b), sizes, null)
        assert np.all((q_a > 0) & (q_a < 1) & (q_b > 0) & (q_b < 1))
        assert np.all(q_a - null.slope * q_b - null.offset >= -1e-12)
        one = (true_a[:, None] - q_a) * (guess_a - q_a) / (q_a * (1 - q_a))
        two = (true_b[:, None] - q_b) * (guess_b - q_b) / (q_b * (1 - q_b))
        logs = n_a * np.log1p(np.maximum(one, -1)) + n_b * np.log1p(np.maximum(two, -1)) - slack
        assert slack.max() < 1e-6
        worst = max(worst, float(np.exp(logs.max())))
    assert 0.99 < worst <= 1.0000001


@pytest.mark.parametrize("null", NULLS, ids=str)
def test_nothing_in_the_hypothesis_explains_more(null: Null) -> None:
    """The projection is the nearest pair of a fine grid, or nearer."""
    a, b = border(null)
    inside = (a > 0) & (a < 1) & (b > 0) & (b < 1)
    a, b = a[inside], b[inside]

    def distance(n: float, guess: Floats, q: Floats) -> Floats:
        parts = n * (guess * np.log(guess / q) + (1 - guess) * np.log((1 - guess) / (1 - q)))
        return np.asarray(parts)

    for guess_a, guess_b, (n_a, n_b) in itertools.product(RATES, RATES, ((5.0, 5.0), (1.0, 40.0))):
        one, other = np.array([[guess_a]]), np.array([[guess_b]])
        q_a, q_b, _ = projection((one, other), (np.array([[n_a]]), np.array([[n_b]])), null)
        ours = distance(n_a, one, q_a) + distance(n_b, other, q_b)
        theirs = distance(n_a, one, a) + distance(n_b, other, b)
        assert float(ours.min()) <= float(theirs.min()) + 1e-9


COMPARISONS = {
    "equal": (equal(0.02), EQUAL),
    "blind": (equal(), EQUAL),
    "margin": (margin(0.02), Null(offset=-0.02)),
    "safe": (margin(-0.02), Null(offset=0.02)),
    "fifths": (ratio(0.8), Null(slope=0.8)),
    "line": (two_arms.difference(0.1, 0.05), Null(offset=0.1, line=True)),
}


def likelihoods(n: int, rate: float) -> Floats:
    return np.array([math.comb(n, x) * rate**x * (1 - rate) ** (n - x) for x in range(n + 1)])


@pytest.mark.parametrize("name", COMPARISONS)
def test_what_is_kept_is_fair_over_all_that_may_come(name: str) -> None:
    """The mean over every outcome of a pane, weighed by its probability, of the rounded factors."""
    comparison, null = COMPARISONS[name]
    assert math.fsum(comparison.stakes) == pytest.approx(1.0)
    n_a, n_b = 7, 4
    before = np.array([[40, 9, 30, 4]])
    kept = {
        (x, y): log_evidence(factors(np.array([[n_a, x, n_b, y]]), before, comparison), comparison)
        for x, y in itertools.product(range(n_a + 1), range(n_b + 1))
    }
    pairs = border(null).T[::7]
    worst = 0.0
    for a, b in pairs.tolist():
        chances = np.outer(likelihoods(n_a, a), likelihoods(n_b, b))
        worst = max(worst, sum(chances[pair] * math.exp(log) for pair, log in kept.items()))
    assert 0.9 < worst <= 1.0


def test_the_bets_of_a_declared_effect_are_where_it_is() -> None:
    """Four fifths of the capital at .7 and 1.4 times the effect, on the sides that matter."""
    assert [bet[:2] for bet in equal(0.01).bets[:4]] == [
        ("difference", pytest.approx(size)) for size in (0.007, 0.014, -0.007, -0.014)
    ]
    assert {bet.size > 0 for bet in equal(0.01, side=-1).bets} == {False}
    assert {bet.size > 0 for bet in margin(0.01).bets} == {False}
    assert sum(
        bet.stake for bet in margin(0.01).bets if bet.scale == "difference"
    ) == pytest.approx(0.8)
    assert [bet.size for bet in ratio(0.8).bets] == pytest.approx([0.7, 0.6, 0.4, 0.2])


def test_nothing_is_bet_before_anything_is_known() -> None:
    """A first pane, an arm without anybody, and a stratum without either have factors of 1."""
    panes = np.array([[5, 1, 5, 2], [0, 0, 5, 2], [5, 1, 0, 0], [0, 0, 0, 0]])
    some = np.tile(np.array([[3, 1, 3, 1]]), (4, 1))
    first = factors(panes, np.zeros_like(panes), equal(0.1))
    assert not first.any()
    later = factors(panes, some, equal(0.1))
    assert later[0].any()
    assert not later[1:].any()


def folded(panes: Ints, comparison: Comparison) -> list[float]:
    """The evidence after each of the panes, (panes, strata, 4)."""
    before, logs, found = np.zeros_like(panes[0]), 0, []
    for pane in panes:
        logs = logs + factors(pane, before, comparison)
        before = before + pane
        found.append(log_evidence(logs, comparison))
    return found


@given(st.permutations(range(3)), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_strata_have_no_order_and_shards_add_up(order: list[int], seed: int) -> None:
    """The same evidence, whatever stratum comes first, and from panes that were counted apart."""
    chance = np.random.default_rng(seed)
    parts = chance.integers(0, 30, (2, 4, 3, 4))
    parts[..., 1] = parts[..., 0] // 3
    parts[..., 3] = parts[..., 2] // 2
    comparison = margin(0.05)
    whole = folded(parts.sum(axis=0), comparison)
    assert folded(parts[0] + parts[1], comparison) == whole
    assert folded(parts.sum(axis=0)[:, order], comparison) == pytest.approx(whole, abs=1e-9)


ARM = st.integers(0, 10**9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
PANE = st.lists(st.tuples(ARM, ARM), min_size=1, max_size=3)


@given(PANE, PANE, st.sampled_from(sorted(COMPARISONS)))
def test_any_counts_have_finite_evidence(
    now: list[tuple[tuple[int, int], ...]], before: list[tuple[tuple[int, int], ...]], name: str
) -> None:
    """A billion of one arm and none of the other, rates of 0 and 1: no warning, no infinity."""
    size = min(len(now), len(before))
    panes = [np.array(some[:size], dtype=np.int64).reshape(size, 4) for some in (now, before)]
    logs = factors(*panes, COMPARISONS[name][0])
    assert np.isfinite(log_evidence(logs, COMPARISONS[name][0]))


def arms(chance: np.random.Generator, rate_a: float, rate_b: float, n: int, panes: int) -> Ints:
    a, b = chance.binomial(n, rate_a, panes), chance.binomial(n, rate_b, panes)
    return np.stack((np.full(panes, n), a, np.full(panes, n), b), axis=1)[:, None]


@pytest.mark.parametrize(
    ("comparison", "a", "b"),
    [(equal(0.02), 0.1, 0.1), (margin(0.02), 0.18, 0.2), (margin(-0.02), 0.22, 0.2), (ratio(0.8), 0.24, 0.3)],
)  # fmt: skip
def test_watched_without_end_false_alarms_are_rare(
    comparison: Comparison, a: float, b: float
) -> None:
    """At the border of the hypothesis, 50 looks: of 400 runs few ever pass 1 / .05."""
    chance = np.random.default_rng(7)
    runs, n = 400, 300
    before, logs, highest = np.zeros((runs, 4), dtype=np.int64), 0, np.zeros(runs)
    for _ in range(50):
        pane = np.full((runs, 4), n)
        pane[:, 1], pane[:, 3] = chance.binomial(n, a, runs), chance.binomial(n, b, runs)
        logs = logs + factors(pane, before, comparison)
        before = before + pane
        highest = np.maximum(highest, log_mean(logs / two_arms.UNIT, comparison.stakes))
    assert (highest >= math.log(20)).sum() <= 24  # 400 x .05 = 20, and chance


def test_a_declared_effect_is_found_soon() -> None:
    """.10 against .12: the fixed test for 80 % needs 3,841 in each arm; the median here is no more."""
    chance = np.random.default_rng(5)
    runs = [arms(chance, 0.12, 0.10, 200, 60) for _ in range(41)]
    comparison = equal(0.02)
    before, logs = np.zeros((41, 4), dtype=np.int64), np.zeros((41, len(comparison.bets)), int)
    needed = np.full(41, 60 * 200 + 200)
    for at, pane in enumerate(np.concatenate(runs, axis=1)):
        logs += factors(pane, before, comparison)
        before += pane
        seen = two_arms.log_evidences(logs[:, None], comparison) >= math.log(20)
        needed[seen] = np.minimum(needed[seen], at * 200 + 200)
    assert np.median(needed) <= 3841


def test_a_ramp_in_changing_times_is_no_difference() -> None:
    """The arms' parts and the rate of both move together: pooled counts differ, evidence does not."""
    chance = np.random.default_rng(3)
    panes = []
    for part, rate in zip(np.linspace(0.1, 0.5, 40), np.linspace(0.05, 0.25, 40), strict=True):
        n = int(1000 * part)
        panes.append([n, chance.binomial(n, rate), 1000 - n, chance.binomial(1000 - n, rate)])
    total = np.sum(panes, axis=0)
    assert total[1] / total[0] - total[3] / total[2] > 0.03
    assert max(folded(np.array(panes)[:, None], equal(0.02))) < math.log(20)


def test_one_stratum_alone_is_seen_among_many() -> None:
    """A difference in one of ten strata, the other way round in none: single ones are bet on too."""
    chance = np.random.default_rng(9)
    panes = np.stack(
        [arms(chance, 0.3 if place else 0.1, 0.3, 50, 60)[:, 0] for place in range(10)], axis=1
    )
    assert folded(panes, equal(0.1))[-1] > math.log(20) + 5
    alone = factors(panes[1], panes[0], equal(0.1))
    more = log_evidence(alone, equal(0.1), places=50)
    assert more <= max(0.0, log_evidence(alone, equal(0.1))) + 1
