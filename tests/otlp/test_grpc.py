"""OTLP over gRPC, at a real server: what is sent, tried again, given up and said."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from monitor.exporters.otlp import OtlpExporter
from monitor.exporters.spans import SpanExporter
from monitor.otlp.grpc import METRICS, SPANS, GrpcTransport, span_endpoint
from monitor.otlp.transport import Answer
from monitor.otlp.variables import Variables
from monitor.recorder import span_fields
from monitor.supervision.ports import free_port
from tests.exporters import test_otlp
from tests.exporters.test_otlp import meters
from tests.exporters.test_spans import Lines, until

slow = test_otlp.slow
CODES = grpc.StatusCode
OTLP = "OTEL_EXPORTER_OTLP_"


class Collector:
    """Answers each call with the next of `answers`, the last for ever: a code, a message, trailers.
    `requests` are what was sent, decoded; `hold` keeps a call waiting."""

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.answers: list[tuple[grpc.StatusCode, bytes, Any]] = [(CODES.OK, b"", ())]
        self.hold = threading.Event()
        self.hold.set()
        self._credentials = credentials
        self.port = self.start()

    def start(self, port: int = 0) -> int:
        self.server = grpc.server(ThreadPoolExecutor(2))
        for service, message in (
            ("trace.v1.TraceService", ExportTraceServiceRequest),
            ("metrics.v1.MetricsService", ExportMetricsServiceRequest),
        ):
            export = grpc.unary_unary_rpc_method_handler(
                self._export, request_deserializer=message.FromString
            )
            name = f"opentelemetry.proto.collector.{service}"
            handler = grpc.method_handlers_generic_handler(name, {"Export": export})
            self.server.add_generic_rpc_handlers((handler,))
        # One that nobody gets while it is started again.
        place = f"127.0.0.1:{port or free_port()}"
        if self._credentials:
            found = self.server.add_secure_port(place, self._credentials)
        else:
            found = self.server.add_insecure_port(place)
        self.server.start()
        return int(found)

    def _export(self, request: Any, context: grpc.ServicerContext) -> bytes:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.hold.wait(60)
        answers = self.answers
        code, said, trailers = answers.pop(0) if len(answers) > 1 else answers[0]
        context.set_trailing_metadata(trailers)
        context.set_code(code)
        return said

    def close(self) -> None:
        self.hold.set()
        self.server.stop(None).wait()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def transport(
    endpoint: str,
    method: str = SPANS,
    environment: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> GrpcTransport:
    variables = Variables(environment or {}, "TRACES" if method == SPANS else "METRICS")
    return GrpcTransport(endpoint, method, variables=variables, timeout=timeout)


def spans_to(way: GrpcTransport, log: Any = None) -> SpanExporter:
    whole = span_fields.whole({"service.name": "monitor"}, "monitor", "1")
    return SpanExporter(way, whole=whole, pause=0.02, log=Lines() if log is None else log)


def retry_info(seconds: float) -> tuple[tuple[str, bytes], ...]:
    """Trailers by which a collector says when it can take more, as google.rpc.Status has it."""
    nanos = int(seconds * 1e9)
    varint = bytes(
        [nanos & 127 | 128, nanos >> 7 & 127 | 128, nanos >> 14 & 127 | 128, nanos >> 21]
    )
    duration = b"\x10" + varint
    info = b"\x0a" + bytes([len(duration)]) + duration
    kind = b"type.googleapis.com/google.rpc.RetryInfo"
    detail = b"\x0a" + bytes([len(kind)]) + kind + b"\x12" + bytes([len(info)]) + info
    status = b"\x08\x08\x12\x04full\x1a" + bytes([len(detail)]) + detail
    return (("grpc-status-details-bin", status),)


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "http://127.0.0.1:{}/", "127.0.0.1:{}"])
def test_spans_and_metrics_arrive(collector: Collector, form: str) -> None:
    """At the services of OTLP, in the same bytes as over HTTP."""
    endpoint, insecure = form.format(collector.port), {OTLP + "INSECURE": "True"}
    spans = spans_to(transport(endpoint, environment=insecure))
    spans.offer(b"\x12\x07\x2a\x05hello")  # scope_spans.spans.name
    spans.close(5)
    assert spans.counts() == (1, 0, 0)
    (request,) = collector.requests
    assert isinstance(request, ExportTraceServiceRequest)
    (sent,) = request.resource_spans[0].scope_spans
    assert [one.name for one in sent.spans] == ["hello"]
    way = transport(endpoint, METRICS, insecure)
    metrics = OtlpExporter(endpoint, started=1.0, transport=way, log=Lines())
    assert metrics.export(meters().measurements(), 2.0)
    metrics.close()
    assert isinstance(collector.requests[1], ExportMetricsServiceRequest)
    told = collector.requests[1].resource_metrics[0].scope_metrics[0].metrics
    assert "monitor_pseudonyms_total" in {one.name for one in told}


def test_standard_variables_are_honoured(collector: Collector) -> None:
    """Those of the signal before those for all; what could not be sent as metadata is left out."""
    environment = {
        OTLP + "HEADERS": "x-all=1",
        OTLP
        + "TRACES_HEADERS": "Authorization=Bearer%20t,X-Tenant=a ,te=x,grpc-a=1,b-bin=1,n!=1,c=%0a",
        OTLP + "COMPRESSION": "gzip",
    }
    way = transport(f"http://user:pw@127.0.0.1:{collector.port}", environment=environment)
    assert way.send(b"") == Answer()
    way.close()
    metadata = collector.metadata[0]
    assert (metadata["authorization"], metadata["x-tenant"]) == ("Bearer t", "a")
    assert metadata["user-agent"].startswith("monitor ")
    assert not {"x-all", "grpc-a", "b-bin", "n!", "c"} & metadata.keys()
    assert "pw" not in way.shown
    plain = transport(f"http://user:pw@127.0.0.1:{collector.port}", METRICS)
    assert plain.send(b"") == Answer()
    plain.close()
    assert collector.metadata[1]["authorization"] == "Basic dXNlcjpwdw=="


def test_tls_is_verified_by_the_authority_that_is_said(authority: Any) -> None:
    """Of an https URL, and of HOST:PORT unless that is to be insecure; with a certificate of ours
    where the collector asks for one."""
    one, other = authority(), authority("other")
    (cert, key), (client, client_key) = one.issue("server"), one.issue("client")
    read = [Path(path).read_bytes() for path in (key, cert, one.ca)]
    collector = Collector(
        grpc.ssl_server_credentials([(read[0], read[1])], read[2], require_client_auth=True)
    )
    ours = {OTLP + "CLIENT_CERTIFICATE": client, OTLP + "CLIENT_KEY": client_key}
    bare = f"127.0.0.1:{collector.port}"
    failed = Answer("gRPC UNAVAILABLE", may_retry=True)
    try:
        for endpoint, environment, answer in (
            (f"https://{bare}", {OTLP + "CERTIFICATE": one.ca, **ours}, Answer()),
            (bare, {OTLP + "TRACES_CERTIFICATE": one.ca, **ours}, Answer()),
            (f"https://{bare}", {OTLP + "CERTIFICATE": one.ca}, failed),
            (f"https://{bare}", {OTLP + "CERTIFICATE": other.ca, **ours}, failed),
            (f"https://{bare}", ours, failed),
            (bare, {OTLP + "CERTIFICATE": one.ca, **ours, OTLP + "INSECURE": "true"}, failed),
            (f"http://{bare}", {OTLP + "CERTIFICATE": one.ca, **ours}, failed),
            (bare, {OTLP + "CERTIFICATE": key}, failed),
            (
                bare,
                {OTLP + "CERTIFICATE": "/none.pem"},
                Answer("/none.pem cannot be read", may_retry=True),
            ),
        ):
            way = transport(endpoint, environment=environment)
            assert way.send(b"") == answer, (endpoint, environment)
            way.close()
    finally:
        collector.close()
    assert len(collector.requests) == 2


@pytest.mark.parametrize(
    ("answers", "tries", "counts"),
    [
        ([(CODES.UNAVAILABLE, b"", ()), (CODES.OK, b"", ())], 2, (1, 0, 0)),
        ([(CODES.RESOURCE_EXHAUSTED, b"", retry_info(0.05)), (CODES.OK, b"", ())], 2, (1, 0, 0)),
        ([(CODES.RESOURCE_EXHAUSTED, b"", ())], 1, (0, 1, 0)),
        ([(CODES.DATA_LOSS, b"", ())], 3, (0, 1, 0)),
        ([(CODES.INVALID_ARGUMENT, b"", ())], 1, (0, 1, 0)),
        ([(CODES.UNAUTHENTICATED, b"", retry_info(0.05))], 1, (0, 1, 0)),
        ([(CODES.OK, b"x" * 100_000, ())], 1, (0, 1, 0)),
    ],
)
def test_only_what_may_be_tried_again_is(
    collector: Collector, answers: Any, tries: int, counts: tuple[int, int, int]
) -> None:
    """As OTLP says: a few times, then it is dropped. An answer without end is not read."""
    collector.answers = answers
    sender = spans_to(transport(f"http://127.0.0.1:{collector.port}"))
    sender.offer(b"")
    sender._wake.set()
    until(lambda: sender.counts()[2] == 0)
    assert (len(collector.requests), sender.counts()) == (tries, counts)
    sender.close(2)


@pytest.mark.parametrize(
    ("trailers", "pause"),
    [
        (retry_info(0.25), 0.25),
        ((("grpc-status-details-bin", retry_info(0)[0][1][:-3]),), 0.0),
        ((("grpc-status-details-bin", b"\xff" * 50),), 0.0),
        ((("grpc-status-details-bin", b"\x1a\x02\x0a\xff"), ("a", "b")), 0.0),
    ],
)
def test_a_collector_says_how_long_to_wait(
    collector: Collector, trailers: Any, pause: float
) -> None:
    """What is no such message says nothing."""
    collector.answers = [(CODES.UNAVAILABLE, b"", trailers)]
    way = transport(f"http://127.0.0.1:{collector.port}")
    assert way.send(b"") == Answer("gRPC UNAVAILABLE", may_retry=True, pause=pause)
    way.close()


def test_what_the_collector_rejects_is_counted_or_said(collector: Collector) -> None:
    """Spans are dropped; of data points, which come again, it is said once and again at the end."""
    endpoint = f"http://127.0.0.1:{collector.port}"
    some = ExportTracePartialSuccess(rejected_spans=2, error_message="bad")
    partial = ExportTraceServiceResponse(partial_success=some).SerializeToString()
    collector.answers = [(CODES.OK, partial, ())]
    spans = spans_to(transport(endpoint))
    for _ in range(3):
        spans.offer(b"")
    spans.close(5)
    assert spans.counts() == (1, 2, 0)
    points = ExportMetricsPartialSuccess(rejected_data_points=5, error_message="bad")
    refused = ExportMetricsServiceResponse(partial_success=points).SerializeToString()
    collector.answers = [(CODES.OK, refused, ()), (CODES.OK, refused, ()), (CODES.OK, b"", ())]
    lines = Lines()
    way = transport(endpoint, METRICS)
    metrics = OtlpExporter(endpoint, started=0.0, transport=way, log=lines)
    for at in (1.0, 2.0, 3.0):
        assert metrics.export(meters().measurements(), at)
    metrics.close()
    assert [(level, "5 data points" in text) for level, text in lines] == [
        (logging.WARNING, True),
        (logging.INFO, False),
    ]


def test_metrics_wait_as_long_as_they_are_asked_to(collector: Collector) -> None:
    """A pause is kept without a call; the failure is said once, and what came of each counted."""
    collector.answers = [(CODES.RESOURCE_EXHAUSTED, b"", retry_info(0.2)), (CODES.OK, b"", ())]
    lines = Lines()
    endpoint = f"http://user:secret@127.0.0.1:{collector.port}"
    way = transport(endpoint, METRICS)
    metrics = OtlpExporter(endpoint, started=0.0, transport=way, log=lines)
    times = (10.0, 10.1, 10.3)
    assert [metrics.export(meters().measurements(), at) for at in times] == [False, False, True]
    metrics.close()
    assert len(collector.requests) == 2
    counts = {one.labels["outcome"]: one.value for one in metrics.measurements("e")}
    assert counts == {"ok": 1, "failed": 2}
    assert [level for level, _ in lines] == [logging.WARNING, logging.INFO]
    assert "gRPC RESOURCE_EXHAUSTED" in lines[0][1]
    assert "secret" not in str(lines)


def test_a_collector_that_comes_back_gets_what_follows(collector: Collector) -> None:
    """The next delivery has a new connection and does not wait for gRPC's own back-off; a line when
    it begins to fail, one when it ends."""
    lines = Lines()
    sender = spans_to(transport(f"http://127.0.0.1:{collector.port}"), log=lines)

    def offered() -> tuple[int, int, int]:
        sender.offer(b"")
        sender._wake.set()
        until(lambda: sender.counts()[2] == 0)
        return sender.counts()

    assert offered() == (1, 0, 0)
    collector.close()
    assert [offered(), offered()] == [(1, 1, 0), (1, 2, 0)]
    collector.start(collector.port)
    assert offered() == (2, 2, 0)
    sender.close(5)
    assert [level for level, _ in lines] == [logging.WARNING, logging.INFO]


def test_a_call_has_a_deadline_and_a_stop_does_not_wait(collector: Collector, slow: str) -> None:
    """A collector that takes the connection and says nothing, or nothing of HTTP/2; one that takes
    the call and does not answer."""
    for endpoint in (slow, f"http://127.0.0.1:{collector.port}"):
        collector.hold.clear()
        began = time.monotonic()
        way = transport(endpoint, timeout=0.3)
        assert way.send(b"").may_retry
        assert time.monotonic() - began < 30
        way.close()
        late = spans_to(transport(endpoint, timeout=60))
        late.offer(b"")
        began = time.monotonic()
        late.close(0.3)
        assert time.monotonic() - began < 30
        assert late.counts() == (0, 1, 0)
        assert late._thread is not None
        late._thread.join(30)
        assert not late._thread.is_alive()


def test_a_closed_transport_sends_nothing(collector: Collector) -> None:
    """Nor does it open a connection again."""
    way = transport(f"http://127.0.0.1:{collector.port}")
    way.close()
    assert way.send(b"").wrong
    assert not collector.requests


@pytest.mark.parametrize(
    ("endpoint", "variable", "found"),
    [
        ("", "http://t:1", ""),
        ("http://c:4317", "", "http://c:4317"),
        ("c:4317", "https://t:1", "https://t:1"),
        ("http://c:4317", "ftp://t:1", ""),
        ("http://c:4317", "http://[t", ""),
        ("http://c:4317", "t:port", ""),
    ],
)
def test_where_spans_go(endpoint: str, variable: str, found: str) -> None:
    """Nowhere without `otlp.endpoint`, nor where the variable for spans names no place."""
    assert span_endpoint(endpoint, {OTLP + "TRACES_ENDPOINT": variable}) == found


def test_a_name_is_always_looked_up() -> None:
    """It is taken for no other scheme of gRPC's; without a port it is that of the scheme."""
    for endpoint, target in (
        ("http://unix:4317", "dns:///unix:4317"),
        ("https://c", "dns:///c:443"),
        ("http://c", "dns:///c:80"),
        ("[::1]:4317", "dns:///[::1]:4317"),
    ):
        assert transport(endpoint)._target == target


def test_failures_print_nothing_of_their_own_and_grpc_is_loaded_late() -> None:
    """What is said goes to the log, once. The modules alone load no grpcio."""
    said = (
        "import sys; from monitor.assembly.tracing import grpc, grpc_transport\n"
        "assert 'grpc' not in sys.modules\n"
        "way = grpc_transport('https://127.0.0.1:1', grpc.SPANS, 'TRACES')\n"
        "print(way.send(b'').wrong)"
    )
    bad = {**os.environ, OTLP + "CERTIFICATE": __file__}
    run = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, check=True, env=bad
    )
    assert (run.stdout, run.stderr) == ("gRPC UNAVAILABLE\n", "")
