"""Outcomes whose probabilities were said beforehand → evidence that these were wrong.

The hypothesis: given all that came before, an outcome is 1 with the probability p that was known
when it was asked for. That is calibration (p is the score), coverage (p is the share that a
prediction set may miss), and the allocation of an experiment (p are the arms' shares).

A bet that the odds are e^a times what p says multiplies the capital by e^(ay) / (1 + p(e^a - 1))
with each outcome y, which has mean 1. All that is kept of the outcomes of a cell are n, how many
came, y, how many were 1, and Σp, as integers: with the mean of p for each p the product becomes
e^(ay) / (1 + p̄(e^a - 1))^n, which is never larger (Jensen; docs/sequential-tests.md). So what is
read is an e-process in whatever order outcomes are counted, cells of shards add up, and the
evidence since some moment is that of a difference of counts. Logarithms are natural.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from monitor.sequential.beta_binomials import Floats, Ints, beta_binomial, rise
from monitor.sequential.e_values import log_mean

UNIT = 1 << 30
"""Units in a probability of 1: sums of probabilities are integers, and exact."""

SHIFTS = (0.1, 0.3, 0.8, -0.1, -0.3, -0.8)
"""Bets that all odds are off by the same factor, in logits."""

STRETCHES = (-0.4, -0.2, 0.25, 0.67)
"""Bets that logits are to be multiplied by one more than that: a temperature of 1.7 to 0.6."""

SINGLE = (0.3, 0.8, -0.3, -0.8)
"""Bets on a single cell, in logits."""

GLOBAL_SHARE = 0.6
"""Part of the capital that is bet on all cells at once; the rest is on single ones."""

CELL_STAKE = 0.1
"""Part of its capital that each cell bets."""

STEPS = (0.2, 0.5, 1.0)
"""Bets on a rate, up and down, in logits."""

TILTS = {0.3: 0.2, 0.5: 0.6, 0.8: 0.2}
"""Bets on a rate that is known from a sample, up and down, in logits, and the part of the capital
on each. Most is on .5, which turns misses of .10 into some of .15: what is larger is found soon by
any bet, and what is smaller can hardly be told from what a sample of some hundred promises."""

CONCENTRATIONS = (120.0, 600.0, 3_000.0)
"""How many outcomes' weight the bets give to known shares: large changes of them, small ones."""


def units(probability: float) -> int:
    """Return a probability, 0 to 1, in whole `UNIT`s.

    >>> units(0.5) == UNIT // 2
    True
    """
    return round(probability * UNIT)


def log_evidence(
    counts: Ints, ones: Ints, sums: Ints, middles: Floats, tolerance: float = 0.0
) -> Floats:
    """ln E for each row of cells (rows, cells) against `every probability is right`.

    Of each cell there are `counts` outcomes, `ones` among them, and `sums` of their probabilities
    in `UNIT`s. A cell must be chosen by what is known before the outcome, such as its probability;
    `middles` (cells,) are probabilities that stand for the cells, fixed beforehand. With a
    `tolerance` the hypothesis is that each probability is off by so much at most.

    >>> fair, off = np.array([[2000]]), np.array([[2400]])
    >>> sums, middle = np.array([[4000 * UNIT // 2]]), np.array([0.5])
    >>> bool(log_evidence(2 * fair, fair, sums, middle)[0] < 0)
    True
    >>> bool(log_evidence(2 * fair, off, sums, middle)[0] > 50)
    True
    >>> bool(log_evidence(2 * fair, off, sums, middle, 0.1)[0] < 1)
    True
    """
    inner = np.clip(middles, 1e-6, 1 - 1e-6)
    logits = np.log(inner / (1 - inner))
    moves = np.concatenate(
        (
            np.broadcast_to(np.array(SHIFTS)[:, None], (len(SHIFTS), len(middles))),
            np.array(STRETCHES)[:, None] * logits,
        )
    )
    means = _bounds(counts, sums, tolerance)
    everywhere = _gains(counts, ones, means, moves).sum(axis=-1)
    whole = log_mean(everywhere, np.full(len(moves), 1 / len(moves)))
    singles = np.broadcast_to(np.array(SINGLE)[:, None], (len(SINGLE), len(middles)))
    gains = np.moveaxis(_gains(counts, ones, means, singles), 1, -1)
    mixed = log_mean(gains, np.full(len(SINGLE), 1 / len(SINGLE)))
    cells = np.logaddexp(math.log(1 - CELL_STAKE), math.log(CELL_STAKE) + mixed).sum(axis=-1)
    parts = np.array([GLOBAL_SHARE, 1 - GLOBAL_SHARE])
    return log_mean(np.stack((whole, cells), axis=-1), parts)


