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

from monitor.analysis.blocks import is_due
from monitor.analysis.experiments.arms import Arms, Judged
from monitor.analysis.experiments.bars import Bars
from monitor.analysis.experiments.declared import Experiment, Metric, period_of
from monitor.analysis.experiments.timeline import Timeline
from monitor.analysis.experiments.units import Clusters, Units, judged, judged_by_period
from monitor.analysis.experiments.verdicts import ALPHA, of_decision, of_guardrail
from monitor.findings import ExperimentEffect, ExperimentTimeline, Verdict
from monitor.sequential.confidence_sequences import Interval
from monitor.sequential.e_values import thresholds
from monitor.sequential.known_probability import log_evidence_of_shares
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import ABSENT, Key, Measurement, Row, Truth

MISMATCH = math.log(100)
"""Evidence from which on exchanges do not come to the arms as they were to: an error of 1 %."""

ARMS = 16
"""Arms that are looked at, where they are not declared."""

EXPOSED, TIMELINE = "exposed", "timeline/"
"""The entry of how many exchanges each arm had, and the head of those with what an experiment
looked like from its beginning on, followed by its name. The others are [experiment, variant,
metric], and where there is a unit [experiment, arm, metric, unit], with the number of the period of
a ramp but for the first; the units themselves with neither."""

Name = tuple[str, ...]


class _Exposed(msgspec.Struct, array_like=True):
    block: int
    strangers: int
    exposed: dict[str, int]
    stranger: str = ""
    bars: Bars = msgspec.field(default_factory=Bars)
    periods: list[dict[str, int]] = []


