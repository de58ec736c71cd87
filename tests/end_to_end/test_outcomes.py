"""Feedback over real HTTP becomes quality, also through a killed analyzer."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx

from monitor.demo.page import Page

WAIT = 30
"""Seconds within which all is said, also on a busy machine, and a killed analyzer is back."""
COUNT = 40


def test_feedback_becomes_quality_once_its_records_are_due(
    start: Callable[..., Any], model: str
) -> None:
    """Named by id, business key and trace id, before its record and after it; the analyzer is
    killed in between, and at every scrape the results add up to what was said."""
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        edits={"exchange_id": True},
        outcomes={"wait": WAIT, "key": {"order": "request.parameters.order"}},
        calibration={"minimum": 10},
    )  # fmt: skip
    address = f"http://{system.run['admin']}/api/v1/feedback"
    said = 0

    def ask(number: int) -> str:
        tensor = {"name": "x", "datatype": "FP64", "shape": [1], "data": [2.5 * number]}
        body = {"inputs": [tensor], "parameters": {"order": f"order {number}"}}
        trace = {"traceparent": f"00-{number + 1:032x}-{1:016x}-01"}
        answer = httpx.post(f"{system.url}/v2/models/m/infer", json=body, headers=trace)
        name: str = answer.headers["x-monitor-exchange-id"]
        return name

    def say(*items: dict[str, Any]) -> None:
        nonlocal said
        assert httpx.post(address, json=list(items), timeout=30).json()["accepted"] == len(items)
        said += len(items)

    def counted(result: str = "") -> float:
        page: Page = system.page()
        every = page.total("monitor_feedback_total")
        assert every <= said
        return page.total("monitor_feedback_total", result=result) if result else every

    def right(number: int) -> dict[str, Any]:
        return {"label": str(int(number >= 20)), "key": f"key {number}"}

    early = {"trace_id": f"{COUNT:032x}", **right(COUNT - 1)}
    say(early, {"id": "nobody", "rating": 3})
    began = time.monotonic()
    ids = [ask(number) for number in range(COUNT)]
    say(*({"id": ids[number], **right(number)} for number in range(15)))
    say(*({"id": ids[number], **right(number)} for number in range(5)))  # once more
    say(*({"business": {"order": f"order {n}"}, **right(n)} for n in range(15, 25)))
    system.until(lambda: counted("joined") == 26)
    (analyzer,) = system.run["pids"]["analyzer"]
    os.kill(analyzer, signal.SIGKILL)
    say(*({"trace_id": f"{n + 1:032x}", **right(n)} for n in range(25, 30)), early)
    system.until(lambda: counted("joined") == 31)
    assert counted() == said == 38
    assert counted("duplicate") == 6
    assert system.page().total("monitor_quality_labels") == 0

    time.sleep(max(0.0, began + WAIT - time.monotonic()))  # nothing is due before
    system.until(
        lambda: system.page().total("monitor_outcome_records_total", result="due") == COUNT
    )
    page = system.page()
    whole = {"dimension": "all", "value": "all"}
    assert page.total("monitor_quality_labels", **whole) == 31
    assert page.total("monitor_quality", measure="accuracy", **whole) == 1
    system.until(lambda: counted("unmatched") == 1)
    assert counted() == said
    assert counted("waiting") == 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(analyzer, 0)
        raise AssertionError("the analyzer was not killed")
    assert not system.complaints()
