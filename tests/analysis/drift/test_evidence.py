"""Evidence: fair bets, whatever the order, and an error budget that is kept."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.evidence import log_evidence, log_likelihood, splits

WEIGHTS = np.array([1.0, 30.0, 25.0, 44.0, 1.0, 0.5, 0.5, 0.5])


@pytest.mark.parametrize("ordered", [True, False])
def test_the_bet_is_fair(ordered: bool) -> None:
    """Over everything that may come in four events, the evidence has mean 1 under the null."""
    tree = splits(WEIGHTS, 5, ordered=ordered)
    counts = np.array(
        [np.bincount(events, minlength=8) for events in itertools.product(range(8), repeat=4)]
    )
    weights = np.broadcast_to(WEIGHTS, counts.shape)
    logs = log_likelihood(counts, weights, tree) + log_evidence(counts, weights, tree)
    assert np.exp(logs).sum() == pytest.approx(1.0, abs=1e-9)


def test_the_null_is_a_probability() -> None:
    """The likelihoods of everything that may come in three events add up to 1."""
    tree = splits(WEIGHTS, 5, ordered=True)
    counts = np.array(
        [np.bincount(events, minlength=8) for events in itertools.product(range(8), repeat=3)]
    )
    weights = np.broadcast_to(WEIGHTS, counts.shape)
    assert np.exp(log_likelihood(counts, weights, tree)).sum() == pytest.approx(1.0)


@given(st.lists(st.integers(0, 200), min_size=8, max_size=8))
def test_rows_are_calculated_alike_alone_and_together(counts: list[int]) -> None:
    """Which other streams are looked at changes no bit of a stream's evidence."""
    tree = splits(WEIGHTS, 5, ordered=True)
    row = np.array([counts])
    alone = log_evidence(row, WEIGHTS[None], tree)
    others = np.arange(80).reshape(10, 8)
    together = log_evidence(np.vstack((others, row)), np.vstack([WEIGHTS[None]] * 11), tree)
    assert together[-1] == alone[0]


@given(st.lists(st.floats(0.1, 1000), min_size=4, max_size=80), st.booleans())
def test_every_bin_is_split_off(weights: list[float], ordered: bool) -> None:
    """A tree over n bins has n - 1 splits, and each parts what is not yet parted."""
    tree = splits(np.array(weights), len(weights) - 3, ordered=ordered)
    assert len(tree.low) == len(weights) - 1
    assert (tree.low < tree.middle).all()
    assert (tree.middle < tree.high).all()
    assert len(set(tree.middle.tolist())) == len(weights) - 1


def test_a_constant_that_stays_constant_is_no_evidence() -> None:
    """Bins that were never hit and still are not say nothing, however long that goes on."""
    weights = np.array([1.0, 999.0, 1.0, 0.5, 0.5, 0.5])
    tree = splits(weights, 3, ordered=True)
    for events in (1000, 100_000, 10_000_000):
        counts = np.array([[0, events, 0, 0, 0, 0]])
        assert log_evidence(counts, weights[None], tree)[0] < 0


def test_without_change_alarms_are_rare() -> None:
    """Of 300 streams on finite references, watched at 40 moments, at most a few ever pass 1/α."""
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        reference = rng.multinomial(500, [0.1] * 10)
        weights = np.concatenate((reference + 0.5, [0.5] * 3))
        tree = splits(weights, 10, ordered=True)
        counts = np.cumsum(rng.multinomial(50, [0.1] * 10, size=40), axis=0)
        rows = np.hstack((counts, np.zeros((40, 3), dtype=np.int64)))
        alarms += bool((log_evidence(rows, np.tile(weights, (40, 1)), tree) >= math.log(20)).any())
    assert alarms <= 15


def test_what_comes_to_a_tail_is_believed() -> None:
    """Twenty of a thousand values beyond all that the reference had, with twenty features watched;
    in whichever of the two outermost bins, at either end."""
    weights = np.array([1.0, 2.0, *[100.0] * 10, 2.0, 1.0, 0.5, 0.5, 0.5])
    tree = splits(weights, 14, ordered=True)
    for place in (0, 13):
        counts = np.array([[0, 0, *[98] * 10, 0, 0, 0, 0, 0]])
        counts[0, place] = 20
        assert log_evidence(counts, weights[None], tree)[0] > math.log(20 / 0.05)
