"""A row's truth → by each measure how bad it was, from 0 to 1 as an integer.

A class or a text is wrong or it is not. What is a number (how far a prediction was off, seconds,
money) is bad where it is beyond a bar, which the first rows set: so an average of a few extremes
never makes a slice, and every measure is a share.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import msgspec

from monitor.analysis.classes import claim
from monitor.analysis.quality.answers import overlap, read
from monitor.rows import Row, Truth

SliceMeasure = Literal["error", "calibration", "latency", "cost", "checks"]
"""`error`: a prediction was wrong, or off by more than most. `calibration`: how much surer the
model was than right. `latency`, `cost`: took or cost more than most. `checks`: an output check
failed."""

MEASURES: tuple[SliceMeasure, ...] = get_args(SliceMeasure)

AT_ONCE: tuple[SliceMeasure, ...] = ("latency", "cost", "checks")
"""Those of which all is known when an exchange has ended, and nobody has to say anything."""

ONE = 1 << 16
"""As bad as can be."""

ALIKE = 0.5
"""A text that shares fewer of its words with the truth (F1) is wrong."""

SHARE = 0.9
"""So many of the first rows are below a bar."""

MOST = 0.25
"""No more of the first rows than these are bad."""

LEAST = 200
"""Numbers that set a bar, at least."""

STEPS = 8
"""Bars are at powers of two, in so many steps from one to the next."""

LOWEST = -8192
"""The step of 0, and of what is next to it."""

LEAST_NUMBER = 2.0**-1000
"""What is not above it counts as 0."""


class Bars(msgspec.Struct, array_like=True):
    """What of `error`, `latency` and `cost` is bad: numbers from `known` on. `first` is how often
    each step of the first numbers came, until there are enough."""

    known: dict[str, float] = {}
    first: dict[str, dict[int, int]] = {}

    def bad(self, measure: str, number: float) -> int | None:
        """How bad a number is; None while there is no bar, which it helps to set."""
        bar = self.known.get(measure)
        if bar is not None:
            return ONE if number >= bar else 0
        counts = self.first.setdefault(measure, {})
        step = _step(number)
        counts[step] = counts.get(step, 0) + 1
        return None

    def set(self) -> None:
        """Set the bars for which there are enough numbers."""
        for measure, counts in list(self.first.items()):
            total = sum(counts.values())
            if total < LEAST:
                continue
            below = 0
            for step in sorted(counts):
                above = total - below
                below += counts[step]
                if below >= SHARE * total:
                    # Many equal numbers are all bad, or none of them.
                    self.known[measure] = 2.0 ** ((step + (above > MOST * total)) / STEPS)
                    break
            del self.first[measure]

    def merge(self, other: Bars) -> None:
        """Add what was counted elsewhere before a bar was set."""
        for measure, counts in other.first.items():
            ours = self.first.setdefault(measure, {})
            for step, count in counts.items():
                ours[step] = ours.get(step, 0) + count


def losses(row: Row, positive: str, wanted: frozenset[str], bars: Bars) -> list[tuple[int, int]]:
    """(number of the measure, how bad in 1 / `ONE`) of the `wanted` measures that say something of
    a row; `positive` is the class that a score is the probability of."""
    truth = row.truth
    if truth is None:
        return []
    found = []
    for number, measure in enumerate(MEASURES):
        if measure in wanted:
            bad = _OF[measure](row, truth, positive, bars)
            if bad is not None:
                found.append((number, bad))
    return found


def _error(_: Row, truth: Truth, positive: str, bars: Bars) -> int | None:
    if truth.weight != 1:  # reviewers read a sample of another mix
        return None
    answer = read(truth, positive)[0]
    if answer is None:
        return None
    if isinstance(answer.said, float) and isinstance(answer.true, float):
        if answer.said.is_integer() and answer.true.is_integer() and _is_class(truth):
            return 0 if answer.said == answer.true else ONE
        return bars.bad("error", abs(answer.said - answer.true))
    if answer.is_text:
        return 0 if overlap(str(answer.said), str(answer.true)) >= ALIKE else ONE
    return 0 if answer.said == answer.true else ONE


def _is_class(truth: Truth) -> bool:
    """Whether a whole number is the name of a class: it has a score, or was written as text."""
    return truth.score is not None or isinstance(truth.prediction, str)


def _calibration(_: Row, truth: Truth, positive: str, bars: Bars) -> int | None:
    claimed = claim(truth, positive)
    if claimed is None:
        return None
    score, came_true = claimed
    if score < 0.5 and not isinstance(truth.score, dict):  # of two classes the other was claimed
        score, came_true = 1 - score, not came_true
    return round((1 + score - came_true) / 2 * ONE)


def _latency(row: Row, truth: Truth, positive: str, bars: Bars) -> int | None:
    if truth.duration is None or not row.accepted:
        return None
    return bars.bad("latency", truth.duration)


def _cost(row: Row, truth: Truth, positive: str, bars: Bars) -> int | None:
    return None if truth.cost is None else bars.bad("cost", truth.cost)


def _checks(row: Row, truth: Truth, positive: str, bars: Bars) -> int | None:
    return None if truth.passed is None else (0 if truth.passed else ONE)


_OF = {
    "error": _error,
    "calibration": _calibration,
    "latency": _latency,
    "cost": _cost,
    "checks": _checks,
}


def _step(number: float) -> int:
    """The step of a number; those of larger ones are larger.

    >>> _step(1.0), _step(2.0), _step(0.0), _step(float("nan"))
    (0, 8, -8192, -8192)
    """
    if not number > LEAST_NUMBER:
        return LOWEST
    return math.floor(math.log2(min(number, 2.0**1000)) * STEPS)
