"""Measurements → an OpenTelemetry collector, over OTLP in protobuf, cumulative.

Names, units, boundaries and attributes follow OpenTelemetry's GenAI conventions where they know the
quantity and count it in the same way (`conventions`); everything else keeps its own name.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor import resource
from monitor.conventions import Conventions, Named
from monitor.framings import protobuf
from monitor.framings.protobuf import Field
from monitor.meters import MOST, add_up
from monitor.metrics import BY_NAME
from monitor.metrics.metric import Metric
from monitor.otlp.transport import Answer, Transport
from monitor.sessions import Connections
from monitor.types import Measurement
from monitor.urls import shown

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import (
        Gauge,
        Histogram,
        HistogramDataPoint,
        MetricsData,
        NumberDataPoint,
        Sum,
    )
    from opentelemetry.sdk.metrics.export import Metric as OtelMetric

Labels = tuple[tuple[str, str], ...]

_REJECTED = {1: Field("partial_success", {1: Field("rejected_data_points", "int64")})}
_UNITS = {"seconds": "s", "bytes": "By", "": "1"}


@dataclass
class _Series:
    """The samples of one series: a single value, or a histogram's parts by their suffix."""

    value: float = 0.0
    sum: float = 0.0
    count: float = 0.0
    buckets: dict[float, float] = field(default_factory=dict)

    @property
    def progress(self) -> float:
        """What only grows while the process that counts it lives."""
        return max(self.value, self.count)


