"""Slices that were searched for in the past → evidence on what comes, and the budget of all bets.

A slice that looked bad is *tried*: from then on each pane multiplies its capital by a factor that
is fair while the slice is no worse than the rest by more than is tolerated (`sequential.two_arms`).
The k-th slice that is ever tried has the part `weight(k)` of the error budget, and these parts add
up to 1. So the probability that any slice is ever named for nothing is at most the budget, however
many slices were searched and however often somebody looks (docs/slices.md has the proof).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.analysis.slices.losses import ONE, SliceMeasure
from monitor.analysis.slices.search import Slice
from monitor.sequential import two_arms
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.two_arms import Bet, Comparison, Null

FIRST = 8
"""The first so many slices that are tried have a large part of the budget each."""

EFFECTS = (0.05, 0.1, 0.2)
ODDS = (0.5, 1.0)
"""What is bet on: how much worse a slice is beyond what is tolerated, in rates and in logits."""

RETURNED = math.log(20)
"""A slice that was believed is as good as the rest again once its evidence has fallen by so much
from where it was highest."""

HOPELESS = math.log(400)
"""The same of one that is not believed, which is given up then. Chance alone takes that of a slice
that is worse down by a twentieth before it rises; and were it tried again, its part of the budget
would be smaller."""

TRIED = 32
"""Slices of a measure that are tried at a time."""

AUTOCORRELATION = 20
"""So many durations count as one: what is slow is slow for a while, wherever it comes from."""

EXAMPLES = 3

HALVES = ("calibration",)
"""Measures whose gap is twice that of what is counted, which is from 0 to 1."""


def weight(number: int) -> float:
    """The part of the budget of the slice that is tried as number 1, 2, 3 …; all add up to 1.

    >>> weight(1), round(sum(weight(k) for k in range(1, 100_000)), 3)
    (0.1111111111111111, 1.0)
    """
    return FIRST / ((FIRST + number - 1) * (FIRST + number))


class Question(NamedTuple):
    """What is asked of every slice by a measure."""

    measure: SliceMeasure
    asked: Comparison


def question_of(measure: SliceMeasure, tolerance: float) -> Question:
    """The question `is the rest at least as bad as the slice, less what is tolerated`."""
    scale = 0.5 if measure in HALVES else 1.0
    stake = 1 / (len(EFFECTS) + len(ODDS))
    bets = [Bet("difference", -size * scale, stake) for size in EFFECTS]
    bets += [Bet("logit", -size * scale, stake) for size in ODDS]
    return Question(measure, Comparison(Null(offset=-tolerance * scale), tuple(bets)))


class Trial(msgspec.Struct, array_like=True):
    """A slice that is tried by one measure.

    `number` is when it came among those of its measure, `since` in Unix seconds. `known` is what
    had been seen of it before, `counts` what has come since: rows, how bad they were, and the same
    of all rows. `logs` are the logarithms of its bets in `two_arms.UNIT`s, `best` is where the
    evidence was highest. `found` is when it was believed.
    """

    codes: Slice
    number: int
    since: float
    known: list[int]
    counts: list[int]
    logs: list[int]
    best: float = 0.0
    found: float | None = None
    examples: list[str] = []

    @property
    def is_alarm(self) -> bool:
        """Whether it is believed to be worse."""
        return self.found is not None


class BadShare(NamedTuple):
    """Rows, and how bad they were on average."""

    rows: int
    share: float


def log_evidence(trial: Trial, question: Question) -> float:
    """ln E against `the slice is no worse than the rest by more than is tolerated`."""
    return two_arms.log_evidence(np.array([trial.logs], dtype=np.int64), question.asked, 1)


def settle(
    trials: list[Trial], panes: Ints, question: Question, alpha: float, end: float
) -> list[Trial]:
    """Close a pane of which the slices had (trials, 4) counts: bets are settled, alarms begin and
    end. Returns the slices that are given up; `alpha` is the budget of this measure."""
    if not trials:
        return []
    before = np.array([np.add(one.known, one.counts) for one in trials], dtype=np.int64)
    won = two_arms.factors(_arms(panes), _arms(before), question.asked)
    if question.measure == "latency":
        won = won // AUTOCORRELATION
    given_up = []
    for trial, pane, log in zip(trials, panes.tolist(), won.tolist(), strict=True):
        trial.counts = [one + other for one, other in zip(trial.counts, pane, strict=True)]
        trial.logs = [one + other for one, other in zip(trial.logs, log, strict=True)]
        evidence = log_evidence(trial, question)
        trial.best = max(trial.best, evidence)
        if trial.found is None and evidence >= -math.log(alpha * weight(trial.number)):
            trial.found = end
        if trial.best - evidence >= (RETURNED if trial.is_alarm else HOPELESS):
            given_up.append(trial)
    return given_up


def sides(counts: list[int]) -> tuple[BadShare, BadShare]:
    """(the slice, the rest) of counts as in `Trial`."""
    n, bad, total, all_bad = counts
    rest = total - n
    return (
        BadShare(n, bad / ONE / n if n else 0.0),
        BadShare(rest, (all_bad - bad) / ONE / rest if rest else 0.0),
    )


def _arms(counts: Ints) -> Floats:
    """(slices, rows and badness of slice and of all) → (slices, the rest and the slice)."""
    n, bad, total, all_bad = counts.T.astype(np.float64)
    return np.stack((total - n, (all_bad - bad) / ONE, n, bad / ONE), axis=1)
