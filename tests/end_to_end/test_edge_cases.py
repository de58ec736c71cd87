"""Edge cases and checks on real processes: on record, on the page, and in what drift watches."""

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
from monitor.interfaces import Check, EdgeCase
from monitor.types import Verdict

SHOUTED = EdgeCase("x", lambda _: "a question in capitals", lambda view, _: view.question.isupper())
FAILING = EdgeCase("x", lambda _: "a division", lambda view, _: 1 / 0)
SHORT = Check("x", lambda _: "whether it is short", lambda view, _: Verdict(True, 0, 2))
BROKEN = Check("x", lambda _: "a division", lambda view, _: 1 / 0)
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
        checks={
            "truncated": {}, "refusal": {}, "schema": {}, "short": {"module": "e2e_rules:SHORT"},
            "broken": {"module": "e2e_rules:BROKEN"},
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
    assert failed["failing"] == failed["broken"] == 4
    watched = {"feature": "output_kind", "dimension": "edge_case", "value": "refusal"}
    system.until(lambda: system.page().pick("monitor_drift_status", **watched))
    said = {"passed": False, "count": 1, "of": 1}
    assert [one["checks"]["refusal"] for one in records] == [said] * 4
    assert [one["checks"]["truncated"]["passed"] for one in records] == [True, True, False, True]
    assert records[0]["checks"]["short"] == {"passed": True, "count": 0, "of": 2}
    assert {"schema", "broken"}.isdisjoint(records[0]["checks"])

    def judged(check: str, result: str) -> float:
        return page.total("monitor_output_checks_total", check=check, result=result)

    assert (judged("refusal", "failed"), judged("truncated", "passed")) == (4, 3)
    assert (judged("schema", "skipped"), judged("broken", "skipped")) == (4, 4)
    of = {"dimension": "edge_case", "value": "long_input", "check": "truncated"}
    assert page.total("monitor_segment_check_failures_total", **of) == 1
    system.until(lambda: system.page().pick("monitor_drift_status", feature="check.refusal"))
    assert system.complaints() == []
