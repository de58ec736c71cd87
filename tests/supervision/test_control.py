"""The control socket: who is there, who is ready, who is frozen, and what a child may ask."""

from __future__ import annotations

import asyncio
import errno
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.settings.schema import Settings
from monitor.supervision import child as module
from monitor.supervision import unix_server
from monitor.supervision.child import Child, Status
from monitor.supervision.control import Control

STATUS = Status(ready=True, children=[("proxy", 0, 7, 1)], others=[("supervisor", 1)])


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    (tmp_path / "settings.json").write_bytes(msgspec.json.encode(Settings()))
    return tmp_path


async def until(true: object) -> None:
    async with asyncio.timeout(30):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0)


def test_children_are_ready_when_they_say_so(runtime: Path) -> None:
    """And stop when the supervisor is gone."""

    async def story() -> None:
        told: list[bool] = []
        control = Control(lambda: STATUS, lambda: told.append(control.was_ready("proxy", 0)))
        control.listen(runtime / "control.sock")
        one, two = Child("proxy", runtime, 0), Child("proxy", runtime, 1)
        await one.connect()
        await two.connect()
        assert not control.is_ready("proxy")
        one.ready()
        await until(lambda: told == [True])
        two.ready()
        await until(lambda: all(control.was_ready("proxy", index) for index in (0, 1)))
        assert control.is_ready("proxy")
        assert not control.was_ready("recorder", 0)
        await control.close()
        async with asyncio.timeout(30):
            await one.stopping.wait()
        await one.leave()
        await two.leave()

    asyncio.run(story())


def test_any_child_may_ask_what_the_supervisor_knows(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any number; a supervisor that does not answer is a TimeoutError, and so is none."""
    monkeypatch.setattr(module, "STATUS_TIMEOUT", 30)

    async def story() -> None:
        control = Control(lambda: STATUS, lambda: None)
        control.listen(runtime / "control.sock")
        pages = Child("pages", runtime, 0)
        await pages.connect()
        assert await asyncio.gather(*(pages.status() for _ in range(20))) == [STATUS] * 20
        await control.close()
        monkeypatch.setattr(module, "STATUS_TIMEOUT", 0.05)
        with pytest.raises(TimeoutError):
            await pages.status()
        await pages.leave()

    asyncio.run(story())


def test_a_child_that_does_not_answer_is_told_from_one_that_does(runtime: Path) -> None:
    """Silence is counted from when it was ready, and one answer ends it."""

    async def story() -> None:
        control = Control(lambda: STATUS, lambda: None)
        control.listen(runtime / "control.sock")
        pages = Child("pages", runtime, 0)
        await pages.connect()
        assert [control.silence("pages", 0) for _ in range(3)] == [0, 0, 0]
        pages.ready()
        await until(lambda: control.is_ready("pages"))
        # Asked three times before it gets its turn.
        assert [control.silence("pages", 0) for _ in range(3)] == [0, 1, 2]
        await until(lambda: control._peers["pages", 0].silent == 0)
        assert control.silence("pages", 0) == 0
        assert control.silence("recorder", 0) == 0
        await control.close()
        await pages.leave()

    asyncio.run(story())


def test_nonsense_on_the_socket_ends_that_connection_alone(runtime: Path) -> None:
    """The others go on."""

    async def story() -> None:
        control = Control(lambda: STATUS, lambda: None)
        control.listen(runtime / "control.sock")
        reader, writer = await asyncio.open_unix_connection(runtime / "control.sock")
        writer.write(b"\xff" * 100)
        assert await reader.read() == b""
        writer.close()
        pages = Child("pages", runtime, 0)
        await pages.connect()
        assert await pages.status() == STATUS
        await control.close()
        await pages.leave()

    asyncio.run(story())


def test_no_descriptors_for_a_while_are_outlived(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who wants to connect waits; it is said once; then they are served."""
    monkeypatch.setattr(unix_server, "PAUSE", 0.001)

    async def story() -> None:
        control = Control(lambda: STATUS, lambda: None)
        loop = asyncio.get_running_loop()
        accept, failures = loop.sock_accept, iter(range(20))

        async def fails(listener: socket.socket) -> tuple[socket.socket, Any]:
            for _ in failures:
                raise OSError(errno.EMFILE, "Too many open files")
            return await accept(listener)

        monkeypatch.setattr(loop, "sock_accept", fails)
        control.listen(runtime / "control.sock")
        pages = Child("pages", runtime, 0)
        await pages.connect()
        assert await pages.status() == STATUS
        await control.close()
        await pages.leave()

    asyncio.run(story())
    complaints = [line for line in caplog.messages if "control.sock: cannot accept" in line]
    assert len(complaints) == 1
