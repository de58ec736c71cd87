"""Settings → the places apart from an archive that its last checkpoints are put to."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import monitor
from monitor import resource
from monitor.alerting.delivery import Courier
from monitor.archive.anchoring import Anchors, AnchorTarget, Answer, FileTarget, Line
from monitor.assembly.auditing import Anchor, anchors_of
from monitor.assembly.tracing import grpc_transport
from monitor.errors import ConfigError
from monitor.framings import protobuf
from monitor.framings.protobuf import Field
from monitor.notifications import Request
from monitor.otlp import grpc
from monitor.otlp.transport import Transport
from monitor.otlp.variables import Variables
from monitor.recorder import span_fields
from monitor.settings.schema import Settings
from monitor.urls import shown


def anchoring(settings: Settings) -> Anchors:
    """Return what keeps all places up to date; raises ConfigError that names the key."""
    every = settings.audit.every
    places = [target_of(one) for one in anchors_of(settings)]
    lines = [Line(one, every, clock=time.monotonic, wall=time.time) for one in places]
    return Anchors(lines, clock=time.monotonic)


class Webhook:
    """A URL to which each text is posted, signed as notifications are."""

    kind = "webhook"

    def __init__(self, address: str, secret_of: Callable[[], str], timeout: float = 10.0) -> None:
        self.shown = shown(address)
        self._url = address
        self._secret = secret_of
        self._courier = Courier(version=monitor.__version__, timeout=timeout)

    def put(self, text: bytes, at: float) -> Answer:
        """See AnchorTarget."""
        try:
            signed = self._secret()
        except ConfigError as error:
            return Answer(str(error))
        request = Request(self._url, text, {"Content-Type": "text/plain; charset=utf-8"})
        answer = self._courier.send(request, secret=signed, clock=at)
        return Answer("" if answer.is_taken else answer.words, answer.asked or 0.0)

    def close(self) -> None:
        """See AnchorTarget."""
        self._courier.close()


class Collector:
    """An OpenTelemetry collector that gets each text as the body of a log record."""

    kind = "otlp"

    def __init__(self, transport: Transport, endpoint: str) -> None:
        self.shown = transport.shown
        self._transport = transport
        self._endpoint = endpoint

    def put(self, text: bytes, at: float) -> Answer:
        """See AnchorTarget."""
        answer = self._transport.send(log_record(text.decode(), self._endpoint, at))
        if answer.wrong:
            return Answer(answer.wrong, answer.pause)
        return Answer("it rejected the log record" if rejected(answer.said) else "")

    def close(self) -> None:
        """See AnchorTarget."""
        self._transport.close()


def log_record(text: str, endpoint: str, at: float) -> bytes:
    """Return the body of a delivery of one log record (opentelemetry/proto/logs/v1/logs.proto):
    around it are the same messages as around spans, with the same numbers."""
    attributes = resource.attributes(monitor.__version__, os.environ)
    around = span_fields.whole(
        {**attributes, "monitor.endpoint": endpoint}, "monitor", monitor.__version__
    )
    when = int(at * 1e9)
    record = (
        struct.pack("<BQ", 0x09, when)  # time_unix_nano
        + b"\x10\x09"  # severity_number: INFO
        + span_fields.block(b"\x1a", b"INFO")
        + span_fields.block(b"\x2a", span_fields.block(b"\x0a", text.encode()))  # body
        + struct.pack("<BQ", 0x59, when)  # observed_time_unix_nano
        + span_fields.block(b"\x62", b"monitor.audit.checkpoints")  # event_name
    )
    return around(span_fields.block(b"\x12", record))


_REJECTED = {1: Field("partial_success", {1: Field("rejected_log_records", "int64")})}


def rejected(said: bytes) -> bool:
    """Whether a collector that answered well says that it did not take the log record."""
    partial = protobuf.message(said, _REJECTED).get("partial_success", {})
    return bool(partial.get("rejected_log_records", 0) > 0)


def target_of(anchor: Anchor) -> AnchorTarget:
    """Return what puts checkpoints to a place."""
    if anchor.kind == "file":
        return FileTarget(Path(anchor.where))
    if anchor.kind == "webhook":
        return Webhook(anchor.where, anchor.secret)
    if anchor.is_grpc:
        return Collector(grpc_transport(anchor.where, grpc.LOGS, "LOGS"), anchor.endpoint)
    from monitor.otlp.http import HttpTransport

    transport = HttpTransport(anchor.where, variables=Variables(os.environ, "LOGS"))
    return Collector(transport, anchor.endpoint)
