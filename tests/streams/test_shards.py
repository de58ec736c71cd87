"""Shards of a stream, on a real Valkey: their number may change while the stream is read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis

from monitor.errors import StreamError
from monitor.streams.redis import RedisStream
from monitor.streams.shards import likely, shard_of
from tests.streams.test_redis import everything, record, run

SIZES = (1, 3, 2, 1, 4)
ALL = [f"r{number:03}" for number in range(10 * len(SIZES))]


async def written(url: str, number: int) -> None:
    """Ten Records by a recorder whose `stream.shards` is one of `SIZES`."""
    writer = RedisStream(url, "e", shards=SIZES[number])
    await writer.append([record(name) for name in ALL[10 * number : 10 * number + 10]])
    await writer.close()


def test_who_reads_follows_when_there_are_more_shards_or_fewer(url: str) -> None:
    """While it reads, waiting or not: nothing is left out, twice, or in another order than for who
    comes later."""

    async def story(stream: RedisStream) -> None:
        position, read = "", []
        for number in range(len(SIZES)):
            waiting = asyncio.create_task(stream.next(position, block=20))
            await asyncio.sleep(0.01)
            await written(url, number)
            position, entries = await waiting
            read += [one.id for entry in entries if (one := entry.record())]
            position, more = await everything(stream, position)
            read += more
            assert sorted(read) == ALL[: 10 * number + 10]
        assert len(stream.keys) == max(SIZES)
        late = RedisStream(url, "e")
        assert (await everything(late, ""))[1] == read
        await late.close()

    run(url, story)


def test_a_record_is_looked_for_where_it_may_be() -> None:
    """In each shard that has it for some number of shards, first where it is now."""
    for name in ALL:
        homes = likely(name, 3, 5)
        assert homes[0] == shard_of(name, 3)
        assert sorted(homes) == sorted({shard_of(name, one) for one in range(1, 6)})


def test_bytes_and_records_are_counted_by_shard(url: str) -> None:
    """Of what the store took; a hot shard is seen."""

    async def story(stream: RedisStream) -> None:
        await stream.append([record(name) for name in ALL])
        with redis.Redis.from_url(url) as client:
            length: Any = {shard: client.xlen(key) for shard, key in enumerate(stream.keys)}
            assert {shard: count for shard, (count, _) in stream.appended.items()} == length
            assert all(size > 300 * count for count, size in stream.appended.values())
            before = dict(stream.appended)
            client.config_set("maxmemory", 1)
            with pytest.raises(StreamError):
                await stream.append([record(name) for name in ALL])
            assert stream.appended == before

    run(url, story, shards=3)


def test_how_far_records_were_read_is_the_lag_of_a_group(url: str) -> None:
    """As tools look at it, in each shard that has entries, also where it was read to the end."""

    async def story(stream: RedisStream) -> None:
        await stream.advertise("")
        await written(url, 4)
        position, entries = await stream.next("", limit=2, block=1)
        position, more = await stream.next(position, limit=2, block=1)
        assert entries or more
        for step in ("the group is made", "it moves", "to the end"):
            await stream.advertise(position)
            with redis.Redis.from_url(url) as client:
                lags: list[Any] = []
                for key in stream.keys:
                    if client.exists(key):
                        (group,) = client.xinfo_groups(key)
                        assert (group["name"], group["pending"]) == (b"monitor", 0)
                        lags.append(group["lag"])
                    else:
                        lags.append(0)
            assert lags == stream.lags, step
            assert sum(lags) == stream.behind
            if step == "the group is made":
                position, _ = await stream.next(position, limit=2, block=1)
            else:
                position, _ = await everything(stream, position)
        assert stream.behind == 0

    run(url, story)


def test_a_list_of_shards_that_is_none_is_said_and_one_that_may_not_be_read_is_not_needed(
    url: str,
) -> None:
    """Whoever writes to several waits; whoever reads says what is wrong, or reads what it knows."""

    async def story(stream: RedisStream) -> None:
        with redis.Redis.from_url(url) as client:
            client.set("monitor:{e}:shards", "7")
            with pytest.raises(StreamError, match="something else"):
                await stream.append([record("a")])
            with pytest.raises(StreamError, match="something else"):
                await stream.next("", block=0.01)
            client.delete("monitor:{e}:shards")
            await stream.append([record("a")])
            client.acl_setuser(
                "default", enabled=True, nopass=True, keys=["monitor:{e:*", "monitor:{f*"],
                commands=["+@all"], reset_keys=True,
            )  # fmt: skip
            try:
                await stream.widen()
                assert (await everything(stream, ""))[1] == ["a"]
            finally:
                client.acl_setuser("default", enabled=True, keys=["*"], commands=["+@all"])

    run(url, story, shards=2)
