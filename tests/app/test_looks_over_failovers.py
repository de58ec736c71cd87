"""Analyzers that look for one another in a real cluster, and in a store that a sentinel watches, while primaries
and analyzers are killed and frozen: the numbers are those of one analyzer that was never disturbed.

Takes minutes, so for `make nightly` alone (`FAILOVERS=20`). By day `test_many_analyzers.py` has one store
and `analyzer/test_sharing.py` failovers of a primary that is simulated.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from monitor.app.analyzer import Analyzer
from monitor.recorder.delivery import Item
from monitor.settings.schema import Reference, Settings, StreamSettings, Windows
from tests.app.scene import record
from tests.app.test_many_analyzers import HASH, Processes, closed
from tests.streams import deliveries
from tests.streams.servers import FAILOVERS, FROZEN, GOING_ON, Cluster, Watched

SHARDS = 6


def made(number: int) -> Any:
    """Records that change in the midst."""
    shift = 12.0 if number > 2000 and number % 2 else 0.0
    return msgspec.structs.replace(record(number, shift), started=1.7e9 + number)


class Trial:
    """A store that fails over, three analyzers in processes of their own, and what happens."""

    def __init__(self, kind: str, tmp_path: Path) -> None:
        self.store: Cluster | Watched
        if kind == "cluster":
            self.store = Cluster(tmp_path / "store", 3)
            self.url = self.store.urls[-1]
        else:
            (tmp_path / "store").mkdir()
            self.store = Watched(tmp_path / "store")
            self.url = self.store.url
        self.settings = Settings(
            endpoint="e", redis=self.url, windows=Windows(pane=60.0, lateness=5.0),
            reference=Reference(learn=500), stream=StreamSettings(shards=SHARDS),
        )  # fmt: skip
        (tmp_path / "pages").mkdir()
        self.processes = Processes(self.settings, tmp_path / "pages")
        self.looked: dict[int, float] = {}
        self._chance = random.Random(16)

    def client(self) -> redis.Redis:
        """A client of all keys."""
        if isinstance(self.store, Cluster):
            found: Any = redis.RedisCluster.from_url(self.url)
            return found  # type: ignore[no-any-return]
        return redis.Redis("127.0.0.1", self.store.primary.port)

    async def watch(self) -> None:
        """Note how many Records each process has taken from others, as long as it lives."""
        while True:
            for page, told in self.processes.told().items():
                pid = self.processes.by_page[page].pid
                seen = told.get("monitor_records_read_ahead_total", 0)
                self.looked[pid] = max(self.looked.get(pid, 0), seen)
            await asyncio.sleep(0.2)

    async def happen(self, turn: int, keys: tuple[str, ...]) -> None:
        """A failover, or something that becomes of who owns the endpoint, by turns."""
        owner = next(
            (
                page
                for page, one in self.processes.told().items()
                if one.get("monitor_shards_owned")
            ),
            None,
        )
        if turn % 3 == 0 or owner is None:
            await self.failover(keys)
        elif turn % 3 == 1:
            process = self.processes.by_page[owner]
            process.kill()
            process.wait()
            self.processes.start(owner)
        else:
            pid = self.processes.by_page[owner].pid
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(self._chance.choice((2, 10)))
            os.kill(pid, signal.SIGCONT)

    async def failover(self, keys: tuple[str, ...]) -> None:
        """A primary is gone for a while, and another one takes its place."""
        if isinstance(self.store, Cluster):
            holders = [self.store.holder(key) for key in keys]
            # The node that the URL names stays: somebody has to tell who takes over.
            gone = self._chance.choice(
                [one for one in holders if one is not self.store.servers[-1]]
            )
            gone.kill()
            await asyncio.sleep(self._chance.uniform(4, 8))
        else:
            gone = self.store.primary
            gone.signal(FROZEN)
            await asyncio.sleep(self._chance.uniform(4, 7))
            gone.signal(GOING_ON)
            await asyncio.sleep(1)
            gone.kill()
        await asyncio.to_thread(gone.start)
        await asyncio.to_thread(self.store.settled)

    async def alone(self) -> tuple[int, bytes]:
        """What one analyzer counts and finds that begins anew; its state is saved."""
        one = Analyzer(self.settings, asyncio.Event(), name="alone")
        one._stream.hurry()
        assert await one._own()
        await one._restore()
        while await one._read():
            pass
        await one._save(stopping=True)
        told = one._analysis.records, one.findings()
        await closed(one)
        return told


@pytest.mark.skipif(FAILOVERS < 2, reason="takes minutes: make nightly")
@pytest.mark.parametrize("kind", ["cluster", "sentinel"])
def test_failovers_while_others_look_change_no_number(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each Record is in the stream once and counted once, whoever looked at it, and where."""
    monkeypatch.setattr(deliveries, "PATIENCE", 90.0)
    trial = Trial(kind, tmp_path)
    chance = random.Random(17)

    async def send(one: deliveries.Delivering, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await one.delivery.room(2000)
            for _ in range(chance.choice((20, 100, 400))):
                one.delivery.offer(Item(made(one.offered), "m", False))
                one.offered += 1
            await asyncio.sleep(0.3)

    async def story() -> int:
        for _ in range(3):
            trial.processes.add()
        watching = asyncio.ensure_future(trial.watch())
        async with deliveries.delivering(trial.url, tmp_path / "spool", SHARDS) as one:
            ended = asyncio.Event()
            sending = asyncio.ensure_future(send(one, ended))
            await asyncio.sleep(8)
            for turn in range(FAILOVERS):
                await trial.happen(turn, one.stream.keys)
                await asyncio.sleep(chance.uniform(1, 3))
            ended.set()
            await sending
            await one.delivered()
            offered = one.offered
        deadline = time.monotonic() + 120
        while not any(
            told.get("monitor_records_analyzed_total") == offered
            for told in trial.processes.told().values()
        ):
            assert time.monotonic() < deadline, trial.processes.log()[-4000:]
            await asyncio.sleep(0.2)
        watching.cancel()
        return offered

    try:
        offered = asyncio.run(story())
        trial.processes.end()  # the one that works saves what it has counted
        with contextlib.closing(trial.client()) as raw:
            saved = raw.hgetall(HASH)
            raw.delete(HASH)
            raw.delete("monitor:{e}:analyzer")
            count, findings = asyncio.run(trial.alone())
            assert count == offered
            assert raw.hgetall(HASH) == saved
        assert b'"drift"' in findings
        assert sum(trial.looked.values()) > offered / 50, "nobody looked: nothing was tried"
    finally:
        trial.processes.end()
        trial.store.close()
