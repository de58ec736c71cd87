"""From traffic to a reader's verdict, with real processes, and the analyzer killed in between."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import redis

from monitor.cli import main

CHAT = {"model": "m", "messages": [{"role": "user", "content": "write to jo@example.org"}]}


def ask(url: str) -> None:
    request = urllib.request.Request(
        url + "/v1/chat/completions",
        json.dumps(CHAT).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def test_exchanges_wait_for_readers_whose_verdicts_become_feedback(
    start: Callable[..., Any], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is asked about once, though its records are read again by a successor."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0", review={"control": 1.0})

    def waiting() -> float:
        return float(system.page().total("monitor_review_queue", state="waiting"))

    def review(*arguments: str) -> tuple[int, str]:
        code = main(["review", *arguments, "--data", str(system.data)])
        return code, capsys.readouterr().out

    for _ in range(5):
        ask(system.url)
    system.until(lambda: waiting() == 5)
    os.kill(system.run["pids"]["analyzer"][0], signal.SIGKILL)
    for _ in range(2):
        ask(system.url)
    system.until(lambda: waiting() == 7)
    code, out = review("next", "--reviewer", "ann", "--json")
    assert code == 0
    task = json.loads(out)
    assert task["propensity"] == 1.0
    assert "<EMAIL_ADDRESS:" in json.dumps(task["record"]["inputs"])
    assert "jo@example.org" not in out
    assert review("submit", task["item"], "--failed", "--reviewer", "ann")[0] == 0
    system.until(lambda: system.page().total("monitor_reviews_total", result="failed") == 1)
    assert waiting() == 6
    with redis.Redis.from_url(system.redis) as client:
        ((_, fields),) = client.xrange("monitor:{default}:feedback")  # type: ignore[misc]
    assert json.loads(fields[b"feedback"])["id"] == task["item"]
    pages = f"http://{system.run['admin']}/api/v1/review"
    # The first who comes waits for the recognizers, which are compiled on a busy machine.
    with urllib.request.urlopen(f"{pages}/next?reviewer=ben", timeout=60) as response:
        item = json.loads(response.read())["item"]
    answer = {"reviewer": "ben", "passed": True, "note": "ask jo@example.org"}
    request = urllib.request.Request(f"{pages}/{item}", json.dumps(answer).encode())
    with urllib.request.urlopen(request, timeout=30) as response:
        assert json.loads(response.read()) == {"item": item, "result": "passed"}
    system.until(lambda: system.page().total("monitor_reviews_total", result="passed") == 1)
    status, told = system.admin("/api/v1/review")
    assert (status, json.loads(told)["passed"]) == (200, 1)
    assert system.complaints() == []
