"""Counts by metric and labels, from the catalogue: what a role adds up and reports.

Plain numbers in tables (a cached counter of a client library costs five times as much), and series
can be folded into another, which keeps sums right when a label value is given up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from math import inf

from monitor.metrics import BY_NAME, CATALOGUE
from monitor.metrics.metric import Metric, Role
from monitor.texts import printable
from monitor.turns import in_turns
from monitor.types import Exemplar, Measurement

OTHER = "other"

MOST = float(1 << 53)
"""Larger amounts are counted as this much: beyond, a sum of floats no longer counts by ones."""

Labels = tuple[str, ...]


def add_up(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Return one Measurement for each name and set of labels: the sum of those that have them.

    Several workers, and what a process that is gone said last, count the same things. Every
    exporter begins with this. The order is that of the first of each. Afterwards any exporter can
    write any number and any label: what cannot be seen in a label is a space.

    >>> one = Measurement("monitor_connections_open", {"endpoint": "e"}, 2)
    >>> [sample.value for sample in add_up([one, one])]
    [4]
    """
    sums: dict[tuple[str, frozenset[tuple[str, str]]], Measurement] = {}
    for one in in_turns(measurements):
        labels, value = one.labels, number(one.value)
        if not all(map(str.isprintable, labels.values())):
            labels = {name: printable(text) for name, text in labels.items()}
        key = one.name, frozenset(labels.items())
        known = sums.get(key)
        if known is not None:
            labels, value = known.labels, known.value + value
        sums[key] = Measurement(one.name, labels, value)
    return list(sums.values())


class Meters:
    """The metrics of one role. Labels are given in the catalogue's order, without `endpoint`.

    Any number may be given. A counter or histogram takes 0 to `MOST`, and leaves out what is not a
    number; a gauge takes whatever a float can hold.

    >>> meters = Meters("recorder", "default")
    >>> meters.add("monitor_pseudonyms_total", ("US_SSN",), 2)
    >>> [m for m in meters.measurements() if m.name == "monitor_pseudonyms_total"]
    [Measurement(name='monitor_pseudonyms_total', labels={'endpoint': 'default', \
'entity': 'US_SSN'}, value=2)]
    """

    def __init__(self, role: Role, endpoint: str) -> None:
        self._endpoint = endpoint
        metrics = [metric for metric in CATALOGUE if metric.role == role]
        self._numbers: dict[str, Counter[Labels]] = {
            metric.name: Counter() for metric in metrics if metric.kind != "histogram"
        }
        self._histograms: dict[str, dict[Labels, list[float]]] = {
            metric.name: {} for metric in metrics if metric.kind == "histogram"
        }
        self._exemplars: dict[tuple[str, Labels], dict[int, Exemplar]] = {}  # then by bucket
        self._buckets = {metric.name: metric.buckets for metric in metrics}
        for metric in metrics:
            if not metric.labels and metric.kind == "counter":
                self._numbers[metric.name][()] = 0

    def add(self, name: str, labels: Labels = (), amount: float = 1) -> None:
        """Add to a counter; a negative amount adds nothing."""
        if not 0 <= amount <= MOST:
            amount = MOST if amount > MOST else 0
        self._numbers[name][labels] += amount  # type: ignore[assignment]

    def set(self, name: str, value: float, labels: Labels = ()) -> None:
        """Set a gauge to a value."""
        self._numbers[name][labels] = number(value)  # type: ignore[assignment]

    def observe(
        self, name: str, labels: Labels, value: float, exemplar: Exemplar | None = None
    ) -> None:
        """Add a value to a histogram; a negative one counts as 0. The bucket that counts it keeps
        the newest `exemplar`."""
        if not 0 <= value <= MOST:
            if value != value:  # noqa: PLR0124  not a number, and so in no bucket
                return
            value = MOST if value > 0 else 0.0
        series, buckets = self._histograms[name], self._buckets[name]
        cells = series.get(labels)
        if cells is None:
            cells = series[labels] = [0.0] * (len(buckets) + 2)  # …, above the last, sum
        place = bisect_left(buckets, value)
        cells[place] += 1
        cells[-1] += value
        if exemplar is not None:
            self._exemplars.setdefault((name, labels), {})[place] = exemplar

    def fold(self, label: str, value: str, within: tuple[str, str] | None = None) -> None:
        """Move all series whose `label` is `value` into `other`, of all metrics that have it.

        `within` narrows this to series with that (label, value).
        """
        for name, numbers in self._numbers.items():
            for old, new in _moves(BY_NAME[name], list(numbers), label, value, within):
                numbers[new] += numbers.pop(old)
        for name, series in self._histograms.items():
            for old, new in _moves(BY_NAME[name], list(series), label, value, within):
                moved = series.pop(old)
                kept = series.setdefault(new, [0.0] * len(moved))
                kept[:] = [one + two for one, two in zip(kept, moved, strict=True)]
                self._fold_exemplars((name, old), (name, new))

    def _fold_exemplars(self, old: tuple[str, Labels], new: tuple[str, Labels]) -> None:
        for place, one in self._exemplars.pop(old, {}).items():
            kept = self._exemplars.setdefault(new, {})
            if place not in kept or kept[place].at < one.at:
                kept[place] = one

    def measurements(self) -> list[Measurement]:
        """Everything that was counted, as samples."""
        samples: list[Measurement] = []
        for name, numbers in self._numbers.items():
            metric = BY_NAME[name]
            for labels, value in numbers.items():
                whole = value if metric.parts == 1 else value / metric.parts
                samples.append(Measurement(name, self._labels(metric.labels, labels), whole))
        for name, series in self._histograms.items():
            metric = BY_NAME[name]
            for labels, cells in in_turns(series.items()):
                exemplars = self._exemplars.get((name, labels), {})
                named = self._labels(metric.labels, labels)
                self._histogram(metric, named, cells, exemplars, samples.append)
        return samples

    def _labels(self, names: Labels, values: Labels) -> dict[str, str]:
        return {"endpoint": self._endpoint, **dict(zip(names, values, strict=True))}

    @staticmethod
    def _histogram(
        metric: Metric,
        labels: dict[str, str],
        cells: list[float],
        exemplars: dict[int, Exemplar],
        append: Callable[[Measurement], None],
    ) -> None:
        total = 0.0
        for place, (bound, count) in enumerate(
            zip((*metric.buckets, inf), cells[:-1], strict=True)
        ):
            total += count
            text = "+Inf" if bound == inf else repr(float(bound))
            under = {**labels, "le": text}
            append(Measurement(f"{metric.name}_bucket", under, total, exemplars.get(place)))
        append(Measurement(f"{metric.name}_count", labels, total))
        append(Measurement(f"{metric.name}_sum", labels, cells[-1]))


def number(value: float) -> float:
    """The same; an integer beyond `MOST` as a float, infinite where it is beyond any.

    >>> number(2), number(10**17), number(-(10**400))
    (2, 1e+17, -inf)
    """
    if abs(value) <= MOST:
        return value
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def _moves(
    metric: Metric, series: list[Labels], label: str, value: str, within: tuple[str, str] | None
) -> list[tuple[Labels, Labels]]:
    if label not in metric.labels or (within and within[0] not in metric.labels):
        return []
    place = metric.labels.index(label)
    moves = []
    for old in series:
        if old[place] != value:
            continue
        if within and old[metric.labels.index(within[0])] != within[1]:
            continue
        moves.append((old, (*old[:place], OTHER, *old[place + 1 :])))
    return moves
