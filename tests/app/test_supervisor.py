"""What a supervisor needs of the machine is said before anything starts."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.app import supervisor as module
from monitor.cli import main
from monitor.settings.schema import Settings
from monitor.supervision import runtime_directory
from tests.supervision.test_run_queue import LINUX, two_loops  # noqa: F401  a fixture


@pytest.mark.parametrize("wrong", ["too long", "not there"])
def test_a_temporary_directory_that_cannot_be_used_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: str,
) -> None:
    """And nothing is left in it."""
    place = tmp_path / ("x" * runtime_directory.LONGEST)
    if wrong == "too long":
        place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    upstream = ["--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0"]
    data = ["--admin", "127.0.0.1:0", "--data", str(tmp_path / "data")]
    assert main(["run", *upstream, *data]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "TMPDIR: " in line
    assert not place.exists() or not list(place.iterdir())


@LINUX
def test_who_waits_for_a_core_is_let_live_and_who_is_frozen_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loops: list[subprocess.Popen[bytes]]
) -> None:
    """Processes that no ping reaches: while something else has their core, when they are stopped,
    and when they run in circles with a core of their own. Of those for which nobody waits only who
    is stopped is killed. A proxy that will be is called ready no more."""
    monkeypatch.setattr(module, "PING_SECONDS", 0.02)
    killed: list[str] = []
    ready: list[bool] = []

    async def turns(role: str, pid: int, most: int) -> int:
        """After how many pings a process is killed, if it is within so many."""
        watch = module._Supervisor(Settings(), module.RUN, tmp_path, [], socket.socket())
        watch._admin.close()
        silence = itertools.count()
        control: Any = SimpleNamespace(
            silence=lambda *_: next(silence), is_ready=lambda _, but: 0 not in but
        )
        child: Any = SimpleNamespace(role=role, index=0, pid=pid, kill=lambda: killed.append(role))
        watch._control, watch._children = control, [child]
        ready.clear()
        for turn in range(most):
            await watch._watch()
            ready.append(watch._is_ready())
            if killed:
                killed.clear()
                return turn
        return most

    first, second = (one.pid for one in loops)
    long = 3 * module.PINGS
    assert asyncio.run(turns("proxy", second, long)) == long
    assert all(ready)
    assert asyncio.run(turns("recorder", second, long)) == long
    os.kill(second, signal.SIGSTOP)
    os.waitid(os.P_PID, second, os.WSTOPPED | os.WNOWAIT)
    for role in module.AWAITED:
        assert asyncio.run(turns(role, second, long)) == module.PINGS
        is_proxy = role == "proxy"
        assert ready == [not (is_proxy and n >= module.DOUBTED) for n in range(module.PINGS + 1)]
    for role in ("recorder", "analyzer", "archiver", "notifier"):
        assert asyncio.run(turns(role, second, long)) == module.PINGS + 1
    os.sched_setaffinity(first, os.sched_getaffinity(0))
    assert asyncio.run(turns("pages", first, 1000)) < 1000
    assert asyncio.run(turns("recorder", first, long)) == long


@pytest.mark.parametrize("terminal", ["none", "stays", "ends"])
def test_a_hangup_ends_what_has_a_terminal_that_ends_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: str
) -> None:
    """Where the terminal stays, as that of a container does, somebody wants settings to be read.
    It may end a moment after the signal; a second one, of the shell, kills nobody."""
    monkeypatch.setattr(module, "TERMINAL_SECONDS", 0.1)
    monkeypatch.setattr(module, "SAME_SIGNAL", -1.0)
    monkeypatch.setattr(module._Supervisor, "_end_at_once", lambda *_: pytest.fail("killed"))
    looks = iter([True, False, False] if terminal == "ends" else [])
    monkeypatch.setattr(module, "_has_terminal", lambda: next(looks, terminal == "stays"))
    watch = module._Supervisor(Settings(), module.RUN, tmp_path, [], socket.socket())
    watch._admin.close()
    for _ in range(2):
        asyncio.run(watch._on_hangup(terminal != "none"))
    assert watch._stop.is_set() is (terminal == "ends")
