"""A scenario through a real `monitor run`, as a newcomer sees it: a small one, that takes seconds."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import threading
import time
from collections.abc import Generator
from typing import Any

import httpx
import pytest
import uvicorn
from rich.console import Console

from monitor.demo import domain, domain_screen, processes
from monitor.demo.alarms import Alarm
from monitor.demo.scenario import Scenario, Signal, Turn, asked, chat
from monitor.demo.scripted import Scripted
from monitor.errors import UsageError
from monitor.findings import Quality
from monitor.supervision.ports import free_port

COUNT = 60


def turns(seed: int, problem: bool) -> list[Turn]:
    chance = random.Random(seed)
    request = asked("m", "You are brief.", "Where is it?")
    return [
        chat(
            number / COUNT, {"x-population": "north"}, request, "It is there.",
            0.05 if problem and number % 2 else 0.001, said=[{"correction": chance.choice(["It is there.", "Gone."])}],
        )
        for number in range(COUNT)
    ]  # fmt: skip


SMALL = Scenario(
    "support", "Every other answer is late.", "a script", {"outcomes": {"wait": 3}, "objectives": {"latency": {"seconds": 0.04}}},
    turns, (Signal("latency objective", "population", "north", "they wait"),), "exact_match",
)  # fmt: skip


@contextlib.contextmanager
def scripted(module: str, name: str, seed: str, *more: str) -> Generator[str]:
    """The endpoint, in a thread: only a scenario that is listed can be served by a process."""
    assert (module, name) == ("monitor.demo.scripted", "support")
    port = free_port()
    application = Scripted(turns(int(seed), not more), int(seed))
    server = uvicorn.Server(
        uvicorn.Config(application, port=port, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)


@pytest.mark.timeout(300)
def test_the_engine_finds_what_was_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where and by what, accounts for every exchange, shows overall accuracy, and exits 0."""
    monkeypatch.setattr(processes, "endpoint", scripted)
    monkeypatch.setattr(domain, "SPAN", 1.0)
    monkeypatch.setattr(domain, "WAIT", 3.0)
    shown = io.StringIO()
    assert domain.run(SMALL, console=Console(file=shown, width=80)) == 0, shown.getvalue()
    text = shown.getvalue()
    assert "found: population=north by latency objective" in text
    assert f"{COUNT} exchanges ended = {COUNT} recorded + 0 lost + 0 pending" in text
    assert "overall accuracy (exact_match): " in text
    assert max(map(len, text.splitlines())) <= 80


def test_an_analyzer_without_time_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the API says 503 for a while; a refusal of another kind is one sentence."""

    async def soon(_: float) -> None:
        pass

    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(asyncio, "sleep", soon)
    answers = iter([503, 429, 200, 503, 200, 404, *[503] * 1000])

    def answer(_: httpx.Request) -> httpx.Response:
        status = next(answers)
        return httpx.Response(status, json={"items": []} if status == 200 else {"error": "no"})

    transport = httpx.MockTransport(answer)

    async def later() -> Any:
        async with httpx.AsyncClient(base_url="http://h", transport=transport) as client:
            return await domain._answered(lambda: client.get("/api"))

    with httpx.Client(base_url="http://h", transport=transport) as client:
        assert domain._asked(client, "/api") == {"items": []}
        assert asyncio.run(later()) == {"items": []}
        for status in (404, 503):
            with pytest.raises(UsageError, match=f'^http://h/api answers {status}: {{"error"'):
                domain._asked(client, "/api")


def test_what_was_not_found_is_said() -> None:
    """In its line, beside what else alarms; and without a problem, that nothing does."""

    def shown(alarms: list[Alarm], *, problem: bool) -> str:
        screen = io.StringIO()
        console = Console(file=screen, width=80)
        console.print(domain_screen.welcome(SMALL, problem=problem))
        console.print(domain_screen.found(SMALL, alarms, problem=problem))
        return screen.getvalue()

    other = Alarm("drift", "outcome", "all", "all", "errors")
    text = shown([other], problem=True)
    assert "not found: population=north by latency objective (they wait)" in text
    assert "also: all=all by outcome" in text
    assert "Every other answer is late." in text
    assert "nothing alarms" in shown([], problem=False)
    assert "Every other answer" not in shown([], problem=False)


def test_a_machine_that_is_too_busy_is_said() -> None:
    """Else what is not found would be taken for what cannot be found."""
    assert domain_screen.late(800, 800) is None
    assert str(domain_screen.late(412, 800)).startswith("412 of 800 exchanges and their outcomes")


def test_accuracy_is_told_before_and_after_the_change() -> None:
    """From what was known of all by then, and now; or it is not known."""

    def quality(number: float, labels: int) -> Any:
        return Quality("all", "all", "exact_match", number, None, None, labels)

    words = str(domain_screen.overall(SMALL, quality(0.9, 100), quality(0.85, 200), 200))
    assert words.endswith(
        "0.850 of 200 labels; 0.900 before the change, 0.800 after it, where chance alone makes a "
        "difference of up to 0.10"
    )
    words = str(domain_screen.overall(SMALL, None, quality(0.944, 922), 1000))
    assert words.endswith("0.944 of 922 labels (78 of 1,000 sent are not counted in it)")
    assert str(domain_screen.overall(SMALL, None, None, 9)).endswith("not known")
