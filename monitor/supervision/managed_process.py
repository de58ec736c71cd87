"""Runs one child process: start, restart with back-off, stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping

from monitor import logs
from monitor.supervision.child import EXIT_USAGE
from monitor.supervision.forks import Fork, fork
from monitor.supervision.subprocesses import ended
from monitor.tasks import own

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0
"""Seconds that a child must have run for its next crash to count as a first one."""


class ManagedProcess:
    """A child process that is started again whenever it ends by itself; `restarts` says how often,
    with those that failed.

    It is a fork that does `work` (see `forks`). It has its own session, so that Ctrl-C reaches only
    the supervisor, which stops the children in order. `changed` is called at each new pid, and once
    there will be none, and must not raise. Each start inherits the open `files`; environment
    variables of these names have their descriptors. `unusable` is set if the child ends with exit
    code 2 before it was ever ready: its settings cannot work, so starting it again would not help.
    """

    def __init__(
        self,
        role: str,
        index: int,
        work: Callable[[], object],
        *,
        log: Callable[[str], None],
        changed: Callable[[], None],
        was_ready: Callable[[], bool],
        files: Mapping[str, int],
    ) -> None:
        self.role = role
        self.index = index
        self.restarts = 0
        self.pid: int | None = None
        self.unusable = asyncio.Event()
        self._work = work
        self._log = log
        self._changed = changed
        self._was_ready = was_ready
        self._files = files
        self._stopping = False
        self._process: Fork | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the child, and restart it until `stop` or `abandon`."""
        self._task = own(self._run_forever(), f"the keeper of {self.role} {self.index}")

    async def stop(self, patience: float) -> bool:
        """Send SIGTERM, and SIGKILL after `patience` seconds; return True for exit code 0."""
        self._stopping = True
        process = self._process
        if process is None:
            if self._task:
                self._task.cancel()
            return True
        self._signal(signal.SIGTERM)
        # A stopped (SIGSTOP) process handles no SIGTERM.
        self._signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(patience):
                code = await ended(process)
        except TimeoutError:
            self._log(f"{self.role} {self.index} did not end within {patience:g} s; killed")
            self.kill()
            await ended(process)
            return False
        finally:
            if self._task:
                self._task.cancel()
        return code == 0

    def kill(self) -> None:
        """Send SIGKILL; the child is then started again."""
        self._signal(signal.SIGKILL)

    def abandon(self) -> None:
        """Send SIGKILL, and start no other."""
        self._stopping = True
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _run_forever(self) -> None:
        """Start the child again and again. A lack of processes, descriptors or disk is logged once
        and does not end this."""
        pause, said = FIRST_PAUSE, ""
        while not self._stopping:
            started = time.monotonic()
            try:
                code = await self._run_once()
            except Exception as error:  # noqa: BLE001  a keeper goes on
                reason = error.strerror if isinstance(error, OSError) else logs.place(error)
                if reason != said:
                    self._log(f"{self.role} {self.index} cannot be started: {reason}; trying again")
                said = str(reason)
                self.restarts += 1  # so that who never starts is told, too
            else:
                if self._stopping:
                    return
                if code == EXIT_USAGE and not self._was_ready():
                    self.unusable.set()
                    self._changed()
                    return
                if time.monotonic() - started > STEADY_AFTER:
                    pause, said = FIRST_PAUSE, ""
                self.restarts += 1
                again = f"starting it again in {pause:g} s"
                self._log(f"{self.role} {self.index} {_ending(code)}; {again}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run_once(self) -> int:
        self._process = fork(self._work, self._files)
        self.pid = self._process.pid
        self._changed()
        try:
            return await ended(self._process)
        finally:
            if self._process.returncode is not None:
                self.pid = self._process = None


def _ending(code: int) -> str:
    """Return an exit code in words.

    >>> _ending(-9), _ending(1)
    ('was killed by SIGKILL', 'ended with exit code 1')
    """
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
