"""Scores and predictions → how well a classifier does, without labels: confidence-based estimation.

A calibrated score is the probability that the truth is positive, so every record is expected to be
a little of a hit and a little of a miss, and the expected confusion matrix is the sum (CBPE,
NannyML 2022; Guillory et al. 2021 for the mean confidence). It holds while the relation of scores
to truth does: it sees what a shift of the inputs does, not a change of the concept.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from monitor.analysis.drift.performance_intervals import Steps, intervals
from monitor.findings import Estimate, Performance
from monitor.rows import Row
from monitor.tables.blocks import Block

BINS = 50


class Calibration(msgspec.Struct, frozen=True):
    """A rising step function from scores to probabilities: `rates[i]` from `edges[i]` on, learned
    from `counts[i]` labels."""

    edges: list[float]
    rates: list[float]
    counts: list[int]

    def __call__(self, score: float) -> float:
        return self.rates[self.step(score)]

    def step(self, score: float) -> int:
        """The number of the step of a score."""
        return max(bisect_right(self.edges, score) - 1, 0)

    def intervals(self, rows: Mapping[tuple[int, bool], int]) -> dict[str, tuple[float, float]]:
        """The 95 % intervals of what is to be expected, by measure, of so many `rows` by (step,
        whether a positive was predicted)."""
        said, unsaid = (
            np.array([rows.get((step, is_said), 0) for step in range(len(self.rates))], dtype=float)
            for is_said in (True, False)
        )
        return intervals(Steps(np.array(self.counts, float), np.array(self.rates), said, unsaid))


def calibrate(scores: Sequence[float], truths: Sequence[bool], bins: int = BINS) -> Calibration:
    """Isotonic regression of the truth on the score, over at most `bins` equally filled bins.

    Pool adjacent violators (Ayer et al. 1955): the best fit, in squares, that never falls. At least
    one record is needed.

    >>> fit = calibrate([0.1, 0.2, 0.8, 0.9], [False, True, False, True])
    >>> fit(0.05), fit(0.5), fit(0.95)
    (0.0, 0.5, 1.0)
    """
    pairs = sorted(zip(scores, truths, strict=True))
    blocks: list[tuple[float, int, int]] = []  # (first score, records, positives)
    size = max(1, -(-len(pairs) // bins))
    end = 0
    while end < len(pairs):
        start, end = end, min(end + size, len(pairs))
        while end < len(pairs) and pairs[end][0] == pairs[end - 1][0]:
            end += 1  # equal scores are one
        block = (pairs[start][0], end - start, sum(truth for _, truth in pairs[start:end]))
        while blocks and blocks[-1][2] * block[1] >= block[2] * blocks[-1][1]:
            first, count, positives = blocks.pop()
            block = (first, count + block[1], positives + block[2])
        blocks.append(block)
    return Calibration(
        [first for first, _, _ in blocks],
        [positives / count for _, count, positives in blocks],
        [count for _, count, _ in blocks],
    )


def estimate(
    scores: Sequence[float], predictions: Sequence[bool], calibration: Calibration
) -> Estimate:
    """The performance to expect of these scores and predictions, with the intervals of it.

    >>> fit = Calibration([0.0, 0.5], [0.1, 0.9], [500, 500])
    >>> found = estimate([0.2, 0.8] * 50, [False, True] * 50, fit)
    >>> found.accuracy, [round(end, 2) for end in found.intervals["accuracy"]]
    (0.9, [0.82, 0.95])
    """
    steps = [calibration.step(score) for score in scores]
    found = measure(scores, predictions, [calibration.rates[step] for step in steps])
    ends = calibration.intervals(Counter(zip(steps, predictions, strict=True)))
    told = ("accuracy", "precision", "recall", "auc")
    return msgspec.structs.replace(
        found, intervals={one: list(ends[one]) for one in told if one in ends}
    )


def measure(
    scores: Sequence[float], predictions: Sequence[bool], rates: Sequence[float]
) -> Estimate:
    """The performance where `rates` are the probabilities that the truth is positive: 0 or 1 where
    it is known.

    >>> found = measure([0.2, 0.8, 0.9], [False, True, True], [0, 0, 1])
    >>> round(found.accuracy, 3), found.precision, found.recall, found.auc
    (0.667, 0.5, 1.0, 1.0)
    """
    hits = math.fsum(rate for rate, said in zip(rates, predictions, strict=True) if said)
    misses = math.fsum(1 - rate for rate, said in zip(rates, predictions, strict=True) if not said)
    said_yes = sum(map(bool, predictions))
    positives = math.fsum(rates)
    return Estimate(
        records=len(rates),
        accuracy=(hits + misses) / len(rates) if rates else None,
        precision=hits / said_yes if said_yes else None,
        recall=hits / positives if positives else None,
        auc=_auc(scores, rates),
    )


def _auc(scores: Sequence[float], rates: Sequence[float]) -> float | None:
    """The expected share of pairs (a positive, a negative) that the scores put in order."""
    below = ordered = 0.0
    positives = negatives = 0.0
    waiting: list[tuple[float, float]] = []
    last: float | None = None
    for score, rate in [*sorted(zip(scores, rates, strict=True)), (float("inf"), 0.0)]:
        if score != last:
            yes = sum(one for one, _ in waiting)
            no = sum(other for _, other in waiting)
            ordered += yes * (below + no / 2)
            below += no
            positives, negatives = positives + yes, negatives + no
            waiting, last = [], score
        waiting.append((rate, 1 - rate))
    pairs = positives * negatives
    return ordered / pairs if pairs else None


class Scores:
    """Time, score, prediction and truth of every row, as arrays: 18 bytes a row.

    They are what a row says in the columns with these names. Without a prediction a score of one
    half and more is a positive one. A row without a score from 0 to 1 has the score NaN; a truth
    that is not known is -1.
    """

    def __init__(self, score: str, prediction: str, label: str) -> None:
        self._names = score, prediction, label
        self.times = array("d")
        self.scores = array("d")
        self.said = array("b")
        self.truths = array("b")

    def add(self, one: Row | Block) -> None:
        """Take what is needed of one more row, or of the rows of a block."""
        if isinstance(one, Block):
            by_name = [_values(one, name) for name in self._names]
            for at, *told in zip(one.at.tolist(), *by_name, strict=True):
                self._add(at, *told)
            return
        values = {seen.feature: seen.value for seen in one.observations}
        self._add(one.at, *map(values.get, self._names))

    def _add(self, at: float, score: object, prediction: object, label: object) -> None:
        if not isinstance(score, int | float) or not 0 <= score <= 1:
            score = math.nan
        said = is_positive(prediction) if self._names[1] else score >= 0.5
        truth = is_positive(label)
        self.times.append(at)
        self.scores.append(score)
        self.said.append(bool(said))
        self.truths.append(-1 if truth is None else truth)

    def part(self, start: int, count: int) -> Scores:
        """Those of `count` rows from one on."""
        return self._some(range(start, min(start + count, len(self.scores))))

    def between(self, start: float, end: float) -> Scores:
        """Those of the rows from a time until before another one."""
        times = np.array(self.times)
        return self._some(np.flatnonzero((times >= start) & (times < end)).tolist())

    def _some(self, rows: Sequence[int]) -> Scores:
        found = Scores(*self._names)
        for name in ("times", "scores", "said", "truths"):
            mine = getattr(self, name)
            setattr(found, name, array(mine.typecode, [mine[row] for row in rows]))
        return found

    def estimated(self, calibration: Calibration) -> Estimate:
        """The performance to expect, of the rows with a score."""
        known = [place for place, score in enumerate(self.scores) if not math.isnan(score)]
        scores = [self.scores[place] for place in known]
        return estimate(scores, [bool(self.said[place]) for place in known], calibration)

    def realized(self) -> Estimate:
        """What came true, of the rows whose truth is known."""
        known = self._judged()
        return measure(
            [self.scores[place] for place in known],
            [bool(self.said[place]) for place in known],
            [float(self.truths[place]) for place in known],
        )

    def calibration(self) -> Calibration | None:
        """What scores are worth here; None where no row has both a score and a truth."""
        known = self._judged()
        truths = [bool(self.truths[place]) for place in known]
        return calibrate([self.scores[place] for place in known], truths) if known else None

    def _judged(self) -> list[int]:
        return [
            place
            for place, (score, truth) in enumerate(zip(self.scores, self.truths, strict=True))
            if truth >= 0 and not math.isnan(score)
        ]


def is_positive(value: object) -> bool | None:
    """A binary label; None for anything else.

    >>> [is_positive(value) for value in (1.0, 0, True, "0", "churn", 2)]
    [True, False, True, False, None, None]
    """
    return _BINARY.get(str(value).lower())


_BINARY = {"1": True, "true": True, "1.0": True, "0": False, "false": False, "0.0": False}


def _values(block: Block, name: str) -> list[Any]:
    """What each row of a block has of a feature, None for nothing."""
    found: list[Any] = [None] * len(block)
    for column in block.columns:
        if column.feature == name:
            for place, seen in zip(column.places.tolist(), column.observations(), strict=True):
                found[place] = seen.value
    return found


def perform(current: Scores, reference: Estimate, calibration: Calibration) -> Performance:
    """The performance of the current rows beside that of the reference."""
    realized = current.realized()
    return Performance(
        current.estimated(calibration), realized if realized.records else None, reference
    )
