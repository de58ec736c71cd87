"""Record ↔ Redis Streams (Redis 7 or later, Valkey), in pipelined batches with bounded waits.

The key is `monitor:{ENDPOINT:SHARD}:records`; an entry has the fields `v` (`1`) and `record` (the
JSON document). The hash `monitor:{ENDPOINT:keys}` holds the fingerprints of the replicas' keys. We
speak RESP2 through hiredis ourselves, for two things that a client library hides: a batch is one
write and one parse, and a connection is closed by a reset. The server drops a reset connection at
its next answer to it, with the commands that it has not read: a frozen one does not go on, when
it thaws, with what the next connection has already looked for and not found.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
import struct
import time
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis
import msgspec

from monitor.errors import StreamError
from monitor.types import Record, decode_record, encode_record

PAGE = 256
"""Entries of one reply, at most; as many fewer as entries are large."""
FIRST_PAGE = 64
REPLY_BYTES = WRITE_BYTES = 2 << 20
"""What one reply should hold, and one write; a single record may be larger."""
POLL = 0.1
"""Seconds between two looks at several shards, for which nobody can wait at once."""
CLOCK_MARGIN = 5.0
"""Seconds that a look into the past goes further back than the clocks say."""
AHEAD = 60.0
"""Seconds that a proxy's clock may be ahead of the store's. A record that says to have ended later
than that after it was appended counts as ended when it was appended."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close is a reset

_REFUSALS = {
    "NOAUTH": "the store wants a password (redis://:PASSWORD@HOST)",
    "WRONGPASS": "the store refused the user name or password",
    "NOPASS": "the store has no password, and the URL gives one",
    "NOPERM": "the store does not let this user do what is needed (XADD, XTRIM, XRANGE, XREVRANGE, "
    "XREAD, XINFO, TIME, PING, HGETALL, HSETNX)",
    "WRONGTYPE": "the store holds something else than a stream under the stream's key",
    "OOM": "the store is out of memory (maxmemory with noeviction)",
    "READONLY": "the store is a read-only replica",
    "LOADING": "the store is loading its data",
    "MASTERDOWN": "the store is a replica without its primary",
    "MISCONF": "the store cannot write to its disk and refuses writes",
    "BUSY": "the store is busy with a script",
    "CLUSTERDOWN": "the store's cluster is down",
    "MOVED": "the store is a cluster node that does not hold this stream",
    "DENIED": "the store is in protected mode and refuses connections from here",
}


_FAILURES = (OSError, EOFError, hiredis.ProtocolError, TimeoutError)
_SENTENCES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (ssl.SSLError, "the store's certificate or TLS was not accepted"),
    (TimeoutError, "the store did not answer in time"),
    (ConnectionRefusedError, "the store refused the connection"),
    ((FileNotFoundError, PermissionError), "the store's socket is not there or not ours to use"),
    (socket.gaierror, "the store's host name cannot be resolved"),
    ((EOFError, ConnectionError), "the store closed the connection"),
    (hiredis.ProtocolError, "what answers there does not speak Redis's protocol"),
    (BaseException, "the store cannot be reached"),
)


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading an entry raises that another writer made; RecursionError where it is nested deep."""


class _Id(msgspec.Struct):
    id: str


_decode_id = msgspec.json.Decoder(_Id).decode


class Entry(msgspec.Struct, frozen=True):
    """An entry as it stands in a stream: not read yet, for nobody knows who wrote it."""

    key: str
    id: str
    fields: list[bytes]

    @property
    def at(self) -> float:
        """When it was appended, in Unix time by the store's clock."""
        return int(self.id.partition("-")[0]) / 1000

    def record(self) -> Record | None:
        """The Record in it; None for what is no record of this version."""
        fields = dict(zip(self.fields[::2], self.fields[1::2], strict=False))
        if fields.get(b"v", b"1") != b"1":
            return None
        try:
            record = decode_record(fields.get(b"record", b""))
        except _UNREADABLE:
            return None
        if record.started + record.duration <= self.at + AHEAD:
            return record
        return msgspec.structs.replace(record, started=self.at - record.duration)


