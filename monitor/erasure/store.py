"""The store of an endpoint → the same without what names somebody.

What is looked through: the streams of all shards, whatever stands in an entry; feedback that names
them, or an exchange of theirs; the queue of reviews; the log of decisions; prompt templates. A
second look reads on where the first one ended, so that what came meanwhile is found too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from monitor.errors import StreamError
from monitor.privacy.pseudonyms import Mentions
from monitor.review.queue import ReviewQueue
from monitor.streams import looks
from monitor.streams.clients import RedisError, client_for, words
from monitor.streams.entries import sortable
from monitor.streams.erased import beside
from monitor.streams.redis import RedisStream

PAGE, PAGE_BYTES = 256, 8 << 20
"""Entries of one reply, at most, and what it should hold."""

REMEMBERED = 90 * 86400
"""Seconds for which it is known of an entry that it was erased: no reader comes back later."""

TIMEOUT = 10.0
"""Seconds that the store may take for a command."""

REWRITTEN = 120.0
"""Seconds that the embedded store may take to write its file anew."""

Subject = tuple[str, str]
"""(which name, its value), as feedback names an exchange: `id`, `trace_id`, `business.order` …"""

_DROP = """
local gone = 0
for place = 1, #ARGV, 2 do
  if redis.call('XDEL', KEYS[1], ARGV[place]) == 1 then
    redis.call('ZADD', KEYS[2], 0, ARGV[place + 1])
    gone = gone + 1
  end
