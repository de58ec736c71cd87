"""What strangers send stops nothing and hides nothing, in a whole `monitor` as a user starts it."""

from __future__ import annotations

import os
import random
import string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.end_to_end.conftest import served

PART = """
import os
from monitor.interfaces import Feature

def observe(record):
    if any(part.data == ["the end"] for part in record.inputs):
        os.kill(os.getpid(), 9)
    return ()

DEADLY = Feature("deadly", observe)
"""


class Picky(BaseHTTPRequestHandler):
    """Takes what has an income; tells of tokens as it is asked to."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        said = b'{"score":0.5}'
        if b"usage" in body:
            said = b'{"object":"chat.completion","choices":[],"usage":%s}' % body[9:-1]
        self.send_response(200 if b"income" in body or b"usage" in body else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


def test_strangers_stop_and_hide_nothing(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers beyond all, names beyond all, and a record that kills the analyzer whenever it is
    looked at: the traffic is on record, the real feature is watched, the pages are whole."""
    (tmp_path / "stranger_part.py").write_text(PART)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    chance = random.Random(1)

    def name() -> str:
        return "".join(chance.choices(string.ascii_letters + "\r\x1b", k=300))

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Picky)) as url:
        system = start(
            "run", "--upstream", url, "--listen", "127.0.0.1:0",
            drift={"features": ["stranger_part:DEADLY"]}, windows={"pane": 1, "lateness": 0.5},
            reference={"learn": 30},
        )  # fmt: skip
        with httpx.Client(base_url=system.url) as client:
            for _ in range(20):
                hostile = msgspec.json.encode({name(): 1 for _ in range(200)})
                assert client.post("/v1/other", content=hostile).status_code == 404
            for usage in (b"-5", b"18446744073709551616", b"1" + b"0" * 30, b"1e400"):
                content = b'{"usage":{"prompt_tokens":%s,"completion_tokens":%s}}' % (usage, usage)
                assert client.post("/v1/chat/completions", content=content).status_code == 200
            client.post(
                "/predict", content=b'{"income":1,"id":340282366920938463463374607431768211455}'
            )
            client.post("/predict", json={"income": 1, "end": "the end"})
            for _ in range(60):
                client.post("/predict", json={"income": chance.gauss(50, 10)})
        system.until(lambda: system.page().total("monitor_records_set_aside_total") == 1)
        system.until(lambda: system.page().total("monitor_records_analyzed_total") == 85)
        page = system.settled()
        assert page.is_conserved()
        assert page.total("monitor_exchanges_total") == 86
        assert page.total("monitor_records_set_aside_total", reason="poison") == 1
        assert page.total("monitor_restarts_total", role="analyzer") == 3
        assert page.total("monitor_restarts_total", role="recorder") == 0
        assert page.total("monitor_drift_samples", feature="income", dimension="all") > 0
        status, text = system.admin("/metrics")
        assert status == 200
        assert len(text) < 200_000
        assert "\r" not in text
        assert "\x1b" not in text
        assert "\x1b" not in system.log()