class _Place(NamedTuple):
    """Where somebody stands in a shard: behind the entry `id`, the `number`-th that the stream ever
    had (-1: not known), after `missed` that were trimmed before they were read."""

    id: str = "0-0"
    number: int = -1
    missed: int = 0

    @classmethod
    def of(cls, text: str) -> _Place:
        id_, *counts = text.split("/")
        number, missed = map(int, counts) if len(counts) == 2 else (-1, 0)
        return cls(id_ or "0-0", number, missed)

    def __str__(self) -> str:
        return f"{self.id}/{self.number}/{self.missed}" if self.number >= 0 else self.id

    def seen(self, about: dict[bytes, Any]) -> _Place:
        """With what XINFO STREAM says before what stands behind is read."""
        added, first = about.get(b"entries-added"), about.get(b"first-entry")
        if added is None:
            return self  # Redis 6
        trimmed = added - about[b"length"]
        if self.id.encode() == about[b"last-generated-id"]:
            return self._replace(number=added)
        if added < self.number:  # another stream under that name
            return self._replace(number=trimmed)
        is_gap = first is None or _moment(first) > _moment([self.id.encode()])
        if not is_gap:
            return self
        gap = trimmed - self.number if self.number >= 0 else 0
        return self._replace(number=trimmed, missed=self.missed + max(0, gap))

    def moved(self, id_: str, count: int) -> _Place:
        """Behind `count` more entries, the last of which is this one."""
        return self._replace(id=id_, number=self.number + count if self.number >= 0 else -1)


