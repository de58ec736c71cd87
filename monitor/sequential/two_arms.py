"""Two arms' counts, pane by pane → evidence against `the arms are equal`, or `no worse than this`.

The hypothesis is a convex set of pairs (rate of A, rate of B): a `Null`. In each pane and stratum
every bet is a guess of the pair, made of what earlier panes had and moved apart by a fixed amount.
It is held against the guess's projection on the hypothesis, the pair in it that explains so many
outcomes of each arm best. The factor has mean 1 at most whatever pair of the hypothesis is true,
also if it is another one in each pane and stratum (docs/sequential-tests.md; it extends Turner and
Grünwald, AISTATS 2023, whose case is `Null(line=True)`). So ramps and seasons cost nothing, and
strata are not pooled: half of the capital is bet on all strata together, half on single ones.

How to use it: a `Comparison` says what is asked. As a pane is closed, add `factors(pane, before,
comparison)` to the integers kept for each stratum and bet, then add the pane to `before`. Read
`log_evidence` of the sums whenever you like. Shards add up panes before they are closed.

    A guardrail, "B's error rate is at most 0.01 above A's" (A is the control):
        harm = margin(0.01)                            # evidence against "no worse"
        safe = margin(-0.01), with the arms exchanged  # evidence against "worse"
    Four fifths, "the group is selected at least 0.8 times as often as the rest":
        ratio(0.8), A the group and B the rest
    A decision metric: equal(effect=0.01)

A unit (a user, or an exchange) counts once, in one arm and one pane. Logarithms are natural.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.e_values import log_mean

UNIT = 1 << 20
"""Units in one natural logarithm: what is kept of a bet is an integer, rounded down."""

LOGITS = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
"""Bets that know nothing of the effect, in logits between the arms beyond the border."""

DECLARED = (0.7, 1.4)
"""Bets on a declared effect, in multiples of it."""

DECLARED_SHARE = 0.8
"""Part of the capital on the bets on a declared effect."""

RATIOS = (0.875, 0.75, 0.5, 0.25)
"""Bets against a ratio of the rates, in multiples of it."""

NEAREST = 0.1
"""No guess is nearer to 0 or 1 than so many times the rate of both arms."""

EDGE = 1e-12
"""Projections are looked for so far from the ends of the border, where a rate would be 0 or 1."""

STEPS = 60
CLOSE = 1e-8
"""A projection is found with a step no longer than that beside what is left of a rate to 0 and to 1
(the next one would be about the square of it, below rounding); or after `STEPS`."""

Pair = tuple[Floats, Floats]
"""What there is of A and of B, each (strata, bets) or (strata, 1)."""

Both = Floats
"""A pair in one array, (2, strata, bets) or (2, strata, 1): arrays are so short that what counts is
how many there are."""


@dataclass(frozen=True)
class Null:
    """The pairs with θ_A ≥ `slope` x θ_B + `offset`; with `line` those with equality alone."""

    slope: float = 1.0
    offset: float = 0.0
    line: bool = False


class Bet(NamedTuple):
    """A guess: how far apart the rates are beyond the border of the null, and the capital on it.

    By `scale`, A minus B in rates (`difference`) or in logits (`logit`), or θ_A / θ_B (`ratio`).
    """

    scale: Literal["difference", "logit", "ratio"]
    size: float
    stake: float


@dataclass(frozen=True)
class Comparison:
    """A hypothesis, and the bets against it, whose stakes add up to 1."""

    null: Null
    bets: tuple[Bet, ...]

    @cached_property
    def stakes(self) -> Floats:
        """The part of the capital on each bet, (bets,)."""
        return np.array([bet.stake for bet in self.bets])

    @cached_property
    def scales(self) -> tuple[tuple[str, Floats], ...]:
        """The bets in a row that are on one scale, and their sizes, (bets of it,)."""
        return tuple(
            (scale, np.array([bet.size for bet in bets]))
            for scale, bets in itertools.groupby(self.bets, key=lambda bet: bet.scale)
        )


def equal(effect: float | None = None, *, side: int = 0) -> Comparison:
    """Ask whether the rates are equal; `effect` is the difference of rates that matters.

    A `side` of 1 bets only that A's is larger, -1 only that it is smaller: then it is evidence
    against `not larger` and `not smaller`.
    """
    # What lies beyond a half-plane has the same projection on it as on its border.
    return difference(0.0, effect, sides=(side,) if side else (1, -1))


def difference(
    value: float, effect: float | None = None, *, sides: Sequence[int] = (1, -1)
) -> Comparison:
    """Ask whether A's rate minus B's is `value`; see `equal`."""
    return Comparison(Null(offset=value, line=True), _bets(effect, sides))


def margin(value: float, effect: float | None = None) -> Comparison:
    """Ask whether A's rate is at least B's minus `value`, which may be negative.

    `effect` is how far beyond it matters; the size of `value` itself by default.
    """
    return Comparison(Null(offset=-value), _bets(effect or abs(value) or None, (-1,)))


def ratio(value: float) -> Comparison:
    """Ask whether A's rate is at least `value` times B's: four fifths is `ratio(0.8)`."""
    bets = tuple(Bet("ratio", value * size, 1 / len(RATIOS)) for size in RATIOS)
    return Comparison(Null(slope=value), bets)


def factors(
    pane: Ints | Floats,
    before: Ints | Floats,
    comparison: Comparison,
    offsets: Floats | None = None,
) -> Ints:
    """The factors of a pane as logarithms in `UNIT`s, (strata, bets), to be added up over panes.

    `pane` and `before`, what was counted in earlier panes, have a row for each stratum: outcomes of
    A, those of them that are 1, outcomes of B, those that are 1, (strata, 4). A stratum without
    earlier outcomes, or with an arm in which nobody is, has factors of 1: keep first panes small.
    With `offsets` (strata,) each row has its own in place of the null's. An outcome may also be a
    number from 0 to 1: a factor is convex in it, so that with the mean as the rate it is worth no
    more.
    """
    counts, seen = np.asarray(pane, dtype=np.float64), np.asarray(before, dtype=np.float64)
    known = seen[:, 0] + seen[:, 2]
    live = (counts[:, 0] > 0) & (counts[:, 2] > 0) & (known > 0)
    found: Ints = np.zeros((len(counts), len(comparison.bets)), dtype=np.int64)
    if not live.any():
        return found
    columns = counts[live].T[:, :, None]
    sizes, ones = columns[::2], columns[1::2]
    pooled = ((seen[live, 1] + seen[live, 3])[:, None] + 0.5) / (known[live][:, None] + 1)
    null = comparison.null
    border = _border(
        null.slope, np.array([[null.offset]]) if offsets is None else offsets[live, None]
    )
    guess = _guesses(pooled, sizes, border, comparison)
    q, slack = _projection(guess, sizes, border, line=null.line)
    won, lost = ones * np.log(guess / q), (sizes - ones) * np.log((1 - guess) / (1 - q))
    logs = won[0] + lost[0] + (won[1] + lost[1]) - slack
    found[live] = np.floor(_within(logs, -1e9, 1e9) * UNIT).astype(np.int64)
    return found


def log_evidence(logs: Ints, comparison: Comparison, places: int | None = None) -> float:
    """ln E of sums of `factors`, (strata, bets).

    `places` is how many strata there may ever be, fixed beforehand; by default those there are.
    Half of the capital is on the product over strata, half on the mean of single ones, of which
    those that have not come are 1.
    """
    return float(log_evidences(np.asarray(logs)[None], comparison, places)[0])


def log_evidences(logs: Ints, comparison: Comparison, places: int | None = None) -> Floats:
    """`log_evidence` of many sums, (rows, strata, bets)."""
    values = np.asarray(logs, dtype=np.float64) / UNIT
    together = log_mean(values.sum(axis=1), comparison.stakes)
    each = log_mean(values, comparison.stakes)
    size = max(places or 0, each.shape[1])
    waiting = math.log(size - each.shape[1]) if size > each.shape[1] else -math.inf
    all_ = np.append(each, np.full((len(each), 1), waiting), axis=1)
    single = np.logaddexp.reduce(all_, axis=1) - math.log(size)
    return np.asarray(np.logaddexp(together, single) - math.log(2))


def _bets(effect: float | None, sides: Sequence[int]) -> tuple[Bet, ...]:
    rest = 1.0 if effect is None else 1 - DECLARED_SHARE
    bets = [
        Bet("difference", side * size * effect, DECLARED_SHARE / len(DECLARED) / len(sides))
        for side in sides
        for size in DECLARED
        if effect is not None
    ]
    bets += [
        Bet("logit", side * size, rest / len(LOGITS) / len(sides))
        for side in sides
        for size in LOGITS
    ]
    return tuple(bets)


class _Border(NamedTuple):
    """The line (θ_A, θ_B) = `slopes` x θ_B + `offsets`, (2, 1, 1) and (2, strata, 1): what it says
    of B is that θ_B is θ_B. The offset may be another one in each stratum."""

    slopes: Both
    offsets: Both


def _border(slope: float, offset: Floats) -> _Border:
    return _Border(np.array([[[slope]], [[1.0]]]), np.stack((offset, np.zeros_like(offset))))


def _guesses(pooled: Floats, sizes: Both, border: _Border, comparison: Comparison) -> Both:
    """The rates of A and B that each bet guesses, (2, strata, bets).

    Weighed by how many there are in each arm, their mean is `pooled` (strata, 1): only what lies
    between the arms is bet on.
    """
    part = sizes[0] / (sizes[0] + sizes[1])
    rest = 1 - part
    apart = np.stack((rest, -part))
    low, high = NEAREST * pooled, 1 - NEAREST * (1 - pooled)
    base = _within(pooled + apart * border.offsets[0], low, high)
    guesses: list[Both] = []
    for scale, size in comparison.scales:
        if scale == "ratio":
            b = pooled / (part * size + rest)
            guesses.append(np.stack((size * b, b)))
        elif scale == "difference":
            guesses.append(base + apart * size)
        else:
            guesses.append(_moved(base, apart * size))
    return _within(np.concatenate(guesses, axis=2), low, high)


@np.errstate(divide="ignore")  # a step that is infinite is none
def _projection(guess: Both, sizes: Both, border: _Border, *, line: bool) -> tuple[Both, Floats]:
    """(q_A, q_B) and slack: argmin n_A kl(guess_A ‖ q_A) + n_B kl(guess_B ‖ q_B) over the null.

    The `sizes` n_A and n_B are above 0. `slack` is what the minimum may miss: a factor whose
    logarithm is less by so much has a mean of 1 at most all the same. A guess inside is its own
    projection.

    It is found by Newton's method on the derivative times the distances to both ends of the border:
    at an end the derivative has a pole, near which it would take up to five times as many steps.
    """
    slopes, offsets, sizes = (one + np.zeros_like(guess) for one in (*border, sizes))
    slope, offset = slopes[0], offsets[0]
    first, last = np.maximum(0.0, -offset / slope), np.minimum(1.0, (1 - offset) / slope)
    room = EDGE * (last - first)
    low, high = first + room, last - room
    mapped = sizes * _within((guess - offsets) / slopes, low, high)
    q_b = (mapped[0] + mapped[1]) / (sizes[0] + sizes[1])
    # What is found stays as it is: it does not depend on what else is looked for.
    moving = np.ones_like(q_b, dtype=bool)
    for _ in range(STEPS):
        q = slopes * q_b + offsets
        rest = 1 - q
        # The derivative of f = (q - θ) / (q (1 - q)) is (1 - f (1 - 2 q)) / (q (1 - q)).
        whole = slopes / (q * rest)
        rises = (q - guess) * whole
        bends = (slopes - rises * (rest - q)) * whole
        rises *= sizes
        bends *= sizes
        rising = rises[0] + rises[1]
        step = rising / (bends[0] + bends[1] + rising * (1 / (q_b - first) - 1 / (last - q_b)))
        right = rising > 0
        high = np.minimum(high, q_b + ~right)  # no rate is above 1
        low = np.maximum(low, q_b - right)
        after = q_b - step
        within = (after >= low) & (after <= high)
        if not within.all():
            after = np.where(within, after, (low + high) / 2)
        q_b = np.where(moving, after, q_b)
        moving &= np.abs(step) * (whole[0] + whole[1]) > CLOSE
        if not moving.any():
            break
    q = slopes * q_b + offsets
    rises = sizes * ((q - guess) * (slopes / (q * (1 - q))))
    slack = np.abs(rises[0] + rises[1])
    if line:
        return q, slack
    inside = guess[0] >= slope * guess[1] + offset
    return np.where(inside, guess, q), np.where(inside, 0.0, slack)


def _moved(rates: Both, logits: Both) -> Both:
    return np.asarray(1 / (1 + (1 - rates) / rates * np.exp(-logits)))


def _within(values: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """`np.clip`, which takes three times as long on short arrays."""
    return np.asarray(np.minimum(np.maximum(values, low), high))
