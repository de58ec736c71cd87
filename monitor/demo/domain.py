"""`monitor demo --domain D`: a scenario's traffic through a `monitor run`, and what is found."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from monitor.demo import domain_screen, processes, screen
from monitor.demo.alarms import Alarm, alarms, missing
from monitor.demo.page import Page
from monitor.demo.scenario import CHANGE, SPAN, WAIT, Scenario, Turn, configuration, trace_id
from monitor.errors import UsageError
from monitor.findings import (
    Calibration,
    Coverage,
    Drift,
    ExperimentEffect,
    Fairness,
    Outcomes,
    Quality,
    Slice,
)
from monitor.settings.load import load
from monitor.settings.schema import Settings
from monitor.tasks import own

LONGEST = 125.0
"""Seconds after the sidecar is ready at which nothing more is waited for."""
SAY_EVERY = 0.5
"""Seconds between two requests with feedback."""
MOST = 1000
"""Items of a page of the API, at most."""
_BUSY = frozenset((429, 503))
_AGAIN = 60
"""Times that the API is asked again, a second apart, while the analyzer has no time to answer."""


class _Kind(NamedTuple):
    """A path of the API, and what its items are; with a `status` there, or all."""

    path: str
    item: Any
    query: str = "status=alarm"


OUTCOMES = (
    _Kind("quality", Quality),
    _Kind("calibration", Calibration),
    _Kind("coverage", Coverage),
    _Kind("fairness", Fairness),
    _Kind("slices", Slice),
    _Kind("experiments", ExperimentEffect, ""),
)


class Day(NamedTuple):
    """A seed's traffic of a scenario, and the addresses of the sidecar."""

    scenario: Scenario
    has_problem: bool
    seed: int
    turns: list[Turn]
    traffic: str
    admin: str


class Seen(NamedTuple):
    """What is known of a day: a scrape, all alarms, and overall accuracy."""

    page: Page
    alarms: list[Alarm]
    accuracy: Quality | None


def run(
    scenario: Scenario,
    *,
    seed: int = 1,
    problem: bool = True,
    keep: bool = False,
    console: Console | None = None,
) -> int:
    """Run a scenario; 0 when what was planted was found, or without a problem nothing alarmed, and
    every exchange is accounted for; else 1. With `keep` everything goes on until Ctrl-C."""
    console = console or Console()
    console.print(domain_screen.welcome(scenario, problem=problem))
    with contextlib.ExitStack() as stack:
        stack.enter_context(processes.signals())
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-demo-")))
        with console.status("starting the endpoint and the sidecar"):
            script = [scenario.name, str(seed), *([] if problem else ["--no-problem"])]
            upstream = stack.enter_context(processes.endpoint("monitor.demo.scripted", *script))
            tree = configuration(scenario)
            where, stop = stack.enter_context(processes.sidecar(data, upstream, tree))
            settings = load(str(data / "demo.yaml"), {})
            turns = scenario.turns(seed, problem)
        until = time.monotonic() + LONGEST
        day = Day(
            scenario, problem, seed, turns, f"http://{where['listen']}", f"http://{where['admin']}"
        )
        console.print(screen.running(upstream, day.traffic, day.admin, where, what="the endpoint"))
        with _progress(console) as progress:
            task = progress.add_task("traffic", total=len(turns))
            failed, before = asyncio.run(_send(day, lambda: progress.advance(task)))
        if failed:
            console.print(f"{failed} requests failed")
        with console.status("waiting for outcomes to be due and windows to close"):
            page, alarms_, accuracy = _wait(day, settings, until)
        console.print(screen.latency(page))
        console.print(domain_screen.overall(scenario, before, accuracy, len(turns)))
        console.print(domain_screen.found(scenario, alarms_, problem=problem))
        if late := domain_screen.late(counted(page, turns), len(turns)):
            console.print(late)
        if keep:
            with contextlib.suppress(KeyboardInterrupt):
                told = screen.kept(
                    day.traffic, day.admin, str(data), processes.command(), endpoint=scenario.name
                )
                console.print(told)
                signal.pause()
            page = Page.read(f"{day.admin}/metrics")
        with console.status("draining"):
            stop()
        console.print(screen.ledger(page))
    is_right = not (missing(scenario.signals, alarms_) if problem else alarms_)
    return 0 if is_right and page.is_conserved() else 1


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console)


