"""Records → the stream, in batches, by way of the spool while the store is away; Fates come out.

One failure opens the way into the spool: from then on records go there, and one probe at a time,
with back-off, asks whether the store is back. What is spooled then goes first, in order. Nothing is
appended twice: where a record may be in the stream already, the stream's tail is asked for its id.
What nobody has tried to append is not looked for: a day in the spool costs no search of a day.
Nothing is appended while no proxy is there to be told: what the stream holds stands in a ledger.
What was told to a proxy that died, or to nobody because a recorder died, the stream itself tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

from monitor.errors import StreamError
from monitor.framing import Accounted, Holdings, Meeting
from monitor.numbers import Numbers, place
from monitor.recorder.spool import Part, Spool
from monitor.types import Fate, Record

BATCH = 256
LINGER = 0.005
"""Seconds that a batch waits for company."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
UNHEARD = 32
"""Parts of the spool whose Fates may stand unread in the socket of a proxy that dies."""


class Store(Protocol):
    """What is asked of a stream here; see streams.redis."""

    async def append(self, records: Sequence[Record]) -> None:
        """Append all, in order; raises StreamError when that is not certain."""

    async def ids_since(self, at: float) -> set[str]:
        """The ids of records appended since `at` (epoch seconds)."""

    async def ping(self) -> None:
        """Raise StreamError when nothing could be appended now."""


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
    is there for them and says False when none will come; `account` tells it what is accounted for,
    after its Fates, and says False where it was not told. `log` takes a level and a text when
    the store goes and when it is back, once each. `clock` gives Unix time.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        *,
        reply: Callable[[list[Fate]], Awaitable[None]],
        attended: Callable[[], Awaitable[bool]],
        account: Callable[[Accounted], Awaitable[bool]],
        log: Callable[[int, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._spool = spool
        self._reply = reply
        self._attended = attended
        self._account = account
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
        self._meeting = Meeting("", [])
        self._owes_account = False
        self._told: deque[list[Fate]] = deque(maxlen=UNHEARD)  # of the spool, lately
        self.found = Holdings([], 0)
        """What an earlier recorder left in the spool."""
        self.is_up = True

    async def survey(self) -> None:
        """Count what an earlier recorder left in the spool; to be awaited before `run`.

        230 MB of 100,000 records take half a second.
        """
        if self._spool:
            self._log(
                logging.INFO,
                "the disk spool holds records of an earlier run; the recorder appends them first",
            )
        found: defaultdict[tuple[str, str, str, str], Numbers] = defaultdict(Numbers)
        all_damaged = 0
        for entries, damaged in self._spool.entries():
            for one in entries:
                process, number = place(one.id)
                found[process, one.protocol, one.operation, one.outcome.value].add(number)
            all_damaged += damaged
            await asyncio.sleep(0)
        records = [(*labels, *numbers.packed()) for labels, numbers in found.items()]
        self.found = Holdings(records, all_damaged)

    def meet(self, meeting: Meeting) -> None:
        """A proxy is there and wants the accounts of those before it closed; all that they had
        handed over has been offered."""
        self._meeting = meeting
        self._owes_account = True
        self._news.set()

    def offer(self, item: Item) -> None:
        """Take a record; the caller waits for `room` first."""
        self._queue.append(item)
        self._size += item.size
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
        """Deliver what comes until `close` is called."""
        pause = FIRST_PAUSE
        try:
            while self._queue or not self._closing:
                try:
                    if self._spool:
                        await self._empty_spool()
                    if self._closing and self._spool:
                        await self._spool_queue()
                        return
                    if self._owes_account:
                        await self._close_accounts()
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
            if not self._queue:
                return
        await self._somebody()
        batch = self._batch()
        if not batch:
            return
        since = self._since(batch)
        if since is None:
            self._known = None
        await self._append([item.record for item in batch], since)
        self._take(batch)
        await self._reply([item.fate("appended") for item in batch])

    async def _somebody(self) -> None:
        if not await self._attended():
            raise _NobodyError

    async def _close_accounts(self) -> None:
        """Once nothing is held here of the proxies before this one, say what the stream has of what
        they had open: nobody else knows what became of it."""
        while self._owes_account:
            meeting = self._meeting
            others = (place(item.record.id)[0] != meeting.process for item in self._queue)
            if self._spool or any(others):
                return  # and come again
            await self._somebody()
            if meeting.dead:
                for fates in tuple(self._told):
                    await self._reply(fates)
            found = {process: Numbers() for process, _ in meeting.dead}
            since = min((at for _, at in meeting.dead), default=inf)
            if since < inf:
                for id_ in sorted(await self._store.ids_since(since)):
                    process, number = place(id_)
                    if process in found:
                        found[process].add(number)
            records = [(process, *numbers.packed()) for process, numbers in found.items()]
            told = await self._account(Accounted(records))
            self._owes_account = not told or meeting is not self._meeting

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
                fates = _fates(part)
                await self._reply(fates)
                self._told.append(fates)
                path = self._spool.settle(path, part.end)
                if self._spooled is not None:
                    self._spooled.difference_update(one.id for one in part.records)
                if self._closing:
                    return
            self._spool.forget(path)
            await self._spool_queue()
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
                for entries, _ in self._spool.entries():
                    ids.update(one.id for one in entries)
                    await asyncio.sleep(0)
                self._spooled = ids
            known = self._spooled or set()
            new = [one.record for one in batch if one.record.id not in known]
            if new and not self._spool.append(new, since=self._since(batch)):
                return False
            self._doubtful = False  # if it was, it was about this batch, and its segment says so
            self._owes_account = True  # of what will be missing in the spool
            if self._spooled is not None:
                self._spooled.update(one.id for one in new)
            self._take(batch)
            await self._reply([item.fate("spooled") for item in batch])
        return True

    # --- the store's state -----------------------------------------------------------------------

    def _away(self, error: StreamError) -> None:
        if self.is_up:
            self.is_up = False
            self._log(
                logging.WARNING,
                f"the store is away ({error}); the recorder writes records to the disk spool until "
                "it is back",
            )

    def _back(self) -> None:
        if not self.is_up:
            self.is_up = True
            self._log(logging.INFO, "the store is back")

    async def _wait(self, pause: float) -> None:
        """Wait for the next try; what comes meanwhile is spooled in passing."""
        loop = asyncio.get_running_loop()
        end = loop.time() + pause
        while not self._closing and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.05))
            await self._spool_queue()


class _NobodyError(Exception):
    """No proxy will come to be told."""


def _fates(part: Part) -> list[Fate]:
    appended = [
        Fate(one.id, "appended", "", one.protocol, one.operation, "", one.outcome.value)
        for one in part.records
    ]
    return appended + [
        Fate(one.id, "lost", "unreadable", one.protocol, one.operation, "", one.outcome.value)
        for one in part.unreadable
    ]
