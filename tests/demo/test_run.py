"""The demo from end to end, as a newcomer runs it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from monitor.demo import processes, run, screen
from monitor.demo.page import Page
from monitor.types import ABSENT
from tests.end_to_end.conftest import Model, served

PSEUDONYM = r"<EMAIL_ADDRESS:k1:[A-Za-z0-9_-]{16,}>"
RECORD_ID = r'"id": "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"'


def test_the_demo_finds_its_shift_and_ends_well() -> None:
    """It names feature and population, shows a pseudonymized record, accounts for all, exits 0.

    On 80 columns addresses, ids and pseudonyms are whole.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
    result = subprocess.run(
        [sys.executable, "-m", "monitor", "demo"],
        capture_output=True, text=True, timeout=280, check=False,
        env={**environment, "COLUMNS": "80"},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    assert "mean texture in population south drifted" in result.stdout
    assert "+ 0 lost + 0 pending" in result.stdout
    assert "\x1b[" not in result.stdout, "no colours where there is no terminal"
    assert max(map(len, result.stdout.splitlines())) <= 80
    for whole in (
        PSEUDONYM, RECORD_ID, r"http://127\.0\.0\.1:\d+/api/drift ", r"http://127\.0\.0\.1:\d+/metrics ",
        "template discharge-letter ", r"cost by template .*triage \$0\.0\d", r"of edge cases .*truncated \d+,",
        r"failed checks .*refusal \d+/2\d\d, .*unfilled_slot \d+/2\d\d",
    ):  # fmt: skip
        assert re.search(whole, result.stdout), whole


def small(_: str) -> contextlib.AbstractContextManager[str]:
    """Models that need no training."""
    return served(ThreadingHTTPServer(("127.0.0.1", 0), Model))


def test_it_stays_until_it_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--keep` the addresses on the screen work until Ctrl-C; then it drains and ends."""
    monkeypatch.setattr(run, "USUAL", 16)
    monkeypatch.setattr(run, "SHIFTED", 8)
    monkeypatch.setattr(run, "_wait_for_drift", lambda _: True)
    monkeypatch.setattr(processes, "endpoint", small)
    screen = io.StringIO()
    seen: dict[str, object] = {}

    def person() -> None:
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline and "Ctrl-C ends" not in screen.getvalue():
            time.sleep(0.05)
        admin = re.search(r"(http://\S+)/metrics    for Prom", screen.getvalue())
        data = re.search(r"(/\S+)    records, keys and log", screen.getvalue())
        if admin and data:
            with urllib.request.urlopen(f"{admin[1]}/readyz", timeout=60) as answer:
                seen["status"] = answer.status
            seen["data"] = Path(data[1])
            seen["was there"] = (Path(data[1]) / "run.json").exists()
        os.kill(os.getpid(), signal.SIGINT)

    visitor = threading.Thread(target=person)
    visitor.start()
    code = run.demo(Console(file=screen, width=100), keep=True)
    visitor.join()
    assert (code, seen["status"], seen["was there"]) == (0, 200, True)
    assert isinstance(seen["data"], Path)
    assert not seen["data"].exists(), "nothing is left behind"
    assert "25 exchanges ended = 25 recorded + 0 lost + 0 pending" in screen.getvalue()


def test_many_segments_are_a_few_rows() -> None:
    """Those with the most requests, by name; the rest is counted in one."""
    counts = {f"t_{number:02}": float(number) for number in range(1, 41)}
    page = Page(
        {
            "monitor_segment_exchanges_total": [
                ({"dimension": "template", "value": name, "outcome": "ok"}, count)
                for name, count in {**counts, ABSENT: 99.0}.items()
            ]
        }
    )
    told = io.StringIO()
    Console(file=told, width=80).print(screen.latency(page))
    rows = [line.split() for line in told.getvalue().splitlines() if line.startswith("  template")]
    assert [row[1] for row in rows] == [*(f"t_{number}" for number in range(33, 41)), "32"]
    assert rows[-1][1:4] == ["32", "others", "528"]
