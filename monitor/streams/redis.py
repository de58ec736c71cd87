"""Record, Feedback ↔ Redis Streams (Redis 7 or later, Valkey), in batches with bounded waits.

The key is `monitor:{ENDPOINT:SHARD}:records`; an entry has the fields `v` (`1`) and `record` (the
JSON document). Feedback stands in `monitor:{ENDPOINT}:feedback`, in a field `feedback`. The hash
`monitor:{ENDPOINT:keys}` holds the fingerprints of the replicas' keys. Beside a stream, with
`:erased` behind its key, stands the sorted set of entries that `monitor erase` has deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import takewhile
from operator import itemgetter
from typing import Any

import hiredis
import msgspec

from monitor.errors import StreamError
from monitor.feedback import Feedback, encode_feedback
from monitor.streams import erased
from monitor.streams.connection import (
    FAILURES,
    Connection,
    connect,
    failure,
    pack,
    parse_url,
    refusal,
)
from monitor.streams.entries import BEGINNING, ERASED, Entry, Place, moment, record_id, started_by
from monitor.turns import give_way
from monitor.types import Record, encode_record

PAGE = 256
"""Entries of one reply, at most; as many fewer as entries are large."""
FIRST_PAGE = 64
REPLY_BYTES = WRITE_BYTES = 2 << 20
"""What one reply should hold, and one write; a single record may be larger."""
POLL = 0.5
"""Seconds between two looks at several shards, for which nobody can wait at once."""
LOOKED_THROUGH, SCANNED = 100_000, 1000
"""Keys of a store that are looked through for streams, and how many at a time."""
TEMPLATES = 2048
"""Prompt templates that recorders share, at most."""
LOGGED = 100_000
"""Readings of records' content that are remembered, at least."""
CLOCK_MARGIN = 5.0
"""Seconds that a look into the past goes further back than the clocks say."""
MOST_SHARDS = 1024
SETTLING = 1000
"""Milliseconds by which an entry is ahead of the store's clock, at most, if it is of now; more, and
the clock was put back."""


