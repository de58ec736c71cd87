"""Address of a store → a connection that speaks RESP2; each way to fail is a closed sentence."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import Any, NamedTuple, cast

import hiredis

from monitor.errors import StreamError
from monitor.streams.address import Address

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close is a reset

ROLE = "+@connection +@read +@write +@stream +@scripting +@transaction +time -@dangerous"
"""What a user of the store must be allowed, on keys `~monitor:*`."""

_REFUSALS = {
    "NOAUTH": "the store wants a password (redis://:PASSWORD@HOST)",
    "WRONGPASS": "the store refused the user name or password",
    "NOPASS": "the store has no password, and the URL gives one",
    "NOPERM": f"the store does not let this user do what is needed (~monitor:* {ROLE})",
    "WRONGTYPE": "the store holds something else than a stream, or than the hash or set that "
    "belongs there, under a key of this endpoint: somebody else has written to it; delete that key",
    "OOM": "the store is out of memory (maxmemory with noeviction): give it more, or let it keep "
    "less (stream.max_length, stream.max_age)",
    "READONLY": "the store is a read-only replica",
    "LOADING": "the store is loading its data",
    "MASTERDOWN": "the store is a replica without its primary",
    "MISCONF": "the store cannot write to its disk and refuses writes",
    "NOREPLICAS": "the store has too few replicas in step and refuses writes "
    "(min-replicas-to-write)",
    "BUSY": "the store is busy with a script",
    "UNBLOCKED": "the store has become a replica",
    "CLUSTERDOWN": "the store's cluster is down, or a part of it is",
    "TRYAGAIN": "the store's cluster is moving this endpoint's keys to another node",
    "ASK": "the store's cluster is moving this endpoint's keys to another node",
    "MOVED": "the store's cluster has moved this endpoint's keys to another node",
    "DENIED": "the store is in protected mode and refuses connections from here",
}

GONE = frozenset(
    ("READONLY", "LOADING", "MASTERDOWN", "UNBLOCKED", "CLUSTERDOWN", "NOAUTH", "WRONGPASS")
)
"""Refusals after which another connection may find a store that does not refuse: where names are
looked up again, cluster or sentinels asked again who is the primary, and the login is made anew."""

_NO_CERTIFICATE = (
    "the store closed the connection: it may want another certificate of its client (ssl_certfile, "
    "ssl_keyfile), or have as many clients as it takes (maxclients)"
)

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
        self.said: list[Any] = []
        """Replies to what was sent last, as far as they have come."""
        self.facts: dict[bytes, Any] = {}
        """What the server says of itself (HELLO): `mode`, `role`; empty where it does not."""

    async def exchange(self, data: bytes, count: int) -> list[Any]:
        """Send packed commands, return their replies; errors among them are values. Raises one of
        `FAILURES` where the connection breaks, as EOFError."""
        self.is_idle = False
        self._writer.write(data)
        replies: list[Any] = []
        self.said = replies
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
    greeting += (("PING",), ("HELLO",))
    try:
        packed = b"".join(pack(*command) for command in greeting)
        replies = await connection.exchange(packed, len(greeting))
    except BaseException as error:
        connection.close()
        for reply in connection.said:  # some servers say why they close a connection
            if isinstance(reply, hiredis.ReplyError) and isinstance(error, FAILURES):
                raise StreamError(refusal(reply)) from None
        if address.tls is not None and isinstance(error, (EOFError, ConnectionError)):
            raise StreamError(_NO_CERTIFICATE) from None
        raise
    *replies, about = replies
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError):
            connection.close()
            raise StreamError(refusal(reply))
    if isinstance(about, list):  # proxies and servers before Redis 6 know no HELLO
        connection.facts = dict(zip(about[::2], about[1::2], strict=False))
    return connection


def refusal(error: Exception) -> str:
    """A closed sentence for an error reply, which may quote keys and arguments."""
    message = str(error)
    code = code_of(error)
    if "invalid password" in message:  # Redis 5
        code = "WRONGPASS"
    says_none = "without any password" in message or "no password is set" in message
    if says_none and code != "DENIED":  # in protected mode no password is set either
        code = "NOPASS"
    if "SELECT is not allowed in cluster mode" in message:
        return "the store is a cluster, which has database 0 alone: end the URL in /0"
    if "is not an integer" in message:
        return (
            "a key of this endpoint holds something else than the number that belongs there: "
            "somebody else has written to it; delete that key"
        )
    if "exhausted the last possible ID" in message:
        return (
            "the stream's last id is used up, because somebody else has written an entry with it: "
            "delete that entry, and set the id back (XDEL, XSETID)"
        )
    if "max number of clients" in message:
        return (
            "the store has as many clients as it takes (maxclients): give it room for more, or "
            "close some"
        )
    if "DB index" in message:
        return "the store does not have that database number"
    return _REFUSALS.get(code, f"the store answered with an error ({code[:20] or 'empty'})")


def code_of(error: Exception) -> str:
    """Return the first word of an error reply, which says what kind it is."""
    return str(error).partition(" ")[0]


def failure(error: BaseException) -> str:
    """A closed sentence for one of `FAILURES`, which may quote addresses."""
    return next(text for kind, text in _SENTENCES if isinstance(error, kind))


def pack(*command: str | bytes | int) -> bytes:
    """Return a command as it is sent."""
    packed: bytes = hiredis.pack_command(cast(Any, command))
    return packed


class Command(NamedTuple):
    """A command as it is sent, and the key by which its node is found."""

    key: str
    data: bytes

    @classmethod
    def of(cls, key: str, *parts: str | bytes | int) -> Command:
        """Return the command of these parts, packed as RESP."""
        return cls(key, pack(*parts))


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
