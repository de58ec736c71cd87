"""Records → the stream, in batches, through the spool while the store is away; Receipts come out.

After one failed append, records go to the spool. One probe at a time, with back-off, asks whether
the store is back; then the spool is delivered first, in order.

No record is appended twice. Where a record may be in the stream already, its id is looked up in the
stream's tail. Records that were never tried need no look-up, so a long outage causes none.

Without a connected proxy nothing is appended, because no ledger could count it. When a proxy or a
recorder has died, the proxy's ledger is reconciled with what the stream has.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf

from monitor.errors import StreamError
from monitor.exchange_numbers import Numbers, place
from monitor.framing import ProxyState, Reconciliation, RecorderState
from monitor.interfaces import Stream
from monitor.recorder.spool import Spool, SpooledPart
from monitor.types import Receipt, Record

BATCH = 256
LINGER = 0.02
"""Seconds that the first record of a batch waits for more."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
ASK_EVERY = 5.0
"""Seconds between two questions whether the store is there, while there is nothing to append."""
UNREAD = 32
"""Parts of the spool whose Receipts may be unread in the socket of a proxy that dies."""


@dataclass(frozen=True)
class Item:
    """A record to deliver. `redelivered`: an earlier recorder may have delivered it. `size` is its
    approximate memory in bytes."""

    record: Record
    model: str
    redelivered: bool
    size: int = 0

    def receipt(self, state: str) -> Receipt:
        """Return the Receipt of this record in `state`."""
        record = self.record
        labels = (record.protocol, record.operation, self.model, record.outcome.value)
        return Receipt(record.id, state, "", *labels)