end
return gone
"""


class Names(msgspec.Struct):
    """How a Record, or what is said of one, names an exchange; and which pseudonym continues
    which."""

    id: str | None = None
    trace_id: str | None = None
    response_id: str | None = None
    business: dict[str, str] | None = None
    continues: dict[str, str] | None = None

    @property
    def subjects(self) -> set[Subject]:
        """All names by which feedback may mean the exchange: (which name, value)."""
        single = {"id": self.id, "trace_id": self.trace_id, "response_id": self.response_id}
        found = {(which, value) for which, value in single.items() if value}
        return found | {(f"business.{key}", value) for key, value in (self.business or {}).items()}


_names = msgspec.json.Decoder(Names).decode


def named(document: bytes | str) -> Names:
    """Return what a document names; nothing where it is none of ours."""
    try:
        return _names(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Names()


class StoreErasure:
    """Takes what names somebody, and what is said of their exchanges, out of a store.

    `found` counts it, by where it stands; `subjects` and `continued` are what else Records say that
    are erased: how feedback names them, and which other pseudonyms are of the same value. Methods
    raise StreamError.
    """

    def __init__(self, url: str, endpoint: str, shards: int, names: Mentions) -> None:
        self.found: Counter[str] = Counter()
        self.subjects: set[Subject] = set()
        self.continued: set[str] = set()
        self._stream = RedisStream(url, endpoint, shards=shards)
        self._queue = ReviewQueue(url, endpoint, readers=1, lease=1.0)
        self._names = names
        self._meant = {f"<{needle}>" for needle in names.needles}
        self._prefix = f"monitor:{{{endpoint}}}:"
        self._url = url
        self._clients: dict[str, Any] = {}
        self._last: dict[str, str] = {}
        self._due: dict[str, list[str]] = {}
        self._templates: list[bytes] = []
        self._reviews: list[str] = []

    def tell(self, document: bytes | str) -> None:
        """Note how a Record that is erased is named."""
        said = named(document)
        self.subjects |= said.subjects
        for pair in (said.continues or {}).items():
            if not self._meant.isdisjoint(pair):
                self.continued |= set(pair) - self._meant

    async def records(self) -> int:
        """Look through what came to the streams of all shards since they were last looked through;
        return how many entries are meant."""
        await self._stream.widen(0)
        new = 0
        for key in self._stream.keys:
            async for entry, values in self._entries(key):
                if any(map(self._names.within, values)):
                    self._due.setdefault(key, []).append(entry)
                    new += 1
                    for value in values:
                        self.tell(value)
        self.found["stream"] += new
        return new

    async def rest(self) -> None:
        """Look through all else, once it is known whose exchanges are erased."""
        for name in ("feedback", "decisions"):
            key = self._prefix + name
            self._last.pop(key, None)  # an older one may name an exchange that was found by now
            async for entry, values in self._entries(key):
                if any(map(self._names.within, values)) or any(
                    not self.subjects.isdisjoint(named(value).subjects) for value in values
                ):
                    self._due.setdefault(key, []).append(entry)
                    self.found[name] += 1
        held = await self._ask(self._prefix, "hgetall", f"{self._prefix}templates")
        self._templates = [one for one, text in held.items() if self._names.within(text)]
        self.found["templates"] += len(self._templates)
        reviews = await self._ask(self._prefix, "hkeys", f"{self._prefix}review:items")
        ids = {value for which, value in self.subjects if which == "id"}
        self._reviews = [one.decode() for one in reviews if one.decode(errors="replace") in ids]
        self.found["reviews"] += len(self._reviews)
        state = await self._ask(self._prefix, "hgetall", f"{self._prefix}analysis")
        self.found["state"] = sum(map(self._names.within, state.values()))

    async def erase(self) -> dict[int, int]:
        """Erase what was found; return how many entries of each shard are gone. What says whose
        they were goes first: who is killed in between finds it again."""
        for record in self._reviews:
            await self._queue.expire(record)
        if self._templates:
            await self._ask(self._prefix, "hdel", f"{self._prefix}templates", *self._templates)
        self._reviews, self._templates = [], []
        records = dict(zip(self._stream.keys, range(len(self._stream.keys)), strict=True))
        gone: dict[int, int] = {}
        for key in sorted(self._due, key=lambda one: one in records):
            count = await self._drop(key, self._due.pop(key))
            if key in records:
                gone[records[key]] = count
                # What was seen of them ahead goes too; by the deletion above it is of no use now.
                await self._ask(key, "delete", looks.beside(key, "looks"))
        return gone

    async def behind(self, shard: int, entry: str) -> bool:
        """Whether an entry of a shard was erased that came after another one."""
        await self._stream.widen(0)
        key = self._stream.keys[shard] if shard < len(self._stream.keys) else ""
        low = f"({sortable(entry)}"
        return bool(key) and bool(await self._ask(key, "zlexcount", beside(key), low, "+"))

    async def rewrite(self) -> None:
        """Have the embedded store write its file anew, which has all commands there ever were;
        raises StreamError where it has not within `REWRITTEN` seconds.

        It writes commands, until it is started again: a deleted entry of a stream stays in memory
        and in a dump of it for as long as others that came with it."""
        await self._ask(self._prefix, "config_set", "aof-use-rdb-preamble", "no")
        await self._ask(self._prefix, "bgrewriteaof")
        for _ in range(int(REWRITTEN / 0.05)):
            about = await self._ask(self._prefix, "info", "persistence")
            if not (about["aof_rewrite_in_progress"] or about["aof_rewrite_scheduled"]):
                return
            await asyncio.sleep(0.05)
        raise StreamError("the embedded store does not write its file anew")

    async def close(self) -> None:
        """Close the connections to the store."""
        await self._stream.close()
        await self._queue.close()
        for client in self._clients.values():
            await client.aclose()

    async def _drop(self, key: str, entries: list[str]) -> int:
        """Delete entries; a reader of the stream can tell that from a loss."""
        seconds, _ = await self._ask(key, "time")
        oldest = f"({sortable(f'{max(0, int(seconds) - REMEMBERED) * 1000}-0')}"
        await self._ask(key, "zremrangebylex", beside(key), "-", oldest)
        count = 0
        for first in range(0, len(entries), PAGE):
            some = entries[first : first + PAGE]
            pairs = [part for one in some for part in (one, sortable(one))]
            count += await self._ask(key, "eval", _DROP, 2, key, beside(key), *pairs)
        return count

    async def _entries(self, key: str) -> AsyncIterator[tuple[str, list[bytes]]]:
        """(id, values of its fields) of what came since this was last asked."""
        count = 16
        while True:
            low = f"({self._last[key]}" if key in self._last else "-"
            page = await self._ask(key, "xrange", key, low, "+", count)
            if not page:
                return
            largest = 1
            for entry, fields in page:
                values = list(fields.values())
                largest = max(largest, sum(map(len, values)))
                self._last[key] = entry.decode()
                yield entry.decode(), values
            count = max(1, min(PAGE, PAGE_BYTES // largest))

    async def _ask(self, key: str, command: str, *arguments: Any) -> Any:
        if key not in self._clients:
            self._clients[key] = client_for(self._url, key, TIMEOUT)
        try:
            return await getattr(self._clients[key], command)(*arguments)
        except (RedisError, OSError) as error:
            raise StreamError(f"the store does not do what it is told: {words(error)}") from None
