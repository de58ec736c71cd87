"""Panes → evidence against a reference that is itself still coming in: another arm, the same hour.

Where the reference is fixed, evidence is a function of counts (`evidence`). Here each pane
is judged by what was known before it began, and contributes one factor for every bet: the logs of
these factors, rounded down to whole `UNIT`s, are integers that add up like counts do.

The bets are the same for both kinds of reference. One is that one of the splits of a tree of bins
goes left more or less often, by one of `BETS` in logits; the other, for ordered bins, that all of
the distribution has moved by one of `evidence.STEPS`. A factor that is fair given the past
makes a fair product, and so does a mixture of products, within a split and over the splits of a
pane, where the deeper ones are fair given how many came to them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitor.analysis.drift.evidence import (
    STEP_STAKE,
    STEPS,
    Splits,
    parts,
    scores,
)
from monitor.sequential.beta_binomials import Floats, Ints, beta_binomial, rise
from monitor.sequential.e_values import log_add

UNIT = 1 << 20
"""Units in one natural logarithm."""

BETS = np.array([0.3, 1.0, 3.0, -0.3, -1.0, -3.0])
"""Moves of a split that are bet on, in logits: a few in a hundred, twofold, twentyfold."""

RARE = 3.0
"""A side of a split with less weight is rare."""

MOVES = np.array([*STEPS, *(-step for step in STEPS)])


def size(tree: Splits) -> int:
    """How many logarithms there are: those of the moves, then of the bets on each split."""
    return len(MOVES) + len(tree.low) * len(BETS)


def two_arms(current: Ints, usual: Ints, pooled: Floats, tree: Splits, part: float = 1.0) -> Ints:
    """The factors of a pane in which one arm counted `current` and the other `usual`, (bins,).

    Fair whatever distribution both arms share, and if it is another one in every pane (Turner and
    Grünwald 2023): each arm is held against a guess of its own, over the guesses' mean weighed by
    how many values each arm has. The guesses are `pooled`, which must be known before the pane,
    moved apart by what is bet on. With `part` below 1 the values count as so many times fewer.
    """
    u, w = np.asarray(current * part), np.asarray(usual * part)
    n, m = u.sum(), w.sum()
    if not (n and m):
        return np.zeros(size(tree), dtype=np.int64)
    left, both = parts(np.stack((u, w)), tree)
    below, total = parts(pooled, tree)
    middle = np.log(below / (total - below))[:, None]
    ours = (both[0] / np.maximum(both.sum(axis=0), 1e-9))[:, None]
    one, other = _share(middle + BETS * (1 - ours)), _share(middle - BETS * ours)
    mean = ours * one + (1 - ours) * other
    factors = np.zeros_like(one)
    for arm, guess in enumerate((one, other)):
        yes, no = left[arm][:, None], (both[arm] - left[arm])[:, None]
        factors += yes * np.log(guess / mean) + no * np.log((1 - guess) / (1 - mean))
    score = scores(pooled, tree.ordered)
    first = _moved(pooled, score, MOVES * (m / (n + m)), tree.ordered)
    second = _moved(pooled, score, -MOVES * (n / (n + m)), tree.ordered)
    common = (n * first + m * second) / (n + m)
    moved = (u * np.log(first / common) + w * np.log(second / common)).sum(axis=-1)
    return _whole(moved, factors)


def one_arm(current: Ints, weights: Floats, tree: Splits, part: float = 1.0) -> Ints:
    """The factors of a pane that counted `current`, (bins,), where Dirichlet `weights` are known.

    The bet has the weights of the null, as many in all, tilted by what is bet on. Nobody bets that
    what is hardly ever seen comes less often: that it stays away says nothing.
    """
    counts, null = np.asarray(current * part), np.asarray(weights * part)
    left, both = parts(counts, tree)
    right = both - left
    below, total = (one[:, None] for one in parts(null, tree))
    share = _share(np.log(below / (total - below)) + BETS)
    # The null is the last column, and below the last row: arrays are so short that what counts is
    # how many there are.
    a = np.concatenate((total * share, below), axis=1)
    b = np.concatenate((total * (1 - share), total - below), axis=1)
    likely = beta_binomial(left[:, None], right[:, None], a, b)
    gains = np.where(
        np.where(BETS < 0, below, total - below) < RARE, 0, likely[:, :-1] - likely[:, -1:]
    )
    inside = null.sum() * _moved(null, scores(null, tree.ordered), MOVES, tree.ordered)
    risen = rise(np.concatenate((inside, null[None])), counts)
    moved = (risen[:-1] - risen[-1]).sum(axis=-1)
    return _whole(moved, gains)


def log_evidence(logs: Ints, tree: Splits) -> Floats:
    """ln E for each row of sums of factors, (rows, `size`)."""
    values = logs / UNIT
    moved = log_add([values[..., place] for place in range(len(MOVES))]) - math.log(len(MOVES))
    tilted = values[..., len(MOVES) :].reshape(*logs.shape[:-1], len(tree.low), len(BETS))
    mixed = log_add([tilted[..., place] for place in range(len(BETS))]) - math.log(len(BETS))
    stake = np.minimum(tree.stake, 1 - 1e-12)
    gains = np.logaddexp(np.log1p(-stake), np.log(stake) + mixed).sum(axis=-1)
    if not tree.ordered.any():
        return np.asarray(gains, dtype=np.float64)
    return log_add([math.log(1 - STEP_STAKE) + gains, math.log(STEP_STAKE) + moved])


def _share(logits: Floats) -> Floats:
    return np.asarray(np.clip(1 / (1 + np.exp(-logits)), 1e-9, 1 - 1e-9))


def _moved(weights: Floats, score: Floats, steps: Floats, ordered: Floats) -> Floats:
    """Shares of the bins for each step by which the ordered ones are tilted, (steps, bins)."""
    inside = weights * ordered
    tilted = inside * np.exp(steps[:, None] * score)
    tilted = tilted * (inside.sum() / np.maximum(tilted.sum(axis=-1, keepdims=True), 1e-300))
    moved: Floats = np.where(ordered > 0, np.maximum(tilted, 1e-12), weights)
    return np.asarray(moved / moved.sum(axis=-1, keepdims=True))


def _whole(moved: Floats, tilted: Floats) -> npt.NDArray[np.int64]:
    logs = np.concatenate((moved, tilted.ravel()))
    return np.floor(np.clip(logs, -1e9, 1e9) * UNIT).astype(np.int64)
