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
from monitor.analysis.experiments.arms import Arms
from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.experiments.verdicts import ALPHA, of_decision, of_guardrail
from monitor.findings import ExperimentEffect, Verdict
from monitor.sequential.confidence_sequences import Interval
from monitor.sequential.e_values import thresholds
from monitor.sequential.known_probability import log_evidence_of_shares
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import ABSENT, Key, Measurement, Row

MISMATCH = math.log(100)
"""Evidence from which on exchanges do not come to the arms as they were to: an error of 1 %."""

ARMS = 16
"""Arms that are looked at, where they are not declared."""

EXPOSED = "exposed"
"""The entry of how many exchanges each arm had; the others are [experiment, variant, metric]."""


class _Run:
    """An experiment under way."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.metrics = {one.name: one for one in experiment.metrics}
        declared = [name for name, _ in experiment.allocation]
        self.exposed: dict[str, int] = dict.fromkeys(declared or [experiment.control], 0)
        self.strangers = 0
        self.arms: dict[tuple[str, str], Arms] = {}
        self.block = 0

    @property
    def variants(self) -> list[str]:
        """All arms but the control."""
        return [name for name in self.exposed if name != self.experiment.control]

    def expose(self, arm: str) -> bool:
        """Count an exchange; return whether its arm takes part."""
        if arm not in self.exposed:
            if self.experiment.allocation or len(self.exposed) >= ARMS:
                self.strangers += 1
                return False
            self.exposed[arm] = 0
        self.exposed[arm] += 1
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

    def mismatch(self) -> float:
        """ln E against the declared shares; 0 where there are none."""
        shares = self.experiment.allocation
        if not shares:
            return 0.0
        counts = [self.exposed[name] for name, _ in shares]
        return log_evidence_of_shares(counts, [share for _, share in shares])

    def remark(self, *, invalid: bool) -> str:
        """What a reader of its verdicts should know; empty where there is nothing."""
        experiment, strangers = self.experiment, self.strangers
        if invalid:
            return f"exchanges do not come to the arms of {experiment.dimension} as declared"
        if not self.exposed[experiment.control]:
            control = experiment.control
            return f"no exchange is of the control {control!r}, so nothing can be compared"
        if not strangers:
            return ""
        if experiment.allocation:
            return f"{strangers:,} exchanges are of no arm that was declared"
        return f"{strangers:,} exchanges are of arms beyond the first {ARMS}"


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
        self._changed: set[tuple[str, str, str]] = set()
        self._gone: set[str] = set()

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's truth in each experiment that it takes part in."""
        if row.truth is None:
            return
        for run in self._runs.values():
            experiment = run.experiment
            arm = row.segments.get(experiment.dimension, ABSENT)
            if arm == ABSENT or not run.expose(visible(arm)):
                continue
            block = pane if self._pane is not None else run.block
            for metric in experiment.metrics:
                value = metric.value(row.truth, self._positive)
                if value is not None:
                    self._count(run, metric, visible(arm), block, value)
            if self._pane is None:
                self._settle(run)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`: what was bet on them is settled."""
        for run in in_turns(list(self._runs.values())):
            if self._pane is None:
                self._close(run, run.block)
                run.block += 1
            else:
                self._close(run, last)

    def merge(self, other: Self) -> None:
        """Add what `other` counted before a pane was closed."""
        for name, run in self._runs.items():
            theirs = other._runs[name]
            for arm, count in theirs.exposed.items():
                run.exposed[arm] = run.exposed.get(arm, 0) + count
            run.strangers += theirs.strangers
            keys = sorted({*run.arms, *theirs.arms})
            both = [[one.of(key[0], run.metrics[key[1]]) for one in (run, theirs)] for key in keys]
            for key, (ours, others) in zip(keys, both, strict=True):
                ours.merge(others)
                self._changed.add((name, *key))

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        exposed = {
            name: (run.block, run.strangers, run.exposed) for name, run in self._runs.items()
        }
        state = dict.fromkeys(self._gone, b"")
        state[EXPOSED] = msgspec.json.encode(exposed)
        for key in in_turns(sorted(self._changed)):
            name, *which = key
            arms = self._runs[name].arms[which[0], which[1]]
            state[msgspec.json.encode(key).decode()] = arms.saved()
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
            kept = msgspec.json.decode(
                state[EXPOSED], type=dict[str, tuple[int, int, dict[str, int]]]
            )
            for name, (block, strangers, exposed) in kept.items():
                run = self._runs.get(name)
                if run is not None and keeps((self.name, run.experiment.dimension, "")):
                    run.block, run.strangers = block, strangers
                    run.exposed |= exposed
        for entry, saved in in_turns(state.items()):
            if entry == EXPOSED or not saved:
                continue
            name, variant, metric = msgspec.json.decode(entry, type=tuple[str, str, str])
            run = self._runs.get(name)
            found = None if run is None else run.metrics.get(metric)
            if run is None or found is None or not keeps((self.name, run.experiment.dimension, "")):
                self._gone.add(entry)
            else:
                run.arms[variant, metric] = Arms(run.experiment, found)
                run.arms[variant, metric].restore(saved, place)

    def findings(self) -> list[ExperimentEffect]:
        """Each metric of each variant, in the order in which they were declared."""
        return [found for run in self._runs.values() for found in self._of(run)]

    def arms(self, name: str) -> list[str]:
        """The arms of an experiment that anybody had, those with most exchanges first."""
        exposed = self._runs[name].exposed
        return sorted((arm for arm in exposed if exposed[arm]), key=lambda arm: -exposed[arm])

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """Effects with their intervals, verdicts, and the evidence against the allocation."""
        for name, run in self._runs.items():
            labels = {"endpoint": endpoint, "experiment": name}
            yield Measurement("monitor_experiment_allocation_log_evidence", labels, run.mismatch())
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

    def _count(self, run: _Run, metric: Metric, arm: str, block: int, value: float) -> None:
        """Count a value under its variant; one of the control beside every variant."""
        is_control = arm == run.experiment.control
        for variant in run.counted(arm):
            run.of(variant, metric).add(block, value, is_control=is_control)
            self._changed.add((run.experiment.name, variant, metric.name))

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

    def _of(self, run: _Run) -> Iterator[ExperimentEffect]:
        experiment = run.experiment
        invalid = run.mismatch() >= MISMATCH
        alpha = ALPHA / max(1, len(run.variants))
        judged = {
            (variant, metric.name): run.of(variant, metric).judged(alpha)
            for variant in run.variants
            for metric in experiment.metrics
        }
        harms = {
            key: one.harm
            for key, one in judged.items()
            if one is not None and run.metrics[key[1]].guardrail
        }
        shares = dict.fromkeys(harms, 1 / max(1, len(harms)))
        bars = thresholds(harms, shares, ALPHA) if harms else {}
        reason = run.remark(invalid=invalid)
        for (variant, name), one in judged.items():
            metric = run.metrics[name]
            verdict: Verdict = "invalid" if invalid else "keep_going"
            effect: Interval | None = None
            if one is not None and not invalid:
                effect = one.effect
                if metric.guardrail:
                    verdict = of_guardrail(metric, one, bars[variant, name])
                else:
                    verdict = of_decision(metric, one, experiment.minimum_effect)
            number, lower, upper = map(_finite, effect or (None, None, None))
            samples = run.of(variant, metric).samples
            yield ExperimentEffect(
                experiment.name, variant, name, number, lower, upper, verdict, samples, reason
            )


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number
