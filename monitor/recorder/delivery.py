"""Records → the stream, in batches, by way of the spool while the store is away; Fates come out.

One failure opens the way into the spool: from then on records go there, and one probe at a time,
with back-off, asks whether the store is back. What is spooled then goes first, in order. Nothing is
appended twice: where a record may be in the stream already, the stream's tail is asked for its id.
What nobody has tried to append is not looked for: a day in the spool costs no search of a day.
Nothing is appended while no proxy is there to be told: what the stream holds stands in a ledger.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.errors import StreamError
from monitor.streams.spool import Kept, Part, Spool
from monitor.types import Fate, Record

BATCH = 256
LINGER = 0.005
"""Seconds that a batch waits for company."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
LIFE = slice(13, 26)
"""Where an id names the proxy that gave it; see proxy.ids."""

Labels = tuple[str, str, str, str]
"""That name, protocol, operation, outcome."""


class Store(Protocol):
    """What is asked of a stream here; see streams.redis."""

    async def append(self, records: Sequence[Record]) -> None: ...

    async def ids_since(self, at: float) -> set[str]: ...

    async def ping(self) -> None: ...


@dataclass(frozen=True)
class Item:
    """A record on its way; `again` when an earlier recorder may have delivered it. `size` is about
    how many bytes it holds in memory."""

    record: Record
    model: str
    again: bool
    size: int = 0

    def fate(self, state: str) -> Fate:
        """What the ledger is told."""
        record = self.record
        labels = (record.protocol, record.operation, self.model, record.outcome.value)
        return Fate(record.id, state, "", *labels)


