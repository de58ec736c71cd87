"""A server that stands in for an API server: objects by their paths, written by their version."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitor.assembly.injection import flaw_of
from monitor.inject.cluster import Cluster
from monitor.inject.json_patch import applied


class FakeApi(ThreadingHTTPServer):
    """Answers with what `objects` has of a path; a number there is a status, bytes are a body.

    As a real one it refuses a POST of what is there, and a PUT that has not seen the last version.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []
        self.written: list[str] = []
        self.lock = threading.Lock()

    def write(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        with self.lock:
            if method == "POST":
                path = f"{path}/{document['metadata']['name']}"
                if path in self.objects:
                    return 409, None
            known = self.objects.get(path)
            if isinstance(known, int):
                return known, None
            if method != "POST" and known is None:
                return 404, None
            version = (known or {}).get("metadata", {}).get("resourceVersion", "0")
            if method == "PUT" and document["metadata"].get("resourceVersion") != version:
                return 409, None
            if method == "PATCH":
                document = applied(known, document)
            metadata = {**document.get("metadata", {}), "resourceVersion": str(int(version) + 1)}
            self.objects[path] = {**document, "metadata": metadata}
            self.written.append(f"{method} {path}")
            return 200, self.objects[path]


class _Handler(BaseHTTPRequestHandler):
    server: FakeApi

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["authorization"]))
        found = self.server.objects.get(self.path, 404)
        self._answer(*((found, None) if isinstance(found, int) else (200, found)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(*self.server.write(self.command, self.path, json.loads(body)))

    def do_PUT(self) -> None:
        self.do_POST()

    def do_PATCH(self) -> None:
        self.do_POST()

    def _answer(self, status: int, document: Any) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        body = b"" if document is None else body
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(
    authority: Any, folder: Path, clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[FakeApi, Cluster]]:
    """A server over TLS, and who asks it with a token and its authority."""
    one = authority("cluster")
    cert, key = one.issue("api")
    account = folder / "account"
    account.mkdir()
    (account / "token").write_text("t0ken\n")
    (account / "ca.crt").write_text(Path(one.ca).read_text())
    server = FakeApi()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        url = f"https://127.0.0.1:{server.server_address[1]}"
        yield server, Cluster(url, account, clock=clock, flaw_of=flaw_of)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
