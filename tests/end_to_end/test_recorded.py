"""What a whole sidecar writes down of real traffic: every case of the protocols, edge cases, checks and templates."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import redis

from monitor.cli import main
from tests.end_to_end.conftest import System, served
from tests.protocols.replayed import CASES, load, seen
from tests.templates.test_miner import judge

OWN = """
from monitor.interfaces import Check, EdgeCase
from monitor.types import Verdict

SHOUTED = EdgeCase("x", lambda _: "a question in capitals", lambda view, _: view.question.isupper())
FAILING = EdgeCase("x", lambda _: "a division", lambda view, _: 1 / 0)
SHORT = Check("x", lambda _: "whether it is short", lambda view, _: Verdict(True, 0, 2))
BROKEN = Check("x", lambda _: "a division", lambda view, _: 1 / 0)
"""


SETTINGS: dict[str, Any] = {
    "reference": {"learn": 5},
    "segments": {
        "case": {"header": "x-case"},
        "template": {"header": "x-template", "mine": True},
    },
    "edge_cases": {
        "long_input": {"tokens": 100},
        "repeated_request": None,
        "shouted": {"module": "e2e_rules:SHOUTED"},
        "failing": {"module": "e2e_rules:FAILING"},
    },
    "checks": {
        "truncated": {}, "refusal": {}, "schema": {}, "short": {"module": "e2e_rules:SHORT"},
        "broken": {"module": "e2e_rules:BROKEN"},
    },
}  # fmt: skip


class Scripted(BaseHTTPRequestHandler):
    """Answers what the case named in `x-case` says, piece by piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    cases: dict[str, dict[str, Any]] = {}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        told = self.cases[self.headers["x-case"]]["response"]
        self.send_response(told["status"])
        for name, value in told["headers"].items():
            self.send_header(name, value)
        is_chunked = told["framing"] == "chunked"
        size = sum(len(text.encode()) for _, text in told["pieces"])
        self.send_header(
            *(("transfer-encoding", "chunked") if is_chunked else ("content-length", str(size)))
        )
        self.end_headers()
        for pause, text in told["pieces"]:
            time.sleep(pause)
            data = text.encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data)
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Quiet."""


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


@pytest.fixture(scope="module")
def system(
    share: Callable[..., System], tmp_path_factory: pytest.TempPathFactory
) -> Generator[Callable[[], System]]:
    """The one that all tests here share, with rules of somebody's own."""
    place = tmp_path_factory.mktemp("own")
    (place / "e2e_rules.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(place), prepend=os.pathsep)
        yield lambda: share(**SETTINGS)


def heard(answer: http.client.HTTPResponse, case: dict[str, Any]) -> tuple[str, float]:
    """The body, and when (monotonic) the client had all that came up to the first token."""
    size, at = 0, 0.0
    for pause, text in case["response"]["pieces"]:
        at += pause
        if at <= case.get("first_token", 0.0) + 1e-6:
            size += len(text.encode())
    body, reached = b"", 0.0
    with answer:
        while piece := answer.read1():
            body += piece
            reached = reached or (time.monotonic() if len(body) >= size else 0.0)
    return body.decode(), reached


def test_cases_are_recorded_right_on_the_way(
    system: Callable[[], System], upstream_port: int
) -> None:
    """Bytes out as they came in, records as the cases say, times as the endpoint took them, and the
    same outcomes and models in the metrics."""
    cases = {path.stem: load(path) for path in CASES}
    handler = type("Handler", (Scripted,), {"cases": cases})
    with served(ThreadingHTTPServer(("127.0.0.1", upstream_port), handler)):
        running = system()
        host, _, port = running.run["listen"].partition(":")
        client = http.client.HTTPConnection(host, int(port), timeout=60)
        within: dict[str, float] = {}
        for name, case in cases.items():
            asked = case["request"]
            asked_at = time.monotonic()
            client.request(
                asked["method"], asked["path"], asked["body"], {**asked["headers"], "x-case": name}
            )
            answer, reached = heard(client.getresponse(), case)
            assert answer == "".join(text for _, text in case["response"]["pieces"])
            within[name] = reached - asked_at
        client.close()
        page = running.recorded(len(cases))
        records = {record["segments"]["case"]: record for record in running.records()}
    assert records.keys() == cases.keys()
    for name, case in cases.items():
        assert seen(records[name]) == case["record"], (name, case["right"])
        if "first_token" in case:
            took = records[name]["time_to_first_token"]
            assert case["first_token"] - 0.01 <= took, name
            assert took <= within[name] + 0.001, name
    outcomes = [case["record"]["outcome"] for case in cases.values()]
    for outcome in set(outcomes):
        assert page.total("monitor_exchanges_total", outcome=outcome) == outcomes.count(outcome)
    models = {case["record"]["model"] or "unknown" for case in cases.values()}
    for metric in ("monitor_exchanges_total", "monitor_exchange_duration_seconds_count"):
        assert {labels["model"] for labels, _ in page.pick(metric)} == models, metric


def test_edge_cases_are_on_record_and_on_the_page(
    system: Callable[[], System], upstream_port: int
) -> None:
    """Built-in ones by their thresholds and somebody's own; one that fails costs itself alone."""
    running = system()
    with (
        served(ThreadingHTTPServer(("127.0.0.1", upstream_port), Refusing)),
        httpx.Client(base_url=running.url) as client,
    ):
        for text in ("hello", "HELLO", "word " * 100, "hello"):
            message = {"role": "user", "content": text}
            asked = {"model": "m", "messages": [message]}
            assert client.post("/v1/chat/completions", json=asked).status_code == 200
    page = running.settled()
    records = running.records()
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
    running.until(lambda: running.page().pick("monitor_drift_status", **watched))
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
    running.until(lambda: running.page().pick("monitor_drift_status", feature="check.refusal"))
    assert running.complaints() == []


def test_a_killed_recorder_goes_on_with_the_same_ids(
    system: Callable[[], System], model: str, capsys: Any
) -> None:
    """Its successor reads what it had found from the store; the commands and the page show it."""
    running = system()

    def ask(numbers: range) -> None:
        with httpx.Client(base_url=running.url) as client:
            for number in numbers:
                message = {"role": "user", "content": judge(number)}
                asked = {"model": "m", "messages": [message]}
                assert client.post("/v1/chat/completions", json=asked).status_code == 200
        running.settled()

    ask(range(20))
    name = running.records()[-1]["template"]["id"]
    with redis.Redis.from_url(running.redis) as client:  # what is found is written once a second
        running.until(lambda: client.hexists("monitor:{default}:templates", name))
    (before,) = running.run["pids"]["recorder"]
    os.kill(before, signal.SIGKILL)
    running.until(lambda: running.run["pids"]["recorder"] not in ([], [before]))
    ask(range(20, 26))
    records = running.records()
    assert [one["template"] for one in records[20:]] == [{"id": name, "declared": False}] * 6
    watched = {"dimension": "template", "value": name}
    running.until(lambda: running.page().pick("monitor_drift_status", **watched))
    assert running.page().total("monitor_segment_exchanges_total", **watched) > 6
    assert main(["templates", "show", name, "--redis", running.redis]) == 0
    assert "Is the answer of the expert right? Reply with Y or N." in capsys.readouterr().out
