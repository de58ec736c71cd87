"""Spans reach a collector in batches, or are dropped and counted; nobody waits, nothing grows."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from monitor.exporters import spans as module
from monitor.exporters.spans import SPANS, SpanExporter, url_of
from monitor.otlp.http import HttpTransport
from monitor.otlp.variables import Variables
from tests.exporters import test_otlp

slow = test_otlp.slow


class Collector:
    """Answers each POST with the next of `answers`, the last for ever: status, body, headers."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, bytes, dict[str, str]]] = [(200, b"", {})]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                answers = outer.answers
                status, body, headers = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


class Lines(list[tuple[int, str]]):
    """What was logged."""

    def __call__(self, level: int, text: str) -> None:
        self.append((level, text))


def exporter(
    url: str, environment: Mapping[str, str] | None = None, log: Any = None, timeout: float = 30.0
) -> SpanExporter:
    variables = Variables(environment or {}, "TRACES")
    return SpanExporter(
        HttpTransport(url, variables=variables, timeout=timeout),
        whole=lambda spans: b"<" + spans + b">",
        pause=0.02,
        log=Lines() if log is None else log,
    )


def test_spans_arrive_in_order_and_in_batches(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of so many at most; a stop sends what waits."""
    monkeypatch.setattr(module, "BATCH", 3)
    sender = exporter(collector.url)
    for number in range(7):
        assert sender.offer(b"%d" % number)
    sender.close(5)
    assert b"".join(body[1:-1] for body in collector.bodies) == b"0123456"
    assert max(map(len, collector.bodies)) == 5
    assert sender.counts() == (7, 0, 0)
    assert {one["content-type"] for one in collector.headers} == {"application/x-protobuf"}
    assert not sender.offer(b"late")


def test_what_waits_is_bounded_in_number_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest finds no room, and whoever offers it counts it."""
    monkeypatch.setattr(module, "LINGER", 3600)
    monkeypatch.setattr(module, "BATCH", SPANS + 1)
    few, small = exporter("http://127.0.0.1:1/"), exporter("http://127.0.0.1:1/")
    assert [few.offer(b"x" * (1 << 20)) for _ in range(5)] == [True] * 4 + [False]
    assert few.counts() == (0, 0, 4)
    assert sum(small.offer(b"x") for _ in range(SPANS + 10)) == SPANS
    for one in (few, small):
        one.close(2)
        exported, dropped, waiting = one.counts()
        assert (exported, waiting) == (0, 0)
        assert dropped in (4, SPANS)


@pytest.mark.parametrize(
    ("answers", "tries", "counts"),
    [
        ([(503, b"", {}), (200, b"", {})], 2, (1, 0, 0)),
        ([(429, b"", {"retry-after": "0"}), (502, b"", {}), (200, b"", {})], 3, (1, 0, 0)),
        ([(503, b"", {})], 3, (0, 1, 0)),
        ([(400, b"", {})], 1, (0, 1, 0)),
        ([(500, b"", {})], 1, (0, 1, 0)),
        ([(302, b"", {"location": "http://127.0.0.1:1/"})], 1, (0, 1, 0)),
    ],
)
def test_only_what_may_be_tried_again_is(
    collector: Collector, answers: Any, tries: int, counts: tuple[int, int, int]
) -> None:
    """As OTLP says: after 429, 502, 503 and 504; a few times, then it is dropped."""
    collector.answers = answers
    sender = exporter(collector.url)
    sender.offer(b"x")
    sender._wake.set()
    until(lambda: sender.counts()[2] == 0)
    assert (len(collector.bodies), sender.counts()) == (tries, counts)
    sender.close(2)


def until(true: Any) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_the_collector_rejects_is_dropped(collector: Collector) -> None:
    """It took the delivery, and says that two of its spans are bad; it cannot say more than all."""
    for rejected, counts in ((2, (1, 2, 0)), (99, (0, 3, 0)), (-1, (3, 0, 0))):
        partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message="bad")
        answer = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
        collector.answers = [(200, answer, {})]
        sender = exporter(collector.url)
        for _ in range(3):
            sender.offer(b"x")
        sender.close(5)
        assert sender.counts() == counts


def test_a_collector_that_is_away_is_said_once(collector: Collector) -> None:
    """A line when it begins, one when it ends, without the secrets of its URL."""
    lines = Lines()
    collector.answers = [(500, b"", {}), (400, b"", {}), (200, b"", {})]
    sender = exporter(collector.url.replace("//", "//user:secret@") + "?token=secret", log=lines)
    for _ in range(3):
        sender.offer(b"x")
        sender._wake.set()
        until(lambda: sender.counts()[2] == 0)
    sender.close(5)
    assert [level for level, _ in lines] == [logging.WARNING, logging.INFO]
    assert "it answered 500" in lines[0][1]
    assert "secret" not in str(lines)
    assert sender.counts() == (1, 2, 0)


def test_a_try_has_a_bound_as_a_whole(slow: str) -> None:
    """Not each read of it, and a stop waits for it no longer than it is told."""
    sender = exporter(slow, timeout=0.2)
    began = time.monotonic()
    sender.offer(b"x")
    sender._wake.set()
    until(lambda: sender.counts()[2] == 0)
    assert time.monotonic() - began < 30
    sender.close(2)
    late = exporter(slow, timeout=60)
    late.offer(b"x")
    began = time.monotonic()
    late.close(0.3)
    assert time.monotonic() - began < 30
    assert late.counts() == (0, 1, 0)


def test_standard_variables_are_honoured(collector: Collector) -> None:
    """Those for traces before those for all; what could not be sent as a header is left out."""
    environment = {
        "OTEL_EXPORTER_OTLP_HEADERS": "x-all=1",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "Authorization=Bearer%20t,x-a=b%0d%0ac: d,bad name=1",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    sender = exporter(collector.url.replace("//", "//user:pw@"), environment)
    sender.offer(b"x" * 1000)
    sender.close(5)
    (headers,) = collector.headers
    assert gzip.decompress(collector.bodies[0]) == b"<" + b"x" * 1000 + b">"
    assert headers["authorization"] == "Bearer t"
    assert headers["content-encoding"] == "gzip"
    assert not {"x-all", "x-a", "bad name"} & headers.keys()
    assert sender.counts() == (1, 0, 0)


def test_a_certificate_that_is_not_there_drops_spans_and_no_more() -> None:
    """The collector may be right; the file of the variable is not."""
    sender = exporter("https://127.0.0.1:1/", {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/none.pem"})
    sender.offer(b"x")
    sender.close(5)
    assert sender.counts() == (0, 1, 0)


@pytest.mark.parametrize(
    ("endpoint", "variable", "url"),
    [
        ("", "http://t/x", ""),
        ("http://c:4318/", "", "http://c:4318/v1/traces"),
        ("https://c/otlp/v1/metrics?k=v", "", "https://c/otlp/v1/traces?k=v"),
        ("http://c/api/v1/write", "", ""),
        ("http://c/api/v1/write", "https://t/x", "https://t/x"),
        ("http://c", "ftp://t", ""),
    ],
)
def test_where_spans_go(endpoint: str, variable: str, url: str) -> None:
    """Nowhere without `otlp.endpoint`, nor where it is for metrics alone."""
    assert url_of(endpoint, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": variable}) == url
