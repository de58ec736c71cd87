"""What was erased on request is told from what was lost."""

from __future__ import annotations

import pytest
import redis

from monitor.streams.entries import ShardPosition, missed, sortable
from monitor.streams.redis import RedisStream
from tests.streams.test_redis import everything, record, run


@pytest.mark.parametrize("shards", [1, 3])
def test_what_was_erased_is_not_missed(url: str, shards: int) -> None:
    """Before it was read, among what was trimmed, at the end of a stream, and while it is read:
    counted as missed is what was trimmed alone, and nothing waits for who has read the rest."""
    names = [f"r{number:03}" for number in range(120)]

    async def story(stream: RedisStream) -> None:
        stream._count = 4
        with redis.Redis.from_url(url) as client:

            def erase(key: str, *places: int) -> int:
                """Entries of a shard go, by their places, and are noted."""
                ids = [bytes(one).decode() for one, _ in client.xrange(key)]
                gone = [ids[place] for place in places]
                for one in gone:
                    client.zadd(f"{key}:erased", {sortable(one): 0})
                    assert client.xdel(key, one) == 1
                return len(gone)

            async def left(reader: RedisStream, position: str) -> list[int]:
                places = map(ShardPosition.of, position.split(","))
                told = await reader.about(position)
                return [place.waiting(one) for place, one in zip(places, told, strict=True)]

            def lengths() -> list[int]:
                return [client.xlen(key) for key in stream.keys]

            await stream.append([record(name) for name in names[:60]])
            position, first = await stream.next("", block=0.01)
            gone = sum(erase(key, -2, -1, 5, 7) for key in stream.keys)
            assert sum(await left(stream, position)) == 60 - len(first) - gone
            position, more = await everything(stream, position)
            assert (len(first) + len(more), missed(position)) == (60 - gone, 0)
            assert await left(stream, position) == [0] * shards
            # Of what comes then some is erased and some is trimmed before it is read.
            await stream.append([record(name) for name in names[60:]])
            gone = sum(erase(key, -1, -3) for key in stream.keys)
            for key in stream.keys:
                assert client.xtrim(key, client.xlen(key) - 4, approximate=False) == 4
            there = sum(await left(stream, position))
            trimmed = 60 - gone - there
            again = RedisStream(url, "e", shards=shards)
            later, entries = await again.next(position, limit=1, block=0.01)
            gone += sum(erase(key, -1) for key in stream.keys)
            later, more = await everything(again, later)
            read = len(entries) + len(more)
            assert (read, missed(later)) == (60 - gone - trimmed, trimmed)
            assert again.behind == 0
            await again.append([record(f"s{number}") for number in range(9)])
            for key in stream.keys:  # and all that is left
                erase(key, *range(client.xlen(key)))
            assert lengths() == [0] * shards
            assert await left(again, later) == [0] * shards
            later, none = await again.next(later, block=0.01)
            assert (none, missed(later), again.behind) == ([], trimmed, 0)
            await again.append([record("new")])
            later, new = await everything(again, later)
            assert (new, missed(later)) == (["new"], trimmed)
            await again.close()

    run(url, story, shards=shards)
