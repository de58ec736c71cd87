"""Commands that name a key → replies of the node that holds it, over connections that are kept.

A store of one node gets all commands in one write. In a cluster each node gets its own in one
write; what has moved meanwhile is sent where it is now (MOVED, ASK). Nothing else is sent twice: a
node that has not answered may have done what it was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, NamedTuple, TypeVar

import hiredis

from monitor.errors import StreamError
from monitor.streams.address import Address, parse_url
from monitor.streams.connection import (
    FAILURES,
    GONE,
    Command,
    Connection,
    code_of,
    connect,
    failure,
    pack,
    refusal,
)
from monitor.streams.topology import Topology

REDIRECTIONS = 16
"""How often commands are sent on before the store counts as away."""
MOVING = 0.05
"""Seconds until keys that are moved one after the other may be together again."""
COPIED, LEAST = 500, 15
"""Milliseconds that a replica may take to have what was written. Half of it after each time that
none had it, down to the least: replicas may be gone, and the primary is not."""
SHARE = 4
"""Nodes that can be asked for the topology within the time-out."""

_REDIRECTING = ("MOVED", "ASK", "TRYAGAIN")
_ASKING = pack("ASKING")


T = TypeVar("T")


class Store:
    """The store at a URL; one `ask` at a time, connecting as needed.

    What fails closes the connection; the next `ask` opens another. There is no back-off in here:
    whoever calls again decides when.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._topology = Topology(parse_url(url), timeout / SHARE)
        self._timeout = timeout
        self._connections: dict[tuple[str, int], Connection] = {}
        self._lock = asyncio.Lock()
        self._copied_within = COPIED
        self.connected = 0
        """How many connections were made so far: each may lead to another store."""

    @property
    def is_cluster(self) -> bool:
        """Whether the store is known to be a cluster, whose nodes answer when they like."""
        return self._topology.is_cluster

    async def ask(
        self,
        commands: Sequence[Command],
        *,
        writes: bool = False,
        is_transaction: bool = False,
        patience: float = 0.0,
    ) -> list[Any]:
        """Send commands and return their replies, errors among them as values; or raise
        StreamError, which is ambiguous where some of what `writes` may have been done.

        Writes are answered once a replica has them, too, as far as there is one. Commands of a
        transaction name one key, and are sent on together. `patience`: seconds that the store may
        take on purpose.
        """
        async with self._lock:
            try:
                replies = await self._routed(commands, writes, is_transaction, patience)
            except StreamError:
                self._forget()
                raise
            if any(isinstance(one, hiredis.ReplyError) and code_of(one) in GONE for one in replies):
                self._forget()
            return replies

    async def keys(self, pattern: str, *, most: int, at_once: int) -> list[bytes]:
        """Return the keys like this among the first `most` of each node; or raise StreamError."""
        found: list[bytes] = []
        async with self._lock:
            if not self._topology.is_cluster:
                await self._connected(await self._found(""))  # it may say that it is one
            for node in await self._told(self._topology.nodes()):
                cursor = b"0"
                for _ in range(most // at_once):
                    scan = pack("SCAN", cursor, "MATCH", pattern, "COUNT", at_once)
                    (reply,) = await self._exchange(node, scan, 1, writes=False, patience=0.0)
                    if isinstance(reply, hiredis.ReplyError):
                        raise StreamError(refusal(reply))
                    cursor, some = reply
                    found += some
                    if cursor == b"0":
                        break
        return found

    async def close(self) -> None:
        """Close the connections to the store."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _forget(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._topology.forget()

    async def _routed(
        self, commands: Sequence[Command], writes: bool, is_transaction: bool, patience: float
    ) -> list[Any]:
        replies: list[Any] = [None] * len(commands)
        due = list(range(len(commands)))
        asked: dict[int, Address] = {}
        for _ in range(REDIRECTIONS):
            was_done = writes and len(due) < len(commands)
            try:
                groups = await self._grouped(commands, due, asked)
                came = await asyncio.gather(
                    *(
                        self._group(one, commands, writes, is_transaction, patience)
                        for one in groups
                    ),
                    return_exceptions=True,
                )
                found = _whole(came, writes)
            except StreamError as error:
                raise StreamError(str(error), ambiguous=error.ambiguous or was_done) from None
            due, asked = [], {}
            is_moving = False
            for group, said in zip(groups, found, strict=True):
                sent_on: list[tuple[int, str]] = []
                for place, reply in zip(group.places, said, strict=True):
                    replies[place] = reply
                    if isinstance(reply, hiredis.ReplyError) and code_of(reply) in _REDIRECTING:
                        sent_on.append((place, str(reply)))
                if sent_on and is_transaction:
                    sent_on = [(place, sent_on[0][1]) for place in group.places]
                for place, text in sent_on:
                    due.append(place)
                    is_moving |= text.startswith("TRYAGAIN")
                    node = self._learned(text, group.node)
                    if text.startswith("ASK") or (group.is_asking and node is group.node):
                        asked[place] = node
            if not due:
                return replies
            due.sort()
            if is_moving:
                await asyncio.sleep(MOVING)
        raise StreamError(refusal(replies[due[0]]), ambiguous=writes and len(due) < len(commands))

    def _learned(self, text: str, node: Address) -> Address:
        """Where a node's redirection leads: `MOVED SLOT HOST:PORT`, `ASK SLOT HOST:PORT`; to the
        same node again after `TRYAGAIN`."""
        kind, slot, where, *_ = [*text.split(), "", ""]
        if kind == "TRYAGAIN":
            return node
        host, _, port = where.rpartition(":")
        if kind == "MOVED":
            self._topology.moved(int(slot), host.strip("[]"), int(port), node.host)
        return self._topology.at(host.strip("[]") or node.host, int(port))

    async def _grouped(
        self, commands: Sequence[Command], due: list[int], asked: dict[int, Address]
    ) -> list[_Group]:
        """Those that are due by the node that they go to, in order."""
        if not self._topology.is_cluster:
            node = await self._found("")
            await self._connected(node)
            if not self._topology.is_cluster:  # else it has just said so
                return [_Group(node, False, due)]
        groups: dict[tuple[str, int, bool], _Group] = {}
        homes: dict[str, list[int]] = {}
        for place in due:
            key = commands[place].key
            if key in homes and place not in asked:
                homes[key].append(place)
                continue
            node = asked.get(place) or await self._found(key)
            group = _Group(node, place in asked, [])
            group = groups.setdefault((node.host, node.port, group.is_asking), group)
            group.places.append(place)
            if not group.is_asking:
                homes[key] = group.places
        return list(groups.values())

    async def _group(
        self,
        group: _Group,
        commands: Sequence[Command],
        writes: bool,
        is_transaction: bool,
        patience: float,
    ) -> list[Any]:
        """The replies of one node."""
        data = [commands[place].data for place in group.places]
        if group.is_asking:
            # It is for one command, and for a whole transaction.
            data = [_ASKING, *data] if is_transaction else [_ASKING + one for one in data]
        count = len(group.places)
        expected = count + (1 if is_transaction else count) * group.is_asking
        is_copied = writes and self._topology.is_replicated
        if is_copied:
            data.append(pack("WAIT", 1, self._copied_within))
        replies = await self._exchange(
            group.node, b"".join(data), expected + is_copied, writes=writes, patience=patience
        )
        if is_copied and isinstance(copies := replies.pop(), int):
            self._copied_within = COPIED if copies else max(LEAST, self._copied_within // 2)
        if group.is_asking:
            replies = replies[1:] if is_transaction else replies[1::2]
        return replies

    async def _exchange(
        self, node: Address, data: bytes, count: int, *, writes: bool, patience: float
    ) -> list[Any]:
        connection = await self._connected(node)
        try:
            return await asyncio.wait_for(
                connection.exchange(data, count), self._timeout + patience
            )
        except FAILURES as error:
            raise StreamError(failure(error), ambiguous=writes) from None
        finally:
            if not connection.is_idle:
                connection.close()
                self._connections.pop((node.host, node.port), None)

    async def _connected(self, node: Address) -> Connection:
        connection = self._connections.get((node.host, node.port))
        if connection is not None:
            return connection
        connection = await self._told(connect(node))
        if node.sentinels and connection.facts.get(b"role", b"master") != b"master":
            connection.close()
            raise StreamError("the store that the sentinels name is no primary yet")
        if connection.facts.get(b"mode") == b"cluster":
            self._topology.is_a_cluster()
        self._connections[node.host, node.port] = connection
        self.connected += 1
        return connection

    async def _found(self, key: str) -> Address:
        return await self._told(self._topology.node(key))

    async def _told(self, asked: Awaitable[T]) -> T:
        try:
            return await asyncio.wait_for(asked, self._timeout)
        except FAILURES as error:
            raise StreamError(failure(error)) from None


class _Group(NamedTuple):
    """What goes to one node: the places of commands; `is_asking` where that does not hold their
    key yet."""

    node: Address
    is_asking: bool
    places: list[int]


def _whole(found: Sequence[list[Any] | BaseException], writes: bool) -> list[list[Any]]:
    """What nodes said, or the first error among it, raised."""
    failed = [one for one in found if isinstance(one, StreamError)]
    replies: list[list[Any]] = []
    for one in found:
        if not isinstance(one, BaseException):
            replies.append(one)
        elif not isinstance(one, StreamError):
            raise one
    if failed:
        was_done = len(failed) < len(found) or any(one.ambiguous for one in failed)
        raise StreamError(str(failed[0]), ambiguous=writes and was_done)
    return replies
