"""Outcome rows → Coverage: do prediction sets and intervals hold the truth as often as promised?

A label outside is a miss; an empty set misses always. The promise is that 1 less the target misses,
give or take `TOLERANCE`. Where the number of calibration scores of a conformal predictor is known,
it is what these can promise: one calibration sample has one true coverage, which is not the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

from monitor.analysis import outcome_status
from monitor.analysis.classes import spelt, value_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.rows import segments_of
from monitor.analysis.tallies import Judgement, Rules, Segment, Tallies
from monitor.findings import Coverage
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.known_probability import (
    log_evidence_of_rate,
    log_evidence_of_sampled_rate,
    units,
)
from monitor.turns import in_turns
from monitor.types import Key, Measurement, Row, Truth

TOLERANCE = 0.02
"""A share of misses that is off by so much is harmless where nothing more is known."""

MORE = 0.9
"""Part of the capital that is bet on more misses than promised; fewer only cost size."""

COUNTED = 5
"""What is counted: labels, misses, promised misses, sets, and classes in these."""


class CoverageMonitor:
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
                rules.segments, f"misses of {rules.target}",
            )
        )  # fmt: skip

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's set or interval, if it has one and a label."""
        missed = None if row.truth is None else miss(row.truth)
        if missed is None:
            return
        added = [(0, 1), (1, int(missed)), (2, self._promised)]
        if row.truth is not None and row.truth.choices is not None:
            added += [(3, 1), (4, len(row.truth.choices))]
        self._tallies.count(segments_of(row, self._dimensions), pane, at, added)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`; alarms begin and end here."""
        self._tallies.close(last, end)

    def merge(self, other: Self) -> None:
        """Add what `other` counted before a pane was closed."""
        self._tallies.merge(other._tallies)

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        return self._tallies.state()

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[Key], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged."""
        self._tallies.restore(self.name, state, place=place, keeps=keeps)

    def findings(self) -> list[Coverage]:
        """One for each segment, the whole first, then those with most labels."""
        return [self._finding(*one) for one in in_turns(self._tallies.judged())]

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """The metrics of coverage of the catalogue."""
        here = {"endpoint": endpoint}
        if self._tallies.overflow:
            labels = {**here, "metric": "monitor_coverage_ratio"}
            yield Measurement("monitor_series_overflow_total", labels, self._tallies.overflow)
        for one in in_turns(self.findings()):
            segment = one.dimension, one.value
            if one.coverage is not None:
                labels = {**here, "dimension": one.dimension, "value": one.value}
                yield Measurement("monitor_coverage_ratio", labels, one.coverage)
            judged = one.status, one.log_evidence
            yield from outcome_status.measurements(endpoint, self.name, "coverage", segment, judged)

    def _finding(self, segment: Segment, counts: Ints, judgement: Judgement) -> Coverage:
        labels, missed, _, sets, classes = counts.tolist()
        return Coverage(
            *segment,
            coverage=1 - missed / labels if labels else None,
            target=self._target,
            size=classes / sets if sets else None,
            log_evidence=judgement.log_evidence,
            status=judgement.status,
            labels=labels,
            since=judgement.since,
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
