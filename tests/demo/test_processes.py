"""The processes of a demo: ports that somebody else takes first, and why one ended."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from monitor.demo import processes
from monitor.errors import UsageError
from monitor.supervision.ports import free_port

RUN = """\
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
try:
    server = HTTPServer(("127.0.0.1", int(words["--admin"].split(":")[1])), Ready)
except OSError:
    print("monitor: starting\\nmonitor: admin: address already in use", file=sys.stderr)
    sys.exit(2)
(Path(words["--data"]) / "run.json").write_text(json.dumps({"admin": words["--admin"]}))
server.serve_forever()
"""
"""What a `monitor run` does at its start."""


def words(data: Path) -> list[str]:
    return [sys.executable, "-S", "-c", RUN, "--data", str(data)]


def test_a_port_that_another_demo_takes_first_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was free when it was chosen; another is tried."""
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = other.getsockname()[1]
        chosen = iter((free_port(), taken))
        monkeypatch.setattr(processes, "free_port", lambda port: next(chosen, 0) or free_port(port))
        process = processes._started(words(tmp_path), tmp_path)
        try:
            assert process.poll() is None
            assert str(taken) not in (tmp_path / "run.json").read_text()
        finally:
            process.kill()
            process.wait()


def test_the_log_tells_why_one_ended(tmp_path: Path) -> None:
    """Its last line, in the sentence; no other port would have helped."""
    ends = [
        sys.executable,
        "-S",
        "-c",
        "import sys; sys.exit('monitor: no room\\x1b on the disk\\n')",
    ]
    with pytest.raises(UsageError, match=r"early \(exit code 1\): monitor: no room.* on the disk$"):
        processes._started(ends, tmp_path)