class Delivery:
    """Delivers the records that `offer` takes.

    `acknowledge` sends Receipts to the proxy and returns once they are sent. `connected` waits for
    a proxy and returns False if none will come. `reconcile` sends a Reconciliation after all
    Receipts and returns whether it was sent. `log` is called with a level and a text when the
    store goes or the spool takes no more, for each reason once, and when the store is back. `clock`
    gives Unix time.
    """

    def __init__(
        self,
        store: Stream,
        spool: Spool,
        *,
        acknowledge: Callable[[list[Receipt]], Awaitable[None]],
        connected: Callable[[], Awaitable[bool]],
        reconcile: Callable[[Reconciliation], Awaitable[bool]],
        log: Callable[[int, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._spool = spool
        self._acknowledge = acknowledge
        self._connected = connected
        self._reconcile = reconcile
        self._log = log
        self._clock = clock
        self._queue: deque[Item] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._freed = asyncio.Event()
        self._done = asyncio.Event()
        self._closing = False
        self._spooled: set[str] | None = None  # ids in the spool, read when first needed
        self._tail_ids: tuple[float, set[str]] | None = None  # (since, ids in the stream's tail)
        self._uncertain = False  # the last append may have succeeded in part
        self._proxy = ProxyState("", [])
        self._must_reconcile = False
        self._acknowledged: deque[list[Receipt]] = deque(maxlen=UNREAD)  # the latest of the spool
        self.state = RecorderState([], 0)
        """What an earlier recorder left in the spool; complete after `survey`."""
        self.is_up = True
        """Whether the store has answered what it was asked last, at most `ASK_EVERY` s ago."""
        self._has_asked = False
        self._said: set[str] = set()

    async def survey(self) -> None:
        """Count what an earlier recorder left in the spool. Await it before `run`.

        A spool of 100,000 records (230 MB) takes half a second.
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
        self.state = RecorderState(records, all_damaged)

    def proxy_connected(self, proxy: ProxyState) -> None:
        """Take the state of a proxy that has connected. All that its predecessors had sent has been
        offered by now, so their accounts can be closed."""
        self._proxy = proxy
        self._must_reconcile = True
        self._wake.set()

    def offer(self, item: Item) -> None:
        """Queue a record; the caller awaits `room` first."""
        self._queue.append(item)
        self._size += item.size
        self._wake.set()

    async def room(self, bound: int, size: int = 0) -> None:
        """Wait until fewer than `bound` records and fewer than `size` bytes are queued (0: any)."""
        while len(self._queue) >= bound or 0 < size <= self._size:
            self._freed.clear()
            await self._freed.wait()

    async def close(self) -> None:
        """Deliver or spool what is queued as far as possible, then end `run`."""
        self._closing = True
        self._wake.set()
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
                    if self._must_reconcile:
                        await self._close_predecessors()
                    await self._deliver()
                    pause = FIRST_PAUSE
                except StreamError as error:
                    self._store_lost(error)
                    if not await self._spool_queue() and self._closing:
                        return  # the proxy still has it, and will count it
                    await self._wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        except _NoProxyError:
            return  # the proxy has counted what has no Receipt as lost
        finally:
            self._done.set()

    async def _deliver(self) -> None:
        if not self._queue:
            self._tail_ids = None
            self._wake.clear()
            if not self._closing:
                await self._idle()
                await asyncio.sleep(LINGER)
            if not self._queue:
                return
        await self._require_proxy()
        batch = self._batch()
        if not batch:
            return
        since = self._since(batch)
        if since is None:
            self._tail_ids = None
        await self._append([item.record for item in batch], since)
        self._take(batch)
        await self._acknowledge([item.receipt("appended") for item in batch])

    async def _idle(self) -> None:
        """Wait for something to do. Meanwhile ask the store now and then whether it is there:
        `is_up` says so of now, and whoever is on call hears of it before the next record."""
        while True:
            if not (self.is_up and self._has_asked):  # at the start nothing is known yet
                await self._store.ping()
                self._has_asked = True
                self._store_back()
            try:
                async with asyncio.timeout(ASK_EVERY):
                    await self._wake.wait()
                    return
            except TimeoutError:
                await self._store.ping()

    async def _require_proxy(self) -> None:
        if not await self._connected():
            raise _NoProxyError

    async def _close_predecessors(self) -> None:
        """Once the recorder holds nothing of a proxy's predecessors, send which of their exchanges
        the stream has: nothing else knows what became of them."""
        while self._must_reconcile:
            proxy = self._proxy
            others = (place(item.record.id)[0] != proxy.process for item in self._queue)
            if self._spool or any(others):
                return  # `run` calls again
            await self._require_proxy()
            if proxy.predecessors:
                for receipts in tuple(self._acknowledged):
                    await self._acknowledge(receipts)
            found = {process: Numbers() for process, _ in proxy.predecessors}
            since = min((at for _, at in proxy.predecessors), default=inf)
            if since < inf:
                for id_ in sorted(await self._store.ids_since(since)):
                    process, number = place(id_)
                    if process in found:
                        found[process].add(number)
            records = [(process, *numbers.packed()) for process, numbers in found.items()]
            sent = await self._reconcile(Reconciliation(records))
            self._must_reconcile = not sent or proxy is not self._proxy

    def _batch(self) -> list[Item]:
        return [self._queue[place] for place in range(min(BATCH, len(self._queue)))]

    def _take(self, batch: list[Item]) -> None:
        for _ in batch:
            self._size -= self._queue.popleft().size
        self._freed.set()

    async def _append(self, records: Sequence[Record], since: float | None) -> None:
        """Append the records that the stream does not have since `since`; None: it has none."""
        if since is not None:
            present = await self._tail(since)
            records = list({one.id: one for one in records if one.id not in present}.values())
        if not records:
            return
        try:
            await self._store.append(records)
        except StreamError as error:
            if error.ambiguous:
                self._uncertain = True
                self._tail_ids = None
            raise
        self._uncertain = False
        if self._tail_ids is not None:
            self._tail_ids[1].update(one.id for one in records)
        self._store_back()

    def _since(self, batch: list[Item]) -> float | None:
        """Return the Unix time from which on the stream may hold some of the batch, or None."""
        uncertain = [item.record for item in batch if item.redelivered or self._uncertain]
        return min((one.started + one.duration for one in uncertain), default=None)

    async def _tail(self, since: float) -> set[str]:
        if self._tail_ids is None or since < self._tail_ids[0]:
            self._tail_ids = since, await self._store.ids_since(since)
        return self._tail_ids[1]

    # --- the spool --------------------------------------------------------------------------

    async def _empty_spool(self) -> None:
        """Append the whole spool, oldest first; new records meanwhile join its end."""
        await self._store.ping()
        while not self._closing and (file := self._spool.oldest(self._clock())) is not None:
            if file.since is None:
                self._tail_ids = None
            path = file.path
            for part in file.parts:
                await self._require_proxy()
                await self._append(part.records, file.since)
                receipts = _receipts(part)
                await self._acknowledge(receipts)
                self._acknowledged.append(receipts)
                path = self._spool.settle(path, part.end)
                if self._spooled is not None:
                    self._spooled.difference_update(one.id for one in part.records)
                if self._closing:
                    return
            self._spool.forget(path)
            await self._spool_queue()
        self._store_back()

    async def _spool_queue(self) -> bool:
        """Move the queue into the spool. Return False if the spool takes no more: the records then
        stay unacknowledged, in the proxy's bounded buffer."""
        while self._queue:
            await self._require_proxy()
            batch = self._batch()
            redelivered = [item for item in batch if item.redelivered]
            if redelivered and self._spooled is None:
                ids: set[str] = set()
                for entries, _ in self._spool.entries():
                    ids.update(one.id for one in entries)
                    await asyncio.sleep(0)
                self._spooled = ids
            known = self._spooled or set()
            new = [one.record for one in batch if one.record.id not in known]
            if new and not self._spool.append(new, since=self._since(batch)):
                self._spool_full()
                return False
            self._uncertain = False  # if it was, it was about this batch, and its file says so
            self._must_reconcile = True  # once it is empty: something may be missing in it
            if self._spooled is not None:
                self._spooled.update(one.id for one in new)
            self._take(batch)
            await self._acknowledge([item.receipt("spooled") for item in batch])
        return True

    # --- the store's state -----------------------------------------------------------------------

    def _store_lost(self, error: StreamError) -> None:
        if self.is_up:
            self._log(
                logging.WARNING,
                f"the store is away ({error}); the recorder writes records to the disk spool until "
                "it is back",
            )
        elif str(error) not in self._said:  # it may be there again, and want another password
            self._log(logging.WARNING, f"the store is still away ({error})")
        self.is_up = False
        self._said.add(str(error))

    def _store_back(self) -> None:
        if not self.is_up:
            self.is_up = True
            self._said.clear()
            self._log(logging.INFO, "the store is back")

    def _spool_full(self) -> None:
        if self._spool.refusal not in self._said:
            self._log(
                logging.WARNING,
                f"the disk spool takes no more ({self._spool.refusal}); records wait in the "
                "proxy's buffer, and what has no room there is lost and counted",
            )
        self._said.add(self._spool.refusal)

    async def _wait(self, pause: float) -> None:
        """Wait `pause` seconds for the next try; spool what comes meanwhile."""
        loop = asyncio.get_running_loop()
        end = loop.time() + pause
        while not self._closing and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.05))
            await self._spool_queue()


class _NoProxyError(Exception):
    """No proxy will connect any more."""


def _receipts(part: SpooledPart) -> list[Receipt]:
    appended = [
        Receipt(one.id, "appended", "", one.protocol, one.operation, "", one.outcome.value)
        for one in part.records
    ]
    return appended + [
        Receipt(one.id, "lost", "unreadable", one.protocol, one.operation, "", one.outcome.value)
        for one in part.unreadable
    ]
