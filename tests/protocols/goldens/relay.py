"""A relay between a real client and a real server, which keeps the bytes of each exchange.

Dates and ports are left out of them; nothing else is changed.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.protocols.goldens.scripted import PAUSE, _request, write

_HOST = re.compile(rb"(?im)^(host): ?.*\r$")
_VARYING = re.compile(rb"(?im)^(?:date|x-request-id|user-agent-id): ?.*\r\n")
_BETWEEN = ("transfer-encoding:", "connection:")
_WAIT = 240


class Relay:
    """Passes one request after another on to a port, and keeps the last exchange's bytes.

    `prefix` is taken from the path, as a gateway does.
    """

    def __init__(self, port: int, prefix: str = "") -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._to = port
        self._prefix = prefix.encode()
        self.port: int = self._socket.getsockname()[1]
        self.request = self.response = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                request = _request(connection)
                if request is not None:
                    self._pass(connection, request)

    def _pass(self, connection: socket.socket, request: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._to)) as server:
            server.sendall(request.replace(self._prefix, b"", 1) if self._prefix else request)
            answer = http.client.HTTPResponse(server, method=request.split(b" ", 1)[0].decode())
            answer.begin()
            body = answer.read()
        fields = [f"{name}: {value}\r\n" for name, value in answer.getheaders()]
        start = f"HTTP/1.1 {answer.status} {answer.reason}\r\n"
        self.request, self.response = request, f"{start}{''.join(fields)}\r\n".encode() + body
        ours = [one for one in fields if not one.lower().startswith(_BETWEEN)]
        connection.sendall(f"{start}{''.join(ours)}connection: close\r\n\r\n".encode() + body)

    def kept(self) -> tuple[bytes, bytes]:
        """The last request and response, without what differs from run to run."""
        head, blank, body = self.response.partition(b"\r\n\r\n")
        head = _VARYING.sub(b"", head + b"\r\n").removesuffix(b"\r\n")
        asked, told = (_HOST.sub(rb"\1: model.example\r", one) for one in (self.request, head))
        return asked, told + blank + body


def keep(
    protocol: str, relay: Relay, client: str, asked: Iterable[tuple[str, Callable[[], Any]]]
) -> None:
    """Ask what is named, one after the other, and write the files of each."""
    for case, ask in asked:
        relay.request = relay.response = b""
        ask()
        request, response = relay.kept()
        size = len(response.partition(b"\r\n\r\n")[2])
        about = {"client": client, "texts": [], "chunks": [[PAUSE, size]]}
        write(protocol, case, request, response, about)


@contextmanager
def serving(command: Sequence[str], folder: Path, ready: str, **environment: str) -> Iterator[None]:
    """A server for as long as the block runs; `ready` is an address that answers when it does."""
    server = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, start_new_session=True
    )
    try:
        _until_ready(ready, server)
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(_WAIT)


def _until_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _WAIT
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(f"{address} does not answer")


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
