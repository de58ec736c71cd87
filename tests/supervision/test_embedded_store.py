"""The embedded store: private, persistent, started again, gone with its parent."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from monitor.errors import ConfigError
from monitor.supervision import embedded_store as module
from monitor.supervision import run_queue
from monitor.supervision.embedded_store import EmbeddedStore, open_embedded


def test_data_survives_a_crash_and_a_restart(tmp_path: Path) -> None:
    """Killed: it comes back by itself. Stopped and started anew: so does what it held."""
    lines: list[str] = []

    async def first() -> None:
        store = EmbeddedStore(tmp_path / "store", log=lines.append)
        await store.start()
        with redis.Redis.from_url(store.url) as client:
            client.set("a", "1")
            client.execute_command("WAITAOF", 1, 0, 30_000)
        pid = store.pid
        assert pid
        psutil.Process(pid).kill()
        async with asyncio.timeout(60):
            while store.pid == pid or not await asyncio.to_thread(answers, store.url):
                await asyncio.sleep(0.05)
        with redis.Redis.from_url(store.url) as client:
            assert client.get("a") == b"1"
        await store.stop()

    async def second() -> None:
        store = EmbeddedStore(tmp_path / "store", log=lines.append)
        before = threading.active_count()
        await store.start()
        assert threading.active_count() == before  # children are forked from here
        with redis.Redis.from_url(store.url) as client:
            assert client.get("a") == b"1"
        await store.stop()

    asyncio.run(first())
    asyncio.run(second())
    assert lines == ["the embedded store ended (SIGKILL); starting it again"]


def test_who_stands_still_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is stopped answers nobody, and no crash tells of it; what it held is there."""
    monkeypatch.setattr(run_queue, "PING_SECONDS", 0.1)
    lines: list[str] = []

    async def story() -> None:
        store = EmbeddedStore(tmp_path / "store", log=lines.append)
        await store.start()
        with redis.Redis.from_url(store.url) as client:
            client.set("a", "1")
        pid = store.pid
        assert pid
        assert not store.restarts
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(60):
            while store.pid in (None, pid) or not await asyncio.to_thread(answers, store.url):
                await asyncio.sleep(0.05)
        with redis.Redis.from_url(store.url) as client:
            assert client.get("a") == b"1"
        assert store.restarts
        await store.stop()

    asyncio.run(story())
    assert "did nothing meanwhile; killed, to be started again" in lines[0]
    assert lines[1:] == ["the embedded store ended (SIGKILL); starting it again"]


LOADING = """
import socket, sys, time
port = int(open(sys.argv[1]).read().split("port ")[1].split()[0])
server = socket.create_server(("127.0.0.1", port))
while True:
    one, _ = server.accept()
    one.recv(100)
    one.sendall(b"+OK\\r\\n-LOADING Valkey is loading the dataset in memory\\r\\n")
    one.close()
"""


def test_who_loads_its_data_for_long_is_let_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file may have gigabytes: to start it again would begin the loading anew, for ever."""
    monkeypatch.setattr(run_queue, "PING_SECONDS", 0.02)
    monkeypatch.setattr(module, "START_SECONDS", 0.2)
    server = tmp_path / "valkey-server"
    server.write_text(f"#!{sys.executable} -SE\n{LOADING}")
    server.chmod(0o755)
    monkeypatch.setattr(module, "binary", lambda: server)
    lines: list[str] = []

    async def story() -> None:
        store = EmbeddedStore(tmp_path / "store", log=lines.append)
        async with asyncio.timeout(60):
            await store.start()
        pid = store.pid
        async with asyncio.timeout(60):
            while not await store._server.said():
                await asyncio.sleep(0.01)
        await asyncio.sleep(1.5 * run_queue.PINGS * run_queue.PING_SECONDS)
        assert (store.pid, store.restarts) == (pid, 0)
        await store.stop()

    asyncio.run(story())
    (line,) = lines
    assert "has not loaded its data within" in line


def test_a_command_waits_for_a_private_server_that_loads_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it says that it loads, and no longer."""
    monkeypatch.setattr(module, "START_SECONDS", 0.2)
    (tmp_path / "store" / "appendonlydir").mkdir(parents=True)
    said = [b""] + [b"+OK\r\n-LOADING\r\n"] * 100 + [module.ANSWER]
    monkeypatch.setattr(module._Server, "answers", lambda _: said.pop(0))
    monkeypatch.setattr(module, "binary", lambda: Path("/bin/cat"))
    monkeypatch.setattr(subprocess.Popen, "poll", lambda _: None)
    with open_embedded(tmp_path) as url:
        assert url.startswith("redis://")
    assert not said
    said += [b""] * 1000
    with pytest.raises(ConfigError, match="did not start"), open_embedded(tmp_path):
        pass


def answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def test_nobody_else_gets_in(tmp_path: Path) -> None:
    """A password that changes with every start, in a file for this user only."""

    async def story() -> None:
        store = EmbeddedStore(tmp_path / "store", log=print)
        await store.start()
        try:
            with (
                redis.Redis.from_url(
                    store.url.replace(":" + store.url.split(":")[2], "", 1)
                ) as bare,
                pytest.raises(redis.RedisError),
            ):
                bare.get("a")
            assert (tmp_path / "store").stat().st_mode & 0o077 == 0
            assert (tmp_path / "store" / "valkey.conf").stat().st_mode & 0o077 == 0
        finally:
            await store.stop()

    asyncio.run(story())


def test_a_damaged_directory_is_said_in_the_servers_words(tmp_path: Path) -> None:
    """One line that names `data`, not a hang."""
    (tmp_path / "store" / "appendonlydir").mkdir(parents=True)
    (tmp_path / "store" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense")

    async def story() -> None:
        store = EmbeddedStore(tmp_path / "store", log=print)
        with pytest.raises(ConfigError, match="data: the embedded store did not start"):
            await store.start()

    asyncio.run(story())


def test_two_stores_never_share_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one says so, and the first one's data is safe."""
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)

    async def story() -> None:
        one, two = (EmbeddedStore(tmp_path / "store", log=print) for _ in range(2))
        await one.start()
        with pytest.raises(ConfigError, match="another monitor uses"):
            await two.start()
        await one.stop()
        await two.start()
        await two.stop()

    asyncio.run(story())


def test_a_command_opens_the_store_while_it_runs_and_while_it_is_stopped(tmp_path: Path) -> None:
    """By the data directory alone: the password stands in a file that only we may read."""

    async def run() -> None:
        store = EmbeddedStore(tmp_path / "store", log=print)
        await store.start()
        with redis.Redis.from_url(store.url) as client:
            client.set("a", "1")
        assert await asyncio.to_thread(read) == (store.url, b"1")
        assert (tmp_path / "store" / "url").stat().st_mode & 0o077 == 0
        await store.stop()
        assert not (tmp_path / "store" / "url").exists()

    def read() -> tuple[str, object]:
        with open_embedded(tmp_path) as url, redis.Redis.from_url(url) as client:
            return url, client.get("a")

    asyncio.run(run())
    url, value = read()
    assert value == b"1"
    assert not answers(url)
    asyncio.run(run())


def test_a_store_that_is_not_there_or_in_use_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made where nothing is."""
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
    with (
        pytest.raises(ConfigError, match="holds no embedded store"),
        open_embedded(tmp_path),
    ):
        pass
    assert not list(tmp_path.iterdir())

    async def make() -> None:
        store = EmbeddedStore(tmp_path / "store", log=print)
        await store.start()
        await store.stop()

    asyncio.run(make())
    with open_embedded(tmp_path), pytest.raises(ConfigError, match="another command"):  # noqa: SIM117
        with open_embedded(tmp_path):
            pass


def test_a_store_that_cannot_be_started_again_just_now_is_started_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No processes, no disk: said once, and tried again until it works."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    lines: list[str] = []

    async def story() -> None:
        store = EmbeddedStore(tmp_path / "store", log=lines.append)
        await store.start()
        spawn, tries = subprocess.Popen, iter(range(3))

        def fails(*arguments: Any, **options: Any) -> Any:
            for _ in tries:
                raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
            return spawn(*arguments, **options)

        monkeypatch.setattr(subprocess, "Popen", fails)
        assert store.pid
        psutil.Process(store.pid).kill()
        async with asyncio.timeout(60):
            while len(lines) < 2 or not await asyncio.to_thread(answers, store.url):
                await asyncio.sleep(0.01)
        await store.stop()

    asyncio.run(story())
    assert lines == [
        "the embedded store ended (SIGKILL); starting it again",
        "the embedded store cannot be started: Resource temporarily unavailable; trying again",
    ]