def log_evidence_of_rate(
    counts: Ints, ones: Ints, probability: float, tolerance: float = 0.0, *, more: float = 0.5
) -> Floats:
    """ln E for each of `counts` (rows,) outcomes with `ones` against one known probability.

    With a `tolerance` the hypothesis is that it is off by so much at most. The part `more` of the
    capital is bet on more ones than that, the rest on fewer.
    """
    sums = counts.astype(np.int64)[:, None] * units(probability)
    moves, stakes = _both_ways(dict.fromkeys(STEPS, 1 / len(STEPS)), more)
    means = _bounds(counts[:, None], sums, tolerance)
    gains = _gains(counts[:, None], ones[:, None], means, moves[:, None])[..., 0]
    return log_mean(gains, stakes)


def log_evidence_of_sampled_rate(
    counts: Ints,
    ones: Ints,
    before: tuple[Ints, Ints],
    probability: float,
    sample: int,
    *,
    more: float = 0.5,
) -> Floats:
    """ln E for each of `counts` (rows,) misses and hits against what conformal prediction promises.

    A threshold from `sample` calibration scores misses with a probability that is itself drawn from
    Beta(l, sample + 1 - l), l = ⌊`probability` (sample + 1)⌋, exactly so for continuous scores
    (Vovk 2012); ones are misses. `before` are outcomes, and ones among them, that came before:
    from these more is known of it. The evidence is fair on average over calibration samples. The
    part `more` of the capital is bet on more ones, the rest on fewer.

    Raises ValueError where l is 0: from so few scores no finite threshold follows.
    """
    low = math.floor(probability * (sample + 1) + 1e-9)
    if low < 1:
        raise ValueError(
            f"{sample} calibration scores cannot promise {1 - probability:g}; "
            f"at least {math.ceil(1 / probability) - 1} can"
        )
    yes, no = ones.astype(np.float64)[:, None], (counts - ones).astype(np.float64)[:, None]
    a = low + before[1].astype(np.float64)[:, None]
    size = sample + 1 + before[0].astype(np.float64)[:, None]
    moves, stakes = _both_ways(TILTS, more)
    odds = a / (size - a) * np.exp(moves)
    tilted = odds / (1 + odds)
    null = beta_binomial(yes, no, a, size - a)
    bets = beta_binomial(yes, no, size * tilted, size * (1 - tilted)) - null
    return log_mean(bets, stakes)


def log_evidence_of_shares(counts: Sequence[int], shares: Sequence[float]) -> float:
    """ln E of `counts` in arms against known `shares`, which add up to 1: sample ratio mismatch.

    Lindon and Malek (NeurIPS 2022): a Dirichlet-multinomial around the shares against them, in the
    mean over `CONCENTRATIONS`. Where the shares change, add up the logarithms of each period.

    >>> round(log_evidence_of_shares([4072, 2035], [0.8, 0.2]))
    289
    >>> log_evidence_of_shares([4900, 1210], [0.8, 0.2]) < 0
    True
    """
    came, known = np.array(counts, dtype=np.float64), np.array(shares, dtype=np.float64)
    null = float((came * np.log(known)).sum())
    weights = np.array(CONCENTRATIONS)[:, None]
    total = np.array([came.sum()])
    bets = rise(weights * known, came).sum(axis=-1) - rise(weights, total)[:, 0]
    return float(log_mean(bets - null, np.full(len(weights), 1 / len(weights))))


def _both_ways(moves: Mapping[float, float], more: float) -> tuple[Floats, Floats]:
    """Moves up and down, and the capital on each: of `moves` their parts, `more` of it up."""
    up, parts = np.array(list(moves)), np.array(list(moves.values()))
    return np.concatenate((up, -up)), np.concatenate((more * parts, (1 - more) * parts))


def _bounds(counts: Ints, sums: Ints, tolerance: float) -> tuple[Floats, Floats]:
    """The largest and the smallest that the mean probability of a cell may be.

    Each probability was rounded, so the sum may be off by a unit for each.
    """
    n = np.maximum(counts, 1).astype(np.float64)
    high = np.minimum((sums + counts) / (n * UNIT) + tolerance, 1.0)
    return high, np.maximum((sums - counts) / (n * UNIT) - tolerance, 0.0)


def _gains(counts: Ints, ones: Ints, means: tuple[Floats, Floats], moves: Floats) -> Floats:
    """ln E of each bet in each cell, (rows, bets, cells)."""
    high, low = (mean[:, None, :] for mean in means)
    mean = np.where(moves > 0, high, low)
    return np.asarray(
        moves * ones[:, None, :] - counts[:, None, :] * np.log1p(mean * np.expm1(moves))
    )
