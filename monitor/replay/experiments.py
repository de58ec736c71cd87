"""Declared experiments → those that the columns of a table can tell of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from monitor.analysis.experiments.declared import STRETCHES, Experiment, Metric
from monitor.replay.plan import DURATION, OUTCOME, Plan


def fitting(plan: Plan, columns: Iterable[str]) -> Iterator[tuple[Experiment, list[str]]]:
    """Yield each experiment whose dimension is one of the columns, with the metrics that they tell
    of, and the names of the columns that the others would need."""
    known = set(columns)
    for one in plan.experiments:
        if one.dimension not in known:
            continue
        unit = "" if one.unit in STRETCHES else one.unit
        needed = {
            metric.name: [*filter(None, (_column(plan, metric), metric.per, unit))]
            for metric in one.metrics
        }
        told = tuple(metric for metric in one.metrics if known.issuperset(needed[metric.name]))
        wanted = dict.fromkeys(name for names in needed.values() for name in names)
        missing = [name for name in wanted if name not in known]
        yield dataclasses.replace(one, metrics=told), missing


def _column(plan: Plan, metric: Metric) -> str:
    """The column that a metric is measured in."""
    truth = plan.truth
    return {
        "event": str(metric.of),
        "latency": DURATION,
        "outcome": OUTCOME,
        "label": truth.label or "a --label",
        "score": truth.score or "a --score",
        "prediction": truth.prediction or "a --prediction",
    }.get(metric.source, metric.source)
