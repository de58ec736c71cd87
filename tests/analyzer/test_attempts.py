"""What ends the analyzer again and again is passed over, and nothing else is."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence

import pytest

from monitor.analyzer.attempts import FIELDS, HORIZON, STEP, Attempts
from monitor.errors import StreamError
from monitor.streams.entries import Entry


class Crash(BaseException):
    """The end of the process."""


class World:
    """A stream, a checkpoint, and an analyzer that reads a few entries at a time and saves now and
    then; `deadly` entries end it when they are tried, `away` writes are refused."""

    def __init__(self, moments: Sequence[int], deadly: Sequence[int], seed: int) -> None:
        self.entries = [Entry("k", f"{moment}-{n}", []) for n, moment in enumerate(moments)]
        self.deadly = {self.entries[place].id for place in deadly}
        self.fields: dict[str, bytes] = {}
        self.position = 0
        self.saved: list[str] = []
        self.passed: set[str] = set()
        self.ended = dict.fromkeys(self.deadly, 0)
        self.chance = random.Random(seed)
        self.writes = 0
        self.away = False

    async def write(self, changes: Mapping[str, bytes]) -> None:
        if self.away:
            raise StreamError("away")
        self.writes += 1
        for name, value in changes.items():
            if value:
                self.fields[name] = value
            else:
                self.fields.pop(name, None)

    async def life(
        self, *, batch: int = 5, killed_after: int | None = None, is_again: bool = True
    ) -> None:
        """Start from what is saved, fold to the end, stop cleanly; or raise Crash."""
        attempts = Attempts(self.write)
        await attempts.resume(self.fields, is_again=is_again)
        position, folded, tried = self.position, list(self.saved), 0
        while position < len(self.entries):
            entries = self.entries[position : position + batch]
            await attempts.begin(max(entry.at for entry in entries))
            for entry in entries:
                if tried == killed_after:
                    raise Crash
                tried += 1
                if not await attempts.may_try(entry):
                    self.passed.add(entry.id)
                elif entry.id in self.deadly:
                    self.ended[entry.id] += 1
                    raise Crash
                else:
                    folded.append(entry.id)
            await attempts.end()
            position += len(entries)
            if self.chance.random() < 0.2:
                await self.write(attempts.saved(stopping=False))
                self.position, self.saved = position, list(folded)
        await self.write(attempts.saved(stopping=True))
        self.position, self.saved = position, folded


@pytest.mark.parametrize("seed", range(60))
def test_what_ends_it_three_times_is_passed_and_all_else_is_folded_once(seed: int) -> None:
    """Wherever the entries stand, however many there are, however often it saves."""
    chance = random.Random(seed)
    moments = sorted(chance.choices(range(1, chance.choice([50, 10**5, 10**7])), k=60))
    deadly = chance.sample(range(60), chance.choice([1, 2, 5]))
    world = World(moments, deadly, seed)
    for _ in range(4 * len(deadly)):
        try:
            asyncio.run(world.life(batch=chance.choice([1, 5, 60])))
            break
        except Crash:
            continue
    assert world.saved == [one.id for one in world.entries if one.id not in world.deadly]
    assert world.passed == world.deadly
    assert max(world.ended.values()) <= 3
    assert not {*FIELDS} & {*world.fields}


def test_a_kill_in_normal_times_blames_nobody() -> None:
    """One kill is no pattern: what was under way is folded by the next."""
    world = World(range(1, 1000, 10), [], 1)
    with pytest.raises(Crash):
        asyncio.run(world.life(killed_after=40))
    asyncio.run(world.life())
    assert len(world.saved) == 100
    assert not world.passed


@pytest.mark.parametrize("seed", range(20))
def test_kills_while_it_catches_up_blame_nobody(seed: int) -> None:
    """Each ends it at some entry, which has nothing to do with it; all are folded once."""
    chance = random.Random(seed)
    world = World(range(1, 1000, 10), [], seed)
    for killed_after in chance.sample(range(100), k=10):
        with contextlib.suppress(Crash):
            asyncio.run(world.life(batch=100, killed_after=killed_after))
    asyncio.run(world.life())
    assert not world.passed
    assert world.saved == [one.id for one in world.entries]


@pytest.mark.parametrize("ends", [1, 2])
def test_who_takes_over_from_another_blames_nothing_for_its_end(ends: int) -> None:
    """However often the other was killed; each entry is written down only where the other did."""
    world = World(range(1, 1000, 10), [], 1)
    for number in range(ends):
        with pytest.raises(Crash):
            asyncio.run(world.life(batch=100, killed_after=40 + number))
    before = world.writes
    asyncio.run(world.life(batch=100, is_again=False))
    assert (world.writes - before > 100) == (ends == 2)
    assert len(world.saved) == 100
    assert not world.passed


def test_an_entry_that_ends_all_who_take_over_is_passed_by_who_is_started_again() -> None:
    """One analyzer more ends by it than if each were alone, and all else is folded once."""
    world = World(range(1, 1000, 10), [70], 1)
    for is_again in (True, False, True, True):
        with pytest.raises(Crash):
            asyncio.run(world.life(batch=100, is_again=is_again))
    asyncio.run(world.life(batch=100))
    assert len(world.saved) == 99
    assert world.passed == world.deadly


def test_without_a_crash_it_costs_a_write_for_each_step() -> None:
    """A thousand entries in a hundred seconds: some ten, and the saves."""
    world = World(range(0, 100_000, 100), [], 1)
    world.chance = random.Random(2)
    asyncio.run(world.life(batch=1))
    saves = 0.3 * 1000
    assert world.writes <= 100 / STEP + 2 + saves


def test_a_store_that_goes_away_meanwhile_does_not_stop_it() -> None:
    """What has been read is folded once, whether or not it can be written down."""

    async def story() -> None:
        world = World([1, 2, 3], [], 1)
        world.fields = {HORIZON: b"50.0"}
        attempts = Attempts(world.write)
        await attempts.resume(world.fields)
        await attempts.begin(0.003)
        assert await attempts.may_try(world.entries[0])
        world.away = True
        assert [await attempts.may_try(one) for one in world.entries] == [True] * 3
        await attempts.end()
        with pytest.raises(StreamError):
            await attempts.begin(60.0)

    asyncio.run(story())
