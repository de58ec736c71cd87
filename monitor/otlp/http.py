"""OTLP over HTTP in protobuf, with the standard library alone."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
import ssl
import threading
from urllib.parse import urlsplit, urlunsplit

from monitor.otlp.transport import LONGEST_ANSWER, LONGEST_PAUSE, Answer
from monitor.otlp.variables import Variables, replaced
from monitor.urls import shown

_AGAIN = frozenset((429, 502, 503, 504))
"""Statuses after which OTLP lets a sender try again; after any other it must not."""


class HttpTransport:
    """Posts to `url`; `timeout` bounds one delivery as a whole, in seconds."""

    def __init__(self, url: str, *, variables: Variables, timeout: float = 10.0) -> None:
        self.shown = shown(url)
        self._url = urlsplit(url)
        self._variables = variables
        self._timeout = timeout
        self._headers = {
            "Content-Type": "application/x-protobuf",
            "User-Agent": "monitor",
            "Connection": "close",
        }
        if variables.is_gzip:
            self._headers["Content-Encoding"] = "gzip"
        for name, value in variables.headers(self._url).items():
            self._headers = replaced(self._headers, name, value)
        self._lock = threading.Lock()
        self._is_cut = False
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None  # a second handle: TLS takes over the first

    def send(self, body: bytes) -> Answer:
        """Deliver once; never raises."""
        if self._variables.is_gzip:
            body = gzip.compress(body, 1)
        self._is_cut = False
        deadline = threading.Timer(self._timeout, self.close)
        deadline.daemon = True
        deadline.start()
        try:
            connection = self._connected()
            target = urlunsplit(("", "", self._url.path or "/", self._url.query, ""))
            connection.request("POST", target, body, self._headers)
            answer = connection.getresponse()
            said, after = answer.read(LONGEST_ANSWER), answer.getheader("retry-after", "")
            if self._is_cut:  # the head of an answer, and then its end, looks whole
                return Answer("no answer", may_retry=True)
        except (OSError, http.client.HTTPException, ValueError):
            return Answer("no answer", may_retry=True)
        finally:
            deadline.cancel()
            self._hang_up()
        if 200 <= answer.status < 300:
            return Answer(said=said)
        seconds = float(after) if after.isascii() and after.isdigit() else 0.0
        return Answer(
            f"it answered {answer.status}",
            may_retry=answer.status in _AGAIN,
            pause=min(seconds, LONGEST_PAUSE),
        )

    def close(self) -> None:
        """End the connection, from any thread and in the middle of a read."""
        with self._lock, contextlib.suppress(OSError):
            self._is_cut = True
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _connected(self) -> http.client.HTTPConnection:
        """A new connection: one that a collector may have closed meanwhile would cost a try."""
        host = self._url.hostname or ""
        is_secure = self._url.scheme == "https"
        port = self._url.port or (443 if is_secure else 80)
        made = socket.create_connection((host, port), self._timeout)
        with self._lock:
            self._socket = made.dup()
        if is_secure:
            made = self._context().wrap_socket(made, server_hostname=host)
        self._connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        self._connection.sock = made
        return self._connection

    def _context(self) -> ssl.SSLContext:
        """TLS as the variables say. Raises OSError where a file of theirs cannot be used."""
        said = self._variables
        made = ssl.create_default_context(cafile=said.authorities or None)
        if said.certificate:
            made.load_cert_chain(said.certificate, said.key or None)
        return made

    def _hang_up(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.close()
            self._socket = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
