"""Record, Feedback ↔ Redis Streams (Redis 7 or later, Valkey), in batches with bounded waits.

The key is `monitor:{ENDPOINT:SHARD}:records`; an entry has the fields `v` (`1`) and `record` (the
JSON document). Feedback stands in `monitor:{ENDPOINT}:feedback`, in a field `feedback`. The hash
`monitor:{ENDPOINT:keys}` holds the fingerprints of the replicas' keys. Beside a stream, with
`:erased` behind its key, stands the sorted set of entries that `monitor erase` has deleted. How far
Records were read is told to others as the consumer group `monitor` of each shard.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import hiredis

from monitor.errors import StreamError
from monitor.feedback import Feedback
from monitor.streams import erased
from monitor.streams.connection import Command, entries_of, milliseconds, pack, refusal
from monitor.streams.entries import (
    BEGINNING,
    ERASED,
    Entry,
    Known,
    ShardPosition,
    moment,
    record_id,
)
from monitor.streams.feedback import packed
from monitor.streams.history import CLOCK_MARGIN, History
from monitor.streams.looks import Looks
from monitor.streams.notes import Notes
from monitor.streams.shards import (
    LISTED_BEFORE,
    MOST_SHARDS,
    groups,
    identity_of,
    is_identity,
    key_of,
    likely,
    list_of,
    listed,
    positions_of,
    settled,
    shard_of,
)
from monitor.streams.store import Store
from monitor.turns import give_way
from monitor.types import Record, encode_record

PAGE = 256
"""Entries of one reply, at most; as many fewer as entries are large."""
FIRST_PAGE = 64
REPLY_BYTES = WRITE_BYTES = 2 << 20
"""What one reply should hold, and one write; a single record may be larger."""
POLL = 0.5
"""Seconds between two looks at several shards, for which nobody can wait at once."""
NOTHING: Mapping[str, Known] = MappingProxyType({})


class RedisStream:
    """The stream of one endpoint; one command at a time, connecting as needed.

    A failed command closes the connection; the next one opens another. There is no back-off in
    here: whoever calls again decides when. `has_more` says whether the last `next` knew of entries
    behind those that it gave, and `behind` how many there were, by shard in `lags`; None where the
    store does not say. Records go to `shards` shards. `keys` are those that are read: more, where
    others write to more, or did. `appended` are Records and bytes by shard.
    """

    def __init__(
        self,
        url: str,
        endpoint: str,
        *,
        shards: int = 1,
        max_length: int = 1_000_000,
        max_age: float = 0.0,
        feedback_max_age: float = 0.0,
        timeout: float = 5.0,
    ) -> None:
        self._endpoint = endpoint
        self.keys = tuple(key_of(endpoint, shard) for shard in range(shards))
        self._shards = shards
        self._list = list_of(endpoint)
        self._listed_in = -1
        self._follows = True
        self.appended: dict[int, tuple[int, int]] = {}
        self.feedback_key = f"monitor:{{{endpoint}}}:feedback"
        self.has_more = False
        self.behind: int | None = None
        self.lags: list[int] = []
        self._added: dict[str, int | None] = {}
        self._erased: dict[str, int] = {}
        self._store = Store(url, timeout)
        self.looks = Looks(endpoint, self._store)
        self._max_length = max_length
        self._max_age = max_age
        self._feedback_max_age = feedback_max_age
        self.notes = Notes(endpoint, self._call, self._page, self._store.keys)
        self.history = History(lambda: self.keys, self._page)
        self._listed = 0
        self._count = FIRST_PAGE
        self._is_hurried = False
        self._waiting: set[asyncio.Timeout] = set()

    async def append(self, records: Sequence[Record]) -> None:
        """Append all, in order of each shard, or raise StreamError.

        The error is ambiguous when some of the records may be in the stream. The time-out is for
        each WRITE_BYTES: large records take longer, and that is no failure.
        """
        if self._shards > 1 and self._listed_in != self._store.connected:
            await self._list_shards()
        commands: list[Command] = []
        sizes: list[tuple[int, int]] = []
        size = 0
        is_first = True
        for record in records:
            give_way()
            shard = shard_of(record.id, self._shards)
            data = pack(
                b"XADD", self.keys[shard], b"MAXLEN", b"~", self._max_length, b"*",
                b"v", b"1", b"record", encode_record(record),
            )  # fmt: skip
            if commands and size + len(data) > WRITE_BYTES:
                await self._write(commands, sizes, is_first=is_first)
                commands, sizes, size, is_first = [], [], 0, False
            commands.append(Command(self.keys[shard], data))
            sizes.append((shard, len(data)))
            size += len(data)
        if commands:
            await self._write(commands, sizes, is_first=is_first)

    async def _list_shards(self) -> None:
        """Let readers know of all shards before they are written to; or raise StreamError."""
        if await self._call("SADD", self._list, *range(self._shards)):
            await asyncio.sleep(LISTED_BEFORE)
        self._listed_in = self._store.connected

    async def append_feedback(self, items: Sequence[Feedback]) -> None:
        """Append all, in order, in one transaction and one round trip, or raise StreamError.

        All of them may be in the stream, or none, where the error is ambiguous.
        """
        # Encoding thousands takes long, and the loop of the pages has others to answer.
        commands = await asyncio.to_thread(packed, self.feedback_key, items, self._max_length)
        replies = await self._store.ask(commands, writes=True, is_transaction=True)
        done = replies[-1]
        for reply in (*replies, *(done if isinstance(done, list) else ())):
            if isinstance(reply, hiredis.ReplyError):
                raise StreamError(refusal(reply))

    async def has_feedback(self) -> bool:
        """Whether there is a stream of Feedback; or raise StreamError."""
        return bool(await self._call("EXISTS", self.feedback_key))

    async def now(self) -> float:
        """The store's clock in Unix seconds; or raise StreamError."""
        seconds, microseconds = await self._call("TIME", key=self.feedback_key)
        return int(seconds) + int(microseconds) / 1e6

    async def identity(self, new: str) -> str:
        """Return by what this store is told from others of the endpoint: `new` from now on, where
        it has nothing yet; or raise StreamError."""
        key = identity_of(self._endpoint)
        if (found := await self._call("GET", key)) is None:
            asked = Command.of(key, "SET", key, new, "NX")
            (reply,) = await self._store.ask([asked], writes=True)
            if isinstance(reply, hiredis.ReplyError):
                raise StreamError(refusal(reply))
            found = await self._call("GET", key) or b""
        if not is_identity(found):
            raise StreamError(f"{key} holds what no archiver put there; delete it")
        return str(found.decode())

    async def about(self, after: str = "") -> list[dict[bytes, Any]]:
        """What XINFO says of the stream of each shard, nothing of one that is not there, and how
        many entries behind position `after` were erased; or raise StreamError."""
        found = await self._about(self.keys)
        here = positions_of(after, len(self.keys))
        return [
            await self._with_erased(key, place, facts)
            for key, place, facts in zip(self.keys, here, found, strict=True)
        ]

    async def _with_erased(
        self, key: str, place: ShardPosition, about: dict[bytes, Any]
    ) -> dict[bytes, Any]:
        """The same facts, with how many of the entries behind a place were erased, where any were
        deleted there."""

        async def again() -> dict[bytes, Any]:
            return (await self._about((key,)))[0]

        return await erased.noted(self._call, key, place, about, again)

    async def _about(self, keys: Sequence[str]) -> list[dict[bytes, Any]]:
        replies = await self._read_all([Command.of(key, "XINFO", "STREAM", key) for key in keys])
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
        """Delete Records that were appended more than `max_age` seconds before `now` (Unix), and
        Feedback of more than `feedback_max_age`. Nothing where that is 0."""
        ages = [(key, self._max_age) for key in self.keys]
        for key, age in (*ages, (self.feedback_key, self._feedback_max_age)):
            if age:
                oldest = int(max(0.0, now - age) * 1000)
                while await self._call("XTRIM", key, "MINID", "~", oldest):
                    pass  # a command deletes so many blocks at most
                await self._call("XTRIM", key, "MINID", "=", oldest)  # within the last block

    async def ids_since(self, at: float) -> set[str]:
        """Ids of the records that were appended since Unix time `at` by our clock."""
        await self.widen()  # there may have been more shards when they were appended
        found: set[str] = set()
        for key in self.keys:
            seconds, _ = await self._call("TIME", key=key)
            since = max(0.0, at + min(0.0, float(seconds) - time.time()) - CLOCK_MARGIN)
            end = b"+"
            while page := await self._page("XREVRANGE", key, end, int(since * 1000)):
                for _, fields in page:
                    if (id_ := record_id(fields)) is not None:
                        found.add(id_)
                end = b"(" + page[-1][0]
        return found

    async def next(
        self,
        after: str = "",
        *,
        limit: int = 500,
        block: float = 1.0,
        known: Mapping[str, Known] = NOTHING,
    ) -> tuple[str, list[Entry]]:
        """What came after position `after`, waiting up to `block` seconds: (position, entries).

        At most `limit` entries of each shard, and fewer where they are large. A position names the
        last entry read of each shard; the empty one is the beginning. Entries of all shards come in
        the order of their ids, of equal ones in that of the shards, whoever reads, and however
        often: none is given while one may come to another shard that belongs before it. What is
        written to further shards is read from its first entry on.

        `known` are the entries that follow in some shards, by key. They come without fields, for
        nobody reads them again; unless it is not certain that all of them stand there: then that
        shard is read.
        """
        return await self._next(self.keys, after, limit, block, known)

    async def next_feedback(
        self, after: str = "", *, limit: int = 500, block: float = 1.0
    ) -> tuple[str, list[Entry]]:
        """Return the same of the stream of Feedback, which has one shard."""
        return await self._next((self.feedback_key,), after, limit, block)

    async def _next(
        self, keys: Sequence[str], after: str, limit: int, block: float,
        known: Mapping[str, Known] = NOTHING,
    ) -> tuple[str, list[Entry]]:  # fmt: skip
        here = positions_of(after, len(keys))
        count = min(limit, self._count)
        found = await self._after(keys, here, count, known)
        if not any(found) and self._is_hurried and len(keys) > 1:
            await asyncio.sleep(0.002)  # what came in this very millisecond is still held back
            found = await self._after(keys, here, count)
        if not any(found) and not self._is_hurried:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None) as patience:
                    self._waiting.add(patience)
                    try:
                        found = await self._awaited(keys, here, count, block)
                    finally:
                        self._waiting.discard(patience)
        if self._listed > len(keys):  # some of it may belong behind what stands in the others
            self._read_shards(self._listed)
            return await self._next(self.keys, after, limit, block)
        unfinished = [
            moment(entries[-1][0])
            for key, entries in zip(keys, found, strict=True)
            if entries and (len(entries) >= count or key in known)
        ]
        self.has_more = bool(unfinished)
        until = min(unfinished, default=None)
        due: list[tuple[tuple[int, int], int, Entry]] = []
        for shard, (key, entries) in enumerate(zip(keys, found, strict=True)):
            self._adapt(entries)
            given = [one for one in entries if until is None or moment(one[0]) <= until]
            if given:
                gone = 0
                if self._erased.get(key):
                    gone = await erased.passed(self._call, key, here[shard], given)
                    self._erased[key] -= gone
                here[shard] = here[shard].moved(given[-1][0].decode(), len(given) + gone)
                due += [
                    (moment(one), shard, Entry(key, one.decode(), fields)) for one, fields in given
                ]
        if len(keys) > 1:
            due.sort(key=itemgetter(0, 1))
        self._measure(keys, here)
        return ",".join(map(str, here)), [entry for _, _, entry in due]

    async def _after(
        self, keys: Sequence[str], here: list[ShardPosition], count: int,
        known: Mapping[str, Known] = NOTHING,
    ) -> list[list[Any]]:  # fmt: skip
        """What stands after each place, at most `count` entries; the places learn what was trimmed.
        What is `known` to stand there is not read, as long as all of it does.

        A command names one key: a Redis Cluster takes no other.
        """
        commands = []
        if len(keys) > 1:
            commands += [Command.of(key, "TIME") for key in keys]
        for key, place in zip(keys, here, strict=True):
            commands.append(Command.of(key, "XINFO", "STREAM", key))
            if key in known:
                commands += [Command.of(key, "XRANGE", key, one, one) for one in known[key].marks]
            else:
                commands.append(Command.of(key, "XREAD", "COUNT", count, "STREAMS", key, place.id))
        replies = await self._asked(commands, keys)
        now = None
        if len(keys) > 1:  # nodes of a cluster have a clock each, and the slowest counts
            now = min(map(milliseconds, replies[: len(keys)]))
            del replies[: len(keys)]
        found, rest = [], iter(replies)
        left = dict(known)
        for shard, (key, about) in enumerate(zip(keys, rest, strict=False)):
            mine = known.get(key)
            is_there = await self._learn(about, key, shard, here, mine and mine.ids)
            if mine is None:
                found.append(settled(entries_of(next(rest)), now))
            elif mine.stand([next(rest) for _ in mine.marks]) and is_there:
                found.append(settled([[one, []] for one in mine.ids], now))
            else:
                del left[key]
        if len(left) < len(known):
            return await self._after(keys, here, count, left)
        return found

    async def _learn(
        self,
        about: Any,
        key: str,
        shard: int,
        here: list[ShardPosition],
        known: Sequence[bytes] | None,
    ) -> bool:
        """Learn of a shard what XINFO STREAM says; whether all that is `known` of it is there."""
        place, is_there = here[shard], False
        if not isinstance(about, hiredis.ReplyError):
            facts = dict(zip(about[::2], about[1::2], strict=True))
            facts = await self._with_erased(key, place, facts)
            is_there = known is not None and place.is_followed_by(known, facts)
            here[shard] = place.seen(facts)
            self._added[key] = facts.get(b"entries-added")
            self._erased[key] = facts.get(ERASED, 0)
        elif not str(about).startswith(("ERR no such key", "NOPERM")):
            raise StreamError(refusal(about))
        elif str(about).startswith("NOPERM"):
            self._added[key] = None
        else:  # who begins before a stream does knows the number of each entry
            self._added[key] = 0
            if place.id == BEGINNING:
                here[shard] = place._replace(number=0)
        return is_there

    async def _asked(
        self, commands: list[Command], keys: Sequence[str], patience: float = 0.0
    ) -> list[Any]:
        """The answers to commands that read these shards; behind them is asked which there are."""
        asking = []
        if self._follows and keys is self.keys:
            asking.append(Command.of(self._list, "SCARD", self._list))
        if self._store.is_cluster:  # another node might answer before these
            replies = await self._read_all(commands, patience=patience)
            replies += await self._read_all(asking) if asking else []
        else:
            replies = await self._read_all([*commands, *asking], patience=patience)
        self._listed = listed(replies.pop()) if asking else 0
        return replies

    def _measure(self, keys: Sequence[str], here: list[ShardPosition]) -> None:
        """See how many entries stood behind these places when the store was asked."""
        self.lags = lags = []
        for key, place in zip(keys, here, strict=True):
            added = self._added.get(key)
            if added is None or (added and place.number < 0):
                self.lags = []
                break
            left = added - place.number - self._erased.get(key, 0)
            lags.append(max(0, left) if added else 0)
        self.behind = sum(self.lags) if self.lags else None

    async def look(self, after: str) -> None:
        """See how many entries are `behind` a position; or raise StreamError."""
        here = positions_of(after, len(self.keys))
        await self._after(self.keys, here, 1)
        self._measure(self.keys, here)

    async def widen(self, named: int = 0) -> None:
        """Read more shards than the settings say where a position names so many, or where more were
        written to: what was recorded with another `stream.shards` stands there; or raise
        StreamError."""
        (reply,) = await self._store.ask([Command.of(self._list, "SCARD", self._list)])
        count = max(len(self.keys), min(named, MOST_SHARDS), listed(reply))
        # Recorders of before have listed none.
        while count < MOST_SHARDS and await self._call("EXISTS", key_of(self._endpoint, count)):
            count += 1
        self._read_shards(count)

    def _read_shards(self, count: int) -> None:
        self.keys = tuple(key_of(self._endpoint, shard) for shard in range(count))

    def only(self, shard: int) -> None:
        """Read this shard alone from now on."""
        self.keys, self._follows = (key_of(self._endpoint, shard),), False

    async def advertise(self, position: str) -> None:
        """Say in the store up to where Records were read, as the place of a group of each shard
        that has an entry: tools such as KEDA look at its lag. Or raise StreamError."""
        commands = groups("SETID", self.keys, position)
        replies = await self._store.ask(commands)
        if any(str(one).startswith("NOGROUP") for one in replies):  # of others nothing changes
            commands = groups("CREATE", self.keys, position)
            await self._store.ask(commands)

    def hurry(self) -> None:
        """Let `next` wait for nothing from now on; one that waits already comes back."""
        self._is_hurried = True
        while self._waiting:
            self._waiting.pop().reschedule(0.0)

    async def _awaited(
        self, keys: Sequence[str], here: list[ShardPosition], count: int, block: float
    ) -> list[list[Any]]:
        """`_after` once there is something, or `block` seconds later."""
        if len(keys) == 1:
            read = "XREAD", "COUNT", count, "BLOCK", max(1, int(block * 1000))
            command = Command.of(keys[0], *read, "STREAMS", keys[0], here[0].id)
            (reply,) = await self._asked([command], keys, block)
            return [entries_of(reply)]
        found: list[list[Any]] = [[]] * len(keys)
        clock = asyncio.get_running_loop().time
        end = clock() + block
        while not any(found) and clock() < end:
            await asyncio.sleep(min(POLL, block))
            found = await self._after(keys, here, count)
        return found

    async def find(self, id_: str, *, most: int) -> Record | None:
        """Return the record with this id, or None; or raise StreamError. Looked through are `most`
        entries from the time on that the id tells, or the last ones where it tells none."""
        await self.widen()
        homes = likely(id_, self._shards, len(self.keys))
        for place, shard in enumerate(homes):
            share = max(1, most // (len(homes) - 1)) if place else most
            if found := await self.history.find(self.keys[shard], id_, share):
                return found
        return None

    async def ping(self) -> None:
        """Raise StreamError where nothing could be appended now.

        Whoever refuses writes may still answer PING: a primary that has become a replica, one that
        is out of memory, one without the replicas that it must have. So what is asked is an append
        to a stream that is not there, which does nothing: it needs the rights of one to a Record,
        and goes to the same node.
        """
        homes = [f"{key.removesuffix('records')}absent" for key in self.keys[: self._shards]]
        asked = [Command.of(key, "XADD", key, "NOMKSTREAM", "*", "v", "1") for key in homes]
        for reply in await self._store.ask(asked):
            if isinstance(reply, hiredis.ReplyError):
                raise StreamError(refusal(reply))

    async def close(self) -> None:
        """Close the connections to the store."""
        await self._store.close()

    async def _write(
        self, commands: list[Command], sizes: list[tuple[int, int]], *, is_first: bool
    ) -> None:
        try:
            replies = await self._store.ask(commands, writes=True)
        except StreamError as error:
            raise StreamError(str(error), ambiguous=error.ambiguous or not is_first) from None
        failures = [reply for reply in replies if isinstance(reply, hiredis.ReplyError)]
        if failures:
            some = len(failures) < len(replies) or not is_first
            raise StreamError(refusal(failures[0]), ambiguous=some)
        for shard, size in sizes:
            entries, so_far = self.appended.get(shard, (0, 0))
            self.appended[shard] = entries + 1, so_far + size

    async def _page(self, *command: str | bytes | int) -> list[Any]:
        asked = Command.of(str(command[1]), *command, "COUNT", self._count)
        (entries,) = await self._read_all([asked])
        if isinstance(entries, hiredis.ReplyError):
            self._count = 1
            raise StreamError(refusal(entries))
        self._adapt(entries)
        return list(entries)

    async def _read_all(self, commands: list[Command], *, patience: float = 0.0) -> list[Any]:
        try:
            return await self._store.ask(commands, patience=patience)
        except StreamError:
            self._count = 1  # if the reply was too large to come in time, the next will not be
            raise

    def _adapt(self, entries: list[Any]) -> None:
        """Ask for as many entries next time as make a reply of the right size."""
        if entries:
            largest = max(sum(map(len, fields)) for _, fields in entries)
            fitting = REPLY_BYTES // max(largest, 1)
            self._count = max(1, min(fitting, 2 * self._count, PAGE))

    async def _call(self, *command: str | bytes | int, key: str = "") -> Any:
        (reply,) = await self._store.ask([Command.of(key or str(command[1]), *command)])
        if isinstance(reply, hiredis.ReplyError):
            raise StreamError(refusal(reply))
        return reply
