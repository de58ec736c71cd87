"""Bets against a reference that comes in panes: fair, whatever both arms share, and soon right."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from monitor.analysis.drift import sequential_bets
from monitor.analysis.drift.evidence import Splits, log_likelihood, splits
from monitor.sequential.beta_binomials import Ints

WEIGHTS = np.array([2.0, 9.0, 12.0, 8.0, 1.0, 0.5, 0.5])
TREE = splits(WEIGHTS, 4, ordered=True)
NAMES = splits(WEIGHTS, 4, ordered=False)


def spread(values: tuple[int, ...]) -> Ints:
    return np.bincount(values, minlength=7)


@pytest.mark.parametrize("tree", [TREE, NAMES])
@pytest.mark.parametrize(
    "shares", [[0.1, 0.2, 0.3, 0.2, 0.1, 0.05, 0.05], [0.9, 0.02, 0.02, 0.02, 0.02, 0.01, 0.01]]
)
def test_two_arms_of_one_distribution_are_a_fair_bet(tree: Splits, shares: list[float]) -> None:
    """Over everything that two values in one arm and one in the other may be: mean 1 at most."""
    total = 0.0
    for first, second, third in itertools.product(range(7), repeat=3):
        chance = shares[first] * shares[second] * shares[third]
        logs = sequential_bets.two_arms(spread((first, second)), spread((third,)), WEIGHTS, tree)
        total += chance * math.exp(float(sequential_bets.log_evidence(logs[None], tree)[0]))
    assert 0.5 < total <= 1.0


@pytest.mark.parametrize("tree", [TREE, NAMES])
def test_a_known_law_is_a_fair_bet(tree: Splits) -> None:
    """Over everything that may come in three values, under the law of the reference."""
    total = 0.0
    for values in itertools.product(range(7), repeat=3):
        counts = spread(values)
        likely = float(log_likelihood(counts[None], WEIGHTS[None], tree)[0])
        logs = sequential_bets.one_arm(counts, WEIGHTS, tree)
        total += math.exp(likely + float(sequential_bets.log_evidence(logs[None], tree)[0]))
    assert total == pytest.approx(1.0, abs=1e-4)
    assert total <= 1.0


def test_an_arm_that_nobody_is_in_says_nothing() -> None:
    """Nor does an empty pane."""
    some, none = spread((1, 1, 2)), spread(())
    for pair in ((some, none), (none, some), (none, none)):
        assert not sequential_bets.two_arms(*pair, WEIGHTS, TREE).any()
    assert not sequential_bets.one_arm(none, WEIGHTS, TREE).any()


@pytest.mark.parametrize("shift", [0.0, 0.5, -0.5])
def test_a_shift_of_one_arm_is_evidence(shift: float) -> None:
    """Both arms wander together from pane to pane; only that they part is evidence."""
    rng = np.random.default_rng(1)
    edges = np.array([-1.0, 0.0, 1.0])
    logs = np.zeros(sequential_bets.size(TREE), dtype=np.int64)
    for pane in range(30):
        middle = math.sin(pane)  # common to both
        arms = [rng.normal(middle + move, 1.0, 40) for move in (shift, 0.0)]
        u, w = (np.bincount(np.searchsorted(edges, arm), minlength=7) for arm in arms)
        logs += sequential_bets.two_arms(u, w, WEIGHTS, TREE)
    found = float(sequential_bets.log_evidence(logs[None], TREE)[0])
    assert found > 15 if shift else found < 3


def test_extreme_counts_and_weights_are_finite() -> None:
    """A million values in one bin that was never seen."""
    huge = np.array([0, 0, 0, 10**6, 0, 0, 0])
    for logs in (
        sequential_bets.two_arms(huge, huge[::-1].copy(), np.full(7, 1e-3), TREE),
        sequential_bets.one_arm(huge, np.array([1e7, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5]), TREE),
    ):
        assert np.isfinite(sequential_bets.log_evidence(logs[None], TREE)).all()


def test_values_that_hang_together_are_less_evidence() -> None:
    """Five that count as one are a fifth."""
    u, w = np.array([50, 0, 0, 5, 0, 0, 0]), np.array([5, 0, 0, 50, 0, 0, 0])
    alone, together = (
        float(
            sequential_bets.log_evidence(
                sequential_bets.two_arms(u, w, WEIGHTS, TREE, part)[None], TREE
            )[0]
        )
        for part in (1.0, 0.2)
    )
    assert 0 < together < alone / 3
