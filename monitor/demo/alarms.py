"""What the analyzer says → the alarms in it, of all monitors in one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.demo.page import Page
from monitor.demo.scenario import Signal
from monitor.findings import Drift, ExperimentEffect, Outcomes
from monitor.readable import as_set, percent

ALLOCATION = "allocation"
"""The measure of an experiment whose arms do not get their shares."""

BURN, LEAST = 2.0, 20
"""An objective is missed in a segment where its budget is spent so many times faster than allowed,
by so many exchanges at least."""


class Alarm(NamedTuple):
    """What a monitor believes of a segment, by a measure; `is_good` where that is no bad news."""

    monitor: str
    measure: str
    dimension: str
    value: str
    words: str = ""
    is_good: bool = False

    @property
    def place(self) -> tuple[str, str, str]:
        """Measure, dimension and value, by which a Signal names it."""
        return self.measure, self.dimension, self.value


def alarms(
    drift: Drift,
    outcomes: Outcomes,
    page: Page,
    *,
    arms: Mapping[str, str],
    objectives: Mapping[str, float],
) -> list[Alarm]:
    """Everything that is believed, also that an arm of an experiment is better, and which
    objectives are missed by segment. `arms` has the dimension of each experiment, `objectives` the
    share of exchanges that is to meet each."""
    return [
        *(
            Alarm("drift", one.feature, one.dimension, one.value, one.words)
            for one in drift.features
            if one.status == "drift"
        ),
        *_of_outcomes(outcomes),
        *_of_experiments(outcomes.experiments, arms),
        *_of_objectives(page, objectives),
    ]


def _of_outcomes(found: Outcomes) -> Iterator[Alarm]:
    for one in found.quality:
        if one.status == "alarm":
            yield Alarm("quality", one.measure, one.dimension, one.value, one.words)
    for probability in found.calibration:
        if probability.status == "alarm":
            words = f"expected calibration error {probability.ece or 0:.3f}" + (
                f"; logits are {probability.temperature:.1f} times too large"
                if probability.temperature and probability.temperature > 1
                else ""
            )
            yield Alarm("calibration", "ece", probability.dimension, probability.value, words)
    for held in found.coverage:
        if held.status == "alarm":
            words = f"{percent(held.coverage or 0)} of labels are inside, not {as_set(held.target)}"
            yield Alarm("coverage", "coverage", held.dimension, held.value, words)
    for group in found.fairness:
        if group.status == "alarm":
            words = f"{group.gap or 0:+.3f} beside the rest"
            yield Alarm("fairness", group.measure, group.dimension, group.value, words)
    for part in found.slices:
        if part.status == "alarm":
            first = part.conditions[0]
            yield Alarm("slices", part.measure, first.dimension, first.value, part.words)


def _of_experiments(
    effects: Sequence[ExperimentEffect], arms: Mapping[str, str]
) -> Iterator[Alarm]:
    for one in effects:
        if one.verdict == "invalid":
            words = f"experiment {one.name}: {one.reason}"
            yield Alarm("experiments", ALLOCATION, arms[one.name], one.variant, words)
        elif one.verdict in ("better", "worse"):
            words = f"experiment {one.name}: {one.verdict} than the control"
            if one.effect is not None and one.lower is not None and one.upper is not None:
                words += f" by {one.effect:+.3f} ({one.lower:+.3f} to {one.upper:+.3f})"
            is_good = one.verdict == "better"
            yield Alarm("experiments", one.metric, arms[one.name], one.variant, words, is_good)


def _of_objectives(page: Page, objectives: Mapping[str, float]) -> Iterator[Alarm]:
    """Of those that are told by segment, which `availability` is not."""
    for labels, missed in page.pick("monitor_segment_objective_missed_total"):
        objective, dimension, value = (labels[k] for k in ("objective", "dimension", "value"))
        where = {"dimension": dimension, "value": value}
        share = missed / max(1.0, page.total("monitor_segment_exchanges_total", **where))
        burn = share / (1 - objectives[objective])
        if missed >= LEAST and burn >= BURN:
            words = f"{percent(share)} miss it, {burn:.1f} times as many as allowed"
            yield Alarm("objectives", f"{objective} objective", dimension, value, words)


def missing(signals: Iterable[Signal], found: Iterable[Alarm]) -> list[Signal]:
    """The signals that are not among what was found."""
    places = {one.place for one in found}
    return [one for one in signals if (one.measure, one.dimension, one.value) not in places]
