"""Outcome rows → verdicts on experiments, which may be read at every moment.

First it is asked whether exchanges came to the arms as they were to: where not, whatever made that
may have made everything else, and every verdict is `invalid`. Then a variant is worse, better or no
different where that is certain; else the experiment is to go on. Each decision metric has an error
of `ALPHA` over all looks and variants; guardrails share another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self, get_args

import msgspec

from monitor.analysis.blocks import is_due, refuse
from monitor.analysis.experiments.arms import Arms
from monitor.analysis.experiments.bars import Bars
from monitor.analysis.experiments.declared import Experiment, Metric, period_of, stretch_of
from monitor.analysis.experiments.follow_up import NEVER
from monitor.analysis.experiments.run import FOLLOWED, Name, Run
from monitor.analysis.experiments.timeline import Timeline
from monitor.analysis.experiments.verdicts import ALPHA, of_decision, of_guardrail
from monitor.findings import ExperimentEffect, ExperimentTimeline, Verdict
from monitor.rows import Row, Truth
from monitor.sequential.confidence_sequences import Interval
from monitor.sequential.e_values import thresholds
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import ABSENT, Measurement, WatchKey

MISMATCH = math.log(100)
"""Evidence from which on exchanges do not come to the arms as they were to: an error of 1 %."""

EXPOSED, TIMELINE = "exposed", "timeline/"
"""The entry of how many exchanges each arm had, and the head of those with what an experiment
looked like from its beginning on, followed by its name. The others are [experiment, variant,
metric], and where there is a unit [experiment, arm, metric, unit], with the number of the period of
a ramp but for the first; the units themselves with neither, and those that are followed with
`FOLLOWED` and the number of a piece behind that."""


class _Exposed(msgspec.Struct, array_like=True):
    block: int
    strangers: int
    exposed: dict[str, int]
    stranger: str = ""
    bars: Bars = msgspec.field(default_factory=Bars)
    periods: list[dict[str, int]] = []
    over: int = NEVER


class ExperimentsMonitor:
    """The Monitor of experiments. `positive` is the class that labels and predictions are asked
    for; `pane` is that of the fold, None where all is one."""

    name = "experiments"

    def __init__(
        self, experiments: Sequence[Experiment], *, positive: str, pane: float | None
    ) -> None:
        self._runs = {one.name: Run(one) for one in experiments}
        self._positive = positive
        self._pane = pane
        # Where all is one pane nothing is known of when.
        self._timelines = {} if pane is None else {name: Timeline(pane) for name in self._runs}
        self._changed: set[Name] = set()
        self._gone: set[str] = set()

    @property
    def overflow(self) -> int:
        """Exchanges of arms that had no place, of experiments that declare none."""
        return sum(run.beyond for run in self._runs.values())

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's truth in each experiment that it takes part in."""
        if row.truth is None:
            return
        for run in self._runs.values():
            experiment = run.experiment
            arm = row.segments.get(experiment.dimension, ABSENT)
            if arm == ABSENT:
                continue
            arm = visible(arm)
            run.found = None
            unit = row.truth.units.get(experiment.unit, stretch_of(experiment.unit, at))
            if experiment.unit and unit is None:
                run.units.unnamed += 1
                run.units.is_changed = True
                continue
            began = at - (row.truth.duration or 0.0)
            began = began if math.isfinite(began) else at
            period = period_of(experiment.ramp, began) if experiment.ramp else 0
            if not run.expose(arm, period):
                continue
            if not run.bars.is_set(run.quantiles) and arm == experiment.control:
                run.bars.count(row.truth.duration)
                if self._pane is None:
                    run.bars.set(run.quantiles)
            if unit is not None and experiment.unit:
                when = began if experiment.ramp or run.follow_up is not None else at
                self._count_unit(run, row.truth, arm, unit, (when, period))
                continue
            block = pane if self._pane is not None else run.block
            for metric in experiment.metrics:
                value = metric.value(row.truth, self._positive, run.bars.known.get(metric.quantile))
                if value is not None:
                    self._count(run, metric, arm, (block, period), value)
            if self._pane is None:
                self._settle(run)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`: what was bet on them is settled."""
        for run in in_turns(list(self._runs.values())):
            run.bars.set(run.quantiles)
            if self._pane is None:
                self._close(run, run.block)
                run.block += 1
            else:
                self._close(run, last)
                self._settle_units(run, end(last))
        for name, timeline in self._timelines.items():
            if timeline.is_due(end(last)):
                timeline.keep(end(last), self._found(self._runs[name]))

    def merge(self, other: Self) -> None:
        """Add what `other` counted; raises ValueError where it has closed a pane or a block."""
        every = (arms for run in other._runs.values() for arms in run.arms.values())
        refuse(is_closed=any(arms.has_closed for arms in every))
        for name, run in self._runs.items():
            theirs = other._runs[name]
            for arm, count in theirs.exposed.items():
                run.exposed[arm] = run.exposed.get(arm, 0) + count
            for came, their in zip(run.periods, theirs.periods, strict=True):
                for arm, count in their.items():
                    came[arm] += count
            run.strangers += theirs.strangers
            run.stranger = min(filter(None, (run.stranger, theirs.stranger)), default="")
            run.found = None
            run.units.merge(theirs.units)
            run.bars.merge(theirs.bars)
            if run.follow_up is not None and theirs.follow_up is not None:
                run.follow_up.merge(theirs.follow_up)
                run.follow_up.keep(run.units)
            else:
                for which, cluster in theirs.clusters.items():
                    run.cluster(*which).merge(cluster)
                    self._changed.add(_clustered(run, *which))
            keys = sorted({*run.arms, *theirs.arms})
            both = [[one.of(key[0], run.metrics[key[1]]) for one in (run, theirs)] for key in keys]
            for key, (ours, others) in zip(keys, both, strict=True):
                ours.merge(others)
                self._changed.add((name, *key))

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        exposed = {
            name: _Exposed(
                run.block,
                run.strangers,
                run.exposed,
                run.stranger,
                run.bars,
                run.periods,
                NEVER if run.follow_up is None else run.follow_up.over,
            )
            for name, run in self._runs.items()
        }
        state = dict.fromkeys(self._gone, b"")
        state[EXPOSED] = msgspec.json.encode(exposed)
        for key in in_turns(sorted(self._changed)):
            run = self._runs[key[0]]
            state[msgspec.json.encode(key).decode()] = run.of_key(key).saved()
        for name, run in self._runs.items():
            if run.units.is_changed:
                key = (name, "", "", run.experiment.unit)
                state[msgspec.json.encode(key).decode()] = run.units.saved()
            for piece, saved in run.followed():
                key = (name, "", "", run.experiment.unit, FOLLOWED, str(piece))
                state[msgspec.json.encode(key).decode()] = saved
        for name, timeline in self._timelines.items():
            if timeline.is_changed:
                state[TIMELINE + name] = timeline.saved()
        self._changed, self._gone = set(), set()
        return state

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged."""
        if EXPOSED in state:
            kept = msgspec.json.decode(state[EXPOSED], type=dict[str, _Exposed])
            for name, one in kept.items():
                run = self._runs.get(name)
                if run is not None and keeps((self.name, run.experiment.dimension, name)):
                    _expose(run, one, newest)
        for entry, saved in in_turns(state.items()):
            if entry == EXPOSED or not saved:
                continue
            if entry.startswith(TIMELINE):
                self._restore_timeline(entry, saved, keeps)
                continue
            name, arm, metric, *units = msgspec.json.decode(entry, type=list[str])
            run = self._runs.get(name)
            if (
                run is None
                or (units or [""])[0] != run.experiment.unit
                or not keeps((self.name, run.experiment.dimension, name))
            ):
                self._gone.add(entry)
            elif units:
                if not run.restore_units(arm, metric, units[1:], saved):
                    self._gone.add(entry)
            elif metric not in run.metrics:
                self._gone.add(entry)
            else:
                run.arms[arm, metric] = Arms(run.experiment, run.metrics[metric])
                run.arms[arm, metric].restore(saved, place)

    def findings(self) -> list[ExperimentEffect]:
        """Each metric of each variant, in the order in which they were declared.

        What was found is kept until something is counted.
        """
        return [one for run in self._runs.values() for one in self._found(run)]

    def timelines(self) -> list[ExperimentTimeline]:
        """What each metric of each variant was known to do from the beginning on; nothing where all
        is one pane."""
        return [
            one
            for name, timeline in self._timelines.items()
            for one in timeline.told(self._found(self._runs[name]))
        ]

    @property
    def names(self) -> list[str]:
        """The names of the experiments."""
        return list(self._runs)

    def arms(self, name: str) -> list[str]:
        """The arms of an experiment that anybody had, those with most exchanges first."""
        exposed = self._runs[name].exposed
        return sorted((arm for arm in exposed if exposed[arm]), key=lambda arm: -exposed[arm])

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """Effects with their intervals, verdicts, and the evidence against the allocation."""
        for name, run in self._runs.items():
            labels = {"endpoint": endpoint, "experiment": name}
            yield Measurement("monitor_experiment_allocation_log_evidence", labels, run.mismatch())
            if run.experiment.unit and not run.experiment.paired:
                for arms, count in (("all", len(run.units)), ("several", run.units.several)):
                    here = {**labels, "arms": arms}
                    yield Measurement("monitor_experiment_units", here, count)
        for one in in_turns(self.findings()):
            labels = {
                "endpoint": endpoint, "experiment": one.name, "variant": one.variant,
                "metric": one.metric,
            }  # fmt: skip
            for suffix, number in (("", one.effect), ("_lower", one.lower), ("_upper", one.upper)):
                if number is not None:
                    yield Measurement(f"monitor_experiment_effect{suffix}", labels, number)
            for verdict in get_args(Verdict):
                here = {**labels, "verdict": verdict}
                yield Measurement("monitor_experiment_verdict", here, float(verdict == one.verdict))

    def _count(
        self, run: Run, metric: Metric, arm: str, when: tuple[int, int], value: float
    ) -> None:
        """Count a value under its variant, in a block and a period; one of the control beside every
        variant."""
        block, period = when
        is_control = arm == run.experiment.control
        for variant in run.counted(arm):
            run.of(variant, metric).add(block, value, is_control=is_control, period=period)
            self._changed.add((run.experiment.name, variant, metric.name))

    def _count_unit(
        self, run: Run, truth: Truth, arm: str, unit: int, when: tuple[float, int]
    ) -> None:
        """Count the values of an exchange of that time and period: under its arm, in the bucket of
        its unit, or where units are followed with what theirs did so far."""
        at, period = when
        is_thinned = run.units.add(unit, arm, at)
        values = [
            (metric.name, value, metric.base(truth))
            for metric in run.experiment.metrics
            if (value := metric.value(truth, self._positive, run.bars.known.get(metric.quantile)))
            is not None
        ]
        if run.follow_up is not None:
            if is_thinned:
                run.follow_up.keep(run.units)
            run.follow(unit, at, values)
            return
        for metric, value, base in values:
            run.cluster(arm, metric, period).add(unit, value, base)
            self._changed.add(_clustered(run, arm, metric, period))

    def _settle_units(self, run: Run, until: float) -> None:
        """Count the units whose time is over; each once."""
        if run.follow_up is None:
            return
        for unit, sums in run.follow_up.settle(until):
            run.found = None
            for which in run.count_followed(unit, sums):
                self._changed.add(_clustered(run, *which))

    def _settle(self, run: Run) -> None:
        """Close the block that is open where it is long enough."""
        exposed = sum(run.exposed.values())
        opened = max((arms.opened for arms in run.arms.values()), default=0)
        if is_due(opened, exposed - opened):
            self._close(run, run.block)
            run.block += 1

    def _close(self, run: Run, last: int) -> None:
        for (variant, metric), arms in run.arms.items():
            if arms.opened:
                self._changed.add((run.experiment.name, variant, metric))
            arms.close(last)
            run.found = None

    def _restore_timeline(
        self, entry: str, saved: bytes, keeps: Callable[[WatchKey], bool]
    ) -> None:
        name = entry.removeprefix(TIMELINE)
        run = self._runs.get(name)
        if run is None or not keeps((self.name, run.experiment.dimension, name)):
            self._gone.add(entry)
        elif self._pane is not None:
            self._timelines[name] = Timeline.restored(saved, self._pane)

    def _found(self, run: Run) -> list[ExperimentEffect]:
        if run.found is None:
            run.found = list(self._of(run))
        return run.found

    def _of(self, run: Run) -> Iterator[ExperimentEffect]:
        experiment = run.experiment
        run.count_so_far(is_one_pane=self._pane is None)
        invalid = run.mismatch() >= MISMATCH
        alpha = ALPHA / max(1, len(run.variants))
        # What has an interval alone has its part of the guardrails' error from the beginning.
        shared = alpha / max(1, sum(one.guardrail for one in experiment.metrics))
        looks = {
            (variant, metric.name): run.judged(
                variant, metric, shared if metric.guardrail else alpha
            )
            for variant in run.variants
            for metric in experiment.metrics
        }
        harms = {
            key: one.harm
            for key, one in looks.items()
            if one is not None and run.metrics[key[1]].guardrail
        }
        shares = dict.fromkeys(harms, 1 / max(1, len(harms)))
        bars = thresholds(harms, shares, ALPHA) if harms else {}
        reason = run.remark(invalid=invalid)
        for (variant, name), one in looks.items():
            metric = run.metrics[name]
            verdict: Verdict = "invalid" if invalid else "keep_going"
            effect: Interval | None = None
            relative: Interval | None = None
            if one is not None and not invalid:
                effect, relative = one.effect, one.lift
                if metric.guardrail:
                    verdict = of_guardrail(metric, one, bars[variant, name])
                else:
                    verdict = of_decision(metric, one, experiment.minimum_effect)
            number, lower, upper = map(_finite, effect or _NOTHING)
            lift = map(_finite, relative or _NOTHING)
            yield ExperimentEffect(
                experiment.name, variant, name, number, lower, upper, verdict,
                run.samples(variant, metric), reason, *lift,
            )  # fmt: skip


def _expose(run: Run, saved: _Exposed, newest: float) -> None:
    """Go on from what an experiment's arms had."""
    run.block, run.strangers, run.stranger = saved.block, saved.strangers, saved.stranger
    run.exposed |= saved.exposed
    run.bars = saved.bars
    if run.follow_up is not None:
        run.follow_up.over = saved.over
        run.follow_up.come(newest)
    for came, was in zip(run.periods, saved.periods, strict=False):
        came.update(was)


_NOTHING = (None, None, None)


def _clustered(run: Run, arm: str, metric: str, period: int) -> Name:
    """The name of the entry of sums by units."""
    name = run.experiment.name, arm, metric, run.experiment.unit
    return (*name, str(period)) if period else name


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number
