"""URL of a store → a connection that speaks RESP2; each way to fail is a closed sentence."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis

from monitor.errors import StreamError

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close is a reset

_REFUSALS = {
    "NOAUTH": "the store wants a password (redis://:PASSWORD@HOST)",
    "WRONGPASS": "the store refused the user name or password",
    "NOPASS": "the store has no password, and the URL gives one",
    "NOPERM": "the store does not let this user do what is needed (XADD, XTRIM, XRANGE, XREVRANGE, "
    "XREAD, XINFO, XGROUP, TIME, PING, EXISTS, SADD, SCARD, HGETALL, HSETNX, MULTI, EXEC)",
    "WRONGTYPE": "the store holds something else than a stream under the stream's key, or no set "
    "under that of its shards",
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


FAILURES = (OSError, EOFError, hiredis.ProtocolError, TimeoutError)
"""What connecting and exchanging raise where the store is not there for us."""

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


class Connection:
    """A connection to a store, whose replies are parsed as they come; `is_idle` unless one is due.

    RESP2 by hand, for two things that a client library hides: a batch is one write and one parse,
    and a connection is closed by a reset. The server drops a reset connection at its next answer to
    it, with the commands that it has not read: a frozen one does not go on, when it thaws, with
    what the next connection has already looked for and not found.
    """

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
        """Reset the connection, so that the server forgets what it has not read."""
        self._writer.transport.abort()


async def connect(address: Address) -> Connection:
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
    connection = Connection(reader, writer)
    greeting: list[tuple[str | int, ...]] = []
    if address.password:
        user = (address.username,) if address.username else ()
        greeting.append(("AUTH", *user, address.password))
    if address.database:
        greeting.append(("SELECT", address.database))
    greeting.append(("PING",))
    try:
        packed = b"".join(pack(*command) for command in greeting)
        replies = await connection.exchange(packed, len(greeting))
    except BaseException:
        connection.close()
        raise
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError):
            connection.close()
            raise StreamError(refusal(reply))
    return connection


def refusal(error: Exception) -> str:
    """A closed sentence for an error reply, which may quote keys and arguments."""
    message = str(error)
    code = message.partition(" ")[0]
    if "invalid password" in message:  # Redis 5
        code = "WRONGPASS"
    says_none = "without any password" in message or "no password is set" in message
    if says_none and code != "DENIED":  # in protected mode no password is set either
        code = "NOPASS"
    if "DB index" in message:
        return "the store does not have that database number"
    return _REFUSALS.get(code, f"the store answered with an error ({code[:20] or 'empty'})")


def failure(error: BaseException) -> str:
    """A closed sentence for one of `FAILURES`, which may quote addresses."""
    return next(text for kind, text in _SENTENCES if isinstance(error, kind))


def pack(*command: str | bytes | int) -> bytes:
    """Return a command as it is sent."""
    packed: bytes = hiredis.pack_command(cast(Any, command))
    return packed


def milliseconds(reply: Any) -> int:
    """Return the store's clock, by its answer to TIME; raises StreamError for a refusal."""
    if isinstance(reply, hiredis.ReplyError):
        raise StreamError(refusal(reply))
    seconds, microseconds = reply
    return int(seconds) * 1000 + int(microseconds) // 1000


def entries_of(reply: Any) -> list[Any]:
    """Return the entries of the one stream in an answer to XREAD; raises as `milliseconds`."""
    if isinstance(reply, hiredis.ReplyError):
        raise StreamError(refusal(reply))
    return reply[0][1] if reply else []