class RedisStream:
    """The stream of one endpoint; one command at a time, connecting as needed.

    A failed command closes the connection; the next one opens another. There is no back-off in
    here: whoever calls again decides when.
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
        self.keys = tuple(f"monitor:{{{endpoint}:{shard}}}:records" for shard in range(shards))
        self.unreadable = 0
        self._fingerprints = f"monitor:{{{endpoint}:keys}}"
        self._address = parse_url(url)
        self._max_length = max_length
        self._max_age = max_age
        self._timeout = timeout
        self._connection: _Connection | None = None
        self._lock = asyncio.Lock()
        self._count = FIRST_PAGE

    async def append(self, records: Sequence[Record]) -> None:
        """Append all, in order of each shard, or raise StreamError.

        The error is ambiguous when some of the records may be in the stream. The time-out is for
        each WRITE_BYTES: large records take longer, and that is no failure.
        """
        commands: list[bytes] = []
        size = 0
        is_first = True
        for record in records:
            command = _pack(
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
                    with contextlib.suppress(*_UNREADABLE):
                        found.add(_decode_id(_document(fields)).id)
                end = b"(" + page[-1][0]
        return found

    async def next(
        self, after: str = "", *, limit: int = 500, block: float = 1.0
    ) -> tuple[str, list[Entry]]:
        """What came after position `after`, waiting up to `block` seconds: (position, entries).

        At most `limit` entries of each shard, and fewer where they are large. A position names the
        last entry read of each shard; the empty one is the beginning. No shard gets ahead of
        another that has more to give: what is caught up with comes about in order of time.
        """
        places = self._places(after)
        count = min(limit, self._count)
        found = await self._after(places, count)
        if not any(found) and len(places) == 1:
            found = [await self._wait(self.keys[0], places[0], count, block)]
        end = asyncio.get_running_loop().time() + block
        while not any(found) and len(places) > 1 and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(min(POLL, block))
            found = await self._after(places, count)
        unfinished = [_moment(entries[-1]) for entries in found if len(entries) >= count]
        until = min(unfinished, default=None)
        due: list[Entry] = []
        for shard, (key, entries) in enumerate(zip(self.keys, found, strict=True)):
            self._adapt(entries)
            here = [one for one in entries if until is None or _moment(one) <= until]
            if here:
                places[shard] = places[shard].moved(here[-1][0].decode(), len(here))
                due += [Entry(key, one.decode(), fields) for one, fields in here]
        return ",".join(map(str, places)), due

    async def _after(self, places: list[_Place], count: int) -> list[list[Any]]:
        """What stands after each place, at most `count` entries; the places learn what was trimmed.

        A command names one key: a Redis Cluster takes no other.
        """
        commands: list[bytes] = []
        for key, place in zip(self.keys, places, strict=True):
            commands.append(_pack("XINFO", "STREAM", key))
            commands.append(_pack("XREAD", "COUNT", count, "STREAMS", key, place.id))
        replies = await self._read_all(commands)
        found = []
        for shard, (about, entries) in enumerate(zip(replies[::2], replies[1::2], strict=True)):
            if not isinstance(about, hiredis.ReplyError):
                places[shard] = places[shard].seen(dict(zip(about[::2], about[1::2], strict=True)))
            elif not str(about).startswith(("ERR no such key", "NOPERM")):
                raise StreamError(_reason(about))
            found.append(_entries(entries))
        return found

    async def _wait(self, key: str, place: _Place, count: int, block: float) -> list[Any]:
        milliseconds = max(1, int(block * 1000))
        command = "XREAD", "COUNT", count, "BLOCK", milliseconds, "STREAMS", key, place.id
        (reply,) = await self._read_all([_pack(*command)], patience=block)
        return _entries(reply)

    async def read(
        self, after: str = "", *, start: float | None = None, end: float | None = None
    ) -> AsyncIterator[tuple[str, Record]]:
        """Yield `(position, record)` for what stands after `after`, shard by shard, then end.

        `start` and `end` keep the exchanges that began in this time (Unix seconds, end excluded).
        """
        positions = [place.id for place in self._places(after)]
        low = str(int(max(0.0, (start or 0.0) - CLOCK_MARGIN) * 1000))
        for shard, key in enumerate(self.keys):
            first = f"({positions[shard]}" if positions[shard] != "0-0" else low
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
        self, *, start: float | None = None, end: float | None = None
    ) -> AsyncIterator[tuple[str, Record]]:
        """Yield `(entry, record)` as `read` does, of each shard what was appended last first."""
        low = str(int(max(0.0, (start or 0.0) - CLOCK_MARGIN) * 1000))
        for key in self.keys:
            last = "+"
            while page := await self._page("XREVRANGE", key, last, low):
                for one, fields in page:
                    record = Entry(key, one.decode(), fields).record()
                    if record is None:
                        self.unreadable += 1
                    elif (start is None or record.started >= start) and (
                        end is None or record.started < end
                    ):
                        yield one.decode(), record
                last = "(" + page[-1][0].decode()

    async def fingerprints(self) -> dict[str, str]:
        """Key id → fingerprint of the keys that replicas of this endpoint have used."""
        flat = await self._call("HGETALL", self._fingerprints)
        texts = [item.decode("utf-8", "replace") for item in flat]
        return dict(zip(texts[::2], texts[1::2], strict=True))

    async def add_fingerprints(self, new: Mapping[str, str]) -> None:
        """Write those down whose key ids nobody has written yet."""
        for key_id, fingerprint in new.items():
            await self._call("HSETNX", self._fingerprints, key_id, fingerprint)

    async def ping(self) -> None:
        """Raise StreamError where the store is not there for us."""
        await self._call("PING")

    async def close(self) -> None:
        """Close the connection to the store."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _key(self, record_id: str) -> str:
        if len(self.keys) == 1:
            return self.keys[0]
        return self.keys[zlib.crc32(record_id.encode()) % len(self.keys)]

    def _places(self, after: str) -> list[_Place]:
        places = list(map(_Place.of, after.split(","))) if after else []
        return [*places, *[_Place()] * (len(self.keys) - len(places))][: len(self.keys)]

    async def _write(self, commands: list[bytes], *, is_first: bool) -> None:
        try:
            replies = await self._send(b"".join(commands), len(commands), writes=True)
        except StreamError as error:
            raise StreamError(str(error), ambiguous=error.ambiguous or not is_first) from None
        failures = [reply for reply in replies if isinstance(reply, hiredis.ReplyError)]
        if failures:
            some = len(failures) < len(replies) or not is_first
            raise StreamError(_reason(failures[0]), ambiguous=some)

    async def _page(self, *command: str | bytes | int) -> list[Any]:
        entries: list[Any] = await self._read(*command, "COUNT", self._count)
        self._adapt(entries)
        return entries

    async def _read(self, *command: str | bytes | int) -> Any:
        (reply,) = await self._read_all([_pack(*command)])
        if isinstance(reply, hiredis.ReplyError):
            self._count = 1
            raise StreamError(_reason(reply))
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
            largest = max(len(_document(fields)) for _, fields in entries)
            fitting = REPLY_BYTES // max(largest, 1)
            self._count = max(1, min(fitting, 2 * self._count, PAGE))

    async def _call(self, *command: str | bytes | int) -> Any:
        (reply,) = await self._send(_pack(*command), 1)
        if isinstance(reply, hiredis.ReplyError):
            raise StreamError(_reason(reply))
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
            except _FAILURES as error:
                raise StreamError(_failure(error), ambiguous=writes) from None
            finally:
                if not connection.is_idle:
                    connection.close()
                    self._connection = None

    async def _connected(self) -> _Connection:
        if self._connection is None:
            try:
                self._connection = await asyncio.wait_for(connect(self._address), self._timeout)
            except _FAILURES as error:
                raise StreamError(_failure(error)) from None
        return self._connection


# --- one connection ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """Where a store is: `path` of a Unix socket, or host and port."""

    host: str
    port: int
    path: str
    database: int
    username: str
    password: str
    tls: ssl.SSLContext | None


