"""Every case of the protocols through a whole sidecar: a scripted endpoint, the records in the stream."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.end_to_end.conftest import System, served
from tests.protocols.replayed import CASES, load, seen


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


def test_cases_are_recorded_right_on_the_way(start: Callable[..., System]) -> None:
    """Bytes out as they came in, records as the cases say, times as the endpoint took them, and the
    same outcomes and models in the metrics."""
    cases = {path.stem: load(path) for path in CASES}
    handler = type("Handler", (Scripted,), {"cases": cases})
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        system = start(
            "run", "--upstream", url, "--listen", "127.0.0.1:0",
            segments={"case": {"header": "x-case"}},
        )  # fmt: skip
        host, _, port = system.run["listen"].partition(":")
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
        page = system.recorded(len(cases))
        records = {record["segments"]["case"]: record for record in system.records()}
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
