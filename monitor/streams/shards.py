"""Shards of a stream: their keys, who has which Record, and in which order they are read.

The set `monitor:{ENDPOINT}:shards` has the numbers of all that were ever written to. Who writes to
several lists them there first, and who reads looks there behind each page. Where more are listed
than were read, the page is read anew with them. Else all that comes to other shards comes after
that look, so the number of shards may change at any time, and what is read stays in one order.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import hiredis

from monitor.errors import StreamError
from monitor.streams.connection import Command, refusal
from monitor.streams.entries import LARGEST, ShardPosition, moment

MOST_SHARDS = 1024
SETTLING = 1000
"""Milliseconds by which an entry is ahead of the store's clock, at most, if it is of now; more, and
the clock was put back."""
LISTED_BEFORE = 0.002
"""Seconds between the listing of a shard and its first entry, which then has a later id than any
that was read before the listing."""

_PLACE = re.compile(r"(\d{1,20})-(\d{1,20})(?:/(\d{1,20})/(\d{1,20}))?", re.ASCII).fullmatch
is_identity = re.compile(rb"[0-9a-f]{32}").fullmatch
GROUP = "monitor"
"""The consumer group whose lag is that of the analysis."""


def key_of(endpoint: str, shard: int) -> str:
    """Return the key of a shard.

    >>> key_of("bot", 2)
    'monitor:{bot:2}:records'
    """
    return f"monitor:{{{endpoint}:{shard}}}:records"


def list_of(endpoint: str) -> str:
    """Return the key of the set that lists the shards of an endpoint."""
    return f"monitor:{{{endpoint}}}:shards"


def identity_of(endpoint: str) -> str:
    """Return the key by whose value a store is told from others of an endpoint."""
    return f"monitor:{{{endpoint}}}:identity"


def shard_of(record_id: str, shards: int) -> int:
    """Return the number of the shard, of so many, that has a Record."""
    return zlib.crc32(record_id.encode()) % shards if shards > 1 else 0


def likely(record_id: str, shards: int, read: int) -> list[int]:
    """Return the shards of those that are read in which a Record may be: the one where it is
    written now, and those where it was with any other number of shards.

    >>> likely("q", 2, 3)
    [1, 2, 0]
    """
    counts = (shards, *range(read, 0, -1))
    return list(dict.fromkeys(shard_of(record_id, count) for count in counts))


def listed(reply: Any) -> int:
    """Return how many shards are listed, by the answer to SCARD; 0 to who may not ask. Raises
    StreamError for another refusal."""
    if not isinstance(reply, hiredis.ReplyError):
        return min(int(reply), MOST_SHARDS)
    if str(reply).startswith("NOPERM"):
        return 0
    raise StreamError(refusal(reply))


def groups(verb: str, keys: Sequence[str], position: str) -> list[Command]:
    """Return commands that create, or put, the group of each shard behind what was read of it."""
    commands = []
    for key, place in zip(keys, positions_of(position, len(keys)), strict=True):
        read = ("ENTRIESREAD", place.number) if place.number >= 0 else ()
        commands.append(Command.of(key, "XGROUP", verb, key, GROUP, place.id, *read))
    return commands


def positions_of(after: str, shards: int) -> list[ShardPosition]:
    """Return the places in so many shards that a position names, the beginning of those it does
    not."""
    named = list(map(ShardPosition.of, after.split(","))) if after else []
    return [*named, *[ShardPosition()] * (shards - len(named))][:shards]


def is_position(text: str) -> bool:
    """Whether a text is a position: what was saved may be damaged, or written by somebody else.

    >>> [is_position(one) for one in ("", "5-1", "5-1/7/0,0-0", "5-1/-7/0", "garbage", "9" * 30)]
    [True, True, True, False, False, False]
    """
    if not text:
        return True
    named = text.split(",")
    return len(named) <= MOST_SHARDS and all(
        (found := _PLACE(one)) is not None
        and all(int(number) <= LARGEST for number in found.groups(default="0"))
        for one in named
    )


def checked(position: str, *, counted: int = 0) -> str:
    """Return what was saved as a position; raises ValueError where it is none, or says nothing
    although so much was `counted` up to it."""
    if not is_position(position) or (counted and not position):
        raise ValueError
    return position


def settled(entries: list[Any], now: int | None) -> list[Any]:
    """Return those before which nothing can come any more to another shard, with the store's clock
    at `now` (milliseconds) before they were read. All where there is one shard.

    Where the clock was put back entries are ahead of it, for hours perhaps: they are not waited
    for.
    """
    if now is None or not entries or moment(entries[-1][0])[0] < now:
        return entries
    return list(takewhile(lambda one: not now <= moment(one[0])[0] <= now + SETTLING, entries))