def parse_url(url: str) -> Address:
    """`redis://[[user]:password@]host[:port][/db]`, `rediss://…`, `unix://[…@]/path[?db=0]`.

    Options of `rediss`: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs=none`,
    `ssl_check_hostname=false`. Raises StreamError for anything else.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    database = options.get("db", "" if parts.scheme == "unix" else parts.path.strip("/")) or "0"
    try:
        port = parts.port or 6379
    except ValueError:
        raise StreamError("redis: the URL's port is not a number below 65536") from None
    if parts.scheme not in ("redis", "rediss", "unix") or not database.isdigit():
        raise StreamError("redis: is not a URL like redis://127.0.0.1:6379/0")
    return Address(
        host=parts.hostname or "localhost",
        port=port,
        path=unquote(parts.path) if parts.scheme == "unix" else "",
        database=int(database),
        username=unquote(parts.username or options.get("username", "")),
        password=unquote(parts.password or options.get("password", "")),
        tls=_tls(options) if parts.scheme == "rediss" else None,
    )


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
        if "ssl_certfile" in options:
            context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    except (OSError, ssl.SSLError):
        raise StreamError("redis: a certificate or key named in the URL cannot be used") from None
    if options.get("ssl_check_hostname", "").lower() in ("false", "no", "0"):
        context.check_hostname = False
    if options.get("ssl_cert_reqs", "").lower() == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = hiredis.Reader()
        self.is_idle = True

    async def exchange(self, data: bytes, count: int) -> list[Any]:
        """Send packed commands, return their replies; errors among them are values."""
        self.is_idle = False
        self._writer.write(data)
        replies: list[Any] = []
        while True:
            while len(replies) < count:
                reply = self._parser.gets()
                if reply is False:
                    break
                replies.append(reply)
            if len(replies) == count:
                self.is_idle = True
                return replies
            received = await self._reader.read(262144)
            if not received:
                raise EOFError
            self._parser.feed(received)

    def close(self) -> None:
        self._writer.transport.abort()


async def connect(address: Address) -> _Connection:
    """A connection that is logged in; raises OSError, EOFError, StreamError."""
    if address.path:
        reader, writer = await asyncio.open_unix_connection(address.path)
    else:
        name = address.host if address.tls else None
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=address.tls, server_hostname=name
        )
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection = _Connection(reader, writer)
    greeting: list[tuple[str | int, ...]] = []
    if address.password:
        user = (address.username,) if address.username else ()
        greeting.append(("AUTH", *user, address.password))
    if address.database:
        greeting.append(("SELECT", address.database))
    greeting.append(("PING",))
    try:
        packed = b"".join(_pack(*command) for command in greeting)
        replies = await connection.exchange(packed, len(greeting))
    except BaseException:
        connection.close()
        raise
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError):
            connection.close()
            raise StreamError(_reason(reply))
    return connection


def _moment(entry: list[Any]) -> tuple[int, int]:
    """When an entry was appended: milliseconds, and a number within them."""
    milliseconds, _, number = entry[0].partition(b"-")
    return int(milliseconds), int(number)


def missed(position: str) -> int:
    """How many records were trimmed before they were read up to a position, as far as is known.

    Exact for Redis 7 and Valkey where nobody deletes entries from the middle of a stream.

    >>> missed("1700000000000-5/120/20,1700000001000-0/7/0"), missed("1700000000000-5"), missed("")
    (20, 0, 0)
    """
    return sum(_Place.of(one).missed for one in position.split(","))


def time_of(position: str) -> float:
    """The store's Unix time up to which a position has read, infinite for the beginning.

    >>> time_of("1700000000000-5,1700000001000-0"), time_of("")
    (1700000001.0, inf)
    """
    starts = [one.partition("-")[0] for one in position.split(",")]
    moments = [int(start) / 1000 for start in starts if start.isdecimal() and start.isascii()]
    return max(moments, default=0.0) or math.inf


def _entries(reply: Any) -> list[Any]:
    """Those of the one stream in an answer to XREAD."""
    if isinstance(reply, hiredis.ReplyError):
        raise StreamError(_reason(reply))
    return reply[0][1] if reply else []


def _document(fields: list[bytes]) -> bytes:
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        if name == b"record":
            return value
    return b""


def _reason(error: Exception) -> str:
    """A closed sentence for an error reply, which may quote keys and arguments."""
    message = str(error)
    code = message.partition(" ")[0]
    if "invalid password" in message:  # Redis 5
        code = "WRONGPASS"
    if "without any password" in message or "no password is set" in message:
        code = "NOPASS"
    if "DB index" in message:
        return "the store does not have that database number"
    return _REFUSALS.get(code, f"the store answered with an error ({code[:20] or 'empty'})")


def _failure(error: BaseException) -> str:
    return next(text for kind, text in _SENTENCES if isinstance(error, kind))


def _pack(*command: str | bytes | int) -> bytes:
    packed: bytes = hiredis.pack_command(cast(Any, command))
    return packed
