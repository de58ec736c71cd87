"""Key → the node of the store that holds it: the one there is, the primary that the sentinels name,
or the primary of the key's slot in a cluster.

Which node that is, redis-py says: it reads the cluster's map, and asks the sentinels. What is sent
there goes over connections of its user's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from monitor.errors import StreamError
from monitor.streams.address import Address

Node = tuple[str, int]
"""Host and port."""

SEEDS = 64
"""Nodes of a cluster that are asked for its map, at most."""


class Topology:
    """Where the keys of a store are, as far as it has been found out.

    `timeout` in seconds is for one node to answer; nodes are asked one after the other.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._seeds: list[Node] = [(address.host, address.port)]
        self._is_cluster = False
        self._master: Address | None = None
        self._map: dict[int, list[Node]] | None = None
        self._moved: dict[int, Node] = {}

    @property
    def is_cluster(self) -> bool:
        """Whether the store is known to be a cluster."""
        return self._is_cluster

    @property
    def is_replicated(self) -> bool:
        """Whether another node takes over where the primary is gone."""
        return self._is_cluster or bool(self._address.sentinels)

    def is_a_cluster(self) -> None:
        """Learn that the store is a cluster."""
        self._is_cluster = True

    async def nodes(self) -> list[Address]:
        """Return the addresses of all primaries that are known; raises StreamError as `node`."""
        if not self._is_cluster:
            return [await self.node("")]
        known = await self._look()
        primaries = {nodes[0] for nodes in known.values()} or {self._seeds[0]}
        return [self.at(*one) for one in sorted({*primaries, *self._moved.values()})]

    async def node(self, key: str) -> Address:
        """Return the address of the primary that holds a key; raises StreamError where nobody says
        which."""
        if self._address.sentinels:
            if self._master is None:
                self._master = await self._named_by_sentinels()
            return self._master
        if not self._is_cluster:
            return self._address
        slot = slot_of(key)
        if slot not in self._moved:
            known = await self._look()
            # Who may not see the map is told by any node where to go instead.
            self._moved[slot] = known.get(slot, self._seeds)[0]
        return self.at(*self._moved[slot])

    def moved(self, slot: int, host: str, port: int, by: str) -> None:
        """Learn where a slot is now, by what the node at host `by` said."""
        self._is_cluster = True
        self._moved[slot] = host or by, port

    def at(self, host: str, port: int) -> Address:
        """Return the address of a node of this store."""
        return replace(self._address, host=host, port=port)

    def forget(self) -> None:
        """Ask again who holds what: a node is gone, or is no primary any more."""
        known = [node for nodes in (self._map or {}).values() for node in nodes]
        first, *others = dict.fromkeys([*self._seeds, *self._moved.values(), *known])
        self._seeds = [*others, first][:SEEDS]
        self._moved.clear()
        self._master = self._map = None

    async def _look(self) -> dict[int, list[Node]]:
        """Return the cluster's map, read unless it is known; empty for who may not see it."""
        if self._map is not None:
            return self._map
        # 8 MB, for who has a cluster
        from redis.asyncio.cluster import ClusterNode, NodesManager
        from redis.exceptions import RedisClusterException, RedisError

        login = self._login()
        if login.pop("ssl", False):
            from redis.asyncio.connection import SSLConnection

            login["connection_class"] = SSLConnection
        seeds = [ClusterNode(host, port, **login) for host, port in self._seeds]
        manager = NodesManager(seeds, False, login)
        try:
            await manager.initialize()
        except (RedisClusterException, RedisError) as error:
            if not _is_refused(error):
                raise StreamError("no node of the store's cluster answers") from None
        finally:
            await manager.aclose()
            await manager.aclose("startup_nodes")
        ranges: dict[int, list[Node]] = {}
        for nodes in manager.slots_cache.values():
            if id(nodes) not in ranges:
                ranges[id(nodes)] = [(node.host, int(node.port)) for node in nodes]
        self._map = {slot: ranges[id(nodes)] for slot, nodes in manager.slots_cache.items()}
        return self._map

    async def _named_by_sentinels(self) -> Address:
        from redis.asyncio.sentinel import Sentinel
        from redis.exceptions import RedisError

        address = self._address
        login = self._login()
        login |= {"username": address.sentinel_username, "password": address.sentinel_password}
        sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
            address.sentinels, sentinel_kwargs=login
        )
        try:
            return self.at(*await sentinel.discover_master(address.service))
        except RedisError:
            raise StreamError(
                "no sentinel of the store answers and knows a primary of that service "
                "(redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB)"
            ) from None
        finally:
            await sentinel.aclose()

    def _login(self) -> dict[str, Any]:
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        return options_of(self._address.plain) | {
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": self._timeout,
            "socket_connect_timeout": self._timeout,
        }


def options_of(url: str) -> dict[str, Any]:
    """What redis-py reads in a URL, but for where it leads."""
    from redis.asyncio.connection import SSLConnection, parse_url

    options: dict[str, Any] = {**parse_url(url)}
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    for name in ("host", "port", "db", "path"):
        options.pop(name, None)
    return options


def slot_of(key: str) -> int:
    """The slot of a cluster to which a key belongs, by its hash tag."""
    from redis.crc import key_slot

    return key_slot(key.encode())


def _is_refused(error: BaseException | None) -> bool:
    """Whether a node answered, and did not let this user see the map."""
    from redis.exceptions import ResponseError

    while error is not None and not isinstance(error, ResponseError):
        error = error.__cause__ or error.__context__
    return error is not None
