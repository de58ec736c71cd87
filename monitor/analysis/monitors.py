"""Which questions are asked of every Row: the analysis with all its monitors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

from monitor.analysis.calibration.monitor import CalibrationMonitor
from monitor.analysis.classes import claim
from monitor.analysis.coverage.monitor import CoverageMonitor, miss
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import Profile
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.experiments.declared import TOLD, Experiment, Metric, horizons_of
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.analysis.fairness.monitor import FairnessMonitor, has_group
from monitor.analysis.fold import Analysis
from monitor.analysis.missing import MissingMonitor, Question
from monitor.analysis.outcome_rules import AT_ONCE_PANE, OutcomeRules, pane_of
from monitor.analysis.quality.monitor import QualityMonitor
from monitor.analysis.slices.losses import AT_ONCE, MEASURES
from monitor.analysis.slices.monitor import SlicesMonitor
from monitor.distances import psi
from monitor.findings import Finding, Outcome
from monitor.interfaces import Feature, Monitor
from monitor.meters import OTHER
from monitor.rows import Row
from monitor.texts import visible
from monitor.types import ABSENT

MONITORS = ("quality", "calibration", "coverage", "fairness")
"""The monitors of outcomes that raise alarms, which share their part of the error budget; keys of
replay's document."""

OUTCOMES_SHARE = 0.5
"""Part of the error budget of those monitors that look at outcomes, where any does; drift has the
rest."""


def analysis_of(
    features: Sequence[Feature],
    rules: Rules,
    baseline: Baseline,
    *,
    dimensions: Sequence[str] | None = None,
    began: float = 0.0,
) -> Analysis[Finding]:
    """A fold that has counted nothing yet; see `Analysis` and `DriftMonitor`.

    `rules.alpha` is what drift has of the error budget (`shares`).
    """
    monitors: tuple[Monitor[Finding], ...] = (
        DriftMonitor(rules, baseline, dimensions=dimensions, began=began),
    )
    return Analysis(
        features, monitors, pane=rules.pane, lateness=rules.lateness, dimensions=dimensions
    )


def outcomes_of(
    rules: OutcomeRules,
    *,
    dimensions: Sequence[str] | None = None,
    profile: Profile | None = None,
    experiments: Sequence[Experiment] = (),
) -> Analysis[Outcome]:
    """A fold of Rows with a `truth` that has counted nothing yet.

    `dimensions` are the segments beside the whole; None means all that a row has. Quality is
    compared with `profile`, or with its first labels. Its monitors (`MONITORS`) have equal parts of
    the error budget `rules.alpha`, fairness where groups are named and slices where these are
    searched for, and do not look at a row without a truth. A finding of one is an entry of replay's
    document, under the monitor's name. `experiments` have an error of their own each; those with a
    horizon are `within_of`'s, and slices by what is known at once `at_once_of`'s, unless all is one
    pane. Slices are made of all dimensions.
    """
    alpha = _part(rules)
    watch = Rules(
        psi.MEASURE, (psi.MEASURE,), pane=rules.pane, lateness=rules.lateness, alpha=alpha,
        patience=rules.patience, watches=2 * rules.segments, samples=rules.samples,
    )  # fmt: skip
    monitors: list[Monitor[Outcome]] = [
        QualityMonitor(
            watch, Baseline(profile, rules.learn or None), positive=rules.positive,
            segments=rules.segments, target=rules.target, dimensions=dimensions,
        ),
        CalibrationMonitor(rules, alpha, dimensions=dimensions),
        CoverageMonitor(rules, alpha, dimensions=dimensions),
    ]  # fmt: skip
    if rules.grouped:
        monitors.append(FairnessMonitor(rules, alpha))
    here = [one for one in experiments if one.horizon is None or rules.pane is None]
    if here:
        monitors.append(ExperimentsMonitor(here, positive=rules.positive, pane=rules.pane))
    waiting = [one for one in MEASURES if rules.pane is None or one not in AT_ONCE]
    if set(rules.sliced).intersection(waiting):
        monitors.append(SlicesMonitor(rules, alpha, measures=waiting))
    if rules.overdue is not None and rules.pane is not None:
        asked = [*_questions(rules), *_of_experiments(rules, experiments)]
        monitors.append(MissingMonitor(asked, rules.overdue, rules.labelled))
    return Analysis((), monitors, pane=rules.pane, lateness=rules.lateness, dimensions=dimensions)