class OtlpExporter:
    """Sends everything there is, each time it is asked; for a thread of its own.

    `endpoint` is a collector's base URL (`/v1/metrics` is added) or the full URL, for OTLP over
    HTTP; with a `transport` that is used instead. `started` is the Unix time from which on counters
    count; `timeout` bounds one delivery over HTTP with its retries, in seconds, however slowly the
    collector answers. `sender` are attributes of the resource, `conventions` the names to use.
    `log` takes a level and a text when deliveries begin to fail and when they succeed again, not
    each time. The standard variables (`OTEL_EXPORTER_OTLP_HEADERS`, `…_CERTIFICATE`, …) are
    honoured.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        started: float,
        version: str = "",
        sender: Mapping[str, str] | None = None,
        timeout: float = 5.0,
        transport: Transport | None = None,
        conventions: Conventions | None = None,
        log: Callable[[int, str], None],
    ) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        self._way: _Library | _Encoded
        if transport is None:
            self._way = _Library(_full(endpoint), timeout)
        else:
            self._way = _Encoded(transport)
        self._resource = Resource(dict(sender or resource.attributes(version, {})))
        self._scope = InstrumentationScope("monitor", version)
        self._conventions = conventions or Conventions()
        self._log = log
        self._born = started
        self._last = started
        self._starts: dict[tuple[str, Labels], tuple[float, float]] = {}
        self._until = 0.0  # the collector wants none before
        self._failing = self._refusing = False
        self.delivered = 0
        self.failed = 0

    def export(self, measurements: Iterable[Measurement], at: float) -> bool:
        """Deliver everything as of the Unix time `at`; whether the collector took it.

        Never raises: what cannot be delivered now is contained in the next delivery.
        """
        try:
            data = self._data(measurements, at)
            answer = self._way.send(data) if at >= self._until else Answer("it asked for a pause")
        except Exception:  # noqa: BLE001  a third party's failure must not reach the caller
            answer = Answer("no answer")
        if answer.pause:
            self._until = at + answer.pause
        self._note(answer)
        return not answer.wrong

    def measurements(self, endpoint: str) -> list[Measurement]:
        """What became of the deliveries so far, for `/metrics`."""
        return [
            Measurement(
                "monitor_exports_total",
                {"endpoint": endpoint, "exporter": "otlp", "outcome": outcome},
                float(count),
            )
            for outcome, count in (("ok", self.delivered), ("failed", self.failed))
        ]

    def close(self) -> None:
        """Give up a delivery that is under way, at once; later ones fail."""
        self._way.close()

    def _note(self, answer: Answer) -> None:
        ok = not answer.wrong
        if ok:
            self.delivered += 1
        else:
            self.failed += 1
        if ok == self._failing:
            self._failing = not ok
            state = "are delivered again"
            if not ok:
                state = f"cannot be delivered ({answer.wrong}); trying again"
            self._say(logging.INFO if ok else logging.WARNING, f"measurements {state}")
        refused = _refused(answer.said) if ok else 0
        if ok and bool(refused) != self._refusing:
            self._refusing = bool(refused)
            if refused:
                self._say(logging.WARNING, f"the collector refuses {refused:,} data points")
            else:
                self._say(logging.INFO, "the collector takes all data points again")

    def _say(self, level: int, text: str) -> None:
        self._log(level, f"otlp: {text}: {self._way.shown}")

    def _data(self, measurements: Iterable[Measurement], at: float) -> MetricsData:
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics

        metrics = [
            self._metric(metric, series, at) for metric, series in _gather(measurements).values()
        ]
        self._last = at
        scope = ScopeMetrics(scope=self._scope, metrics=metrics, schema_url="")
        sent = ResourceMetrics(resource=self._resource, scope_metrics=[scope], schema_url="")
        return MetricsData(resource_metrics=[sent])

    def _metric(self, metric: Metric, series: dict[Labels, _Series], at: float) -> OtelMetric:
        from opentelemetry.sdk.metrics import export as otel

        now = _nanoseconds(at)
        named = self._conventions.metric(metric.name)
        data: Sum | Gauge | Histogram
        if metric.kind == "histogram":
            data = otel.Histogram(
                [
                    _histogram(
                        self._attributes(named, labels),
                        one,
                        named.bounds if named else (),
                        self._start(metric, labels, one),
                        now,
                    )
                    for labels, one in series.items()
                ],
                otel.AggregationTemporality.CUMULATIVE,
            )
        elif metric.kind == "counter":
            data = otel.Sum(
                [
                    _number(metric, labels, one, self._start(metric, labels, one), now)
                    for labels, one in series.items()
                ],
                otel.AggregationTemporality.CUMULATIVE,
                is_monotonic=True,
            )
        else:
            data = otel.Gauge(
                [_number(metric, labels, one, 0, now) for labels, one in series.items()]
            )
        return otel.Metric(
            name=named.name if named else metric.name,
            description=metric.help,
            unit=_UNITS.get(metric.unit, metric.unit),
            data=data,
        )

    def _attributes(self, named: Named | None, labels: Labels) -> dict[str, str]:
        if named is None:
            return dict(labels)
        return {self._conventions.label(name): value for name, value in labels}

    def _start(self, metric: Metric, labels: Labels, series: _Series) -> int:
        """Since when the series counts: a value that fell was set back since the last delivery."""
        key = (metric.name, labels)
        start, before = self._starts.get(key, (self._born, 0.0))
        if series.progress < before:
            start = self._last
        self._starts[key] = (start, series.progress)
        return _nanoseconds(start)


class _Library:
    """Over HTTP by OpenTelemetry's own exporter, which tries again within the time there is."""

    def __init__(self, url: str, timeout: float) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        # The library logs each failure with a traceback; we say it once.
        for name in ("http.metric_exporter", "http._common", "http"):
            logging.getLogger(f"opentelemetry.exporter.otlp.proto.{name}").disabled = True
        self.shown = shown(url)
        self._timeout = timeout
        self._connections = Connections()
        self._exporter = OTLPMetricExporter(
            endpoint=url, timeout=timeout, session=self._connections.session()
        )

    def send(self, data: MetricsData) -> Answer:
        """Deliver; may raise whatever the library does."""
        from opentelemetry.sdk.metrics.export import MetricExportResult

        # The library's time-out is for each read; a collector may answer a byte now and then.
        deadline = threading.Timer(self._timeout, self._connections.cut)
        deadline.daemon = True
        deadline.start()
        try:
            result = self._exporter.export(data, timeout_millis=self._timeout * 1000)
            # What was cut may look whole: the head of an answer, and then its end.
            ok = result is MetricExportResult.SUCCESS and not self._connections.over
        finally:
            deadline.cancel()
            self._connections.renew()
        return Answer() if ok else Answer("no answer, or an error")

    def close(self) -> None:
        self._connections.close()
        self._exporter.shutdown()


