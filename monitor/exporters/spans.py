"""Encoded spans → an OpenTelemetry collector, in batches from a thread.

Nobody waits for it. What the collector does not take is tried again a little, then dropped and
counted, so a collector that is away or slow costs memory within bounds and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

from monitor.framings import protobuf
from monitor.framings.protobuf import Field
from monitor.otlp.transport import Transport
from monitor.otlp.variables import PREFIX

SPANS, BYTES = 2048, 4 << 20
"""Spans that may wait here, and their bytes."""
BATCH, BATCH_BYTES = 512, 1 << 20
"""Spans of one delivery, and their bytes; a single span may be larger."""
LINGER = 1.0
"""Seconds that the first span of a batch waits for more."""
TRIES = 3
"""Times that a batch is sent; between two of them there is a pause of one second, then two."""
_REJECTED = {1: Field("partial_success", {1: Field("rejected_spans", "int64")})}


def url_of(endpoint: str, environment: Mapping[str, str], signal: str = "traces") -> str:
    """Return where spans go over HTTP, given `otlp.endpoint`; empty: nowhere.

    That is OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it stands, else the collector's `/v1/traces`. A
    full URL that is not that of `/v1/metrics` is for metrics alone. Of `logs` the same is so.

    >>> url_of("http://c:4318", {}), url_of("http://c/v1/metrics", {}), url_of("http://c/x", {})
    ('http://c:4318/v1/traces', 'http://c/v1/traces', '')
    """
    if not endpoint:
        return ""
    if own := environment.get(f"{PREFIX}{signal.upper()}_ENDPOINT", ""):
        return own if urlsplit(own).scheme in ("http", "https") else ""
    parts = urlsplit(endpoint)
    if not parts.path.strip("/"):
        return urlunsplit(parts._replace(path=f"/v1/{signal}"))
    if parts.path.endswith("/v1/metrics"):
        return urlunsplit(parts._replace(path=parts.path.removesuffix("metrics") + signal))
    return ""


class SpanExporter:
    """Sends what `offer` takes by `transport`; the thread begins with the first span.

    `whole` makes the body of a delivery of a batch. `pause` is that between the first two tries, in
    seconds. `log` takes a level and a text when deliveries begin to fail and when they succeed
    again, not each time.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        whole: Callable[[bytes], bytes],
        pause: float = 1.0,
        log: Callable[[int, str], None],
    ) -> None:
        self._transport = transport
        self._whole = whole
        self._pause = pause
        self._log = log
        self._queue: deque[bytes] = deque()
        self._bytes = 0  # of what was offered and has not been taken; changed under the lock
        self._lock = threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._offered = 0
        self._settled = (0, 0)  # exported, dropped
        self._failing = False

    def offer(self, span: bytes) -> bool:
        """Take a span; False, and it is not counted here, where there is no room."""
        queue = self._queue
        with self._lock:
            if self._stop.is_set() or len(queue) >= SPANS or self._bytes + len(span) > BYTES:
                return False
            queue.append(span)
            self._bytes += len(span)
            self._offered += 1
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
            self._thread.start()
        if len(queue) >= BATCH:
            self._wake.set()
        return True

    def counts(self) -> tuple[int, int, int]:
        """Return how many spans were exported, were dropped and wait. Their sum is how many were
        taken."""
        exported, dropped = self._settled
        return exported, dropped, self._offered - exported - dropped

    def close(self, patience: float) -> None:
        """Send what waits, for at most `patience` seconds; then the rest is dropped."""
        with self._lock:
            self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(patience)
            self._transport.close()
            self._thread.join(0.2)
        exported, dropped, waiting = self.counts()
        self._settled = exported, dropped + waiting

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(LINGER)
            self._wake.clear()
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while batch := self._batch():
            exported = self._deliver(batch)
            before = self._settled
            self._settled = before[0] + exported, before[1] + len(batch) - exported

    def _batch(self) -> list[bytes]:
        with self._lock:
            batch: list[bytes] = []
            size = 0
            while self._queue and len(batch) < BATCH:
                if batch and size + len(self._queue[0]) > BATCH_BYTES:
                    break
                batch.append(self._queue.popleft())
                size += len(batch[-1])
            self._bytes -= size
        return batch

    def _deliver(self, batch: list[bytes]) -> int:
        """Return how many of a batch the collector took; never raises."""
        body = self._whole(b"".join(batch))
        for attempt in range(TRIES):
            answer = self._transport.send(body)
            self._note(answer.wrong)
            if not answer.wrong:
                return len(batch) - min(len(batch), _rejected(answer.said))
            if not answer.may_retry or attempt == TRIES - 1:
                break
            if self._stop.wait(answer.pause or self._pause * 2**attempt):
                break  # the last try of a process that ends is over
        return 0

    def _note(self, wrong: str) -> None:
        if bool(wrong) == self._failing:
            return
        self._failing = bool(wrong)
        if wrong:
            said = f"cannot be delivered ({wrong}); what is not taken soon is dropped"
        else:
            said = "are delivered again"
        self._log(
            logging.WARNING if wrong else logging.INFO,
            f"otlp: spans {said}: {self._transport.shown}",
        )


def _rejected(said: bytes) -> int:
    """How many spans of a delivery the collector says that it did not take."""
    partial = protobuf.message(said, _REJECTED).get("partial_success", {})
    return max(0, int(partial.get("rejected_spans", 0)))
