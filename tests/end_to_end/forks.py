"""`monitor` as forks of one process that has loaded it already: six in ten of a start's CPU time.

What begins in `monitor.__main__.main` is the real program. Not so what is before it: the
interpreter, the imports, and what a process has from whoever executed it. Tests of these start it
anew. One process that has no thread forks for all tests of a worker: the worker has some.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from monitor.__main__ import main
from monitor.supervision import forks

ROLES = ("supervisor", "proxy", "recorder", "analyzer", "pages")
LOG = "TEST_LOG"
LONGEST = 1 << 17
"""Bytes of arguments and environment."""


class Process:
    """A process that somebody else has forked, followed as `subprocess.Popen` does it."""

    def __init__(self, said: socket.socket) -> None:
        self._said = said
        self.pid = int(said.recv(LONGEST))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("monitor", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            self._said.settimeout(seconds)
            try:
                self.returncode = int(self._said.recv(LONGEST))
            except (BlockingIOError, TimeoutError):
                return None
            self._said.close()
        return self.returncode


def start(arguments: Sequence[str], environment: Mapping[str, str], log: int) -> Process:
    """Run `monitor` with these arguments, and nothing on stdin; what it says goes to `log`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asked = json.dumps([str(Path.cwd()), dict(environment), arguments]).encode()
    with theirs:
        socket.send_fds(_forking(), [asked], [log, theirs.fileno()])
    return Process(ours)


@functools.cache
def _forking() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.end_to_end.forks", str(theirs.fileno())],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # numpy would have threads
        )  # fmt: skip

    def end() -> None:
        ours.close()  # which it takes for the end
        process.wait()

    atexit.register(end)
    return ours


def _live(directory: str, environment: dict[str, str], arguments: list[str]) -> NoReturn:
    # PR_SET_PDEATHSIG of prctl(2): what kills the tests may kill who forked us with them.
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    log = int(os.environ[LOG])
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[1:1] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as the interpreter sets it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    sys.argv[1:] = arguments
    sys.exit(main())


def _serve(asked: socket.socket) -> None:
    """Fork for whoever asks, and tell each of its process: first the pid, then the exit code."""
    for role in ROLES:
        import_module(f"monitor.app.{role}")
    with selectors.DefaultSelector() as awaited:
        awaited.register(asked, selectors.EVENT_READ)
        while True:
            for key, _ in awaited.select():
                if key.fileobj is not asked:
                    fork, said = key.data
                    awaited.unregister(key.fd)
                    os.close(key.fd)
                    _tell(said, fork.wait())
                    said.close()
                    continue
                message, files, _, _ = socket.recv_fds(asked, LONGEST, 2)
                if not message:  # tests that were killed, too, leave no system behind
                    for left in awaited.get_map().values():
                        if left.fileobj is not asked:
                            os.kill(left.data[0].pid, signal.SIGTERM)
                    return
                log, end = files
                work = functools.partial(_live, *json.loads(message))
                fork = forks.fork(work, {LOG: log})
                os.close(log)
                said = socket.socket(fileno=end)
                _tell(said, fork.pid)
                ended = os.pidfd_open(fork.pid)
                awaited.register(ended, selectors.EVENT_READ, (fork, said))


def _tell(said: socket.socket, number: int) -> None:
    try:
        said.send(str(number).encode())
    except BrokenPipeError:  # nobody waits for it any more
        return


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
