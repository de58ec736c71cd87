"""Records that are delivered to a real store through the recorder's own Delivery, while things
happen to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from monitor.errors import StreamError
from monitor.framing import Reconciliation
from monitor.recorder.delivery import Delivery, Item
from monitor.recorder.spool import Spool
from monitor.streams.redis import RedisStream
from monitor.types import Receipt
from tests.streams.test_redis import record

Found = TypeVar("Found")
PATIENCE = 30.0
BEHIND = 256


class Delivering:
    """A recorder's Delivery, and what a proxy's ledger would say of it."""

    def __init__(self, stream: RedisStream, directory: Path) -> None:
        self.stream = stream
        self.offered = 0
        self.lines: list[str] = []
        self._states: dict[str, str] = {}
        self.delivery = Delivery(
            stream,
            Spool(directory, 1 << 26),
            acknowledge=self._acknowledge,
            connected=self._connected,
            reconcile=self._reconcile,
            log=lambda _, line: self.lines.append(line),
            clock=time.time,
        )

    @property
    def pending(self) -> int:
        """How many are not in the stream, as far as the ledger knows."""
        return self.offered - Counter(self._states.values())["appended"]

    @property
    def is_behind(self) -> bool:
        """Whether more waits than is on its way in a moment."""
        return not self.delivery.is_up or self.pending > BEHIND

    async def offer(self, count: int) -> None:
        """Offer so many records, when there is room."""
        await self.delivery.room(2000)
        for _ in range(count):
            self.delivery.offer(Item(record(f"r{self.offered:06}"), "m", False))
            self.offered += 1

    async def delivered(self) -> None:
        """Wait until nothing is pending."""
        async with asyncio.timeout(PATIENCE):
            while self.pending:
                await asyncio.sleep(0.01)

    async def _acknowledge(self, receipts: list[Receipt]) -> None:
        self._states.update((one.id, one.state) for one in receipts)

    async def _connected(self) -> bool:
        return True

    async def _reconcile(self, _: Reconciliation) -> bool:
        return True


@contextlib.asynccontextmanager
async def delivering(url: str, directory: Path, shards: int = 1) -> AsyncIterator[Delivering]:
    """One that runs."""
    stream = RedisStream(url, "e", shards=shards, timeout=2.0)
    one = Delivering(stream, directory)
    running = asyncio.ensure_future(one.delivery.run())
    try:
        yield one
        await one.delivery.close()
        await running
    finally:
        running.cancel()
        await stream.close()


async def patiently(work: Callable[[], Awaitable[Found]]) -> Found:
    """What something gives that is tried until the store lets it."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(StreamError):
                return await work()
            await asyncio.sleep(0.1)


async def assert_each_once(one: Delivering) -> None:
    """All that was offered is in the stream, once, and each shard in order."""
    reader = one.stream
    shards: dict[str, list[str]] = {}
    position, seen = "", Counter[str]()
    while True:
        position, entries = await reader.next(position, block=0.01)
        if not entries:
            break
        for entry in entries:
            found = entry.record()
            assert found is not None
            seen[found.id] += 1
            shards.setdefault(entry.key, []).append(found.id)
    assert max(seen.values()) == 1
    wanted = {f"r{number:06}" for number in range(one.offered)}
    assert not wanted - set(seen)
    assert all(ids == sorted(ids) for ids in shards.values())
