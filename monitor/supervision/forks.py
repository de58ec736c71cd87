"""This process → a copy of it that does other work, as free of it as one that was started anew.

The copy has at once what this process has loaded: of what a child would load anew for itself, two
fifths. There must be no other thread, because a copy has none, and would wait for ever for what
one held.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn

import setproctitle

OURS = "MONITOR_"


class Fork:
    """A forked process, followed as `subprocess.Popen` does it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code (negative: the signal's number), None while the process runs."""
        return self._look(os.WNOHANG)

    def wait(self) -> int:
        """Return the exit code once the process has ended."""
        code = self._look(0)
        assert code is not None  # noqa: S101
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended: its number may be another's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _look(self, how: int) -> int | None:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, how)
            except ChildProcessError:  # whoever started us ignores SIGCHLD: nobody knows the code
                pid, status = self.pid, 0
            if pid == self.pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def fork(work: Callable[[], object], files: Mapping[str, int]) -> Fork:
    """Start a process that does `work` and ends; raises OSError if there can be none.

    It has a session of its own, nothing on stdin, of what we have open the `files`, whose numbers
    are in environment variables of these names, no other variable that begins with `MONITOR_`, and
    the handlers of signals that a new process has. SIGTERM is held back, so that it does not die of
    one before it handles it; whoever does takes it off the mask. What `work` raises is told as in a
    new process. Nothing is done at its end that was asked of `atexit`.
    """
    # What is garbage here would be found there, and close what has the number of its descriptor by
    # then. What is left out of the search stays in memory that both share.
    gc.collect()
    gc.freeze()
    nothing = os.open(os.devnull, os.O_RDONLY)  # where we have no room, it has none either
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        # One that comes now would be told to both, by the pipe that wakes the event loop.
        pid = os.fork()
        if pid == 0:
            _live(work, files, mask, nothing)
        return Fork(pid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(nothing)


def environment(*also: str) -> dict[str, str]:
    """Return our environment without variables that begin with `MONITOR_` (they may hold secrets;
    children read settings from a file) or with one of `also`."""
    hidden = (OURS, *also)
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def _live(
    work: Callable[[], object],
    files: Mapping[str, int],
    mask: set[int | signal.Signals],
    nothing: int,
) -> NoReturn:
    """Do the work, and end: what is above on the stack belongs to the process that was forked."""
    code = 1
    try:
        if nothing != 0:
            os.dup2(nothing, 0)
            os.close(nothing)  # so that there is room to list what is held
        _leave(files.values())
        # The system shows the environment that a process began with. A title takes its place, and
        # is only found while all variables are there.
        setproctitle.setproctitle(setproctitle.getproctitle())
        for name in os.environ.keys() - environment().keys():
            del os.environ[name]
        os.environ.update({name: str(number) for name, number in files.items()})
        signal.pthread_sigmask(signal.SIG_SETMASK, mask | {signal.SIGTERM})
        work()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001  as the interpreter would tell it
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def _leave(kept: Collection[int]) -> None:
    """Leave the session, the signal handlers and the descriptors of the process that was forked."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for each in signal.valid_signals():
        if callable(signal.getsignal(each)):
            signal.signal(each, signal.SIG_DFL)
    try:
        held = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
    except OSError:
        held = list(range(os.sysconf("SC_OPEN_MAX")))
    for number in held:
        if number not in {0, 1, 2, *kept}:
            with contextlib.suppress(OSError):
                os.close(number)
