"""Keeps one child process running: start, restart with back-off, stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.app.child import EXIT_USAGE

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0
"""Seconds a child must have lived for its next crash to count as a first one."""


class Kept:
    """A child that is started again whenever it ends by itself.

    It gets a session of its own, so that Ctrl-C reaches the supervisor alone, which then stops the
    children in the right order. `files` are open files for each of its lives; the environment
    variables of these names tell it their numbers. `unusable` is set when it ends with exit code 2
    before it was ever ready: its settings cannot work and starting it again would not help.
    """

    def __init__(
        self,
        role: str,
        index: int,
        runtime: Path,
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
        self._runtime = runtime
        self._log = log
        self._changed = changed
        self._was_ready = was_ready
        self._files = files
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the child and keep it."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self, patience: float) -> bool:
        """SIGTERM, then SIGKILL after `patience` seconds; whether it ended by itself and well."""
        self._stopping = True
        process = self._process
        if process is None:
            if self._keeper:
                self._keeper.cancel()
            return True
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            # A stopped (SIGSTOP) process would not hear it.
            process.send_signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(patience):
                code = await process.wait()
        except TimeoutError:
            self._log(f"{self.role} {self.index} did not end within {patience:g} s; killed")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            return False
        finally:
            if self._keeper:
                self._keeper.cancel()
        return code == 0

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            code = await self._run()
            if self._stopping:
                return
            if code == EXIT_USAGE and not self._was_ready():
                self.unusable.set()
                return
            if time.monotonic() - started > STEADY_AFTER:
                pause = FIRST_PAUSE
            self.restarts += 1
            self._log(f"{self.role} {self.index} {_ending(code)}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run(self) -> int:
        files = {name: str(fd) for name, fd in self._files.items()}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"monitor.app.{self.role}",
            str(self._runtime),
            str(self.index),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=tuple(self._files.values()),
            env={**environment(), **files},
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._changed()
        return await self._process.wait()


def environment(*also: str) -> dict[str, str]:
    """Our environment without `MONITOR_…`, which may hold secrets, and what else begins with one of
    `also`. Settings go to a child by file."""
    hidden = ("MONITOR_", *also)
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def _ending(code: int) -> str:
    """An exit code in words.

    >>> _ending(-9), _ending(1)
    ('was killed by SIGKILL', 'ended with exit code 1')
    """
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