class RedisStream:
    """The stream of one endpoint; one command at a time, connecting as needed.

    A failed command closes the connection; the next one opens another. There is no back-off in
    here: whoever calls again decides when. `has_more` says whether the last `next` knew of entries
    behind those that it gave, and `behind` how many there were; None where the store does not say.
    """

    def __init__(
        self,
        url: str,
        endpoint: str,
        *,
        shards: int = 1,
        max_length: int = 1_000_000,
        max_age: float = 0.0,
        timeout: float = 5.0,
    ) -> None:
        self._endpoint = endpoint
        self.keys = tuple(map(self._key_of, range(shards)))
        self.feedback_key = f"monitor:{{{endpoint}}}:feedback"
        self.unreadable = 0
        self.has_more = False
        self.behind: int | None = None
        self._added: dict[str, int | None] = {}
        self._erased: dict[str, int] = {}
        self._fingerprints = f"monitor:{{{endpoint}:keys}}"
        self._access = f"monitor:{{{endpoint}}}:access"
        self._decisions = f"monitor:{{{endpoint}}}:decisions"
        self._templates = f"monitor:{{{endpoint}}}:templates"
        self._address = parse_url(url)
        self._max_length = max_length
        self._max_age = max_age
        self._timeout = timeout
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._count = FIRST_PAGE
        self._is_hurried = False
        self._waiting: set[asyncio.Timeout] = set()

    async def append(self, records: Sequence[Record]) -> None:
        """Append all, in order of each shard, or raise StreamError.

        The error is ambiguous when some of the records may be in the stream. The time-out is for
        each WRITE_BYTES: large records take longer, and that is no failure.
        """
        commands: list[bytes] = []
        size = 0
        is_first = True
        for record in records:
            give_way()
            command = pack(
                b"XADD", self._key(record.id), b"MAXLEN", b"~", self._max_length, b"*",
                b"v", b"1", b"record", encode_record(record),
            )  # fmt: skip
            if commands and size + len(command) > WRITE_BYTES:
                await self._write(commands, is_first=is_first)
                commands, size, is_first = [], 0, False
            commands.append(command)
            size += len(command)
        if commands:
            await self._write(commands, is_first=is_first)

    async def append_feedback(self, items: Sequence[Feedback]) -> None:
        """Append all, in order, in one transaction and one round trip, or raise StreamError.

        All of them may be in the stream, or none, where the error is ambiguous.
        """
        # Encoding thousands takes long, and the loop of the pages has others to answer.
        data = await asyncio.to_thread(self._packed, items)
        replies = await self._send(data, len(items) + 2, writes=True)
        done = replies[-1]
        for reply in (*replies, *(done if isinstance(done, list) else ())):
            if isinstance(reply, hiredis.ReplyError):
                raise StreamError(refusal(reply))

    async def has_feedback(self) -> bool:
        """Whether there is a stream of Feedback; or raise StreamError."""
        return bool(await self._call("EXISTS", self.feedback_key))

    async def now(self) -> float:
        """The store's clock in Unix seconds; or raise StreamError."""
        seconds, microseconds = await self._call("TIME")
        return int(seconds) + int(microseconds) / 1e6

    async def about(self, after: str = "") -> list[dict[bytes, Any]]:
        """What XINFO says of the stream of each shard, nothing of one that is not there, and how
        many entries behind position `after` were erased; or raise StreamError."""
        found = await self._about(self.keys)
        places = _places(after, len(self.keys))
        return [
            await self._with_erased(key, place, facts)
            for key, place, facts in zip(self.keys, places, found, strict=True)
        ]

    async def _with_erased(
        self, key: str, place: Place, about: dict[bytes, Any]
    ) -> dict[bytes, Any]:
        """The same facts, with how many of the entries behind a place were erased, where any were
        deleted there."""

        async def again() -> dict[bytes, Any]:
            return (await self._about((key,)))[0]

        return await erased.noted(self._call, key, place, about, again)

    async def _about(self, keys: Sequence[str]) -> list[dict[bytes, Any]]:
        replies = await self._read_all([pack("XINFO", "STREAM", key) for key in keys])
        found: list[dict[bytes, Any]] = []
        for reply in replies:
            if not isinstance(reply, hiredis.ReplyError):
                found.append(dict(zip(reply[::2], reply[1::2], strict=True)))
            elif str(reply).startswith("ERR no such key"):
                found.append({})
            else:
                raise StreamError(refusal(reply))
        return found

    async def trim(self, now: float) -> None:
        """Delete what was appended more than `max_age` seconds before `now` (Unix), about: a block
        of entries goes when all of it is old. Nothing where that is 0."""
        if self._max_age:
            oldest = int(max(0.0, now - self._max_age) * 1000)
            for key in self.keys:
                while await self._call("XTRIM", key, "MINID", "~", oldest):
                    pass  # a command deletes so many at most

    async def ids_since(self, at: float) -> set[str]:
        """Ids of the records that were appended since Unix time `at` by our clock."""
        seconds, _ = await self._call("TIME")
        since = max(0.0, at + min(0.0, float(seconds) - time.time()) - CLOCK_MARGIN)
        found: set[str] = set()
        for key in self.keys:
            end = b"+"
            while page := await self._page("XREVRANGE", key, end, int(since * 1000)):
                for _, fields in page:
                    if (id_ := record_id(fields)) is not None:
                        found.add(id_)
                end = b"(" + page[-1][0]
        return found

    async def next(
        self, after: str = "", *, limit: int = 500, block: float = 1.0
    ) -> tuple[str, list[Entry]]:
        """What came after position `after`, waiting up to `block` seconds: (position, entries).

        At most `limit` entries of each shard, and fewer where they are large. A position names the
        last entry read of each shard; the empty one is the beginning. Entries of all shards come in
        the order of their ids, of equal ones in that of the shards, whoever reads, and however
        often: none is given while one may come to another shard that belongs before it.
        """
        return await self._next(self.keys, after, limit, block)

    async def next_feedback(
        self, after: str = "", *, limit: int = 500, block: float = 1.0
    ) -> tuple[str, list[Entry]]:
        """Return the same of the stream of Feedback, which has one shard."""
        return await self._next((self.feedback_key,), after, limit, block)

    async def _next(
        self, keys: Sequence[str], after: str, limit: int, block: float
    ) -> tuple[str, list[Entry]]:
        places = _places(after, len(keys))
        count = min(limit, self._count)
        found = await self._after(keys, places, count)
        if not any(found) and self._is_hurried and len(keys) > 1:
            await asyncio.sleep(0.002)  # what came in this very millisecond is still held back
            found = await self._after(keys, places, count)
        if not any(found) and not self._is_hurried:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None) as patience:
                    self._waiting.add(patience)
                    try:
                        found = await self._awaited(keys, places, count, block)
                    finally:
                        self._waiting.discard(patience)
        unfinished = [moment(entries[-1][0]) for entries in found if len(entries) >= count]
        self.has_more = bool(unfinished)
        until = min(unfinished, default=None)
        due: list[tuple[tuple[int, int], int, Entry]] = []
        for shard, (key, entries) in enumerate(zip(keys, found, strict=True)):
            self._adapt(entries)
            here = [one for one in entries if until is None or moment(one[0]) <= until]
            if here:
                gone = 0
                if self._erased.get(key):
                    gone = await erased.passed(self._call, key, places[shard], here)
                    self._erased[key] -= gone
                places[shard] = places[shard].moved(here[-1][0].decode(), len(here) + gone)
                due += [
                    (moment(one), shard, Entry(key, one.decode(), fields)) for one, fields in here
                ]
        if len(keys) > 1:
            due.sort(key=itemgetter(0, 1))
        self.behind = self._left(keys, places)
        return ",".join(map(str, places)), [entry for _, _, entry in due]

    async def _after(self, keys: Sequence[str], places: list[Place], count: int) -> list[list[Any]]:
        """What stands after each place, at most `count` entries; the places learn what was trimmed.

        A command names one key: a Redis Cluster takes no other.
        """
        commands = [pack("TIME")] if len(keys) > 1 else []
        for key, place in zip(keys, places, strict=True):
            commands.append(pack("XINFO", "STREAM", key))
            commands.append(pack("XREAD", "COUNT", count, "STREAMS", key, place.id))
        replies = await self._read_all(commands)
        now = _milliseconds(replies.pop(0)) if len(keys) > 1 else None
        found = []
        for shard, (about, entries) in enumerate(zip(replies[::2], replies[1::2], strict=True)):
            if not isinstance(about, hiredis.ReplyError):
                facts = dict(zip(about[::2], about[1::2], strict=True))
                facts = await self._with_erased(keys[shard], places[shard], facts)
                places[shard] = places[shard].seen(facts)
                self._added[keys[shard]] = facts.get(b"entries-added")
                self._erased[keys[shard]] = facts.get(ERASED, 0)
            elif not str(about).startswith(("ERR no such key", "NOPERM")):
                raise StreamError(refusal(about))
            elif str(about).startswith("NOPERM"):
                self._added[keys[shard]] = None
            else:  # who begins before a stream does knows the number of each entry
                self._added[keys[shard]] = 0
                if places[shard].id == BEGINNING:
                    places[shard] = places[shard]._replace(number=0)
            found.append(_settled(_entries(entries), now))
        return found

    def _left(self, keys: Sequence[str], places: list[Place]) -> int | None:
        """How many entries stood behind these places when the store was asked."""
        left = 0
        for key, place in zip(keys, places, strict=True):
            added = self._added.get(key)
            if added is None or (added and place.number < 0):
                return None
            left += max(0, added - place.number - self._erased.get(key, 0)) if added else 0
        return left

    async def look(self, after: str) -> None:
        """See how many entries are `behind` a position; or raise StreamError."""
        places = _places(after, len(self.keys))
        await self._after(self.keys, places, 1)
        self.behind = self._left(self.keys, places)

    async def widen(self, named: int) -> None:
        """Read more shards than the settings say where a position names so many, or where more were
        written to: what was recorded with a larger `stream.shards` stands there; or raise
        StreamError."""
        count = max(len(self.keys), min(named, MOST_SHARDS))
        while count < MOST_SHARDS and await self._call("EXISTS", self._key_of(count)):
            count += 1
        self.keys = tuple(map(self._key_of, range(count)))

    def hurry(self) -> None:
        """Let `next` wait for nothing from now on; one that waits already comes back."""
        self._is_hurried = True
        while self._waiting:
            self._waiting.pop().reschedule(0.0)

    async def _awaited(
        self, keys: Sequence[str], places: list[Place], count: int, block: float
    ) -> list[list[Any]]:
        """`_after` once there is something, or `block` seconds later."""
        if len(keys) == 1:
            milliseconds = max(1, int(block * 1000))
            read = "XREAD", "COUNT", count, "BLOCK", milliseconds
            command = pack(*read, "STREAMS", keys[0], places[0].id)
            (reply,) = await self._read_all([command], patience=block)
            return [_entries(reply)]
        found: list[list[Any]] = [[]] * len(keys)
        clock = asyncio.get_running_loop().time
        end = clock() + block
        while not any(found) and clock() < end:
            await asyncio.sleep(min(POLL, block))
            found = await self._after(keys, places, count)
        return found

    async def read(
        self, after: str = "", *, start: float | None = None, end: float | None = None
    ) -> AsyncIterator[tuple[str, Record]]:
        """Yield `(position, record)` for what stands after `after`, shard by shard, then end.

        `start` and `end` keep the exchanges that began in this time (Unix seconds, end excluded).
        All that was appended later is looked through: an exchange is appended when it has ended, or
        when a store that was away is back, so an old one may stand behind any newer one.
        """
        positions = [place.id for place in _places(after, len(self.keys))]
        low = str(int(max(0.0, (start or 0.0) - CLOCK_MARGIN) * 1000))
        for shard, key in enumerate(self.keys):
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
        for key in self.keys:
            last = f"({before}" if before else "+"
            while page := await self._page("XREVRANGE", key, last, low):
                for one, fields in page:
                    record = Entry(key, one.decode(), fields).record()
                    if record is None:
                        self.unreadable += 1
                    yield one.decode(), record
                last = "(" + page[-1][0].decode()

    async def find(self, id_: str, *, most: int) -> Record | None:
        """Return the record with this id, or None; or raise StreamError. Looked through are `most`
        entries from the time on that the id tells, or the last ones where it tells none."""
        begun = started_by(id_)
        low = str(int(max(0.0, begun or 0.0) * 1000))
        key, last = self._key(id_), "+"
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

    async def log_access(self, who: str, what: str, record: str, at: float) -> None:
        """Write down that somebody was given the content of a record at Unix time `at`; or raise
        StreamError."""
        document = msgspec.json.encode({"at": at, "who": who, "what": what, "record": record})
        entry = "XADD", self._access, "MAXLEN", "~", LOGGED, "*", "v", "1", "access"
        await self._call(*entry, document)

    async def log_decisions(self, documents: Sequence[bytes]) -> None:
        """Write down what was decided, or who read it; or raise StreamError."""
        for document in documents:
            entry = "XADD", self._decisions, "MAXLEN", "~", LOGGED, "*", "v", "1", "decision"
            await self._call(*entry, document)

    async def decisions(self, before: str = "") -> list[tuple[str, bytes]]:
        """(its place, document) of some entries of the log before a place, the newest first; none
        at its end; or raise StreamError."""
        page = await self._page("XREVRANGE", self._decisions, f"({before}" if before else "+", "-")
        return [(entry.decode(), b"".join(fields[3:4])) for entry, fields in page]

    async def endpoints(self) -> set[str]:
        """Return the names of endpoints with a stream among `LOOKED_THROUGH` keys of the store."""
        found: set[str] = set()
        cursor, looks = b"0", LOOKED_THROUGH // SCANNED
        while looks:
            scan = "SCAN", cursor, "MATCH", "monitor:{*}:records", "COUNT", SCANNED
            cursor, keys = await self._call(*scan)
            for key in keys:
                tag = key.decode("utf-8", "replace")[len("monitor:{") : -len("}:records")]
                found.add(tag.rpartition(":")[0])
            looks = looks - 1 if cursor != b"0" else 0
        return found

    async def fingerprints(self) -> dict[str, str]:
        """Key id → fingerprint of the keys that replicas of this endpoint have used."""
        flat = await self._call("HGETALL", self._fingerprints)
        texts = [item.decode("utf-8", "replace") for item in flat]
        return dict(zip(texts[::2], texts[1::2], strict=True))

    async def add_fingerprints(self, new: Mapping[str, str]) -> None:
        """Write those down whose key ids nobody has written yet."""
        for key_id, fingerprint in new.items():
            await self._call("HSETNX", self._fingerprints, key_id, fingerprint)

    async def templates(self) -> dict[str, bytes]:
        """Id → document of the prompt templates that the recorders of this endpoint have found.

        Not more than a store holds that only recorders write to; none where it holds more.
        """
        if await self._call("HLEN", self._templates) > 2 * TEMPLATES:
            return {}
        flat = await self._call("HGETALL", self._templates)
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return {name.decode("utf-8", "replace"): document for name, document in pairs}

    async def add_templates(self, new: Mapping[str, bytes], changed: Mapping[str, bytes]) -> None:
        """Write down those whose ids nobody has written yet, while there is room, and what has
        `changed` of the others."""
        room = TEMPLATES - await self._call("HLEN", self._templates)
        for name, one in list(new.items())[: max(0, room)]:
            await self._call("HSETNX", self._templates, name, one)
        for name, one in changed.items():
            await self._call("HSET", self._templates, name, one)

    async def ping(self) -> None:
        """Raise StreamError where the store is not there for us."""
        await self._call("PING")

    async def close(self) -> None:
        """Close the connection to the store."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _key_of(self, shard: int) -> str:
        return f"monitor:{{{self._endpoint}:{shard}}}:records"

    def _key(self, record_id: str) -> str:
        if len(self.keys) == 1:
            return self.keys[0]
        return self.keys[zlib.crc32(record_id.encode()) % len(self.keys)]

    def _packed(self, items: Sequence[Feedback]) -> bytes:
        """A transaction that appends all items."""
        commands = [pack(b"MULTI")]
        for item in items:
            give_way()
            commands.append(pack(
                b"XADD", self.feedback_key, b"MAXLEN", b"~", self._max_length, b"*",
                b"v", b"1", b"feedback", encode_feedback(item),
            ))  # fmt: skip
        commands.append(pack(b"EXEC"))
        return b"".join(commands)

    async def _write(self, commands: list[bytes], *, is_first: bool) -> None:
        try:
            replies = await self._send(b"".join(commands), len(commands), writes=True)
        except StreamError as error:
            raise StreamError(str(error), ambiguous=error.ambiguous or not is_first) from None
        failures = [reply for reply in replies if isinstance(reply, hiredis.ReplyError)]
        if failures:
            some = len(failures) < len(replies) or not is_first
            raise StreamError(refusal(failures[0]), ambiguous=some)

    async def _page(self, *command: str | bytes | int) -> list[Any]:
        entries: list[Any] = await self._read(*command, "COUNT", self._count)
        self._adapt(entries)
        return entries

    async def _read(self, *command: str | bytes | int) -> Any:
        (reply,) = await self._read_all([pack(*command)])
        if isinstance(reply, hiredis.ReplyError):
            self._count = 1
            raise StreamError(refusal(reply))
        return reply

    async def _read_all(self, commands: list[bytes], *, patience: float = 0.0) -> list[Any]:
        try:
            return await self._send(b"".join(commands), len(commands), patience=patience)
        except StreamError:
            self._count = 1  # if the reply was too large to come in time, the next will not be
            raise

    def _adapt(self, entries: list[Any]) -> None:
        """Ask for as many entries next time as make a reply of the right size."""
        if entries:
            largest = max(sum(map(len, fields)) for _, fields in entries)
            fitting = REPLY_BYTES // max(largest, 1)
            self._count = max(1, min(fitting, 2 * self._count, PAGE))

    async def _call(self, *command: str | bytes | int) -> Any:
        (reply,) = await self._send(pack(*command), 1)
        if isinstance(reply, hiredis.ReplyError):
            raise StreamError(refusal(reply))
        return reply

    async def _send(
        self, data: bytes, count: int, *, writes: bool = False, patience: float = 0.0
    ) -> list[Any]:
        async with self._lock:
            connection = await self._connected()
            try:
                return await asyncio.wait_for(
                    connection.exchange(data, count), self._timeout + patience
                )
            except FAILURES as error:
                raise StreamError(failure(error), ambiguous=writes) from None
            finally:
                if not connection.is_idle:
                    connection.close()
                    self._connection = None

    async def _connected(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = await asyncio.wait_for(connect(self._address), self._timeout)
            except FAILURES as error:
                raise StreamError(failure(error)) from None
        return self._connection


def _places(after: str, shards: int) -> list[Place]:
    """The places in so many shards that a position names, the beginning of those it does not."""
    places = list(map(Place.of, after.split(","))) if after else []
    return [*places, *[Place()] * (shards - len(places))][:shards]


def _milliseconds(reply: Any) -> int:
    """The store's clock, by its answer to TIME."""
    if isinstance(reply, hiredis.ReplyError):
        raise StreamError(refusal(reply))
    seconds, microseconds = reply
    return int(seconds) * 1000 + int(microseconds) // 1000


def _settled(entries: list[Any], now: int | None) -> list[Any]:
    """Those before which nothing can come any more to another shard, with the store's clock at
    `now` (milliseconds) before they were read. All where there is one shard.

    Where the clock was put back entries are ahead of it, for hours perhaps: they are not waited
    for.
    """
    if now is None or not entries or moment(entries[-1][0])[0] < now:
        return entries
    return list(takewhile(lambda one: not now <= moment(one[0])[0] <= now + SETTLING, entries))


def _entries(reply: Any) -> list[Any]:
    """Those of the one stream in an answer to XREAD."""
    if isinstance(reply, hiredis.ReplyError):
        raise StreamError(refusal(reply))
    return reply[0][1] if reply else []
