"""Findings → Conditions: what is not as it should be at this moment, in labels and words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from monitor.findings import (
    Calibration,
    Change,
    Coverage,
    ExperimentEffect,
    Fairness,
    Finding,
    Missing,
    Outcome,
    Quality,
    Slice,
)
from monitor.notifications import Severity, bounded
from monitor.readable import moment
from monitor.types import WHOLE

LARGE = 0.1
"""The population stability index from which drift is large, as in the rules."""
NEWS = 3600.0
"""Seconds for which it is news that what serves has changed."""
READERS = "reader_agreement"
"""What measures of quality begin with that are of the people who read, and not of the model."""
MOST = 1000
"""Conditions of one look; of more those are kept that stood before, then the worst."""


class Condition(msgspec.Struct, frozen=True):
    """Something that is wrong now: the name of an alert, how bad, which one of its kind (labels),
    since when (Unix seconds, None where only now is known), and a sentence.

    `usual` is how bad it would be if nobody had said otherwise: its summary goes by that.
    """

    alert: str
    severity: Severity
    labels: dict[str, str]
    words: str
    since: float | None = None
    usual: Severity | None = None

    @property
    def identity(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The alert and its labels in order: equal for one condition, however bad it is."""
        return self.alert, tuple(sorted(self.labels.items()))


class Standing(msgspec.Struct, frozen=True):
    """What the analyzer says of itself at a look: all Conditions, and how many more there are.

    `records` were analyzed, the newest of them ended at `newest` (Unix seconds); `missed` were
    deleted unread, `set_aside` passed over, by reason. Of an analyzer that `stands_by` another one
    says all this.
    """

    conditions: list[Condition]
    left_out: int = 0
    records: int = 0
    newest: float = 0.0
    missed: int = 0
    set_aside: dict[str, int] = {}
    stands_by: bool = False


def standing_of(
    found: Iterable[Condition], before: Collection[object]
) -> tuple[list[Condition], int]:
    """The `MOST` that matter most, and how many are left out.

    Those whose identity is in `before` come first: else a list at its bound would tell again and
    again what begins and ends.
    """
    ranked = sorted(
        found,
        key=lambda one: (
            one.identity not in before,
            one.severity != "critical",
            one.labels.get("dimension") != WHOLE.dimension,
            one.identity,
        ),
    )
    return ranked[:MOST], max(0, len(ranked) - MOST)


def as_bad_as_said(
    found: Iterable[Condition], said: Mapping[str, Severity | Literal["none"]]
) -> Iterator[Condition]:
    """Yield each as bad as is `said` of its alert, and nothing of those that are none."""
    for one in found:
        severity = said.get(one.alert, one.severity)
        if severity == one.severity:
            yield one
        elif severity != "none":
            yield msgspec.structs.replace(one, severity=severity, usual=one.severity)


def of_drift(findings: Iterable[Finding]) -> Iterator[Condition]:
    """Yield one for each feature and segment that drifts; large drift is critical."""
    for found in findings:
        if found.status == "drift":
            severity: Severity = "critical" if found.scores.get("psi", 0.0) >= LARGE else "warning"
            labels = {
                "feature": found.feature, "dimension": found.dimension, "value": found.value,
            }  # fmt: skip
            words = bounded(found.words or f"{found.feature} drifted")
            yield Condition("MonitorDrift", severity, labels, words, found.since)


def of_lineage(changes: Iterable[Change], now: float) -> Iterator[Condition]:
    """Yield the news that what serves has changed, for `NEWS` seconds before `now`."""
    for one in changes:
        if now - one.since < NEWS:
            labels = {"fact": one.fact, "value": bounded(one.came, 200)}
            words = bounded(one.words)
            yield Condition("MonitorLineageChange", "info", labels, words, one.since)


