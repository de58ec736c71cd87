"""What runs under this command and what it has found, as queries ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

import msgspec

import monitor
from monitor import decisions
from monitor.analyzer.decision_log import entries
from monitor.errors import StreamError
from monitor.findings import Drift, ExperimentEffect, Outcomes
from monitor.queries.query import Process, Running
from monitor.settings.schema import Settings
from monitor.streams.entries import LARGEST, moment
from monitor.streams.redis import RedisStream
from monitor.supervision import child
from monitor.templates.miner import Known
from monitor.templates.shared import decoded
from monitor.turns import give_way
from monitor.types import Measurement, Record

FRESH = 1.0
"""Seconds for which processes are not asked again: the analyzer has nothing new before."""
LONGER = 4
"""So many times as long as an answer took nobody is asked again, if that is more: on a busy machine
a page asks each thing once, and at most a fifth of the analyzer's time goes there."""


AGAIN = 3600.0
"""Seconds after which it is written down again that somebody reads the same verdicts."""

READOUTS = 1000
"""Of so many readouts it is known what was read."""

LOOKED_THROUGH = 100_000
"""Entries of the stream that are looked through for one record, at most."""


T = TypeVar("T")


class _Kept(Generic[T]):
    """What was asked for, for `FRESH` seconds, or `LONGER`; who asks meanwhile waits for the same
    answer."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._one = asyncio.Lock()
        self._known: tuple[float, T] | None = None

    async def get(self) -> T:
        async with self._one:
            now = time.monotonic()
            if self._known is None or now >= self._known[0]:
                found = await self._ask()
                answered = time.monotonic()
                self._known = answered + max(FRESH, LONGER * (answered - now)), found
            return self._known[1]


class RunningSystem:
    """The processes of this command, and the store."""

    version = monitor.__version__

    def __init__(
        self,
        settings: Settings,
        *,
        measure: Callable[[], Awaitable[list[Measurement]]],
        document: Callable[[str], Awaitable[bytes]],
        status: Callable[[], Awaitable[child.Status]],
    ) -> None:
        self.endpoint = settings.endpoint
        self._settings = settings
        self._document = document
        self._status = status
        self._stream = RedisStream(
            settings.redis, settings.endpoint, shards=settings.stream.shards, timeout=2.0
        )
        self._measured = _Kept(measure)
        self._drift = _Kept(self._document_of("findings", Drift))
        self._outcomes = _Kept(self._document_of("outcomes", Outcomes))
        self._last_readout = decisions.Readout(-math.inf, "", "api", [])
        # By holder and which arms and metrics, the oldest first.
        self._readouts: dict[tuple[str, str], tuple[str, float]] = {}

    def _document_of(self, kind: str, shape: type[T]) -> Callable[[], Awaitable[T]]:
        known: tuple[bytes, T] | None = None

        async def decoded() -> T:
            nonlocal known
            document = await self._document(kind)
            if known is None or known[0] != document:  # thousands of findings take long to read
                known = document, msgspec.json.decode(document, type=shape)
            return known[1]

        return decoded

    def now(self) -> float:
        """Return the time in Unix seconds."""
        return time.time()

    async def shards(self) -> int:
        """See System."""
        await self._stream.widen()
        return len(self._stream.keys)

    async def measurements(self) -> list[Measurement]:
        """See System."""
        return await self._measured.get()

    async def drift(self) -> Drift:
        """See System."""
        return await self._drift.get()

    async def outcomes(self) -> Outcomes:
        """See System."""
        return await self._outcomes.get()

    async def running(self) -> Running:
        """See System."""
        status = await self._status()
        processes = [Process(*one) for one in status.children]
        processes += [Process(role, 0, pid, 0) for role, pid in status.others]
        return Running(status.ready, processes)

    async def store(self) -> str:
        """See System."""
        try:
            await self._stream.ping()
        except StreamError as error:
            return str(error)
        return ""

    async def back(
        self, before: str, *, start: float | None = None
    ) -> AsyncGenerator[tuple[str, Record | None]]:
        """See System. A place is an entry's id and its shard, as `1700000000000-0.2`."""
        entry, _, shard = before.partition(".")
        streams = [self._connected(number) for number in range(await self.shards())]
        each = [
            # What has the same id in a later shard has been there already.
            one.history.read_back(
                start=start,
                before=_following(entry) if number < int(shard or 0) else entry,
            )
            for number, one in enumerate(streams)
        ]
        try:
            heads = [await anext(one, None) for one in each]
            while True:
                last = max(
                    (
                        (moment(head[0].encode()), number)
                        for number, head in enumerate(heads)
                        if head
                    ),
                    default=None,
                )
                if last is None:
                    return
                number = last[1]
                head = heads[number]
                assert head is not None  # noqa: S101
                yield f"{head[0]}.{number}", head[1]
                give_way()
                heads[number] = await anext(each[number], None)
        finally:
            for one in streams:
                await one.close()

    def _connected(self, shard: int) -> RedisStream:
        """A connection for one shard: pages of several are read by turns."""
        settings = self._settings
        stream = RedisStream(settings.redis, settings.endpoint, timeout=5.0)
        stream.only(shard)
        return stream

    async def record(self, id_: str) -> Record | None:
        """See System."""
        return await self._stream.find(id_, most=LOOKED_THROUGH)

    async def templates(self) -> dict[str, Known]:
        """See System."""
        return decoded(await self._stream.notes.templates())

    async def log_access(self, who: str, what: str, record: str) -> None:
        """See System."""
        await self._stream.notes.log_access(who, what, record, time.time())

    async def log_reading(self, who: str, effects: list[ExperimentEffect]) -> None:
        """See System."""
        seen = decisions.digest(
            [(one.name, one.variant, one.metric, one.verdict) for one in effects]
        )
        which = decisions.digest([(one.name, one.variant, one.metric) for one in effects])
        before, at = self._readouts.get((who, which), ("", -math.inf))
        if not effects or (seen == before and time.monotonic() - at < AGAIN):
            return
        names = list(dict.fromkeys(one.name for one in effects))
        readout = decisions.Readout(time.time(), who, "api", names)
        last = self._last_readout
        if (last.who, last.experiments) != (who, names) or readout.at - last.at >= FRESH:
            await self._stream.notes.log_decisions([decisions.encode(readout)])
            self._last_readout = readout
        self._readouts.pop((who, which), None)
        self._readouts[who, which] = seen, time.monotonic()
        if len(self._readouts) > READOUTS:
            del self._readouts[next(iter(self._readouts))]

    async def decisions(self, before: str) -> AsyncGenerator[tuple[str, decisions.Entry | None]]:
        """See System."""
        async with contextlib.aclosing(entries(self._stream, before)) as log:
            async for one in log:
                yield one

    async def close(self) -> None:
        """Close the connection to the store."""
        await self._stream.close()


def _following(entry: str) -> str:
    """The id right after this one, so that what has this id is read too; empty after the last.

    >>> _following("5-7"), _following("5-18446744073709551615")
    ('5-8', '6-0')
    """
    if not entry:
        return ""
    milliseconds, number = moment(entry.encode())
    if number < LARGEST:
        return f"{milliseconds}-{number + 1}"
    return f"{milliseconds + 1}-0" if milliseconds < LARGEST else ""
