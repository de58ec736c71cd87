"""Measurements → the text that Prometheus scrapes, plain or OpenMetrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from monitor.meters import add_up
from monitor.metrics import CATALOGUE
from monitor.turns import in_turns
from monitor.types import Measurement

_SUFFIXES = ("_bucket", "_count", "_sum")


def render(measurements: Iterable[Measurement], accept: str) -> tuple[bytes, str]:
    """One page and its content type, as `accept` (the request's header) asks for.

    Measurements of equal name and labels are added up; names that the catalogue does not know are
    left out.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(measurements))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Page(Collector):
    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self._samples: dict[str, list[Measurement]] = {}
        for one in add_up(measurements):
            self._samples.setdefault(one.name, []).append(one)

    def collect(self) -> Iterator[Family]:
        """Families in the catalogue's order; a histogram's samples series by series."""
        for metric in CATALOGUE:
            names = [metric.name]
            if metric.kind == "histogram":
                names = [metric.name + suffix for suffix in _SUFFIXES]
            samples = [
                (name, one.labels, one.value)
                for name in names
                for one in self._samples.get(name, ())
            ]
            if not samples:
                continue
            if metric.kind == "histogram":
                samples.sort(key=lambda sample: _without_bound(sample[1]))
            family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind)
            family.samples = _Samples(Sample(*sample) for sample in in_turns(samples))
            yield family


class _Samples(list[Sample]):
    """Samples that are written in turns with other processes."""

    def __iter__(self) -> Iterator[Sample]:
        return in_turns(super().__iter__())


def _without_bound(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(item for item in labels.items() if item[0] != "le"))
