"""Templates on real processes: found, shared, kept through the death of a recorder, and watched."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
import redis

from monitor.cli import main
from tests.templates.test_miner import judge


def test_a_killed_recorder_goes_on_with_the_same_ids(
    start: Callable[..., Any], model: str, capsys: Any
) -> None:
    """Its successor reads what it had found from the store; the commands and the page show it."""
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0", reference={"learn": 5},
        segments={"template": {"header": "x-template", "mine": True}},
    )  # fmt: skip

    def ask(numbers: range) -> None:
        with httpx.Client(base_url=system.url) as client:
            for number in numbers:
                message = {"role": "user", "content": judge(number)}
                asked = {"model": "m", "messages": [message]}
                assert client.post("/v1/chat/completions", json=asked).status_code == 200
        system.settled()

    ask(range(20))
    name = system.records()[-1]["template"]["id"]
    with redis.Redis.from_url(system.redis) as client:  # what is found is written once a second
        system.until(lambda: client.hexists("monitor:{default}:templates", name))
    (before,) = system.run["pids"]["recorder"]
    os.kill(before, signal.SIGKILL)
    system.until(lambda: system.run["pids"]["recorder"] not in ([], [before]))
    ask(range(20, 26))
    records = system.records()
    assert [one["template"] for one in records[20:]] == [{"id": name, "declared": False}] * 6
    watched = {"dimension": "template", "value": name}
    system.until(lambda: system.page().pick("monitor_drift_status", **watched))
    assert system.page().total("monitor_segment_exchanges_total", **watched) > 6
    assert main(["templates", "show", name, "--redis", system.redis]) == 0
    assert "Is the answer of the expert right? Reply with Y or N." in capsys.readouterr().out
