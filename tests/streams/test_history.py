"""What stands in a stream, read from rest, on a real Valkey."""

from __future__ import annotations

import redis

from monitor.streams.redis import RedisStream
from monitor.streams.shards import shard_of
from monitor.types import encode_record
from tests.streams.test_redis import everything, record, run
from tests.streams.test_shards import ALL, SIZES, written


def test_foreign_entries_are_counted_and_skipped(url: str) -> None:
    """Somebody wrote into our stream; we read on."""
    with redis.Redis.from_url(url) as client:
        client.xadd("monitor:{e:0}:records", {"v": "1", "record": "{"})
        client.xadd("monitor:{e:0}:records", {"other": "x"})
        good = encode_record(record("b"))
        client.xadd("monitor:{e:0}:records", {"v": "2", "record": good})
        for inputs in (b"[" * 20_000 + b"]" * 20_000, b'[{"data":[%s]}]' % (b"9" * 5000)):
            foreign = good.replace(b'"inputs":[]', b'"inputs":' + inputs)
            client.xadd("monitor:{e:0}:records", {"v": "1", "record": foreign})
            client.xadd("monitor:{e:0}:records", {"v": "1", "record": b'{"x":%s}' % inputs})

    async def story(stream: RedisStream) -> tuple[list[str], int, list[str], int, set[str]]:
        await stream.append([record("a")])
        _, entries = await stream.next("", block=0.01)
        read = [entry.record() for entry in entries]
        live = [one.id for one in read if one]
        rest = [one.id async for _, one in stream.history.read()]
        return live, read.count(None), rest, stream.history.unreadable, await stream.ids_since(0.0)

    assert run(url, story) == (["a"], 7, ["a"], 7, {"a", "b"})


def test_records_are_found_wherever_they_were_written(url: str) -> None:
    """By id, as duplicates, from the oldest on, and from the newest on."""

    async def story(stream: RedisStream) -> None:
        for number in range(len(SIZES)):
            await written(url, number)
        for name in ALL:
            found = await stream.find(name, most=100)
            assert found is not None
            assert found.id == name
        assert await stream.find("nobody", most=100) is None
        assert await stream.ids_since(0.0) == set(ALL)
        assert {one.id async for _, one in stream.history.read()} == set(ALL)
        assert {one.id async for _, one in stream.history.read_back() if one} == set(ALL)
        stream.only(3)
        _, names = await everything(stream, "")
        assert names == [one for one in ALL[40:] if shard_of(one, 4) == 3]

    run(url, story, shards=2)
