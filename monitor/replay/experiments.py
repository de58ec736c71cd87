"""Declared experiments → those that the columns of a table can tell of, whether their arms are
alike, and how many rows are of none."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from monitor.analysis.experiments.declared import STRETCHES, Experiment, Metric
from monitor.distances.psi import psi
from monitor.readable import rounded
from monitor.replay.plan import DURATION, OUTCOME, Plan
from monitor.rows import Row, Truth
from monitor.types import ABSENT

UNLIKE, CERTAIN = 0.02, 6.0
"""Arms are unlike in a dimension from this PSI on, where it is so many standard deviations of what
chance would show."""

SAID = 8
"""So many such dimensions are told, at most."""


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


class Mixes:
    """Counts of what rows of each arm are in other dimensions, whose values are within the budget,
    of rows of no arm, and of values that bounds cut. An arm that has more of the easy cases looks
    better, though it may be worse in each of them (Simpson 1951)."""

    def __init__(
        self, experiments: Sequence[Experiment], dimensions: Sequence[str], positive: str
    ) -> None:
        self._pairs = [
            (one, name) for one in experiments for name in dimensions if name != one.dimension
        ]
        self._counts: dict[tuple[str, str, str], Counter[str]] = {}
        self._experiments = experiments
        self._positive = positive
        self._bounded = [
            (one, metric) for one in experiments for metric in one.metrics if metric.is_mean
        ]
        self._rows, self._armless, self._cut = 0, Counter[str](), Counter[tuple[str, str]]()

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, each counted on its way where there is something to compare."""
        return self._counted(rows) if self._experiments else iter(rows)

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        names = {one.dimension for one in self._experiments}
        for row in rows:
            if row.truth is not None and not row.truth.is_due:
                yield row  # it comes again when it is
                continue
            self._rows += 1
            if row.truth is not None:
                self._count_cut(row, row.truth)
            self._armless.update(name for name in names if row.segments.get(name, ABSENT) == ABSENT)
            for one, name in self._pairs:
                arm = row.segments.get(one.dimension, ABSENT)
                if arm != ABSENT:
                    counts = self._counts.setdefault((one.dimension, name, arm), Counter())
                    counts[row.segments.get(name, ABSENT)] += 1
            yield row

    def _count_cut(self, row: Row, truth: Truth) -> None:
        for one, metric in self._bounded:
            has_arm = row.segments.get(one.dimension, ABSENT) != ABSENT
            if has_arm and metric.cuts(truth, self._positive):
                self._cut[one.name, metric.name] += 1

    def remarks(self) -> list[str]:
        """What a reader should know of rows of no arm, of values that were cut, and of arms that
        are unlike, the most unlike first."""
        armless = [
            f"experiment {one.name}: {count:,} of {self._rows:,} rows are of no arm "
            f"({one.dimension} is empty), and are not compared"
            for one in self._experiments
            if (count := self._armless[one.dimension])
        ]
        cut = [
            f"experiment {one.name}: {count:,} values of {metric.name} are outside "
            f"{metric.bounds[0]:,g} to {metric.bounds[1]:,g} (bounds) and count as the nearer end; "
            "the effect is that of such values, and may differ from that of the values as they are "
            "even in its sign"
            for one, metric in self._bounded
            if (count := self._cut[one.name, metric.name])
        ]
        found = []
        for one, name in self._pairs:
            usual = self._counts.get((one.dimension, name, one.control), Counter())
            for (dimension, other, arm), counts in self._counts.items():
                if (dimension, other) != (one.dimension, name) or arm == one.control:
                    continue
                size = apart(usual, counts)
                if size < UNLIKE:
                    continue
                before, after = usual.total(), counts.total()
                most = max(
                    counts | usual, key=lambda of: abs(counts[of] / after - usual[of] / before)
                )
                found.append((size, (
                    f"experiment {one.name}: {arm} and {one.control} differ in {name} ({most}: "
                    f"{rounded(counts[most] / after)} and {rounded(usual[most] / before)}); unless "
                    f"the arm makes that, what is told of {arm} may come from it"
                )))  # fmt: skip
        return armless + cut + [text for _, text in sorted(found, key=lambda one: -one[0])][:SAID]


def apart(usual: Counter[str], counts: Counter[str]) -> float:
    """The PSI of two sets of rows, as of two arms, where it is certain; else 0.

    >>> round(apart(Counter(a=300, b=100), Counter(a=100, b=300)), 2)
    1.09
    >>> apart(Counter(a=9, b=8), Counter(a=8, b=9))
    0.0
    """
    m, n = usual.total(), counts.total()
    if not (m and n):
        return 0.0
    values = sorted(usual | counts)
    size = psi([usual[one] for one in values], [counts[one] for one in values])
    chance = math.sqrt(2 * max(len(values) - 1, 1)) * (1 / m + 1 / n)
    return size if size >= CERTAIN * chance else 0.0
