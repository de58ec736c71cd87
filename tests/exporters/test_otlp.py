"""What an OpenTelemetry collector gets, decoded from the wire."""

from __future__ import annotations

import contextlib
import gzip
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from monitor.conventions import Conventions
from monitor.exporters.otlp import OtlpExporter
from monitor.exporters.prometheus import render
from monitor.meters import Meters
from monitor.types import Measurement
from tests.exporters.test_prometheus import samples


class Collector:
    """A tiny OTLP/HTTP server; `status` is what it answers. `traces` are requests with spans."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.traces: list[Any] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    outer.traces.append(ExportTraceServiceRequest.FromString(body))
                else:
                    request = ExportMetricsServiceRequest.FromString(body)
                    outer.requests.append((self.path, request))
                self.send_response(outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> dict[str, Any]:
        (resource,) = self.requests[-1][1].resource_metrics
        return {metric.name: metric for metric in resource.scope_metrics[0].metrics}


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def meters() -> Meters:
    made = Meters("recorder", "e")
    made.add("monitor_pseudonyms_total", ("EMAIL_ADDRESS",), 3)
    made.set("monitor_store_up", 1)
    for value in (0.003, 0.3, 1000):
        made.observe("monitor_exchange_duration_seconds", ("chat", "m"), value)
    return made


def test_counters_gauges_and_histograms_arrive(collector: Collector) -> None:
    """Cumulative, with units, under the conventions' names and attributes where there are any."""
    exporter = OtlpExporter(collector.url, started=1000.0, log=lambda *_: None)
    assert exporter.export(meters().measurements(), 1060.0)
    assert collector.requests[0][0] == "/v1/metrics"
    metrics = collector.metrics()
    (counter,) = metrics["monitor_pseudonyms_total"].sum.data_points
    assert (counter.as_int, counter.start_time_unix_nano) == (3, 1000 * 10**9)
    assert metrics["monitor_pseudonyms_total"].sum.is_monotonic
    assert metrics["monitor_store_up"].gauge.data_points[0].as_int == 1
    duration = metrics["gen_ai.client.inference.duration"]
    assert duration.unit == "s"
    (point,) = duration.histogram.data_points
    assert (point.count, list(point.bucket_counts)[-1], sum(point.bucket_counts)) == (3, 1, 3)
    attributes = {one.key: one.value.string_value for one in point.attributes}
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.request.model"] == "m"


def test_names_follow_the_conventions_that_are_set(collector: Collector) -> None:
    """Those of 1.36 for who has dashboards with them; attributes and boundaries too."""
    for version, name in (
        ("1.36", "gen_ai.client.operation.duration"),
        ("1.41", "gen_ai.client.operation.duration"),
        ("latest", "gen_ai.client.inference.duration"),
    ):
        names = Conventions(version)
        exporter = OtlpExporter(
            collector.url, started=1000.0, conventions=names, log=lambda *_: None
        )
        assert exporter.export(meters().measurements(), 1060.0)
        (point,) = collector.metrics()[name].histogram.data_points
        assert list(point.explicit_bounds) == [0.01 * 2**power for power in range(14)]
        assert list(point.bucket_counts) == [1, 0, 0, 0, 0, 1, *[0] * 8, 1]


def test_boundaries_are_those_that_were_counted_by(collector: Collector) -> None:
    """Where one of the conventions' is missing, none is made up."""
    bucket = "monitor_exchange_duration_seconds_bucket"
    counted = [
        Measurement(bucket, {"le": bound}, value)
        for bound, value in (("0.01", 1), ("7.0", 3), ("+Inf", 4))
    ]
    counted.append(Measurement("monitor_exchange_duration_seconds_count", {}, 4))
    exporter = OtlpExporter(collector.url, started=1000.0, log=lambda *_: None)
    assert exporter.export(counted, 1060.0)
    (point,) = collector.metrics()["gen_ai.client.inference.duration"].histogram.data_points
    assert (list(point.explicit_bounds), list(point.bucket_counts)) == ([0.01, 7.0], [1, 2, 1])


def test_a_sender_has_attributes(collector: Collector) -> None:
    """By default its name and version."""
    for sender in ({"service.name": "bot", "a": "b"}, None):
        exporter = OtlpExporter(
            collector.url, started=1.0, version="7", sender=sender, log=lambda *_: None
        )
        assert exporter.export(meters().measurements(), 2.0)
        (resource,) = collector.requests[-1][1].resource_metrics
        said = {one.key: one.value.string_value for one in resource.resource.attributes}
        assert said == (sender or {"service.name": "monitor", "service.version": "7"})


