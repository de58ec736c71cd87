"""What runs under this command and what it has found, as queries ask for it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec

import monitor
from monitor.errors import StreamError
from monitor.findings import Drift, Outcomes
from monitor.queries.query import Process, Running
from monitor.settings.schema import Settings
from monitor.streams.redis import RedisStream
from monitor.supervision import child
from monitor.types import Measurement

FRESH = 1.0
"""Seconds for which a document of the analyzer is not asked for again: it has no other before."""


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
        self._measure = measure
        self._document = document
        self._status = status
        self._stream = RedisStream(
            settings.redis, settings.endpoint, shards=settings.stream.shards, timeout=2.0
        )
        self._drift: tuple[float, Drift] | None = None
        self._outcomes: tuple[float, Outcomes] | None = None

    def now(self) -> float:
        """Return the time in Unix seconds."""
        return time.time()

    async def measurements(self) -> list[Measurement]:
        """See System."""
        return await self._measure()

    async def drift(self) -> Drift:
        """See System."""
        if self._drift is None or time.monotonic() - self._drift[0] >= FRESH:
            found = msgspec.json.decode(await self._document("findings"), type=Drift)
            self._drift = time.monotonic(), found
        return self._drift[1]

    async def outcomes(self) -> Outcomes:
        """See System."""
        if self._outcomes is None or time.monotonic() - self._outcomes[0] >= FRESH:
            found = msgspec.json.decode(await self._document("outcomes"), type=Outcomes)
            self._outcomes = time.monotonic(), found
        return self._outcomes[1]

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

    async def close(self) -> None:
        """Close the connection to the store."""
        await self._stream.close()
