"""Encoded spans → an OpenTelemetry collector, over OTLP/HTTP (protobuf), in batches from a thread.

Nobody waits for it. What the collector does not take is tried again a little, then dropped and
counted, so a collector that is away or slow costs memory within bounds and nothing else.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import logging
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from monitor import resource
from monitor.framings import protobuf
from monitor.framings.protobuf import Field
from monitor.urls import shown

SPANS, BYTES = 2048, 4 << 20
"""Spans that may wait here, and their bytes."""
BATCH, BATCH_BYTES = 512, 1 << 20
"""Spans of one delivery, and their bytes; a single span may be larger."""
LINGER = 1.0
"""Seconds that the first span of a batch waits for more."""
TRIES = 3
"""Times that a batch is sent; between two of them there is a pause of one second, then two."""
LONGEST_PAUSE = 30.0
"""Seconds that a collector may ask for (Retry-After)."""
_AGAIN = frozenset((429, 502, 503, 504))
"""Statuses after which OTLP lets a sender try again; after any other it must not."""
_ANSWER = 1 << 16
_REJECTED = {1: Field("partial_success", {1: Field("rejected_spans", "int64")})}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_VALUE = re.compile(r"[\x20-\x7e\t]{0,8192}")
_VARIABLE = "OTEL_EXPORTER_OTLP_"


def url_of(endpoint: str, environment: Mapping[str, str]) -> str:
    """Return where spans go, given `otlp.endpoint`; empty: nowhere.

    That is OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it stands, else the collector's `/v1/traces`. A
    full URL that is not that of `/v1/metrics` is for metrics alone.

    >>> url_of("http://c:4318", {}), url_of("http://c/v1/metrics", {}), url_of("http://c/x", {})
    ('http://c:4318/v1/traces', 'http://c/v1/traces', '')
    """
    if not endpoint:
        return ""
    if own := environment.get(_VARIABLE + "TRACES_ENDPOINT", ""):
        return own if urlsplit(own).scheme in ("http", "https") else ""
    parts = urlsplit(endpoint)
    if not parts.path.strip("/"):
        return urlunsplit(parts._replace(path="/v1/traces"))
    if parts.path.endswith("/v1/metrics"):
        return urlunsplit(parts._replace(path=parts.path.removesuffix("metrics") + "traces"))
    return ""


class SpanExporter:
    """Sends what `offer` takes to `url`; the thread begins with the first span.

    `whole` makes the body of a delivery of a batch. `timeout` bounds one try as a whole, in
    seconds; `pause` is that between the first two. `log` takes a level and a text when deliveries
    begin to fail and when they succeed again, not each time. Of the standard variables those of
    headers, compression and certificates are honoured.
    """

    def __init__(
        self,
        url: str,
        *,
        whole: Callable[[bytes], bytes],
        environment: Mapping[str, str],
        timeout: float = 10.0,
        pause: float = 1.0,
        log: Callable[[int, str], None],
    ) -> None:
        self._url = urlsplit(url)
        self._shown = shown(url)
        self._whole = whole
        self._timeout = timeout
        self._pause = pause
        self._log = log
        self._standard = _Standard(environment)
        self._headers = self._standard.headers(self._url)
        self._queue: deque[bytes] = deque()
        self._bytes = 0  # of what was offered and has not been taken; changed under the lock
        self._lock = threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._offered = 0
        self._settled = (0, 0)  # exported, dropped
        self._failing = self._is_cut = False
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None  # a second handle: TLS takes over the first

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
            self._cut()
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
        if self._standard.is_gzip:
            body = gzip.compress(body, 1)
        for attempt in range(TRIES):
            status, said, pause = self._post(body)
            if 200 <= status < 300:
                self._note("")
                return len(batch) - min(len(batch), _rejected(said))
            self._note(f"it answered {status}" if status else "no answer")
            if status and status not in _AGAIN:
                break
            if attempt == TRIES - 1 or self._stop.wait(pause or self._pause * 2**attempt):
                break  # the last try of a process that ends is over
        return 0

    def _post(self, body: bytes) -> tuple[int, bytes, float]:
        """Return the status, 0 without an answer; the body; the seconds to wait, 0 if none are
        asked for."""
        self._is_cut = False
        deadline = threading.Timer(self._timeout, self._cut)
        deadline.daemon = True
        deadline.start()
        try:
            connection = self._connected()
            target = urlunsplit(("", "", self._url.path or "/", self._url.query, ""))
            connection.request("POST", target, body, self._headers)
            answer = connection.getresponse()
            said, after = answer.read(_ANSWER), answer.getheader("retry-after", "")
            if self._is_cut:  # the head of an answer, and then its end, looks whole
                return 0, b"", 0.0
        except (OSError, http.client.HTTPException, ValueError):
            return 0, b"", 0.0
        finally:
            deadline.cancel()
            self._hang_up()
        seconds = float(after) if after.isascii() and after.isdigit() else 0.0
        return answer.status, said, min(seconds, LONGEST_PAUSE)

    def _connected(self) -> http.client.HTTPConnection:
        """A new connection: one that a collector may have closed meanwhile would cost a try."""
        host = self._url.hostname or ""
        is_secure = self._url.scheme == "https"
        port = self._url.port or (443 if is_secure else 80)
        made = socket.create_connection((host, port), self._timeout)
        with self._lock:
            self._socket = made.dup()
        if is_secure:
            made = self._standard.context().wrap_socket(made, server_hostname=host)
        self._connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        self._connection.sock = made
        return self._connection

    def _cut(self) -> None:
        """End the connection, from any thread and in the middle of a read."""
        with self._lock, contextlib.suppress(OSError):
            self._is_cut = True
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _hang_up(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.close()
            self._socket = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _note(self, wrong: str) -> None:
        if bool(wrong) == self._failing:
            return
        self._failing = bool(wrong)
        if wrong:
            said = f"cannot be delivered ({wrong}); what is not taken soon is dropped"
        else:
            said = "are delivered again"
        self._log(logging.WARNING if wrong else logging.INFO, f"otlp: spans {said}: {self._shown}")


class _Standard:
    """The standard variables, of which those for traces go before those for all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.is_gzip = self._said("COMPRESSION").strip().lower() == "gzip"

    def headers(self, url: SplitResult) -> dict[str, str]:
        """The headers of every delivery; those that could not be sent are left out."""
        found = {
            "Content-Type": "application/x-protobuf",
            "User-Agent": "monitor",
            "Connection": "close",
        }
        if self.is_gzip:
            found["Content-Encoding"] = "gzip"
        if url.username is not None:
            pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
            found["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        for name, value in resource.pairs(self._said("HEADERS")).items():
            if _TOKEN.fullmatch(name) and _VALUE.fullmatch(value):
                found = {
                    known: said for known, said in found.items() if known.lower() != name.lower()
                }
                found[name] = value
        return found

    def context(self) -> ssl.SSLContext:
        """TLS as the variables say. Raises OSError where a file of theirs cannot be used."""
        made = ssl.create_default_context(cafile=self._said("CERTIFICATE") or None)
        if certificate := self._said("CLIENT_CERTIFICATE"):
            made.load_cert_chain(certificate, self._said("CLIENT_KEY") or None)
        return made

    def _said(self, name: str) -> str:
        own = self._environment.get(f"{_VARIABLE}TRACES_{name}", "")
        return own or self._environment.get(_VARIABLE + name, "")


def _rejected(said: bytes) -> int:
    """How many spans of a delivery the collector says that it did not take."""
    partial = protobuf.message(said, _REJECTED).get("partial_success", {})
    return max(0, int(partial.get("rejected_spans", 0)))
