"""What others have seen of Records, in a real Valkey: left, taken, refused when late, and gone by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import redis

from monitor.errors import StreamError
from monitor.streams.entries import Known, ShardPosition, mark_of, sortable
from monitor.streams.looks import LIVES, MOST, Looks, beside, members_of
from monitor.streams.redis import RedisStream
from tests.streams.test_redis import record, run

KEY = "monitor:{e:0}:records"


def play(url: str, story: Callable[[Looks], Awaitable[None]]) -> None:
    run(url, lambda stream: story(stream.looks))


def test_what_is_left_is_taken_behind_a_place_and_lives_for_seconds(url: str) -> None:
    """The last id is the place; what comes late, or twice, is refused; the newest ones stay."""

    async def story(looks: Looks) -> None:
        for number in range(1, MOST + 3):
            assert await looks.put(KEY, f"{number}-0", b"%d" % number)
        for late in ("3-0", f"{MOST + 2}-0"):
            assert not await looks.put(KEY, late, b"late")
        taken = await looks.take({KEY: "2-0"}, {KEY: "2-0"}, "v")
        assert taken[KEY][:2] == [(b"3-0", b"3"), (b"4-0", b"4")]
        assert (await looks.take({}, {KEY: f"{MOST + 2}-0"}, "v"))[KEY] == []
        assert await looks.judged([KEY, "monitor:{e:1}:records"]) == {KEY: ("2-0", "v")}

    play(url, story)
    with redis.Redis.from_url(url) as client:
        assert client.xlen(beside(KEY, "looks")) == MOST
        for name in ("looks", "judged"):
            assert 0 < client.ttl(beside(KEY, name)) <= LIVES


def test_who_looks_is_in_a_hash_that_is_gone_by_itself(url: str) -> None:
    async def story(looks: Looks) -> None:
        assert not await looks.are_there()
        await looks.enter({"@a": 1, "0": "a", "1": "a"})
        await looks.enter({"@a": 2}, ["1"])
        assert await looks.are_there()
        assert await looks.members() == {"@a": "2", "0": "a"}

    play(url, story)
    with redis.Redis.from_url(url) as client:
        assert 0 < client.ttl(members_of("e")) <= LIVES


def test_what_others_wrote_under_the_keys_is_no_look(url: str) -> None:
    """Nothing is taken from there; the hash is named, for nobody could share."""
    with redis.Redis.from_url(url) as client:
        for key in (beside(KEY, "looks"), beside(KEY, "judged")):
            client.rpush(key, "x")
        client.set(members_of("e"), "x")

    async def story(looks: Looks) -> None:
        assert await looks.judged([KEY]) == {}
        assert await looks.take({}, {KEY: "0-0"}, "v") == {KEY: []}
        assert not await looks.put(KEY, "1-0", b"x")
        with pytest.raises(StreamError, match="somebody else has written"):
            await looks.members()

    play(url, story)


def known_of(client: redis.Redis, ids: list[bytes], key: str = KEY) -> Known:
    """What somebody knows who has read these entries."""
    ((_, fields),) = client.xrange(key, ids[-1], ids[-1])
    return Known(ids, {ids[-1]: mark_of([part for pair in fields.items() for part in pair])})


@pytest.mark.parametrize(
    "gone", ["nothing", "trimmed", "erased", "deleted", "lost", "replaced", "unproved"]
)
def test_what_is_known_is_not_read_again_as_long_as_it_is_there(url: str, gone: str) -> None:
    """Else the shard is read, and comes as if nobody had known of it."""

    async def story(stream: RedisStream) -> None:
        await stream.append([record(f"r{number}") for number in range(6)])
        with redis.Redis.from_url(url) as client:
            ids = [one for one, _ in client.xrange(KEY)]
            known = known_of(client, ids[:4])
            if gone == "trimmed":
                client.xtrim(KEY, maxlen=4, approximate=False)
            elif gone == "erased":
                client.xdel(KEY, ids[1])
                client.zadd(f"{KEY}:erased", {sortable(ids[1].decode()): 0})
            elif gone == "deleted":
                client.xdel(KEY, ids[2])
            elif gone == "lost":
                client.delete(KEY)
                client.xadd(KEY, {"v": "1", "record": "{}"}, id="5-0")
            elif gone == "replaced":  # by others with the same ids, and more of them
                client.delete(KEY)
                for id_ in (*ids, "*"):
                    client.xadd(KEY, {"v": "1", "record": "{}"}, id=id_)
            elif gone == "unproved":
                known = Known(known.ids, {})
        plain = RedisStream(url, "e")
        expected, read = await plain.next("")
        await plain.close()
        position, entries = await stream.next("", known={KEY: known})
        if gone == "nothing":
            assert [one.id.encode() for one in entries] == ids[:4]
            assert all(not one.fields for one in entries)
            assert position == f"{ids[3].decode()}/4/0"
            assert stream.has_more
            assert stream.behind == 2
        else:
            assert (position, [one.id for one in entries]) == (expected, [one.id for one in read])
            assert all(one.fields for one in entries)

    run(url, story)


def test_what_is_known_of_one_shard_comes_in_order_with_what_is_read_of_others(url: str) -> None:
    """Each entry once, in the order of ids, whatever is known."""

    async def story(stream: RedisStream) -> None:
        for number in range(40):
            await stream.append([record(f"r{number}")])
        await asyncio.sleep(0.01)
        plain = RedisStream(url, "e", shards=3)
        _, read = await plain.next("")
        await plain.close()
        ids = [one.id.encode() for one in read if one.key == "monitor:{e:1}:records"]
        position, found = "", []
        for first, end in ((0, 3), (3, len(ids))):
            with redis.Redis.from_url(url) as client:
                shard = "monitor:{e:1}:records"
                known = {shard: known_of(client, ids[first:end], shard)}
            position, entries = await stream.next(position, known=known)
            found += entries
        _, rest = await stream.next(position, block=0.01)
        assert [(one.key, one.id) for one in (*found, *rest)] == [(one.key, one.id) for one in read]

    run(url, story, shards=3)


@pytest.mark.parametrize("missing", [b"entries-added", b"max-deleted-entry-id"])
def test_nothing_is_known_where_the_store_does_not_say_what_is_gone(missing: bytes) -> None:
    """Redis 6 counts no entries."""
    entry = [b"1-0", [b"v", b"1"]]
    about = {
        b"first-entry": entry, b"last-generated-id": b"1-0", b"length": 1,
        b"entries-added": 1, b"max-deleted-entry-id": b"0-0",
    }  # fmt: skip
    assert ShardPosition().is_followed_by([b"1-0"], about)
    del about[missing]
    assert not ShardPosition().is_followed_by([b"1-0"], about)