class _Run:
    """An experiment under way."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.metrics = {one.name: one for one in experiment.metrics}
        declared = [name for name, _ in experiment.allocation]
        self.exposed: dict[str, int] = dict.fromkeys(declared or [experiment.control], 0)
        # By the periods of a ramp; else there is one, which is all.
        self.periods = (
            [dict(self.exposed) for _ in (0, *experiment.ramp)] if experiment.ramp else []
        )
        self.strangers = 0
        self.stranger = ""  # the first by name, as an example
        self.arms: dict[tuple[str, str], Arms] = {}
        self.clusters: dict[tuple[str, str, int], Clusters] = {}
        self.units = Units()
        self.quantiles = tuple(
            dict.fromkeys(filter(None, (m.quantile for m in experiment.metrics)))
        )
        self.bars = Bars()
        self.block = 0
        self.found: list[ExperimentEffect] | None = None

    @property
    def variants(self) -> list[str]:
        """All arms but the control."""
        return [name for name in self.exposed if name != self.experiment.control]

    def expose(self, arm: str, period: int) -> bool:
        """Count an exchange; return whether its arm takes part."""
        if arm not in self.exposed:
            if self.experiment.allocation or len(self.exposed) >= ARMS:
                self.strangers += 1
                self.stranger = min(arm, self.stranger or arm)
                return False
            self.exposed[arm] = 0
        self.exposed[arm] += 1
        if self.periods:
            self.periods[period][arm] += 1
        return True

    def of(self, variant: str, metric: Metric) -> Arms:
        """The counts of a variant beside the control, of which all may have come before it."""
        key = variant, metric.name
        if key not in self.arms:
            alone = self.arms.get((self.experiment.control, metric.name))
            self.arms[key] = Arms(self.experiment, metric) if alone is None else alone.copy()
        return self.arms[key]

    def counted(self, arm: str) -> list[str]:
        """The variants beside which a value of an arm is counted. Of the control that is every one;
        and itself, for variants that are still to come, where no arms are declared."""
        if arm != self.experiment.control:
            return [arm]
        return self.variants if self.experiment.allocation else list(self.exposed)

    def of_key(self, key: Name) -> Arms | Clusters:
        """What stands in the state under a name."""
        _, arm, metric, *unit = key
        if not unit:
            return self.arms[arm, metric]
        return self.clusters[arm, metric, int(unit[1]) if len(unit) > 1 else 0]

    def cluster(self, arm: str, metric: str, period: int = 0) -> Clusters:
        """The sums of an arm by units, in a period of the allocation."""
        return self.clusters.setdefault((arm, metric, period), Clusters())

    def judged(self, variant: str, metric: Metric, alpha: float) -> Judged | None:
        """What is known of a variant by a metric; `alpha` is the error of an interval."""
        if not self.experiment.unit:
            return self.of(variant, metric).judged(alpha)
        pairs = self.pairs(variant, metric)
        planned = self.experiment.planned
        if self.experiment.ramp:
            return judged_by_period(pairs, planned, alpha)
        return judged(*pairs[0], planned, alpha, paired=self.experiment.paired)

    def pairs(self, variant: str, metric: Metric) -> list[tuple[Clusters, Clusters]]:
        """The sums of the control and a variant by units, in each period of the allocation."""
        control = self.experiment.control
        return [
            (self.cluster(control, metric.name, period), self.cluster(variant, metric.name, period))
            for period in range(len(self.experiment.ramp) + 1)
        ]

    def samples(self, variant: str, metric: Metric) -> int:
        """Exchanges of a variant with a value."""
        if self.experiment.unit:
            return sum(one.exchanges for _, one in self.pairs(variant, metric))
        return self.of(variant, metric).samples

    def mismatch(self) -> float:
        """ln E against the declared shares, of units where there are any; 0 where none are
        declared. Where they change, each period is held against its own."""
        shares = self.experiment.allocation
        if not shares:
            return 0.0
        if self.experiment.unit:
            return self.units.mismatch(shares, self.experiment.ramp)
        declared = (shares, *(later for _, later in self.experiment.ramp))
        return math.fsum(
            log_evidence_of_shares([came[name] for name, _ in part], [share for _, share in part])
            for part, came in zip(declared, self.periods or [self.exposed], strict=True)
        )

    def remark(self, *, invalid: bool) -> str:
        """What a reader of its verdicts should know; empty where there is nothing."""
        experiment = self.experiment
        if invalid:
            what = f"values of {experiment.unit}" if experiment.unit else "exchanges"
            why = f"{what} do not come to the arms of {experiment.dimension} as declared"
            return "; ".join(filter(None, (why, self._strange(), self._mixed())))
        if not self.exposed[experiment.control]:
            control = experiment.control
            return f"no exchange is of the control {control!r}, so nothing can be compared"
        said = [self._mixed()]
        if not self.bars.is_set(self.quantiles):
            counted = sum(self.bars.first.values())
            said.append(f"{counted:,} exchanges of the control, too few to say what is slow")
        if self.units.unnamed:
            said.append(f"{self.units.unnamed:,} exchanges have no {experiment.unit}")
        return "; ".join(filter(None, (*said, self._strange())))

    def _strange(self) -> str:
        """How many exchanges were of no arm that is looked at, and the name of one such arm."""
        if not self.strangers:
            return ""
        which = "no arm that was declared" if self.experiment.allocation else (
            f"arms beyond the first {ARMS}"
        )  # fmt: skip
        return f"{self.strangers:,} exchanges are of {which}, such as {self.stranger!r}"

    def _mixed(self) -> str:
        """How many units were seen in several arms, which makes any effect look smaller; of pairs
        how many were not."""
        mixed, units = self.units.several, len(self.units)
        if self.experiment.paired:
            alone = units - mixed
            named = f"values of {self.experiment.unit}"
            return f"{alone:,} of {units:,} {named} were seen in one arm alone" if alone else ""
        if not mixed:
            return ""
        unit = self.experiment.unit
        return f"{mixed:,} of {units:,} values of {unit} were seen in more than one arm"


class ExperimentsMonitor:
    """The Monitor of experiments. `positive` is the class that labels and predictions are asked
    for; `pane` is that of the fold, None where all is one."""

    name = "experiments"

    def __init__(
        self, experiments: Sequence[Experiment], *, positive: str, pane: float | None
    ) -> None:
        self._runs = {one.name: _Run(one) for one in experiments}
        self._positive = positive
        self._pane = pane
        # Where all is one pane nothing is known of when.
        self._timelines = {} if pane is None else {name: Timeline(pane) for name in self._runs}
        self._changed: set[Name] = set()
        self._gone: set[str] = set()

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's truth in each experiment that it takes part in."""
        if row.truth is None:
            return
        for run in self._runs.values():
            experiment = run.experiment
            arm = row.segments.get(experiment.dimension, ABSENT)
            if arm == ABSENT:
                continue
            run.found = None
            unit = row.truth.units.get(experiment.unit)
            if experiment.unit and unit is None:
                run.units.unnamed += 1
                run.units.is_changed = True
                continue
            began = row.at - (row.truth.duration or 0.0)
            period = period_of(experiment.ramp, began) if experiment.ramp else 0
            if not run.expose(visible(arm), period):
                continue
            if not run.bars.is_set(run.quantiles) and visible(arm) == experiment.control:
                run.bars.count(row.truth.duration)
                if self._pane is None:
                    run.bars.set(run.quantiles)
            if unit is not None and experiment.unit:
                run.units.add(unit, visible(arm), began if experiment.ramp else at)
                self._count_unit(run, row.truth, visible(arm), unit, period)
                continue
            block = pane if self._pane is not None else run.block
            for metric in experiment.metrics:
                value = metric.value(row.truth, self._positive, run.bars.known.get(metric.quantile))
                if value is not None:
                    self._count(run, metric, visible(arm), (block, period), value)
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
        for name, timeline in self._timelines.items():
            if timeline.is_due(end(last)):
                timeline.keep(end(last), self._found(self._runs[name]))

    def merge(self, other: Self) -> None:
        """Add what `other` counted before a pane was closed."""
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
                run.block, run.strangers, run.exposed, run.stranger, run.bars, run.periods
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
        keeps: Callable[[Key], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged."""
        if EXPOSED in state:
            kept = msgspec.json.decode(state[EXPOSED], type=dict[str, _Exposed])
            for name, one in kept.items():
                run = self._runs.get(name)
                if run is not None and keeps((self.name, run.experiment.dimension, name)):
                    run.block, run.strangers, run.stranger = one.block, one.strangers, one.stranger
                    run.exposed |= one.exposed
                    run.bars = one.bars
                    for came, was in zip(run.periods, one.periods, strict=False):
                        came.update(was)
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
                or (period := int(units[1]) if len(units) > 1 else 0) > len(run.experiment.ramp)
                or not keeps((self.name, run.experiment.dimension, name))
            ):
                self._gone.add(entry)
            elif units and not metric:
                run.units = Units.restored(saved)
            elif metric not in run.metrics:
                self._gone.add(entry)
            elif units:
                run.clusters[arm, metric, period] = Clusters.restored(saved)
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
        self, run: _Run, metric: Metric, arm: str, when: tuple[int, int], value: float
    ) -> None:
        """Count a value under its variant, in a block and a period; one of the control beside every
        variant."""
        block, period = when
        is_control = arm == run.experiment.control
        for variant in run.counted(arm):
            run.of(variant, metric).add(block, value, is_control=is_control, period=period)
            self._changed.add((run.experiment.name, variant, metric.name))

    def _count_unit(self, run: _Run, truth: Truth, arm: str, unit: int, period: int) -> None:
        """Count the values of an exchange under its arm, in the bucket of its unit."""
        for metric in run.experiment.metrics:
            bar = run.bars.known.get(metric.quantile)
            value, base = metric.value(truth, self._positive, bar), metric.base(truth)
            if value is not None:
                run.cluster(arm, metric.name, period).add(unit, value, base)
                self._changed.add(_clustered(run, arm, metric.name, period))

    def _settle(self, run: _Run) -> None:
        """Close the block that is open where it is long enough."""
        exposed = sum(run.exposed.values())
        opened = max((arms.rows[0] for arms in run.arms.values()), default=0)
        if is_due(opened, exposed - opened):
            self._close(run, run.block)
            run.block += 1

    def _close(self, run: _Run, last: int) -> None:
        for (variant, metric), arms in run.arms.items():
            if arms.rows[0]:
                self._changed.add((run.experiment.name, variant, metric))
            arms.close(last)
            run.found = None

    def _restore_timeline(self, entry: str, saved: bytes, keeps: Callable[[Key], bool]) -> None:
        name = entry.removeprefix(TIMELINE)
        run = self._runs.get(name)
        if run is None or not keeps((self.name, run.experiment.dimension, name)):
            self._gone.add(entry)
        elif self._pane is not None:
            self._timelines[name] = Timeline.restored(saved, self._pane)

    def _found(self, run: _Run) -> list[ExperimentEffect]:
        if run.found is None:
            run.found = list(self._of(run))
        return run.found

    def _of(self, run: _Run) -> Iterator[ExperimentEffect]:
        experiment = run.experiment
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


_NOTHING = (None, None, None)


def _clustered(run: _Run, arm: str, metric: str, period: int) -> Name:
    """The name of the entry of sums by units."""
    name = run.experiment.name, arm, metric, run.experiment.unit
    return (*name, str(period)) if period else name


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number