class Delivery:
    """Delivers what `offer` takes.

    `reply` hands Fates to the proxy and returns once they are out; `attended` waits until a proxy
    is there for them and says False when none will come; `emptied` is called when the spool has
    become empty. `log` is told when the store goes and when it is back, once each. `clock` gives
    Unix time. `holds` counts what has no last Fate yet, by the labels of `Holdings`; `damaged` are
    the places of the spool where `survey` could read none.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        *,
        reply: Callable[[list[Fate]], Awaitable[None]],
        attended: Callable[[], Awaitable[bool]],
        emptied: Callable[[], Awaitable[None]],
        log: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._spool = spool
        self._reply = reply
        self._attended = attended
        self._emptied = emptied
        self._log = log
        self._clock = clock
        self._queue: deque[Item] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self._done = asyncio.Event()
        self._closing = False
        self._spooled: set[str] | None = None  # ids in the spool, read when they are asked for
        self._known: tuple[float, set[str]] | None = None  # (since, ids in the stream's tail)
        self._doubtful = False  # the last append may have happened in part
        self.holds: Counter[Labels] = Counter()
        self.damaged = 0
        self.is_up = True

    async def survey(self) -> None:
        """Count what an earlier recorder left in the spool; to be awaited before `run`.

        230 MB of 100,000 records take half a second.
        """
        if self._spool:
            self._log("records from an earlier run are in the spool; they go first")
        for kept, damaged in self._spool.kept():
            self.holds.update(map(labels, kept))
            self.damaged += damaged
            await asyncio.sleep(0)

    def offer(self, item: Item) -> None:
        """Take a record; the caller waits for `room` first."""
        self._queue.append(item)
        self._size += item.size
        self.holds[labels(item.record)] += 1
        self._news.set()

    async def room(self, bound: int, size: int = 0) -> None:
        """Wait until fewer than `bound` records are queued, and fewer than `size` bytes of them."""
        while len(self._queue) >= bound or 0 < size <= self._size:
            self._taken.clear()
            await self._taken.wait()

    async def close(self) -> None:
        """Deliver or spool what is queued, as far as either takes it, then end `run`."""
        self._closing = True
        self._news.set()
        await self._done.wait()

    async def run(self) -> None:
        """Deliver until closed."""
        pause = FIRST_PAUSE
        try:
            while self._queue or not self._closing:
                try:
                    if self._spool:
                        await self._empty_spool()
                    if self._closing and self._spool:
                        await self._spool_queue()
                        return
                    await self._deliver()
                    pause = FIRST_PAUSE
                except StreamError as error:
                    self._away(error)
                    if not await self._spool_queue() and self._closing:
                        return  # the proxy still has it, and will count it
                    await self._wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        except _NobodyError:
            return  # and has counted as lost what it had no Fates for
        finally:
            self._done.set()

    async def _deliver(self) -> None:
        if not self._queue:
            self._known = None
            self._news.clear()
            if not self._closing:
                await self._news.wait()
                await asyncio.sleep(LINGER)
        await self._somebody()
        batch = self._batch()
        if not batch:
            return
        since = self._since(batch)
        if since is None:
            self._known = None
        await self._append([item.record for item in batch], since)
        self._take(batch)
        await self._settle([item.fate("appended") for item in batch])

    async def _somebody(self) -> None:
        if not await self._attended():
            raise _NobodyError

    async def _settle(self, fates: list[Fate]) -> None:
        """Tell last Fates."""
        self.holds.subtract(map(fate_labels, fates))
        self.holds = +self.holds
        await self._reply(fates)

    def _batch(self) -> list[Item]:
        return [self._queue[place] for place in range(min(BATCH, len(self._queue)))]

    def _take(self, batch: list[Item]) -> None:
        for _ in batch:
            self._size -= self._queue.popleft().size
        self._taken.set()

    async def _append(self, records: Sequence[Record], since: float | None) -> None:
        """Append what is not in the stream since `since`; None: nothing of it can be."""
        if since is not None:
            present = await self._tail(since)
            records = list({one.id: one for one in records if one.id not in present}.values())
        if not records:
            return
        try:
            await self._store.append(records)
        except StreamError as error:
            if error.ambiguous:
                self._doubtful = True
                self._known = None
            raise
        self._doubtful = False
        if self._known is not None:
            self._known[1].update(one.id for one in records)
        self._back()

    def _since(self, batch: list[Item]) -> float | None:
        """The time from which on some of the batch may have been appended."""
        doubtful = [item.record for item in batch if item.again or self._doubtful]
        return min((one.started + one.duration for one in doubtful), default=None)

    async def _tail(self, since: float) -> set[str]:
        if self._known is None or since < self._known[0]:
            self._known = since, await self._store.ids_since(since)
        return self._known[1]

    # --- the spool --------------------------------------------------------------------------

    async def _empty_spool(self) -> None:
        """All of the spool goes to the stream, oldest first; new records meanwhile join its end."""
        await self._store.ping()
        while not self._closing and (segment := self._spool.oldest(self._clock())) is not None:
            if segment.since is None:
                self._known = None
            path = segment.path
            for part in segment.parts:
                await self._somebody()
                await self._append(part.records, segment.since)
                await self._settle(_fates(part))
                path = self._spool.settle(path, part.end)
                if self._closing:
                    return
            self._spool.forget(path)
            self._spooled = None
            await self._spool_queue()
        if not self._spool:
            self.holds = Counter(labels(item.record) for item in self._queue)
            await self._emptied()
        self._back()

    async def _spool_queue(self) -> bool:
        """Put what is queued into the spool; False where it takes no more (then it waits here,
        unacknowledged, in the proxy's bounded buffer)."""
        while self._queue:
            await self._somebody()
            batch = self._batch()
            again = [item for item in batch if item.again]
            if again and self._spooled is None:
                ids: set[str] = set()
                for kept, _ in self._spool.kept():
                    ids.update(one.id for one in kept)
                    await asyncio.sleep(0)
                self._spooled = ids
            known = self._spooled or set()
            new = [one.record for one in batch if one.record.id not in known]
            if new and not self._spool.append(new, since=self._since(batch)):
                return False
            self._doubtful = False  # if it was, it was about this batch, and its segment says so
            self._take(batch)
            # Those are counted where they stand in the spool.
            self.holds.subtract(labels(one.record) for one in again if one.record.id in known)
            await self._reply([item.fate("spooled") for item in batch])
        return True

    # --- the store's state -----------------------------------------------------------------------

    def _away(self, error: StreamError) -> None:
        if self.is_up:
            self.is_up = False
            self._log(f"{error}; records go to the spool until it is back")

    def _back(self) -> None:
        if not self.is_up:
            self.is_up = True
            self._log("the store is back")

    async def _wait(self, pause: float) -> None:
        """Wait for the next try; what comes meanwhile is spooled in passing."""
        loop = asyncio.get_running_loop()
        end = loop.time() + pause
        while not self._closing and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.05))
            await self._spool_queue()


class _NobodyError(Exception):
    """No proxy will come to be told."""


def labels(one: Record | Kept) -> Labels:
    """By what a record is counted in `Delivery.holds`."""
    return one.id[LIFE], one.protocol, one.operation, one.outcome.value


def fate_labels(fate: Fate) -> Labels:
    """The same of a Fate."""
    return fate.id[LIFE], fate.protocol, fate.operation, fate.outcome


def _fates(part: Part) -> list[Fate]:
    appended = [
        Fate(one.id, "appended", "", one.protocol, one.operation, "", one.outcome.value)
        for one in part.records
    ]
    return appended + [
        Fate(one.id, "lost", "unreadable", one.protocol, one.operation, "", one.outcome.value)
        for one in part.unreadable
    ]
