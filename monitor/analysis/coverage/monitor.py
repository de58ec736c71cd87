"""Outcome rows → Coverage: do prediction sets and intervals hold the truth as often as promised?

A label outside is a miss; an empty set misses always. The promise is that 1 less the target misses,
give or take `TOLERANCE`. Where the number of calibration scores of a conformal predictor is known,
it is what these can promise: one calibration sample has one true coverage, which is not the target.

Beside it stands how large sets and intervals are: a predictor that adapts keeps its coverage by
larger ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from monitor.analysis import exact_sums, outcome_status
from monitor.analysis.classes import LARGE, spelt, value_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.rows import SegmentName, segments_of
from monitor.analysis.tallies import Judgement, Rules, Tallied, Tallies
from monitor.findings import Coverage
from monitor.rows import Row, Truth
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.known_probability import (
    log_evidence_of_rate,
    log_evidence_of_sampled_rate,
    units,
)
from monitor.turns import in_turns
from monitor.types import Measurement

TOLERANCE = 0.02
"""A share of misses that is off by so much is harmless where nothing more is known."""

MORE = 0.9
"""Part of the capital that is bet on more misses than promised; fewer only cost size."""

COUNTED = 5
"""What is counted: labels, misses, promised misses, sets, and classes in these."""

BOUNDED, UNBOUNDED, EMPTY = range(3)
"""Which kind of an interval this is: it has a width; an end is infinite, or too large to be told
apart from damage; it holds nothing, since its ends are reversed or one is no number."""

SUMS = 4
"""What else is summed: intervals of each kind, and the widths of bounded ones."""


class CoverageMonitor(Tallied):
    """The Monitor of coverage; `alpha` is its part of the error budget.

    `dimensions` are the segments beside the whole; None means all that a row has.
    """

    name = "coverage"

    def __init__(
        self, rules: OutcomeRules, alpha: float, *, dimensions: Sequence[str] | None = None
    ) -> None:
        self._dimensions = None if dimensions is None else tuple(dimensions)
        self._target = rules.target
        self._promised = units(1 - rules.target)

        allowed, sample = 1 - rules.target, rules.calibrated_on

        def evidence(since: Ints, before: Ints) -> Floats:
            if not sample:
                return log_evidence_of_rate(since[:, 0], since[:, 1], allowed, TOLERANCE, more=MORE)
            known = before[:, 0], before[:, 1]
            return log_evidence_of_sampled_rate(
                since[:, 0], since[:, 1], known, allowed, sample, more=MORE
            )

        self._tallies = Tallies(
            Rules(
                1, COUNTED, evidence, TOLERANCE, rules.minimum, alpha, rules.patience,
                rules.segments, f"misses of {rules.target}", SUMS,
            )
        )  # fmt: skip

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's set or interval, if it has one and a label."""
        truth = row.truth
        missed = None if truth is None else miss(truth)
        if truth is None or missed is None:
            return
        added = [(0, 1), (1, int(missed)), (2, self._promised)]
        sums: list[int] = []
        if truth.choices is not None:
            added += [(3, 1), (4, len(truth.choices))]
        elif truth.interval is not None:
            kind, width = width_of(truth.interval)
            sums = [int(kind == one) for one in (BOUNDED, UNBOUNDED, EMPTY)]
            sums.append(exact_sums.units(width))
        self._tallies.count(segments_of(row, self._dimensions), pane, at, added, sums)

    def findings(self) -> list[Coverage]:
        """One for each segment, the whole first, then those with most labels."""
        return [self._finding(*one) for one in in_turns(self._tallies.judged())]

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """The metrics of coverage of the catalogue."""
        here = {"endpoint": endpoint}
        yield from self._overflow(endpoint, "monitor_coverage_ratio")
        for one in in_turns(self.findings()):
            segment = one.dimension, one.value
            labels = {**here, "dimension": one.dimension, "value": one.value}
            for name, number in (
                ("monitor_coverage_ratio", one.coverage),
                ("monitor_prediction_set_size", one.size),
                ("monitor_prediction_interval_width", one.width),
            ):
                if number is not None:
                    yield Measurement(name, labels, number)
            judged = one.status, one.log_evidence
            yield from outcome_status.measurements(endpoint, self.name, "coverage", segment, judged)

    def _finding(self, segment: SegmentName, counts: Ints, judgement: Judgement) -> Coverage:
        labels, missed, _, sets, classes = counts.tolist()
        bounded, unbounded, empty, width = self._tallies.sums(segment)
        return Coverage(
            *segment,
            coverage=1 - missed / labels if labels else None,
            target=self._target,
            size=classes / sets if sets else None,
            log_evidence=judgement.log_evidence,
            status=judgement.status,
            labels=labels,
            since=judgement.since,
            width=exact_sums.mean(width, bounded) if bounded else None,
            unbounded=unbounded,
            empty=empty,
        )


def miss(truth: Truth) -> bool | None:
    """Whether the label is outside of the set or interval; None without both.

    An end that is no number holds nothing; an infinite one holds all on its side.

    >>> miss(Truth(label="cat", choices=["dog", "cat"])), miss(Truth(label=7.0, interval=(1, 5)))
    (False, True)
    """
    label = value_of(truth.label)
    if label is None:
        return None
    if truth.choices is not None:
        return spelt(label) not in map(spelt, truth.choices)
    if truth.interval is None:
        return None
    try:
        number = float(label)
    except ValueError:
        return None
    lower, upper = truth.interval
    return None if math.isnan(number) else not lower <= number <= upper


def width_of(ends: tuple[float, float]) -> tuple[int, float]:
    """The kind of an interval, and its width; 0.0 of one that has none.

    >>> width_of((1.5, 4.0)), width_of((1.0, math.inf)), width_of((2.0, 1.0))
    ((0, 2.5), (1, 0.0), (2, 0.0))
    """
    lower, upper = ends
    if not lower <= upper:
        return EMPTY, 0.0
    if not max(abs(lower), abs(upper)) < LARGE:
        return UNBOUNDED, 0.0
    return BOUNDED, upper - lower