async def _send(day: Day, done: Callable[[], None]) -> tuple[int, Quality | None]:
    """Send every turn at its time, and what is said of it once it is answered; return how many
    failed, and the overall accuracy of what came before the change."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    said: list[dict[str, Any]] = []
    failed = 0

    async def one(client: httpx.AsyncClient, number: int, turn: Turn) -> None:
        nonlocal failed
        await asyncio.sleep(began + turn.at - loop.time())
        name = trace_id(day.seed, number)
        headers = {**turn.headers, "traceparent": f"00-{name}-{1:016x}-01"}
        try:
            answer = await client.post(turn.path, json=dict(turn.request), headers=headers)
            answer.raise_for_status()
        except httpx.HTTPError:
            failed += 1
        said.extend({"trace_id": name, **item} for item in turn.said)
        done()

    async def say(client: httpx.AsyncClient) -> None:
        now, said[:] = list(said), []
        if now:
            await _answered(lambda: client.post("/api/v1/feedback", json=now))

    async def keep_saying(client: httpx.AsyncClient) -> None:
        while True:
            await asyncio.sleep(SAY_EVERY)
            await say(client)

    async def look_back(client: httpx.AsyncClient) -> Quality | None:
        await asyncio.sleep(began + CHANGE * SPAN + WAIT + 2 - loop.time())
        path = f"/api/v1/quality?limit={MOST}&dimension=all"
        return _accuracy(await _answered(lambda: client.get(path)), day.scenario)

    async with (
        httpx.AsyncClient(base_url=day.traffic, timeout=60, trust_env=False) as client,
        httpx.AsyncClient(base_url=day.admin, timeout=60, trust_env=False) as desk,
    ):
        saying = own(keep_saying(desk), "saying what became of turns")
        looking = own(look_back(desk), "looking at what came before")
        await asyncio.gather(*(one(client, *numbered) for numbered in enumerate(day.turns)))
        saying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saying
        await say(desk)
        return failed, await looking


def counted(page: Page, turns: Sequence[Turn]) -> float:
    """How many exchanges are analyzed, and their outcomes with them where something is said."""
    analyzed = page.total("monitor_records_analyzed_total")
    if not any(turn.said for turn in turns):
        return analyzed
    return min(analyzed, page.total("monitor_outcome_records_total", result="due"))


def _wait(day: Day, settings: Settings, until: float) -> Seen:
    """What is known once all that was sent is counted; of a problem once it is found, too."""
    sent = len(day.turns)
    while True:
        page = Page.read(f"{day.admin}/metrics")
        is_late = time.monotonic() >= until
        if is_late or (counted(page, day.turns) >= sent and page.pending() == 0):
            seen = _look(day, settings, page)
            labels = seen.accuracy.labels if seen.accuracy else 0
            # The API's answers are a few seconds old.
            is_old = labels < page.total("monitor_quality_labels", dimension="all", value="all")
            is_open = day.has_problem and missing(day.scenario.signals, seen.alarms)
            if is_late or not (is_old or is_open):
                return seen
        time.sleep(1)


def _look(day: Day, settings: Settings, page: Page) -> Seen:
    with httpx.Client(base_url=day.admin, timeout=30, trust_env=False) as client:
        drift = msgspec.json.decode(client.get("/api/drift").content, type=Drift)
        items: dict[str, list[Any]] = {}
        for kind in OUTCOMES:
            answer = _asked(client, f"/api/v1/{kind.path}?limit={MOST}&{kind.query}")
            items[kind.path] = msgspec.convert(answer["items"], list[kind.item])  # type: ignore[name-defined]
        overall = _asked(client, f"/api/v1/quality?limit={MOST}&dimension=all")
    arms = {one.name: one.dimension for one in settings.experiments}
    objectives = settings.objectives.shares
    outcomes = msgspec.structs.replace(Outcomes(is_on=True), **items)
    found = alarms(drift, outcomes, page, arms=arms, objectives=objectives)
    return Seen(page, found, _accuracy(overall, day.scenario))


async def _answered(ask: Callable[[], Awaitable[httpx.Response]]) -> dict[str, Any]:
    """What the API says to a request, which is sent again while it is too busy."""
    for _ in range(_AGAIN):
        answer = await ask()
        if answer.status_code not in _BUSY:
            break
        await asyncio.sleep(1)
    return _read(answer)


def _asked(client: httpx.Client, path: str) -> dict[str, Any]:
    for _ in range(_AGAIN):
        answer = client.get(path)
        if answer.status_code not in _BUSY:
            break
        time.sleep(1)
    return _read(answer)


def _read(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise UsageError(f"{answer.url} answers {answer.status_code}: {answer.text[:200].strip()}")
    document: dict[str, Any] = answer.json()
    return document


def _accuracy(document: dict[str, Any], scenario: Scenario) -> Quality | None:
    qualities = msgspec.convert(document["items"], list[Quality])
    return next((one for one in qualities if one.measure == scenario.accuracy), None)
