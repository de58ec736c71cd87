"""A fork is as free of the process that was forked as one that was started anew."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from monitor.supervision import forks
from monitor.supervision.forks import Fork, environment, fork

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
"""Python 3.12 warns of threads: those of pytest's own workers."""


@contextlib.contextmanager
def running(work: Callable[[], object]) -> Generator[Fork]:
    one = fork(work, {})
    try:
        yield one
    finally:
        one.send_signal(signal.SIGKILL)
        one.wait()


def code(work: Callable[[], object]) -> int:
    return fork(work, {}).wait()


def told() -> None:
    """Write what this process has to the descriptor that it was given."""
    held = []
    for number in range(64):
        with contextlib.suppress(OSError):
            os.fstat(number)
            held.append(number)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        is_in_loop = False
    else:
        is_in_loop = True
    number = int(os.environ["MONITOR_REPORT_FD"])
    report = {
        "held": [one for one in held if one != number],
        "stdin": os.path.samestat(os.fstat(0), os.stat(os.devnull)),  # noqa: PTH116
        "session": os.getsid(0) == os.getpid(),
        "ours": sorted(name for name in os.environ if name.startswith("MONITOR_")),
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "handled": [one for one in signal.valid_signals() if callable(signal.getsignal(one))],
        "wakeup": signal.set_wakeup_fd(-1),
        "loop": is_in_loop,
        "works": asyncio.run(asyncio.sleep(0, "yes")),
    }
    os.write(number, json.dumps(report).encode())


def test_a_fork_has_nothing_of_the_loop_that_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor but its own, no handler, no secret, no loop; SIGTERM alone is held back. The
    process that was forked keeps all it has."""
    monkeypatch.setenv("MONITOR_REDIS", "redis://:secret@host/0")
    received: list[str] = []

    async def story() -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, received.append, number.name)
        reader, writer = os.pipe()
        one = fork(told, {"MONITOR_REPORT_FD": writer})
        os.close(writer)
        assert one.wait() == 0
        with open(reader, "rb") as pipe:  # noqa: PTH123
            report: dict[str, Any] = json.loads(pipe.read())
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()).isdisjoint({signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            while not received:
                await asyncio.sleep(0.01)
        return report

    assert asyncio.run(story()) == {
        "held": [0, 1, 2], "stdin": True, "session": True, "ours": ["MONITOR_REPORT_FD"],
        "mask": [signal.SIGTERM], "handled": [], "wakeup": -1, "loop": False, "works": "yes",
    }  # fmt: skip
    assert received == ["SIGTERM"]
    assert os.environ["MONITOR_REDIS"]


def test_garbage_of_the_process_that_was_forked_closes_nothing(tmp_path: Path) -> None:
    """A socket that only the collector finds would close what has its number by then."""

    def looks() -> None:
        opened = [os.open(tmp_path, os.O_RDONLY) for _ in range(64)]
        gc.unfreeze()
        gc.collect()
        for one in opened:
            os.fstat(one)  # raises where it is closed

    gc.disable()
    try:
        for _ in range(3):
            held: list[object] = [open(os.devnull, "rb", buffering=0)]  # noqa: PTH123, SIM115
            held.append(held)
        del held
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            assert code(looks) == 0
    finally:
        gc.enable()


def test_a_signal_to_a_fork_is_none_to_the_process_that_was_forked() -> None:
    """Both would hear of it by the pipe that wakes the loop."""
    received: list[str] = []

    def dies() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        time.sleep(60)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, received.append, "SIGTERM")
        assert fork(dies, {}).wait() == -signal.SIGTERM
        await asyncio.sleep(0.05)

    asyncio.run(story())
    assert received == []


@pytest.mark.parametrize(
    ("left", "expected"), [(None, 0), (2, 2), ("a sentence", 1)], ids=["none", "code", "words"]
)
def test_a_fork_ends_with_the_code_that_it_asks_for(left: object, expected: int) -> None:
    """As a new process does, and whatever stands above it on the stack is not done twice."""

    def leaves() -> None:
        raise SystemExit(left)

    before = os.getpid()
    try:
        assert code(leaves) == expected
        assert code(lambda: None) == 0
    finally:
        assert os.getpid() == before


def test_what_a_fork_raises_is_told_by_it(tmp_path: Path) -> None:
    """By the hook for what nobody catches, with exit code 1."""
    said = tmp_path / "said"

    def fails() -> None:
        sys.excepthook = lambda kind, *_: said.write_text(kind.__name__)
        raise LookupError

    assert code(fails) == 1
    assert said.read_text() == "LookupError"


def test_a_fork_that_has_ended_gets_no_signal() -> None:
    """Its number may be another's by then."""
    with running(lambda: time.sleep(60)) as one:
        assert one.poll() is None
        one.send_signal(signal.SIGKILL)
        assert one.wait() == -signal.SIGKILL
        assert one.poll() == one.returncode == -signal.SIGKILL
        one.pid = os.getpid()
        one.send_signal(signal.SIGKILL)


def test_the_end_of_a_fork_is_seen_where_sigchld_is_ignored() -> None:
    """A parent may have left us that; the kernel then keeps no exit code."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert code(lambda: sys.exit(3)) == 0
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_descriptors_are_left_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that there may be are tried."""
    monkeypatch.setattr(forks.os, "listdir", lambda _: (_ for _ in ()).throw(OSError()))
    monkeypatch.setattr(forks.os, "sysconf", lambda _: 256)
    reader, writer = os.pipe()

    def looks() -> None:
        with contextlib.suppress(OSError):
            os.fstat(writer)
            sys.exit(1)

    try:
        assert code(looks) == 0
    finally:
        os.close(reader)
        os.close(writer)


def test_no_process_is_forked_without_room_for_a_descriptor() -> None:
    """It would have none either: the limit is the same."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            fork(lambda: None, {})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_secret_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings go by file; what else a child does not need is named by who starts it."""
    monkeypatch.setenv("MONITOR_REDIS", "redis://:secret@host/0")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret")
    assert "MONITOR_REDIS" not in environment()
    assert "OTEL_EXPORTER_OTLP_HEADERS" in environment()
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in environment("OTEL_")
    assert environment()["PATH"] == os.environ["PATH"]


NAMED = """
import os
import setproctitle
from pathlib import Path
from monitor.supervision.forks import fork

def work():
    print(b"secret" in Path("/proc/self/environ").read_bytes(), flush=True)
    setproctitle.setproctitle("monitor: proxy")
    print(Path("/proc/self/cmdline").read_text().strip(chr(0)))

assert b"secret" in Path("/proc/self/environ").read_bytes()
raise SystemExit(fork(work, {"MONITOR_REPORT_FD": 2}).wait())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("place", [0, 1])
def test_secrets_of_the_environment_are_not_shown_of_a_fork_and_its_title_is(place: int) -> None:
    """As `ps` and /proc show it, wherever among the variables a secret is."""
    variables = [
        (name, value) for name, value in os.environ.items() if not name.startswith("MONITOR_")
    ]
    variables.insert(place, ("MONITOR_REDIS", "redis://:secret@host/0"))
    done = subprocess.run(
        [sys.executable, "-c", NAMED],
        env=dict(variables),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split("\n")[:2] == ["False", "monitor: proxy"]
