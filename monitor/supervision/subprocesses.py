"""Waits for a child process without a thread or a signal handler.

asyncio's own subprocesses may fail after the child has started, if no descriptor or thread is left
to watch it. The child would then run on without an owner.
"""

from __future__ import annotations

import asyncio
import os
from typing import Protocol

LOOK_EVERY = 0.05
"""Seconds between polls if the system has no pidfd, or no descriptor is left for one."""


class Process(Protocol):
    """What is asked of a child process: a `subprocess.Popen` or a `Fork`."""

    @property
    def pid(self) -> int:
        """Its number, by which the system knows it; another process may get it after `wait`."""

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""

    def wait(self) -> int:
        """Return its exit code once it has ended."""


async def ended(process: Process) -> int:
    """Return the exit code once the process has ended (negative: the signal's number)."""
    try:
        watched = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        while (code := process.poll()) is None:  # noqa: ASYNC110  there is no event to wait for
            await asyncio.sleep(LOOK_EVERY)
        return code
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(watched, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(watched)
    finally:
        os.close(watched)
    return process.wait()
