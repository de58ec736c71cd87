"""What analyzers that stand by have seen of Records → the store → the one that owns the endpoint.

Beside the stream of each shard stands a short one, `monitor:{ENDPOINT:SHARD}:looks`. The id of an
entry there is that of the last Record that was looked at, so the store refuses what comes late or
twice, and who has read up to a place asks for what ends behind it. That place is
`monitor:{ENDPOINT:SHARD}:judged`, with what must be common to both. Both are gone `LIVES` seconds
after the last that was written.

The hash `monitor:{ENDPOINT}:lookers` says who looks at which shard: `@NAME` is how often somebody
has written there, and the number of a shard names who has it. Nothing but time rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import hiredis

from monitor.errors import StreamError
from monitor.streams.connection import Command, entries_of, refusal
from monitor.streams.shards import is_position, key_of
from monitor.streams.store import Store

LIVES = 30
"""Seconds after which what nobody writes to any more is gone."""

MOST, AT_ONCE = 16, 4
"""Looks of a shard that stand in the store, at most: the newest ones; and that are read at once."""

MEMBER = "@"
"""What the field of somebody who looks begins with, among the numbers of shards."""


def beside(key: str, name: str) -> str:
    """Return the key of what stands beside the stream of a shard.

    >>> beside("monitor:{bot:2}:records", "looks")
    'monitor:{bot:2}:looks'
    """
    return key.removesuffix("records") + name


def members_of(endpoint: str) -> str:
    """Return the key of the hash that says who looks at which shard."""
    return f"monitor:{{{endpoint}}}:lookers"


class Looks:
    """The looks of one endpoint, over the connections of who reads its stream. Methods raise
    StreamError where the store is away."""

    def __init__(self, endpoint: str, store: Store) -> None:
        self._endpoint = endpoint
        self._members = members_of(endpoint)
        self._store = store

    @property
    def connected(self) -> int:
        """How many connections were made so far: each may lead to another store."""
        return self._store.connected

    async def are_there(self) -> bool:
        """Whether somebody stands by and looks at shards ahead of the owner."""
        (reply,) = await self._store.ask([Command.of(self._members, "EXISTS", self._members)])
        return bool(reply == 1)

    async def take(
        self, judged: Mapping[str, str], behind: Mapping[str, str], about: str
    ) -> dict[str, list[tuple[bytes, bytes]]]:
        """Say up to where shards are judged, by key, and by whom; return the looks (last id, what
        was seen) that end behind other places, in order."""
        commands = [
            Command.of(key, "SET", beside(key, "judged"), f"{place} {about}", "EX", LIVES)
            for key, place in judged.items()
        ]
        for key, place in behind.items():
            looks = beside(key, "looks")
            commands.append(Command.of(key, "XRANGE", looks, f"({place}", "+", "COUNT", AT_ONCE))
        replies = await self._store.ask(commands)
        return {
            key: [] if _is_refusal(found) else [
                (last, fields[1]) for last, fields in found if len(fields) == 2
            ]
            for key, found in zip(behind, replies[len(judged):], strict=True)
        }  # fmt: skip

    async def judged(self, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Up to where the owner has judged, and what it is about, by the key of a shard; those of
        which nobody says so are left out."""
        asked = [Command.of(key, "GET", beside(key, "judged")) for key in keys]
        replies = await self._store.ask(asked)
        return {
            key: (place, about)
            for key, said in zip(keys, replies, strict=True)
            for place, about in _said(said)
            if is_position(place) and place
        }

    async def behind(self, places: Mapping[str, tuple[str, int]]) -> dict[str, list[Any]]:
        """What stands behind places of shards, by key: of each so many entries (id, fields), at
        most."""
        replies = await self._store.ask(
            [
                Command.of(key, "XREAD", "COUNT", count, "STREAMS", key, place)
                for key, (place, count) in places.items()
            ]
        )
        return {
            key: [] if _is_refusal(found) else entries_of(found)
            for key, found in zip(places, replies, strict=True)
        }

    async def put(self, key: str, last: str, seen: bytes, most: int = MOST) -> bool:
        """Leave a look at a shard up to the entry `last`, of which the newest so many are kept;
        whether it is there now, for another one may reach as far already."""
        looks = beside(key, "looks")
        add = Command.of(key, "XADD", looks, "MAXLEN", most, last, "look", seen)
        (added,) = await self._store.ask([add])
        if _is_refusal(added):
            return False
        await self._store.ask([Command.of(key, "EXPIRE", looks, LIVES)])
        return True

    async def members(self) -> dict[str, str]:
        """The hash that says who looks at which shard."""
        (reply,) = await self._store.ask([Command.of(self._members, "HGETALL", self._members)])
        if _is_refusal(reply):
            raise StreamError(refusal(reply))
        texts = [one.decode(errors="replace") for one in reply]
        return dict(zip(texts[::2], texts[1::2], strict=True))

    async def enter(self, fields: Mapping[str, str | int], gone: Sequence[str] = ()) -> None:
        """Write fields of that hash, and remove others."""
        commands = []
        if fields:
            pairs = [part for pair in fields.items() for part in pair]
            commands.append(Command.of(self._members, "HSET", self._members, *pairs))
        if gone:
            commands.append(Command.of(self._members, "HDEL", self._members, *gone))
        commands.append(Command.of(self._members, "EXPIRE", self._members, LIVES))
        await self._store.ask(commands)

    def key(self, shard: int) -> str:
        """Return the key of the stream of a shard, whose looks stand beside it."""
        return key_of(self._endpoint, shard)


def _said(reply: Any) -> list[list[str]]:
    words = reply.decode(errors="replace").split(" ") if type(reply) is bytes else []
    return [words] if len(words) == 2 else []


def _is_refusal(reply: Any) -> bool:
    return isinstance(reply, hiredis.ReplyError)