def of_outcomes(monitor: str, findings: Iterable[Outcome]) -> Iterator[Condition]:
    """Yield what a monitor of outcomes alarms of: the whole traffic's quality is critical."""
    for found in findings:
        if isinstance(found, ExperimentEffect):
            yield from _of_experiment(found)
        elif isinstance(found, Slice):
            yield from _of_slice(found)
        elif isinstance(found, Missing):
            yield from _of_missing(found)
        elif found.status == "alarm":
            is_whole = monitor == "quality" and found.dimension == WHOLE.dimension
            measure = _measure(found)
            labels = {
                "monitor": monitor, "measure": measure, "dimension": found.dimension,
                "value": found.value,
            }  # fmt: skip
            says_where = isinstance(found, Quality) and found.words  # that of what has changed
            where = f"{found.dimension} {found.value}: "
            if says_where or found.dimension == WHOLE.dimension:
                where = ""
            of_readers = measure.startswith(READERS)
            yield Condition(
                "MonitorReviewersDisagree" if of_readers else "MonitorOutcomeAlarm",
                "critical" if is_whole and not of_readers else "warning",
                labels,
                bounded(where + _words(found)),
                getattr(found, "since", None),
            )


def _measure(found: Quality | Calibration | Coverage | Fairness) -> str:
    if isinstance(found, Quality | Fairness):
        return found.measure
    return "ece" if isinstance(found, Calibration) else "coverage"


def _words(found: Quality | Calibration | Coverage | Fairness) -> str:
    match found:
        case Quality():
            return found.words or f"{found.measure} has changed, over {found.labels:,} labels"
        case Calibration():
            since = "" if found.since is None else f" since {moment(found.since)} UTC"
            return (
                f"some scores are off by more than is tolerated{since}; over all {found.labels:,} "
                f"labels scores are off by {_number(found.ece)} on average (ECE)"
            )
        case Coverage():
            return (
                f"sets and intervals hold {_number(found.coverage)} of {found.labels:,} labels, "
                f"{found.target:.3g} was promised"
            )
        case Fairness():
            return f"{found.measure} is {_number(found.gap, '+')} beside the rest"


def _of_slice(found: Slice) -> Iterator[Condition]:
    if found.status == "alarm":
        labels = {
            "monitor": "slices",
            "measure": found.measure,
            "dimension": "|".join(one.dimension for one in found.conditions),
            "value": "|".join(one.value for one in found.conditions),
        }
        words = bounded(found.words)
        yield Condition("MonitorOutcomeAlarm", "warning", labels, words, found.since)


def _of_missing(found: Missing) -> Iterator[Condition]:
    if found.overdue > 0:
        words = (
            f"{found.monitor} cannot be judged: of {found.due:,} records that were due "
            f"{found.labels:,} have what it needs, {found.enough:,} would be enough"
        )
        labels = {"monitor": found.monitor}
        yield Condition("MonitorOutcomesMissing", "warning", labels, words, found.since)


def _of_experiment(found: ExperimentEffect) -> Iterator[Condition]:
    severities: dict[str, Severity] = {
        "worse": "warning", "invalid": "warning", "better": "info", "no_difference": "info",
    }  # fmt: skip
    severity = severities.get(found.verdict)
    if severity is None:
        return
    words = f"{found.name}: {found.variant} is {found.verdict.replace('_', ' ')} in {found.metric}"
    if found.verdict == "no_difference":
        words = f"{found.name}: {found.variant} makes no difference that matters in {found.metric}"
    elif found.verdict == "invalid":
        words = f"{found.name}: nothing can be said of {found.variant} in {found.metric}"
    if found.effect is not None and found.verdict != "invalid":
        interval = f"{_number(found.lower, '+')} to {_number(found.upper, '+')}"
        words += f": {_number(found.effect, '+')} ({interval}) over {found.samples:,} exchanges"
    if found.reason:
        words += f"; {found.reason}"
    labels = {"experiment": found.name, "variant": found.variant, "metric": found.metric}
    labels["verdict"] = found.verdict
    yield Condition("MonitorExperimentAlarm", severity, labels, bounded(words))


def _number(number: float | None, sign: str = "") -> str:
    """A number for a person.

    >>> _number(0.01234), _number(0.5, "+"), _number(None)
    ('0.0123', '+0.5', '?')
    """
    return "?" if number is None else f"{number:{sign}.3g}"
