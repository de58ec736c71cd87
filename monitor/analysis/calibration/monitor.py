"""Outcome rows → Calibration: are scores the probabilities that they claim to be, and where not?

Each score with a label counts once, whatever its weight: right scores are right in any sample that
does not look at the label. Scores are those that were served; nothing is fitted to them first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.analysis import outcome_status
from monitor.analysis.alike import Alike
from monitor.analysis.calibration.cells import COUNTED, cells_of
from monitor.analysis.calibration.measures import calibration
from monitor.analysis.classes import claim
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.rows import segments_of
from monitor.analysis.tallies import Rules, Tallied, Tallies
from monitor.findings import Calibration
from monitor.rows import Row
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.known_probability import log_evidence
from monitor.turns import in_turns
from monitor.types import Measurement


class CalibrationMonitor(Tallied):
    """The Monitor of calibration; `alpha` is its part of the error budget.

    `dimensions` are the segments beside the whole; None means all that a row has.
    """

    name = "calibration"

    def __init__(
        self, rules: OutcomeRules, alpha: float, *, dimensions: Sequence[str] | None = None
    ) -> None:
        self._positive = rules.positive
        self._dimensions = None if dimensions is None else tuple(dimensions)
        self._cells = cells = cells_of(rules.bins)
        middles = cells.middles

        def evidence(since: Ints, before: Ints) -> Floats:
            n, y, p = (since[:, cells.size * part : cells.size * (part + 1)] for part in range(3))
            return log_evidence(n, y, p, middles, rules.tolerance)

        self._tallies = Tallies(
            Rules(
                cells.size, COUNTED * cells.size, evidence, rules.tolerance, rules.minimum,
                alpha, rules.patience, rules.segments, f"{rules.bins} bins of {rules.positive}",
            )
        )  # fmt: skip

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's score, if it has one and a label."""
        claimed = None if row.truth is None else claim(row.truth, self._positive)
        if claimed is not None:
            score, came_true = claimed
            added = self._cells.added(score, came_true=came_true)
            self._tallies.count(segments_of(row, self._dimensions), pane, at, added)

    def add_alike(self, run: Alike, pane: int) -> None:
        """Count the scores of rows by their kinds."""
        parts = zip(run.kinds, run.scores_by_kind(), run.first_times(), strict=True)
        for row, scores, at in in_turns(parts):
            claimed = None if row.truth is None else claim(row.truth, self._positive)
            if claimed is None:
                continue
            added = self._cells.added_by(scores, came_true=claimed[1])
            segments = segments_of(row, self._dimensions)
            self._tallies.count(segments, pane, at, added, outcomes=len(scores))

    def findings(self) -> list[Calibration]:
        """One for each segment, the whole first, then those with most labels."""
        return [
            calibration(segment, counts, self._cells, judgement)
            for segment, counts, judgement in in_turns(self._tallies.judged())
        ]

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """The metrics of calibration of the catalogue."""
        here = {"endpoint": endpoint}
        yield from self._overflow(endpoint, "monitor_calibration_error")
        for one in in_turns(self.findings()):
            labels = {**here, "dimension": one.dimension, "value": one.value}
            for measure, number in (("ece", one.ece), ("brier", one.brier)):
                if number is not None:
                    yield Measurement(
                        "monitor_calibration_error", {**labels, "measure": measure}, number
                    )
            if one.temperature is not None:
                yield Measurement("monitor_calibration_temperature", labels, one.temperature)
            judged = one.status, one.log_evidence
            segment = one.dimension, one.value
            yield from outcome_status.measurements(endpoint, self.name, "ece", segment, judged)
