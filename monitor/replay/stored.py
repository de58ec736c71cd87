"""The stream of an endpoint in a store → Records, for callers without an event loop."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from monitor.errors import SourceError, StreamError
from monitor.logs import plain
from monitor.streams.entries import started_by
from monitor.streams.redis import RedisStream
from monitor.tables.cells import is_empty, moment
from monitor.types import Record
from monitor.urls import shown

NAMED = 8
"""Endpoints that a sentence names, at most."""
PAGE = 500
"""Records that are read at a time."""
_THEIRS = ("db", "username", "password", "protocol", "charset", "encoding", "errors", "timeout")
"""What URLs say to clients of Redis; all else that they take has an underscore in its name."""


@dataclass(frozen=True)
class Store:
    """The stream of an endpoint in a store; `start` and `end` are Unix seconds."""

    name: str
    url: str
    endpoint: str
    shards: int
    start: float
    end: float

    @classmethod
    def parse(cls, url: str, endpoint: str, shards: int, now: float) -> Store:
        """`redis://HOST:PORT/DB?endpoint=NAME&shards=N&from=TIME&to=TIME`, all of it optional;
        raises SourceError, which shows no password."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise SourceError(f"{shown(url)}: is not a URL like redis://127.0.0.1:6379/0") from None
        ours = {"endpoint": endpoint, "shards": str(shards), "from": "", "to": ""}
        options = parse_qsl(parts.query)
        ours.update((name, value) for name, value in options if name in ours)
        for name, _ in options:
            if name not in ours and name not in _THEIRS and "_" not in name:
                raise SourceError(
                    f"{shown(url)}: {name[:40]} is none of {', '.join(ours)}, which say "
                    "what is read"
                )
        if not ours["shards"].isdigit() or int(ours["shards"]) == 0:
            raise SourceError(
                f"{shown(url)}: shards={ours['shards']} is not a number of shards, 1 or more"
            )
        times = []
        for name, default in (("from", -math.inf), ("to", now)):
            at = moment(ours[name]) if ours[name] else default
            if at is None:
                raise SourceError(
                    f"{shown(url)}: {name}={ours[name]} is not a time such as 2024-02-29T12:00:00Z"
                )
            times.append(at)
        if ours["from"] and ours["to"] and is_empty(*times):
            raise SourceError(
                f"{shown(url)}: to={ours['to']} is not later than from={ours['from']}, so nothing "
                "lies between the two"
            )
        theirs = urlencode([(name, value) for name, value in options if name not in ours])
        plain = parts._replace(query=theirs).geturl()
        return cls(shown(url), plain, ours["endpoint"], int(ours["shards"]), *times)

    def records(self, start: float | None, end: float | None) -> Iterator[Record]:
        """The records that began in the store's range and the one given; shards in order of time.

        Raises SourceError when the store cannot be read.
        """
        start = self.start if start is None else max(self.start, start)
        end = self.end if end is None else min(self.end, end)
        return records(
            self.url,
            self.endpoint,
            shards=self.shards,
            start=start if math.isfinite(start) else None,
            end=end,
        )


def records(
    url: str,
    endpoint: str,
    *,
    shards: int = 1,
    start: float | None = None,
    end: float | None = None,
    backwards: bool = False,
) -> Iterator[Record]:
    """Yield the records that began from `start` until before `end` (Unix seconds), oldest first.

    Shards are merged by the time at which records began, all that were ever written to, `shards` at
    least. `backwards`: newest first. Raises SourceError, which shows no password, where the store
    cannot be read.
    """
    with asyncio.Runner() as runner:
        try:
            count = runner.run(_count(url, endpoint, shards))
            streams = [RedisStream(url, endpoint) for _ in range(count)]
        except StreamError as error:
            raise SourceError(f"{shown(url)}: {error}") from None
        each = [
            _shard(runner, stream, number, start, end, backwards=backwards)
            for number, stream in enumerate(streams)
        ]
        try:
            yield from (
                heapq.merge(*each, key=lambda record: record.started, reverse=backwards)
                if count > 1
                else each[0]
            )
        except StreamError as error:
            raise SourceError(f"{shown(url)}: {error}") from None
        finally:
            for one in each:
                one.close()


async def _count(url: str, endpoint: str, shards: int) -> int:
    """How many shards there are: those that were ever written to, and `shards` at least."""
    stream = RedisStream(url, endpoint, shards=shards)
    try:
        await stream.widen()
        return len(stream.keys)
    finally:
        await stream.close()


def newest(
    url: str,
    endpoint: str,
    *,
    count: int,
    keep: Callable[[Record], bool],
    shards: int = 1,
    start: float | None = None,
    end: float | None = None,
) -> list[Record]:
    """Return the newest `count` records that `keep` takes, oldest first."""
    found = records(url, endpoint, shards=shards, start=start, end=end, backwards=True)
    return list(itertools.islice(filter(keep, found), count))[::-1]


def find(url: str, endpoint: str, record_id: str, *, shards: int = 1) -> Record | None:
    """Return the record with this id, or None; it is looked for from the time that the id tells."""
    begun = started_by(record_id)
    for start in {begun: None, None: None}:
        for record in records(url, endpoint, shards=shards, start=start):
            if record.id == record_id:
                return record
    return None


def absence(url: str, endpoint: str) -> str:
    """Return a sentence if an endpoint has no stream in a store, with the names of those that have.

    Return nothing if it has one, or if the store does not tell.
    """

    async def ask() -> set[str]:
        stream = RedisStream(url, endpoint)
        try:
            return await stream.notes.endpoints()
        finally:
            await stream.close()

    try:
        names = asyncio.run(ask())
    except StreamError:
        return ""
    if endpoint in names:
        return ""
    others = ", ".join(map(plain, sorted(names)[:NAMED])) + (", …" if len(names) > NAMED else "")
    there = f"; it has those of {others}: --endpoint says which" if names else ""
    return f"the store has no records of endpoint {plain(endpoint)}{there}"


def templates(url: str, endpoint: str) -> dict[str, bytes]:
    """Id → document of the prompt templates that recorders share; raises as `records`."""

    async def ask() -> dict[str, bytes]:
        stream = RedisStream(url, endpoint)
        try:
            return await stream.notes.templates()
        finally:
            await stream.close()

    try:
        return asyncio.run(ask())
    except StreamError as error:
        raise SourceError(f"{shown(url)}: {error}") from None


def _shard(
    runner: asyncio.Runner,
    stream: RedisStream,
    number: int,
    start: float | None,
    end: float | None,
    *,
    backwards: bool,
) -> Generator[Record]:
    stream.only(number)
    there = stream.history
    entries: AsyncIterator[tuple[str, Record | None]] = (
        there.read_back(start=start) if backwards else there.read(start=start, end=end)
    )
    low, high = -math.inf if start is None else start, math.inf if end is None else end

    async def page() -> list[Record]:
        found: list[Record] = []
        async for _, record in entries:
            if record is not None and low <= record.started < high:
                found.append(record)
                if len(found) == PAGE:
                    break
        return found

    try:
        while found := runner.run(page()):
            yield from found
    finally:
        runner.run(stream.close())
