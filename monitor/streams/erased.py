"""Entries that were deleted on request ↔ the sorted set of their ids beside a stream.

Redis counts what was ever appended and what is there; it does not say whether the rest was trimmed
or deleted. A reader who comes later asks here, so that nobody takes for lost what was erased. While
nothing is deleted behind its place, as the store says itself, it costs a reader nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from monitor.streams.entries import ERASED, ShardPosition, moment, sortable

Call = Callable[..., Awaitable[Any]]
"""Sends a command, whose second word is a key; returns its answer."""

PAGE = 1000
"""Ids that are asked for at a time."""


def beside(key: str) -> str:
    """Return the key of the set beside a stream; both are in one slot of a cluster.

    >>> beside("monitor:{bot:0}:records")
    'monitor:{bot:0}:records:erased'
    """
    return f"{key}:erased"


async def noted(
    call: Call,
    key: str,
    place: ShardPosition,
    about: dict[bytes, Any],
    again: Callable[[], Awaitable[dict[bytes, Any]]],
) -> dict[bytes, Any]:
    """Return what XINFO STREAM says `about` a stream, or says `again` if something is erased right
    now, with how many entries behind a place were."""
    last = about.get(b"max-deleted-entry-id", b"0-0")
    while about and moment(last) > moment(place.id.encode()):
        count = "ZLEXCOUNT", beside(key), f"({sortable(place.id)}", "+"
        before = await call(*count)
        about = await again()
        if about and await call(*count) == before:
            return {**about, ERASED: before}
    return about


async def passed(call: Call, key: str, place: ShardPosition, read: list[Any]) -> int:
    """Return how many entries were erased between a place and the last one that was `read`, but for
    those that were read before that."""
    seen = {sortable(one.decode()).encode() for one, _ in read}
    first, last = f"({sortable(place.id)}", f"[{sortable(read[-1][0].decode())}"
    count = 0
    while True:
        some = "ZRANGEBYLEX", beside(key), first, last, "LIMIT", 0, PAGE
        found = await call(*some)
        count += sum(one not in seen for one in found)
        if len(found) < PAGE:
            return count
        first = f"({found[-1].decode()}"
