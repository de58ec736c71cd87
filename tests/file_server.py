"""A web server of files on loopback, which may refuse, hang, or hang up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class FileServer(ThreadingHTTPServer):
    """`files` by path; `asked` are (method, path, first byte, bytes sent). `trouble` by path is a
    status, `hang`, `cut` (half of what was promised), `whole` (no parts are given), or a range of
    bytes that never come: `cut` for a part with one of them."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.trouble: dict[str, int | str | range] = {}
        self.asked: list[tuple[str, str, int, int]] = []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_HEAD(self) -> None:
        self._answer(is_head=True)

    def do_GET(self) -> None:
        self._answer(is_head=False)

    def _answer(self, *, is_head: bool) -> None:
        path = urlsplit(self.path).path
        trouble = self.server.trouble.get(path)
        content = self.server.files.get(path)
        if trouble == "hang":
            self.server.closing.wait(20)
            self.close_connection = True
            return
        if content is None or isinstance(trouble, int):
            self.send_response(trouble if isinstance(trouble, int) else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, end = 0, len(content)
        wanted = self.headers.get("Range")
        has_parts = trouble != "whole"
        if wanted and has_parts:
            low, _, high = wanted.removeprefix("bytes=").partition("-")
            first, end = int(low or 0), min(int(high or end) + 1, end)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(content)}")
        else:
            self.send_response(200)
        if has_parts:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - first))
        self.end_headers()
        sent = 0
        if not is_head:
            part = content[first:end]
            if trouble == "cut" or (
                isinstance(trouble, range)
                and wanted
                and first < trouble.stop
                and end > trouble.start
            ):
                part = part[: len(part) // 2]
                self.close_connection = True
            self.wfile.write(part)
            sent = len(part)
        self.server.asked.append((self.command, path, first, sent))

    def handle(self) -> None:
        """Answer until the client hangs up, which it may at any moment."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[FileServer]:
    """Such a server, until the block ends."""
    server = FileServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
