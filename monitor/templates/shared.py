"""What a recorder finds of prompt templates ↔ what the others know, through the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from monitor.errors import StreamError
from monitor.streams.redis import RedisStream
from monitor.templates.miner import Known, Miner

WRITE_EVERY = 1.0
"""Seconds after which what was found is written: so much is lost if a recorder is killed."""
READ_EVERY = 60.0


def decoded(stored: dict[str, bytes]) -> dict[str, Known]:
    """What can be read of what the store holds."""
    found = {}
    for name, document in stored.items():
        try:
            found[name] = msgspec.json.decode(document, type=Known)
        except msgspec.DecodeError:
            continue
    return found


class SharedTemplates:
    """While the store is away the recorder goes on alone, and tells what it found later. `clock` is
    in seconds."""

    def __init__(self, miner: Miner, store: RedisStream, clock: Callable[[], float]) -> None:
        self._miner = miner
        self._store = store
        self._clock = clock
        self._written = 0
        self._read_at: float | None = None

    async def read(self) -> None:
        """Learn what others have found. Raises StreamError while the store is away."""
        known = decoded(await self._store.notes.templates())
        self._read_at = self._clock()
        self._miner.take(known)

    async def write(self) -> None:
        """Tell what was found since. Raises as `read`."""
        changes = self._miner.changes
        if changes == self._written:
            return
        news = self._miner.news()
        told = {name: self._miner.knows(name) for name in news}
        encoded = {name: msgspec.json.encode(one) for name, one in news.items()}
        await self._store.notes.add_templates(
            {name: one for name, one in encoded.items() if not told[name]},
            {name: one for name, one in encoded.items() if told[name]},
        )
        self._miner.told(news)
        self._written = changes

    async def follow(self) -> None:
        """Read what others have found and write what is new, every few seconds, until cancelled."""
        while True:
            try:
                if self._read_at is None or self._clock() - self._read_at > READ_EVERY:
                    await self.read()
                await self.write()
            except StreamError:
                pass  # tried again
            await asyncio.sleep(WRITE_EVERY)
