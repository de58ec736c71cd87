"""From a shift in the traffic to a webhook, through real processes."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.conftest import System, served
from tests.end_to_end.test_canaries import assert_silent
from tests.privacy.test_records import CANARIES

SECRET = "between us"


class Inbox:
    """What receivers were sent: path, headers and body."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self._lock = threading.Lock()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            self.came.append((path, headers, body))
            return self.statuses.pop(0) if path == "/hook" and self.statuses else 200

    def hooked(self, path: str) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for where, headers, body in list(self.came) if where == path]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def hooks(inbox: Inbox) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = inbox.take(self.path, dict(self.headers), body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield url


def ask(client: httpx.Client, url: str, shifted: bool, count: int) -> None:
    for number in range(count):
        income = 1000 + number % 7 * 100 + (5000 if shifted else 0)
        row = {"income": income, "age": 30 + number % 9, CANARIES["EMAIL_ADDRESS"]: income}
        client.post(f"{url}/200", json=row, headers={"x-population": "north"})


def test_a_shift_is_told_within_a_minute_once_and_signed(
    model: str, start: Callable[..., System], hooks: str, inbox: Inbox, tmp_path: Path
) -> None:
    """By a receiver that fails at first; a dead man's switch hears of the notifier all the time."""
    (tmp_path / "secret").write_text(SECRET + "\n")
    inbox.statuses = [500]
    receivers = [
        {"name": "oncall", "url": f"{hooks}/hook", "secret": str(tmp_path / "secret")},
        {"name": "alive", "url": f"{hooks}/alive", "severities": ["critical"], "heartbeat": 1},
    ]
    system = start(
        "run", upstream=model, listen="127.0.0.1:0", reference={"learn": 100},
        windows={"pane": 1, "lateness": 0.2}, notify=receivers,
    )  # fmt: skip
    assert len(system.run["pids"]["notifier"]) == 1
    with httpx.Client() as client:
        ask(client, system.url, False, 200)
        system.until(lambda: system.page().pick("monitor_drift_status", status="ok"))
        ask(client, system.url, True, 100)
        began, late = time.monotonic(), 0.0
        while not inbox.hooked("/hook"):
            at = time.monotonic()
            assert at - began < 60 + late
            ask(client, system.url, True, 5)
            time.sleep(0.2)
            late += max(0.0, time.monotonic() - at - 0.3)  # what a busy machine takes for it

    def counted(result: str) -> float:
        return system.page().total("monitor_notifications_total", receiver="oncall", result=result)

    system.until(lambda: counted("delivered"))
    refused, told = inbox.hooked("/hook")
    assert json.loads(refused[1])["groupKey"] == json.loads(told[1])["groupKey"]
    for headers, body in (refused, told):
        sign = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Monitor-Signature"] == f"sha256={sign}"
    document = json.loads(told[1])
    assert document["groupLabels"]["alertname"] == "MonitorDrift"
    where = {(one["labels"]["feature"], one["labels"]["value"]) for one in document["alerts"]}
    assert {("income", "all"), ("income", "north")} <= where
    assert any("<EMAIL_ADDRESS:" in feature for feature, _ in where)
    assert_silent("webhooks", str(inbox.came))
    assert counted("failed") == 1

    def beats() -> set[str]:
        told = [json.loads(body) for _, body in inbox.hooked("/alive")]
        return {one["groupLabels"]["alertname"] for one in told}

    system.until(lambda: "MonitorDrift" in beats())  # once it is critical
    assert beats() == {"Watchdog", "MonitorDrift"}
    assert "receiver oncall" in system.log()
    assert not system.complaints()
    assert system.stop() == 0
