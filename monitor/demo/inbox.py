"""Notifications from Alertmanager → a page that shows the newest ones.

`python -m monitor.demo.inbox HOST:PORT` takes what is posted to any path and keeps it in memory.
`/messages` has the same as JSON.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEPT = 200
"""Messages in memory; older ones go."""
MOST_BYTES = 1 << 20

STYLE = (
    "body{font:15px system-ui;margin:2em}td,th{text-align:left;padding:.3em 1em .3em 0;"
    "vertical-align:top;border-bottom:1px solid #ccc}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def rows(message: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """(time, path, status, alert, what it says) of each alert in a webhook's body (version 4); of
    anything else one row that says so."""
    alerts = _mapping(message["body"]).get("alerts")
    for alert in map(_mapping, alerts if isinstance(alerts, list) and alerts else [{}]):
        said = _mapping(alert.get("annotations"))
        what = said.get("description") or said.get("summary") or "not a notification"
        name = _mapping(alert.get("labels")).get("alertname", "?")
        yield message["at"], message["path"], str(alert.get("status", "")), str(name), str(what)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def page(messages: list[dict[str, Any]]) -> str:
    """All messages, the newest first; nothing of them is anything but text."""
    heads = "".join(f"<th>{one}</th>" for one in ("when", "to", "status", "alert", "what"))
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for message in reversed(messages)
        for row in rows(message)
    )
    empty = "" if messages else "<p>Nothing yet. The watchdog says every minute that it lives.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="5"><title>inbox</title><style>{STYLE}</style>'
        f"<h1>Inbox</h1>{empty}<table><tr>{heads}</tr>{lines}</table></html>"
    )


class InboxServer(ThreadingHTTPServer):
    """Keeps the last messages of all connections."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, Inbox)
        self.messages: deque[dict[str, Any]] = deque(maxlen=KEPT)


class Inbox(BaseHTTPRequestHandler):
    """One connection; what is kept is the server's."""

    server: InboxServer
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self) -> None:
        """Keep one message, or say what is wrong with it."""
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
            self.close_connection = True
            self._say(413, "text/plain", f"give a Content-Length of {MOST_BYTES} at most\n")
            return
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            self._say(400, "text/plain", "not JSON\n")
            return
        at = time.strftime("%H:%M:%S")
        self.server.messages.append({"at": at, "path": self.path[:200], "body": body})
        self._say(200, "text/plain", "kept\n")

    def do_GET(self) -> None:
        """Show them, as a page or as JSON."""
        kept = list(self.server.messages)
        if self.path == "/messages":
            self._say(200, "application/json", json.dumps(kept))
        else:
            self._say(200, "text/html; charset=utf-8", page(kept))

    def _say(self, status: int, kind: str, text: str) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-security-policy", POLICY)
        self.send_header("x-content-type-options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing: the page has it all."""


def main() -> None:
    """Serve on the address given as the only argument, until SIGTERM or Ctrl-C."""
    host, _, port = sys.argv[1].rpartition(":")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the first process of a container
    with contextlib.suppress(KeyboardInterrupt):
        InboxServer((host, int(port))).serve_forever()


if __name__ == "__main__":
    main()
