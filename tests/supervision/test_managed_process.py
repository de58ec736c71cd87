"""A managed process: restarted when it crashes, not when it cannot work, killed when it will not end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from monitor.supervision import managed_process
from monitor.supervision.managed_process import ManagedProcess

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
"""Python 3.12 warns of threads: those of pytest's own workers."""


def sleeper(_: Path) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    time.sleep(60)


def starting(there: Path) -> None:
    (there / "up").touch()
    while not (there / "go").exists():
        time.sleep(0.01)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit((there / "last").touch()))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    time.sleep(60)


def stubborn(there: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (there / "up").touch()
    time.sleep(60)


def unusable(_: Path) -> None:
    sys.exit(2)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed_process, "FIRST_PAUSE", 0.01)


def make(work: Callable[[Path], None], there: Path, lines: list[str]) -> ManagedProcess:
    return ManagedProcess(
        work.__name__, 0, partial(work, there), log=lines.append, changed=lambda: None,
        was_ready=lambda: False, files={},
    )  # fmt: skip


async def until(true: object) -> None:
    async with asyncio.timeout(60):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.01)


def test_a_killed_child_is_started_again_and_said_so(tmp_path: Path) -> None:
    """A new pid, a counted restart, one line."""

    async def story() -> None:
        lines: list[str] = []
        child = make(sleeper, tmp_path, lines)
        child.start()
        await until(lambda: child.pid)
        first = child.pid
        assert first
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid != first)
        assert child.restarts == 1
        assert lines == ["sleeper 0 was killed by SIGKILL; starting it again in 0.01 s"]
        await child.stop(10)

    asyncio.run(story())


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    """The drain is bounded."""

    async def story() -> None:
        lines: list[str] = []
        child = make(stubborn, tmp_path, lines)
        child.start()
        await until((tmp_path / "up").exists)
        assert not await child.stop(0.05)
        assert lines == ["stubborn 0 did not end within 0.05 s; killed"]

    asyncio.run(story())


def test_a_child_that_is_told_to_stop_while_it_starts_does_its_last_work_all_the_same(
    tmp_path: Path,
) -> None:
    """SIGTERM is held back until the child handles it; the supervisor's own is not."""

    async def story() -> None:
        child = make(starting, tmp_path, [])
        child.start()
        await until((tmp_path / "up").exists)
        stopping = asyncio.create_task(child.stop(20))
        await asyncio.sleep(0)  # the signal is sent
        (tmp_path / "go").touch()
        assert await stopping
        assert (tmp_path / "last").exists()
        assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    asyncio.run(story())


def test_a_child_whose_settings_cannot_work_is_not_started_again(tmp_path: Path) -> None:
    """Exit code 2 before it was ready ends the command."""

    async def story() -> None:
        child = make(unusable, tmp_path, [])
        child.start()
        async with asyncio.timeout(60):
            await child.unusable.wait()
        assert child.restarts == 0
        await child.stop(1)

    asyncio.run(story())


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENOSPC, None])
def test_a_child_that_cannot_be_started_just_now_is_started_later(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: int | None,
) -> None:
    """No processes, memory, descriptors or disk, or anything else: said once, counted, and tried until
    it works."""
    fork, failures = os.fork, iter(range(3))

    def fails() -> int:
        for _ in failures:
            raise RuntimeError("a defect") if error is None else OSError(error, os.strerror(error))
        return fork()

    async def story() -> None:
        lines: list[str] = []
        monkeypatch.setattr(os, "fork", fails)
        child = make(sleeper, tmp_path, lines)
        child.start()
        await until(lambda: child.pid)
        assert (len(lines), child.restarts) == (1, 3)
        assert "sleeper 0 cannot be started: " in lines[0]
        assert error is None or os.strerror(error) in lines[0]
        await child.stop(10)

    asyncio.run(story())


def test_a_child_is_watched_without_a_descriptor_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started with the last ones: no second one is started beside it, and its end is seen."""

    def none_left(_pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def story() -> None:
        monkeypatch.setattr(os, "pidfd_open", none_left)
        child = make(sleeper, tmp_path, [])
        child.start()
        await until(lambda: child.pid)
        first = child.pid
        assert first
        await asyncio.sleep(0.2)
        assert (child.pid, child.restarts) == (first, 0)
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (first, None))
        await child.stop(10)

    asyncio.run(story())