def test_a_counter_that_was_set_back_starts_anew(collector: Collector) -> None:
    """After a restart the start time moves, so that no rate becomes negative."""
    exporter = OtlpExporter(collector.url, started=1000.0, log=lambda *_: None)
    exporter.export(meters().measurements(), 1060.0)
    less = Meters("recorder", "e")
    less.add("monitor_pseudonyms_total", ("EMAIL_ADDRESS",), 1)
    exporter.export(less.measurements(), 1120.0)
    (point,) = collector.metrics()["monitor_pseudonyms_total"].sum.data_points
    assert (point.as_int, point.start_time_unix_nano) == (1, 1060 * 10**9)


def test_a_failing_collector_is_said_once_and_counted(collector: Collector) -> None:
    """One line when it begins, one when it ends; deliveries are counted by what came of them."""
    lines: list[tuple[int, str]] = []
    exporter = OtlpExporter(
        collector.url, started=0.0, timeout=30, log=lambda *line: lines.append(line)
    )
    collector.status = 400
    assert not exporter.export(meters().measurements(), 1.0)
    assert not exporter.export(meters().measurements(), 2.0)
    collector.status = 200
    assert exporter.export(meters().measurements(), 3.0)
    assert [level for level, _ in lines] == [logging.WARNING, logging.INFO]
    counts = {one.labels["outcome"]: one.value for one in exporter.measurements("e")}
    assert counts == {"ok": 1, "failed": 2}


def test_a_collector_and_prometheus_are_told_the_same_sums(collector: Collector) -> None:
    """Two workers, and what a third said before it was killed: equal series add up, wherever they
    are sent."""
    several = [one for _ in range(3) for one in meters().measurements()]
    exporter = OtlpExporter(collector.url, started=0.0, log=lambda *_: None)
    assert exporter.export(several, 1.0)
    shown: Counter[str] = Counter()
    for (name, _), value in samples(render(several, "")[0]).items():
        shown[name] += value  # type: ignore[assignment]
    metrics = collector.metrics()
    told = metrics["monitor_pseudonyms_total"].sum.data_points
    assert sum(one.as_int for one in told) == shown["monitor_pseudonyms_total"] == 9
    (point,) = metrics["gen_ai.client.inference.duration"].histogram.data_points
    assert point.count == shown["monitor_exchange_duration_seconds_count"] == 9
    assert point.sum == shown["monitor_exchange_duration_seconds_sum"]
    assert list(point.bucket_counts)[-1] == 3


@pytest.mark.parametrize("value", [10**400, -(10**30), 1e30, -5, float("nan"), float("inf")])
def test_no_number_stops_a_delivery(collector: Collector, value: float) -> None:
    """Nor a label that is no text: the others arrive."""
    exporter = OtlpExporter(collector.url, started=1000.0, log=lambda *_: None)
    strange = [
        Measurement(name, {"endpoint": "e", "model": "\ud800"}, value)
        for name in (
            "monitor_tokens_total",
            "monitor_drift_samples",
            *(f"monitor_exchange_duration_seconds_{part}" for part in ("sum", "count")),
        )
    ]
    strange.append(
        Measurement("monitor_exchange_duration_seconds_bucket", {"endpoint": "e", "le": "1"}, value)
    )
    assert exporter.export([*meters().measurements(), *strange], 1060.0)
    assert "monitor_pseudonyms_total" in collector.metrics()


def dribble(connection: socket.socket, at_once: bytes, pause: float) -> None:
    """A collector that answers, but never to the end."""
    with connection, contextlib.suppress(OSError):
        connection.sendall(at_once)
        while True:
            time.sleep(pause)
            for byte in b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100:
                connection.sendall(bytes([byte]))
                time.sleep(pause)


@pytest.fixture(
    params=[(b"", 0.05), (b"HTTP/1.1 200 OK\r\nx: ", 0.05), (b"", 3600)],
    ids=["a byte now and then", "then the end of a head", "silent"],
)
def slow(request: pytest.FixtureRequest) -> Iterator[str]:
    """Its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(
                        target=dribble, args=(connection, *request.param), daemon=True
                    ).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_a_delivery_has_a_bound_as_a_whole(slow: str) -> None:
    """Not each read of it; and the next one has its own chance."""
    exporter = OtlpExporter(slow, started=0.0, timeout=0.4, log=lambda *_: None)
    for _ in range(2):
        began = time.monotonic()
        assert not exporter.export(meters().measurements(), 1.0)
        assert 0.3 < time.monotonic() - began < 30


def test_a_delivery_under_way_is_given_up_at_once(slow: str) -> None:
    """A stop does not wait for the collector."""
    exporter = OtlpExporter(slow, started=0.0, timeout=60, log=lambda *_: None)
    sending = threading.Thread(target=exporter.export, args=(meters().measurements(), 1.0))
    sending.start()
    time.sleep(0.2)
    exporter.close()
    sending.join(30)
    assert not sending.is_alive()
    assert not exporter.export(meters().measurements(), 2.0)
