"""Settings → what is asked of outcomes: whether they are joined at all, and how they are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.analysis.classes import spelt
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.monitors import shares
from monitor.analysis.outcome_rules import OutcomeRules, pane_of
from monitor.analyzer.outcomes import Asked, Outcomes
from monitor.assembly import keyring
from monitor.assembly.experiments import experiments_of
from monitor.privacy import keys
from monitor.settings import schema
from monitor.settings.schema import Settings
from monitor.streams.entries import Entry
from monitor.streams.redis import RedisStream

if TYPE_CHECKING:
    from monitor.privacy.records import Privacy


def outcomes_of(settings: Settings, set_aside: Callable[[Entry, Exception], None]) -> Outcomes:
    """Return what joins feedback to Records and folds what became of them. What is read and cannot
    be counted goes to `set_aside`. Raises ConfigError naming the key of an experiment."""
    given = settings.outcomes
    asked = Asked(
        is_asked_for(settings),
        PredictionReader(given.prediction, given.score, given.positive),
        given.wait,
        given.records,
        rules_of(settings),
        experiments_of(settings),
    )
    stream = RedisStream(settings.redis, settings.endpoint, shards=settings.stream.shards)

    def privacy() -> Privacy:
        from monitor.assembly import build  # it knows all recognizers, which takes its time

        return build.privacy(settings, keys.read(keyring.key_file(settings)))

    return Outcomes(settings.endpoint, stream, asked, privacy=privacy, set_aside=set_aside)


def rules_of(settings: Settings) -> OutcomeRules:
    """How monitors of outcomes count and judge, by the settings."""
    calibration, fairness = settings.calibration, settings.fairness
    return OutcomeRules(
        pane=pane_of(settings.outcomes.wait),
        lateness=settings.windows.lateness,
        alpha=shares(settings.drift.alpha, outcomes=True)[1],
        patience=settings.drift.patience,
        samples=settings.windows.samples,
        learn=settings.reference.learn,
        positive=spelt(settings.outcomes.positive),
        tolerance=calibration.tolerance,
        bins=calibration.bins,
        minimum=calibration.minimum,
        target=settings.coverage.target,
        calibrated_on=settings.coverage.calibrated_on,
        fair=tuple(fairness.dimensions),
        crossed=tuple(map(tuple, fairness.intersections)),
        strata=tuple(fairness.strata),
        favourable=spelt(fairness.favourable),
        fair_minimum=fairness.minimum,
        fair_tolerance=fairness.tolerance,
        fair_ratio=fairness.ratio,
        sliced=tuple(dict.fromkeys(settings.slices.measures)),
        slice_minimum=settings.slices.minimum,
        slice_tolerance=settings.slices.tolerance,
        overdue=settings.outcomes.overdue,
        labelled=settings.review.control or 1.0,
    )


def is_asked_for(settings: Settings) -> bool:
    """Whether a setting says something of outcomes."""
    if settings.experiments or settings.slices.measures:
        return True
    return (settings.outcomes, settings.calibration, settings.coverage, settings.fairness) != (
        schema.Outcomes(), schema.Calibration(), schema.Coverage(), schema.Fairness(),
    )  # fmt: skip
