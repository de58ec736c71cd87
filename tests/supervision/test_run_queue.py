"""Whether a process that does not answer is frozen, or only waits for a core."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.supervision import run_queue
from monitor.supervision.run_queue import RunQueue, _threads

LINUX = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="this kernel does not say who waits"
)
LOOP = "import os, sys\nos.nice(int(sys.argv[1]))\nprint(flush=True)\nwhile True: pass"


@pytest.fixture(name="loops")
def two_loops() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that run in circles on one core, the second far behind the first."""
    core = min(os.sched_getaffinity(0))
    started = [
        subprocess.Popen([sys.executable, "-c", LOOP, nice], stdout=subprocess.PIPE)
        for nice in ("0", "19")
    ]
    try:
        for one in started:
            assert one.stdout is not None
            one.stdout.readline()
            os.sched_setaffinity(one.pid, {core})
        yield started
    finally:
        for one in started:
            one.kill()
            one.wait()
            assert one.stdout is not None
            one.stdout.close()


@LINUX
def test_who_waits_for_a_core_is_told_from_who_runs_stands_or_sleeps(
    loops: list[subprocess.Popen[bytes]],
) -> None:
    """What runs in circles has as much time on its account as it ran, and is ended in the end; who
    is stopped has all of it, however busy the machine is."""
    pid, queue = loops[1].pid, RunQueue()
    began = time.monotonic()
    (before,) = _threads(pid)
    assert queue.waited(pid, began) == 0.0
    time.sleep(1.0)
    (after,) = _threads(pid)
    now = time.monotonic()
    share = queue.waited(pid, now)
    ran = (after[2] - before[2]) / 1e9 / (now - began)
    assert share > 0.5
    assert share + ran == pytest.approx(1.0, abs=0.1)
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    queue.waited(pid, time.monotonic())
    time.sleep(0.3)
    assert queue.waited(pid, time.monotonic()) == 0.0


def test_where_nothing_is_known_nobody_waits() -> None:
    """No such process, or no such kernel."""
    queue = RunQueue()
    assert [queue.waited(2**30, now) for now in (1.0, 2.0)] == [0.0, 0.0]


@LINUX
def test_without_an_account_who_is_ready_to_run_waits(
    loops: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A healthy process must not be ended because a kernel does not say how long it waited; one
    that is stopped does not wait."""
    monkeypatch.setattr(run_queue, "_account", lambda task: (0, 0))
    pid, queue = loops[1].pid, RunQueue()
    assert [queue.waited(pid, now) for now in (1.0, 2.0)] == [0.0, 1.0]
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    assert queue.waited(pid, 3.0) == 0.0
