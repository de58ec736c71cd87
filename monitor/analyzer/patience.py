"""Work that needs the store → the same, again and again until the store is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from monitor import logs, tasks
from monitor.errors import StreamError

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts: each pause is twice the one before."""
QUIET = 3.0
"""Seconds of a start in which nothing is said: an embedded store starts at the same time."""


class Patience:
    """Waits for the store at `where` until `stopping`, and says once why and once when it is over;
    nothing in its first `quiet` seconds.

    `hang_up` closes what is connected to a store that is away. `is_away` says that the last attempt
    failed.
    """

    def __init__(
        self,
        where: str,
        stopping: asyncio.Event,
        hang_up: Callable[[], Awaitable[object]],
        *,
        clock: Callable[[], float],
        quiet: float = 0.0,
    ) -> None:
        self._clock = clock
        self._tells_from = clock() + quiet
        self.is_away = False
        self._where = where
        self._stopping = stopping
        self._hang_up = hang_up
        self._said: set[str] = set()

    async def until(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Do it, again after a growing pause while the store is away; False when stopped first."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                await work()
            except StreamError as error:
                reason = str(error).rpartition(": ")[2]  # whatever was asked of it
                if reason not in self._said and self._clock() >= self._tells_from:
                    logs.warning(
                        f"waiting for the store {self._where}: {error}; nothing is analyzed until "
                        "it is back"
                    )
                    self._said.add(reason)
                    await self._hang_up()  # else this would be said again by whoever finds out
                self.is_away = True
                await self.rest(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            self.is_back()
            return True
        return False

    def is_back(self) -> None:
        """Say so of the store, where it was away."""
        if self._said:
            logs.info(f"the store {self._where} is back; the analyzer goes on")
            self._said.clear()
        self.is_away, self._tells_from = False, self._clock()

    async def rest(self, seconds: float) -> None:
        """Do nothing for so long, or until told to stop."""
        await tasks.rest(self._stopping, seconds)
