"""(reference, counts) → evidence that something changed, valid at every moment one looks.

A betting score (an e-process) against the null hypothesis that values keep coming from the
distribution the reference came from. Its expectation under the null is at most 1 whenever it is
read, so the probability that it *ever* exceeds 1/α is at most α (Ville 1939). Lindon and Malek
(NeurIPS 2022) bet with a Dirichlet-multinomial; here the null is the reference's own predictive
distribution, so that a finite reference is not mistaken for the truth, and the bet is laid on a
binary tree of bins, each split by a beta-binomial (a Pólya tree, Lavine 1992): a shift moves the
upper splits, which cost little to watch, however many bins there are. Of an ordered feature a part
of the capital is bet on one thing alone, that all of the distribution has moved up or down, by one
of a few steps: the reference's own Dirichlet law with its means tilted. Another part is bet on its
ends, where few values lie.

All functions work on rows of counts at once. Only counts are ever stored; every float here is
derived from them when it is read.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.sequential.beta_binomials import Floats, Ints, beta_binomial, rise
from monitor.sequential.e_values import log_add, log_mean

CONCENTRATIONS = (100.0, 400.0)
"""How many values' weight the bets give to the reference's shares: large changes, small ones."""

STAKES = (1.0, 0.7, 0.3, 0.15)
"""Share of the capital that is bet on a split, by its depth below the ordinary bins' root."""

SPECIAL_STAKE = 0.25
"""The same for the splits between ordinary and special bins."""

UNSEEN_STAKE = 0.5
"""The same for the split between known and unseen categories."""

STEPS = (0.08, 0.2, 0.5, 1.2)
"""Moves of an ordered feature that are bet on, up and down, in standard deviations about."""

LOGITS_PER_DEVIATION = 1.7
"""The logistic distribution with this scale is nearly the normal one (Haley 1952)."""

STEP_STAKE = 0.5
"""Share of the capital that is bet on them."""

TAIL_STAKE = 0.2
"""Share of the capital that is bet on the ends of an ordered feature."""

TAIL_CONCENTRATION = 10.0
"""How many values' weight these bets give to the reference's shares: what is rare changes by
factors."""


class Splits(NamedTuple):
    """A binary tree over bins in a row: split i parts [low, high) at middle, with its stake.

    `ordered` is 1 for each bin that has a place in an order, 0 for every other, (bins,).
    """

    low: npt.NDArray[np.intp]
    middle: npt.NDArray[np.intp]
    high: npt.NDArray[np.intp]
    stake: Floats
    ordered: Floats


def splits(weights: Floats, ordinary: int, *, ordered: bool) -> Splits:
    """The tree over `ordinary` bins and the special ones after them, halving `weights`.

    In an unordered feature the last ordinary bin, for the unseen, is split off first.

    >>> tree = splits(np.array([1.0, 9, 9, 1, 0.5, 0.5, 0.5]), 4, ordered=True)
    >>> [(int(low), int(middle), int(high)) for low, middle, high in zip(*tree[:3])]
    [(0, 4, 7), (4, 5, 7), (5, 6, 7), (0, 2, 4), (0, 1, 2), (2, 3, 4)]
    """
    size = len(weights)
    total = np.concatenate(([0.0], np.cumsum(weights)))
    found: list[tuple[int, int, int, float]] = [(0, ordinary, size, SPECIAL_STAKE)]
    found += [(place, place + 1, size, SPECIAL_STAKE) for place in range(ordinary, size - 1)]
    end = ordinary
    if not ordered and ordinary > 1:
        end = ordinary - 1
        found.append((0, end, ordinary, UNSEEN_STAKE))
    waiting = [(0, end, 0)]
    while waiting:
        low, high, depth = waiting.pop()
        if high - low > 1:
            half = (total[low] + total[high]) / 2
            middle = low + 1 + int(np.argmin(np.abs(total[low + 1 : high] - half)))
            found.append((low, middle, high, STAKES[min(depth, len(STAKES) - 1)]))
            waiting += [(middle, high, depth + 1), (low, middle, depth + 1)]
    columns = list(zip(*found, strict=True))
    low_, middle_, high_ = (np.array(column, dtype=np.intp) for column in columns[:3])
    places = np.where(np.arange(size) < ordinary, float(ordered), 0.0)
    return Splits(low_, middle_, high_, np.array(columns[3], dtype=np.float64), places)