def _questions(rules: OutcomeRules) -> list[Question]:
    """What is missed: for quality an outcome of any kind of every record, for calibration labels of
    those with a score, for coverage of those with a set or interval, for fairness groups."""

    def has_truth(row: Row) -> bool:
        return row.truth is not None

    def is_known(row: Row) -> bool:
        truth = row.truth
        if truth is None:
            return False
        said = truth.label, truth.correction, truth.rating
        return bool(truth.events) or any(one is not None for one in said)

    def has_score(row: Row) -> bool:
        return row.truth is not None and row.truth.score not in (None, {})

    def is_calibrated(row: Row) -> bool:
        return row.truth is not None and claim(row.truth, rules.positive) is not None

    def has_set(row: Row) -> bool:
        truth = row.truth
        return truth is not None and (truth.choices is not None or truth.interval is not None)

    def is_covered(row: Row) -> bool:
        return row.truth is not None and miss(row.truth) is not None

    found = [
        Question("quality", has_truth, is_known, rules.minimum),
        Question("calibration", has_score, is_calibrated, rules.minimum),
        Question("coverage", has_set, is_covered, rules.minimum),
    ]
    if rules.grouped:
        is_grouped = partial(has_group, rules)
        found.append(Question("fairness", has_truth, is_grouped, rules.fair_minimum))
    return found


def _of_experiments(rules: OutcomeRules, experiments: Sequence[Experiment]) -> list[Question]:
    """What experiments miss: labels or ratings of the exchanges of their arms, where they measure
    these. An event that is not told has not happened."""

    def takes_part(experiment: Experiment, row: Row) -> bool:
        arm = row.segments.get(experiment.dimension, ABSENT)
        arms = dict(experiment.allocation)
        return row.truth is not None and (arm in arms if arms else arm not in (ABSENT, OTHER))

    def is_told(metrics: Sequence[Metric], row: Row) -> bool:
        truth = row.truth
        return truth is not None and None not in (
            metric.value(truth, rules.positive) for metric in metrics
        )

    found = []
    for one in experiments:
        if metrics := [metric for metric in one.metrics if metric.source in TOLD]:
            name = f"experiment {visible(one.name)}"
            due, answered = partial(takes_part, one), partial(is_told, metrics)
            found.append(Question(name, due, answered, rules.minimum))
    return found


def at_once_of(rules: OutcomeRules) -> Analysis[Outcome] | None:
    """A fold of Rows that Records have as soon as they have ended (`Truth.is_due` is False): slices
    by what nobody has to say. None where there are none to be searched for."""
    if rules.pane is None or not set(rules.sliced).intersection(AT_ONCE):
        return None
    rules = dataclasses.replace(rules, pane=AT_ONCE_PANE)
    monitor = SlicesMonitor(rules, _part(rules), measures=AT_ONCE)
    return Analysis((), (monitor,), pane=AT_ONCE_PANE, lateness=rules.lateness)


def within_of(
    rules: OutcomeRules,
    *,
    dimensions: Sequence[str] | None = None,
    experiments: Sequence[Experiment] = (),
) -> dict[float, Analysis[Outcome]]:
    """By horizon in seconds: a fold of Rows with what was known so many seconds after a Record had
    ended (`Truth.horizon`), for the experiments with that horizon. None where all is one pane."""
    found: dict[float, Analysis[Outcome]] = {}
    for horizon in horizons_of(experiments) if rules.pane is not None else ():
        here, pane = [one for one in experiments if one.horizon == horizon], pane_of(horizon)
        monitor = ExperimentsMonitor(here, positive=rules.positive, pane=pane)
        found[horizon] = Analysis(
            (), (monitor,), pane=pane, lateness=rules.lateness, dimensions=dimensions
        )
    return found


def _part(rules: OutcomeRules) -> float:
    """The part of the error budget of each monitor of outcomes."""
    return rules.alpha / (len(MONITORS) - (not rules.grouped) + bool(rules.sliced))


def shares(alpha: float, *, outcomes: bool) -> tuple[float, float]:
    """(drift's, that of all monitors of outcomes): the parts of an error budget.

    >>> shares(0.05, outcomes=False), shares(0.05, outcomes=True)
    ((0.05, 0.0), (0.025, 0.025))
    """
    part = alpha * OUTCOMES_SHARE if outcomes else 0.0
    return alpha - part, part
