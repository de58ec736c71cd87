"""`monitor demo`: starts everything, sends the traffic, shows what a newcomer wants to see."""

from __future__ import annotations

import contextlib
import json
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from monitor.demo import processes, screen
from monitor.demo.models import CHAT
from monitor.demo.page import Page
from monitor.demo.traffic import Clients, jobs
from monitor.errors import UsageError
from monitor.supervision.embedded_store import open_embedded

USUAL = 1100
SHIFTED = 700
FIND_WITHIN = 120.0
"""Seconds that anything may take on a busy machine."""

SETTINGS = {
    "endpoint": "clinic",
    "windows": {"pane": 1, "lateness": 0.5},
    "reference": {"learn": 300},
    "drain": {"timeout": 10},
    "checks": {"truncated": {}, "refusal": {}, "unfilled_slot": {}},
}
PRICES = {"models": {CHAT: {"input": 2.5, "output": 10.0}}}
"""US dollars per million tokens."""


def demo(console: Console | None = None, *, keep: bool = False) -> int:
    """Run the demo; 0 when the shift was found and every exchange is accounted for, else 1.

    With `keep` everything goes on running until Ctrl-C or SIGTERM.
    """
    console = console or Console()
    console.print(screen.welcome())
    with contextlib.ExitStack() as stack:
        stack.enter_context(processes.signals())
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-demo-")))
        with console.status("training a classifier, starting the models and the sidecar"):
            models = stack.enter_context(processes.endpoint("monitor.demo.models"))
            prices = data / "costs.yaml"
            prices.write_text(yaml.safe_dump(PRICES))
            settings = {**SETTINGS, "costs": {"file": str(prices)}}
            run, stop = stack.enter_context(processes.sidecar(data, models, settings))
        return _tour(console, models, data, run, stop, keep=keep)


def _tour(
    console: Console,
    models: str,
    data: Path,
    run: dict[str, Any],
    stop: Callable[[], None],
    *,
    keep: bool,
) -> int:
    url, admin = f"http://{run['listen']}", f"http://{run['admin']}"
    console.print(screen.running(models, url, admin, run))
    clients = Clients(url)
    with _progress(console) as progress:
        _send(clients, progress, "usual traffic", USUAL, shifted=False)
        _send(clients, progress, "south's scanner is recalibrated", SHIFTED, shifted=True)
    with console.status("waiting for the analyzer to close its windows"):
        found = _wait_for_drift(admin)
    with open_embedded(data) as store:
        example = _example(clients, store)
    clients.close()
    page = _settled(admin)
    console.print(screen.latency(page))
    console.print(screen.meaning(page))
    console.print(screen.record(*example, console.width))
    console.print(screen.finding(page, _findings(admin)))
    if keep:
        with contextlib.suppress(KeyboardInterrupt):
            console.print(screen.kept(url, admin, str(data), processes.command()))
            signal.pause()
        page = _settled(admin)
    with console.status("draining"):
        stop()
    console.print(screen.ledger(page))
    console.print(screen.farewell(processes.command()))
    return 0 if found and page.is_conserved() else 1


def _send(clients: Clients, progress: Progress, title: str, count: int, *, shifted: bool) -> None:
    task = progress.add_task(title, total=count)
    todo = jobs(count, shifted=shifted, seed=2 if shifted else 1)
    failed = clients.send(todo, lambda: progress.advance(task))
    if failed:
        progress.console.print(f"{failed} requests failed")


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console)


def _wait_for_drift(admin: str) -> bool:
    deadline = time.monotonic() + FIND_WITHIN
    while time.monotonic() < deadline:
        page = Page.read(f"{admin}/metrics")
        if page.drifts() and page.pending() == 0:
            return True
        time.sleep(0.5)
    return False


def _settled(admin: str) -> Page:
    """The page once nothing is pending any more."""
    deadline = time.monotonic() + FIND_WITHIN
    while (page := Page.read(f"{admin}/metrics")).pending() and time.monotonic() < deadline:
        time.sleep(0.1)
    return page


def _findings(admin: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{admin}/api/drift", timeout=30) as answer:  # noqa: S310  ours
        document: dict[str, Any] = json.load(answer)
    return document


def _example(clients: Clients, redis_url: str) -> tuple[str, dict[str, Any]]:
    """One more prompt, and its record as it is stored; found by its trace id."""
    import redis

    sent, trace_id = clients.example()
    store = redis.Redis.from_url(redis_url)
    key = f"monitor:{{{SETTINGS['endpoint']}:0}}:records"
    deadline = time.monotonic() + FIND_WITHIN
    while time.monotonic() < deadline:
        entries: Any = store.xrevrange(key, count=20)
        for _, fields in entries:
            record: dict[str, Any] = json.loads(fields[b"record"])
            if record["trace_id"] == trace_id:
                store.close()
                return sent, record
        time.sleep(0.1)
    raise UsageError(f"the example's record did not reach the store within {FIND_WITHIN:g} s")