def log_evidence(counts: Ints | Floats, weights: Floats, tree: Splits) -> Floats:
    """ln E for each row of `counts` (rows, bins) against Dirichlet `weights` of the same shape.

    The fields of `tree` are (splits,) and (bins,), or one such row for each row of `counts`.
    """
    counts = np.asarray(counts, dtype=np.float64)
    left, both = parts(counts, tree)
    null_left, null_both = parts(weights, tree)
    right, null_right = both - left, null_both - null_left
    null = beta_binomial(left, right, null_left, null_right)
    terms = [np.log1p(-np.minimum(tree.stake, 1 - 1e-12)) + np.zeros_like(null)]
    for concentration in CONCENTRATIONS:
        part = np.minimum(concentration / null_both, 0.25)
        bet = beta_binomial(left, right, _bet(null_left, part), _bet(null_right, part))
        terms.append(np.log(tree.stake / len(CONCENTRATIONS)) + bet - null)
    gains = np.where(both > 0, log_add(terms), 0.0).sum(axis=-1)
    if not tree.ordered.any():
        return np.asarray(gains, dtype=np.float64)
    moved = _log_moved(counts, weights, tree.ordered)
    tails = _log_tails(counts, weights, tree.ordered)
    mixed = log_add([
        math.log(1 - STEP_STAKE - TAIL_STAKE) + gains, math.log(STEP_STAKE) + moved,
        math.log(TAIL_STAKE) + tails,
    ])  # fmt: skip
    return np.asarray(np.where(tree.ordered.any(axis=-1), mixed, gains), dtype=np.float64)


def log_likelihood(counts: Ints, weights: Floats, tree: Splits) -> Floats:
    """ln of the probability of each row of `counts` (any order of arrival) under its `weights`."""
    left, both = parts(np.asarray(counts, dtype=np.float64), tree)
    a, total = parts(weights, tree)
    terms = beta_binomial(left, both - left, a, total - a)
    return np.asarray(terms.sum(axis=-1), dtype=np.float64)


def _log_moved(counts: Floats, weights: Floats, ordered: Floats) -> Floats:
    """ln E of the bets that an ordered feature has moved, for each row.

    Each bet has the weights of the null, as many in all, tilted by e^(step x score) over the bins
    that have an order.
    """
    inside = weights * ordered
    total = np.maximum(inside.sum(axis=-1, keepdims=True), 1e-9)
    steps = np.array((*STEPS, *(-step for step in STEPS)))[:, None, None]
    tilted = inside * np.exp(steps * scores(weights, ordered))
    tilted *= total / np.maximum(tilted.sum(axis=-1, keepdims=True), 1e-9)
    tilted = np.where(ordered > 0, tilted, weights)
    bets = (rise(tilted, counts) - rise(weights, counts)).sum(axis=-1)
    return log_add(bets) - math.log(len(bets))


def _log_tails(counts: Floats, weights: Floats, ordered: Floats) -> Floats:
    """ln E of the bets that another share comes to an end of an ordered feature, for each row: to
    its outermost bin, or to the two outermost.

    In the tree the splits of the tails lie deep, where stakes are small; what little comes there
    may be most of the money.
    """
    last = int(ordered.sum(axis=-1).max()) - 1
    seen, null = (np.cumsum(one * ordered, axis=-1) for one in (counts, weights))
    places = [0, 1, last - 1, last - 2] if last > 2 else [0, max(last - 1, 0)]
    below, null_below = seen[..., places], null[..., places]
    above, null_above = seen[..., [last]] - below, null[..., [last]] - null_below
    null_below, null_above = np.maximum(null_below, 0.5), np.maximum(null_above, 0.5)
    part = np.minimum(TAIL_CONCENTRATION / (null_below + null_above), 0.25)
    bets = beta_binomial(below, above, _bet(null_below, part), _bet(null_above, part))
    gains = bets - beta_binomial(below, above, null_below, null_above)
    return np.asarray(log_mean(gains, np.full(len(places), 1 / len(places))))


def scores(weights: Floats, ordered: Floats) -> Floats:
    """How far out in the distribution each ordered bin lies, in standard deviations about."""
    inside = weights * ordered
    total = np.maximum(inside.sum(axis=-1, keepdims=True), 1e-9)
    below = np.clip((np.cumsum(inside, axis=-1) - inside / 2) / total, 1e-9, 1 - 1e-9)
    return np.asarray(ordered * np.log(below / (1 - below)) / LOGITS_PER_DEVIATION)


def parts(values: Floats, tree: Splits) -> tuple[Floats, Floats]:
    """What falls left of each split, and into it at all."""
    zero = np.zeros((*values.shape[:-1], 1))
    total = np.concatenate((zero, np.cumsum(values, axis=-1)), axis=-1)
    if tree.low.ndim == 1:
        low, middle, high = total[..., tree.low], total[..., tree.middle], total[..., tree.high]
    else:
        low, middle, high = (
            np.take_along_axis(total, places, axis=-1)
            for places in (tree.low, tree.middle, tree.high)
        )
    return middle - low, high - low


def _bet(null: Floats, part: Floats) -> Floats:
    """Weights of a bet. A bin that was hardly ever hit is bet on to be hit more, never less:
    that it stays empty, as it does in a constant, says nothing."""
    return np.maximum(null * part, np.minimum(null, 1.0))
