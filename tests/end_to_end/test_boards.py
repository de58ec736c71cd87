"""A real run, scraped by a real Prometheus: what of the dashboards it fills."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.dashboards.test_dashboard import ROOT, TARGETS, has_data

EMPTY = {
    "models: Tokens without a price": "every model has a price",
    "outcomes: Agreement of readers by evidence": "too few are read twice and due",
    "outcomes: Coverage": "no model predicts sets",
    "outcomes: Size of prediction sets": "likewise",
    "outcomes: Width of prediction intervals": "likewise",
    "outcomes: Temperature and coverage by segment": "likewise",
    "outcomes: Quality": "what is to be expected takes some hundreds of scores",
    "outcomes: What raised an alarm in the time shown": "so does an alarm",
    "outcomes: Slices that are worse": "in no slice is anything worse",
    "outcomes: Users in more than one arm": "nobody is in two",
    "pipeline: Anchors": "there is no archive",
    "pipeline: Archive failures": "there is no archive",
    "pipeline: Archive overdue": "likewise",
    "pipeline: Archived": "likewise",
    "pipeline: Certificates: share left": "there is no TLS",
    "pipeline: Certificates: time left": "likewise",
    "pipeline: Pods asked about": "there is no injector",
    "pipeline: Waiting for the archive": "there is no archive",
    "pipeline: Deliveries to collectors": "there is no collector",
    "pipeline: Spans by result": "likewise",
    "pipeline: Spans that wait": "likewise",
    "pipeline: Notifications": "there is no receiver",
    "pipeline: Label values folded into `other`": "no label has too many values",
    "pipeline: Parts that failed": "none did",
    "segments: Supported, and by chance": "no answer has a number in it",
}
"""Panels with a line that this run does not draw, and why."""

SETTINGS: dict[str, Any] = {
    "edits": {"exchange_id": True},
    "objectives": {"latency": {"seconds": 1e-6}, "first_token": {"seconds": 1e-6}},
    "windows": {"pane": 1, "lateness": 0.2, "samples": 100},
    "reference": {"learn": 100},
    "checks": {"sections": {"required": ["Findings"]}},
    "outcomes": {"wait": 3, "overdue": 3600},
    "calibration": {"minimum": 5},
    "fairness": {"dimensions": ["population"], "minimum": 5},
    "experiments": [
        {
            "name": "x", "dimension": "variant", "control": "a", "allocation": {"a": 0.5, "b": 0.5},
            "metrics": [{"name": "errors", "outcome": "server_error"}],
        }
    ],
    "review": {"control": 1.0, "reviewers": 2},
}  # fmt: skip


@pytest.fixture
def scraped(
    program: Callable[[str], str], tmp_path: Path, free_port: int
) -> Generator[Callable[[str], str]]:
    """Starts a Prometheus that scrapes an address, under a job of any name, with all rules; and
    again with more patience, because on a busy machine no page comes within a second."""
    processes = []

    def begin(address: str) -> str:
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: ['{ROOT}/alerts/*.rules.yml']\n"
            "scrape_configs:\n- job_name: shop/chat\n"
            f"  static_configs: [{{targets: ['{address}']}}]\n"
            "- job_name: patient\n"
            "  scrape_interval: 10s\n  scrape_timeout: 10s\n"
            f"  static_configs: [{{targets: ['{address}']}}]\n"
        )
        command = [
            program("prometheus"), f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{free_port}", f"--storage.tsdb.path={tmp_path}/tsdb",
        ]  # fmt: skip
        quiet = subprocess.DEVNULL
        processes.append(subprocess.Popen(command, stdout=quiet, stderr=quiet))
        return f"http://127.0.0.1:{free_port}"

    yield begin
    for process in processes:
        process.terminate()
        process.wait(30)


def test_a_real_run_fills_the_boards(
    start: Callable[..., Any], model: str, scraped: Callable[[str], str], tmp_path: Path
) -> None:
    """Chats, streams, failures, a shift, scores with labels, arms of an experiment and reviews:
    every line of every panel, but those that are listed with a reason."""
    prices = tmp_path / "prices.yaml"
    prices.write_text("models: {small: {input: 1.0, output: 2.0}}\n")
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        costs={"file": str(prices)}, **SETTINGS,
    )  # fmt: skip
    prometheus = scraped(system.run["admin"])
    empty, number, end = list(TARGETS), 0, time.monotonic() + 200
    unkept = httpx.Limits(max_keepalive_connections=0)  # what idles is closed, also by the pages
    with httpx.Client(timeout=60, limits=unkept) as client:  # the pages give way to all else
        while {title for title, _ in empty} - set(EMPTY) and time.monotonic() < end:
            said = [converse(client, system, number + turn) for turn in range(50)]
            number += len(said)
            client.post(f"{system.url}/503", json={})
            judge(client, system, [one for one in said if one is not None])
            with contextlib.suppress(OSError):  # it is not up yet, or too busy for one of them
                for one in tuple(empty):
                    if has_data(prometheus, *one):
                        empty.remove(one)
    assert {title for title, _ in empty} <= set(EMPTY)
    assert not system.complaints()


def converse(client: httpx.Client, system: Any, number: int) -> dict[str, str] | None:
    """A chat, whose prompts become long; now and then a score, whose label is returned."""
    who = {"x-population": "ab"[number % 2], "x-variant": "ab"[number // 2 % 2]}
    words = "write to jo@example.org " + "and say more " * (40 if number > 300 else number % 3)
    messages = [{"role": "user", "content": words}]
    chat = {"model": "small", "stream": number % 2 == 0, "messages": messages}
    client.post(f"{system.url}/v1/chat/completions", json=chat, headers=who)
    if number % 5:
        return None
    tensor = {"name": "x", "datatype": "FP64", "shape": [1], "data": [2.5 * (number % 40)]}
    document = {"inputs": [tensor]}
    answer = client.post(f"{system.url}/v2/models/m/infer", json=document, headers=who)
    name = answer.headers["x-monitor-exchange-id"]
    return {"id": name, "label": str(int(number % 40 > 18))}


def judge(client: httpx.Client, system: Any, said: list[dict[str, str]]) -> None:
    """The labels in one request, because on a busy machine each takes the pages long; two reviews."""
    api = f"http://{system.run['admin']}/api/v1"
    client.post(f"{api}/feedback", json=said)
    for reader in ("ann", "bob"):
        task = client.get(f"{api}/review/next", params={"reviewer": reader})
        if task.status_code == 200:
            verdict = {"reviewer": reader, "passed": True}
            client.post(f"{api}/review/{task.json()['item']}", json=verdict)
