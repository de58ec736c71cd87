"""Everything but the proxy waits for the proxy and for the model endpoint."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from monitor.supervision import priority

AUTOGROUP = Path("/proc/self/autogroup")


@pytest.fixture
def process() -> Generator[subprocess.Popen[bytes]]:
    script = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], start_new_session=True) as started:
        yield started
        started.kill()


def group(pid: int) -> str:
    """The last word of `/autogroup-12 nice 15`; where there are no autogroups, as if lowered.

    The file of a process that no session was ever made for is empty: it runs in the system's own.
    """
    if not AUTOGROUP.exists():
        return str(priority.NICE)
    return "".join(Path(f"/proc/{pid}/autogroup").read_text().split()[-1:])


def test_a_lowered_process_comes_last_and_takes_no_core_from_others(
    process: subprocess.Popen[bytes],
) -> None:
    """Nice value, scheduling policy, and the session where that is what counts."""
    asyncio.run(priority.lower(process.pid))
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == max(priority.NICE, ours)
    assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH
    assert group(process.pid) == str(priority.NICE)


TURN_OF_A_THREAD = """
import ctypes, os, platform, struct, sys, threading
from monitor.supervision import priority
os.nice(3)
other = threading.Thread(target=threading.Event().wait, daemon=True)
other.start()
priority.shorten_turns()
for thread in (0, other.native_id):
    seen = ctypes.create_string_buffer(56)
    number = {"x86_64": 315, "aarch64": 275}[platform.machine()]
    assert ctypes.CDLL(None).syscall(number, thread, seen, len(seen), 0) == 0
    size, policy, flags, nice, real, runtime, *_ = struct.unpack("=IIQiIQ", seen.raw[:32])
    print(policy, nice, runtime)
"""


def test_a_process_asks_for_short_turns_and_keeps_its_priority() -> None:
    """All threads of it. A kernel before 6.12 has no turns that one can ask for, and says 0."""
    said = subprocess.run(
        [sys.executable, "-c", TURN_OF_A_THREAD],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split("\n")[:2]
    version = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    nice = min(os.getpriority(os.PRIO_PROCESS, 0) + 3, 19)
    turn = 100_000 if version >= (6, 12) else 0
    assert said == [f"{os.sched_getscheduler(0)} {nice} {turn}"] * 2


def test_a_kernel_that_knows_no_turns_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of another kind, a Python of 32 bits on one of 64, and a system call that is refused."""
    with monkeypatch.context() as narrow:
        narrow.setattr("sys.maxsize", 2**31 - 1)
        narrow.setattr("ctypes.CDLL", None)
        priority.shorten_turns()
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    priority.shorten_turns()
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(priority, "_SCHED_SETATTR", {"x86_64": 100_000})
    priority.shorten_turns()


def test_nothing_is_raised(process: subprocess.Popen[bytes]) -> None:
    """What was started as `nice -n 19 chrt --idle 0 monitor run` stays so."""
    os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
    asyncio.run(priority.lower(process.pid))
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
    assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE


def test_whoever_shares_a_session_is_left_alone_with_it() -> None:
    """A shell or a test that does the work of a role itself keeps its own priority."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as guest:
        before = group(os.getpid()), os.getpriority(os.PRIO_PROCESS, guest.pid)
        asyncio.run(priority.lower(guest.pid))
        assert (group(os.getpid()), os.getpriority(os.PRIO_PROCESS, guest.pid)) == before
        guest.kill()


def test_a_process_that_has_ended_is_no_failure(process: subprocess.Popen[bytes]) -> None:
    """It may have crashed at once."""
    process.kill()
    process.wait()
    asyncio.run(priority.lower(process.pid))


@pytest.mark.parametrize(
    ("refusal", "tries"), [(errno.EACCES, 1), (errno.EROFS, 1), (errno.EAGAIN, 3)]
)
def test_a_system_that_refuses_is_no_failure_and_one_that_is_busy_is_asked_again(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, refusal: int, tries: int
) -> None:
    """A container may forbid it all; Linux lets sessions be lowered ten times a second."""
    monkeypatch.setattr(priority, "TRIES", 3)
    monkeypatch.setattr(priority, "PAUSE", 0)
    asked = []

    def refuse(*arguments: object, **options: object) -> None:
        asked.append(arguments)
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "setpriority", refuse)
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    asyncio.run(priority.lower(process.pid))
    assert len(asked) == 2 + tries
