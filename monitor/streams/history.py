"""What stands in the shards of a stream → Records, oldest or newest first, or one by its id.

Nobody waits here for what comes next; `RedisStream.next` follows a stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from monitor.streams.entries import BEGINNING, Entry, record_id, started_by
from monitor.streams.shards import positions_of
from monitor.turns import give_way
from monitor.types import Record

CLOCK_MARGIN = 5.0
"""Seconds that a look into the past goes further back than the clocks say."""


class History:
    """What stands in the shards of one endpoint. `keys` tells the key of each shard, `page` returns
    some entries of a stream that a command asks for, and raises StreamError.

    `unreadable` are the entries so far that were no Records.
    """

    def __init__(
        self, keys: Callable[[], Sequence[str]], page: Callable[..., Awaitable[list[Any]]]
    ) -> None:
        self._keys = keys
        self._page = page
        self.unreadable = 0

    async def read(
        self, after: str = "", *, start: float | None = None, end: float | None = None
    ) -> AsyncIterator[tuple[str, Record]]:
        """Yield `(position, record)` for what stands after `after`, shard by shard, then end.

        `start` and `end` keep the exchanges that began in this time (Unix seconds, end excluded).
        All that was appended later is looked through: an exchange is appended when it has ended, or
        when a store that was away is back, so an old one may stand behind any newer one.
        """
        positions = [place.id for place in positions_of(after, len(self._keys()))]
        low = str(int(max(0.0, (start or 0.0) - CLOCK_MARGIN) * 1000))
        for shard, key in enumerate(self._keys()):
            first = f"({positions[shard]}" if positions[shard] != BEGINNING else low
            while page := await self._page("XRANGE", key, first, "+"):
                for one, fields in page:
                    record = Entry(key, one.decode(), fields).record()
                    if record is None:
                        self.unreadable += 1
                        continue
                    positions[shard] = one.decode()
                    if (start is None or record.started >= start) and (
                        end is None or record.started < end
                    ):
                        yield ",".join(positions), record
                first = "(" + page[-1][0].decode()

    async def read_back(
        self, *, start: float | None = None, before: str = ""
    ) -> AsyncIterator[tuple[str, Record | None]]:
        """Yield `(entry, record)` of each shard, what was appended last first, from before the
        entry `before` on; None for what is no record, so that who has a bound can count it.

        What was appended before `start` (Unix seconds) is left out: nothing in it began later. Some
        that is given began before, too. No time of beginning says where to begin to read: see
        `read`.
        """
        low = str(int(max(0.0, (start or 0.0) - CLOCK_MARGIN) * 1000))
        for key in self._keys():
            last = f"({before}" if before else "+"
            while page := await self._page("XREVRANGE", key, last, low):
                for one, fields in page:
                    record = Entry(key, one.decode(), fields).record()
                    if record is None:
                        self.unreadable += 1
                    yield one.decode(), record
                last = "(" + page[-1][0].decode()

    async def find(self, key: str, id_: str, most: int) -> Record | None:
        """Return the record with this id, or None, of `most` entries of a shard from the time on
        that the id tells, or of the last ones where it tells none; or raise StreamError."""
        begun = started_by(id_)
        low = str(int(max(0.0, begun or 0.0) * 1000))
        last = "+"
        while most > 0:
            if begun is None:
                page = await self._page("XREVRANGE", key, last, "-")
            else:
                page = await self._page("XRANGE", key, low, "+")
            for one, fields in page:
                give_way()
                if record_id(fields) == id_:
                    return Entry(key, one.decode(), fields).record()
            if not page:
                return None
            low = last = "(" + page[-1][0].decode()
            most -= len(page)
        return None
