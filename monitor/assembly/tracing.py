"""Settings → the tracer of a recorder and what delivers its spans."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import monitor
from monitor import logs, resource
from monitor.conventions import Conventions
from monitor.exporters.spans import SpanExporter, url_of
from monitor.meters import Meters
from monitor.metrics.labels import SPAN_RESULTS
from monitor.otlp import grpc
from monitor.otlp.transport import Transport
from monitor.otlp.variables import Variables
from monitor.recorder import span_fields
from monitor.recorder.spans import Tracer
from monitor.settings.schema import Settings
from monitor.types import Measurement

if TYPE_CHECKING:  # the pages need to know only what was lost
    from monitor.privacy.records import Privacy

PATIENCE = 0.5
"""Seconds that a recorder that stops waits for the collector."""
ELSEWHERE = frozenset(("buffer_full", "too_large", "opaque", "shutdown", "poison", "proxy_died"))
"""Reasons of losses of which no recorder knows, so that none could make a span."""


def is_on(settings: Settings) -> bool:
    """Whether exchanges become spans."""
    return bool(_place(settings))


def _place(settings: Settings) -> str:
    """Where spans go; empty: nowhere."""
    find = grpc.span_endpoint if settings.otlp.protocol == "grpc" else url_of
    return find(settings.otlp.endpoint, os.environ)


def _transport(settings: Settings) -> Transport:
    if settings.otlp.protocol == "grpc":
        return grpc_transport(_place(settings), grpc.SPANS, "TRACES")
    from monitor.otlp.http import HttpTransport

    return HttpTransport(_place(settings), variables=Variables(os.environ, "TRACES"))


def grpc_transport(
    endpoint: str, method: str, signal: Literal["TRACES", "METRICS", "LOGS"], timeout: float = 10.0
) -> grpc.GrpcTransport:
    """Return a transport whose library prints nothing: what fails is said once, by who sends."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    variables = Variables(os.environ, signal)
    return grpc.GrpcTransport(endpoint, method, variables=variables, timeout=timeout)


class Tracing:
    """A tracer and its exporter."""

    def __init__(self, settings: Settings, privacy: Privacy) -> None:
        attributes = resource.attributes(monitor.__version__, os.environ)
        attributes["monitor.endpoint"] = settings.endpoint
        self._exporter = SpanExporter(
            _transport(settings),
            whole=span_fields.whole(attributes, "monitor", monitor.__version__),
            log=logs.log,
        )
        self.tracer = tracer(settings, privacy, self._exporter)

    def measure(self, meters: Meters) -> None:
        """Set how many spans were exported, dropped and not sampled, and how many wait."""
        exported, dropped, waiting = self._exporter.counts()
        counted = exported, dropped + self.tracer.dropped, self.tracer.unsampled
        for result, count in zip(SPAN_RESULTS, counted, strict=True):
            meters.set("monitor_spans_total", count, (result,))
        meters.set("monitor_spans_waiting", waiting)

    async def close(self) -> None:
        """Deliver what waits, within half a second or so."""
        await asyncio.to_thread(self._exporter.close, PATIENCE)


def tracer(settings: Settings, privacy: Privacy, exporter: SpanExporter) -> Tracer:
    """Return the tracer of these settings."""
    traces, upstream = settings.otlp.traces, urlsplit(settings.upstream)
    port = upstream.port or (443 if upstream.scheme == "https" else 80)
    # Counts with noise hide which segments an exchange belongs to; a template is one.
    is_noisy = settings.privacy.differential.epsilon is not None
    return Tracer(
        Conventions(settings.otlp.conventions),
        sample=traces.sample,
        slow=traces.slow or float("inf"),
        errors=traces.errors,
        name=privacy.name,
        offer=exporter.offer,
        server=(upstream.hostname or "", port),
        template="" if is_noisy else settings.mined or "template",
    )


def lost(settings: Settings, samples: Iterable[Measurement]) -> Measurement:
    """What no recorder ever saw, and so became no span, of the samples of all processes."""
    missed = sum(
        one.value
        for one in samples
        if one.name == "monitor_exchanges_lost_total" and one.labels.get("reason") in ELSEWHERE
    )
    labels = {"endpoint": settings.endpoint, "result": "dropped"}
    return Measurement("monitor_spans_total", labels, missed)