class _Encoded:
    """By a transport. What it does not take now is in the next delivery, so none is repeated."""

    def __init__(self, transport: Transport) -> None:
        self.shown = transport.shown
        self._transport = transport
        self.close = transport.close

    def send(self, data: MetricsData) -> Answer:
        from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

        return self._transport.send(encode_metrics(data).SerializeToString())


def _gather(
    measurements: Iterable[Measurement],
) -> dict[str, tuple[Metric, dict[Labels, _Series]]]:
    found: dict[str, tuple[Metric, dict[Labels, _Series]]] = {}
    for sample in add_up(measurements):
        metric, part = _part(sample.name)
        if metric is None:
            continue
        bound = sample.labels.get("le", "")
        labels = tuple(sorted(item for item in sample.labels.items() if item[0] != "le"))
        series = found.setdefault(metric.name, (metric, {}))[1].setdefault(labels, _Series())
        if part == "bucket":
            series.buckets[float(bound)] = sample.value
        elif part == "sum":
            series.sum = sample.value
        elif part == "count":
            series.count = sample.value
        else:
            series.value = sample.value
    return found


def _part(name: str) -> tuple[Metric | None, str]:
    """The metric a sample belongs to, and which part of a histogram it is."""
    if name in BY_NAME:
        return BY_NAME[name], ""
    base, _, part = name.rpartition("_")
    metric = BY_NAME.get(base)
    if metric is None or metric.kind != "histogram" or part not in ("bucket", "sum", "count"):
        return None, ""
    return metric, part


def _histogram(
    attributes: dict[str, str], series: _Series, wanted: tuple[float, ...], start: int, now: int
) -> HistogramDataPoint:
    """A point with the boundaries `wanted` where the series was counted by all of them, else with
    its own."""
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    bounds = sorted(bound for bound in series.buckets if math.isfinite(bound))
    if wanted and series.buckets.keys() >= set(wanted):
        bounds = list(wanted)
    # Prometheus counts what is at most the bound, OTLP what is between two bounds.
    upto = [0.0, *(series.buckets[bound] for bound in bounds), series.count]
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=start,
        time_unix_nano=now,
        count=_whole(series.count),
        sum=series.sum,
        bucket_counts=[_whole(above - below) for below, above in pairwise(upto)],
        explicit_bounds=bounds,
        min=None,  # type: ignore[arg-type]  # not known from buckets; absent on the wire
        max=None,  # type: ignore[arg-type]
    )


def _number(
    metric: Metric, labels: Labels, series: _Series, start: int, now: int
) -> NumberDataPoint:
    from opentelemetry.sdk.metrics.export import NumberDataPoint

    whole = metric.kind == "counter" and series.value == _whole(series.value)
    return NumberDataPoint(
        attributes=dict(labels),
        start_time_unix_nano=start,
        time_unix_nano=now,
        value=int(series.value) if whole else series.value,
    )


def _refused(said: bytes) -> int:
    """How many data points of a delivery the collector says that it did not take."""
    partial = protobuf.message(said, _REJECTED).get("partial_success", {})
    return max(0, int(partial.get("rejected_data_points", 0)))


def _whole(count: float) -> int:
    """A count of events, 0 … `MOST`, whatever number it is."""
    return int(min(count, MOST)) if count > 0 else 0


def _nanoseconds(at: float) -> int:
    return int(at * 1e9)


def _full(endpoint: str) -> str:
    path = urlsplit(endpoint).path
    return endpoint if path.strip("/") else endpoint.rstrip("/") + "/v1/metrics"
