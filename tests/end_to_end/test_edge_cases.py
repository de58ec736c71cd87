"""Edge cases on real processes: on record, on the page, and in what drift is watched in."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.conftest import served

OWN = """
from monitor.interfaces import EdgeCase

SHOUTED = EdgeCase("x", lambda _: "a question in capitals", lambda view, _: view.question.isupper())
FAILING = EdgeCase("x", lambda _: "a division", lambda view, _: 1 / 0)
"""


class Refusing(BaseHTTPRequestHandler):
    """Says no to whatever it is asked, and is cut off where a question is long."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": "I'm sorry, but I can't help with that."}
        reason = "length" if len(asked) > 300 else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        body = json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def refusing() -> Generator[str]:
    with served(ThreadingHTTPServer(("127.0.0.1", 0), Refusing)) as url:
        yield url


def test_edge_cases_are_on_record_and_on_the_page(
    start: Callable[..., Any], refusing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built-in ones by their thresholds and somebody's own; one that fails costs itself alone."""
    (tmp_path / "e2e_rules.py").write_text(OWN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    system = start(
        "run", "--upstream", refusing, "--listen", "127.0.0.1:0", reference={"learn": 5},
        edge_cases={
            "long_input": {"tokens": 100},
            "repeated_request": None,
            "shouted": {"module": "e2e_rules:SHOUTED"},
            "failing": {"module": "e2e_rules:FAILING"},
        },
    )  # fmt: skip
    with httpx.Client(base_url=system.url) as client:
        for text in ("hello", "HELLO", "word " * 100, "hello"):
            message = {"role": "user", "content": text}
            asked = {"model": "m", "messages": [message]}
            assert client.post("/v1/chat/completions", json=asked).status_code == 200
    page = system.settled()
    records = system.records()
    assert [one.get("edge_cases") for one in records] == [
        ["refusal"],
        ["refusal", "shouted"],
        ["truncated", "refusal", "long_input"],
        ["refusal"],
    ]

    def counted(name: str) -> float:
        labels = {"dimension": "edge_case", "value": name}
        return page.total("monitor_segment_exchanges_total", **labels)

    assert (counted("refusal"), counted("truncated"), counted("shouted")) == (4, 1, 1)
    assert counted("none") == counted("empty_output") == 0
    failed = {labels["name"]: n for labels, n in page.pick("monitor_part_failures_total")}
    assert failed["failing"] == 4
    watched = {"feature": "output_kind", "dimension": "edge_case", "value": "refusal"}
    system.until(lambda: system.page().pick("monitor_drift_status", **watched))
    assert system.complaints() == []
