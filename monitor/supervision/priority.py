"""A process → its place in the kernel's order: the proxy first, then the endpoint, then all others.

Nothing of it needs rights, and what the system does not know or allow is left out. No priority is
raised: what somebody started with a lower one stays there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import sys
from pathlib import Path

NICE = 10
"""A tenth of a core beside a process that never sleeps and has the usual priority, 0. All of it if
nobody else wants it."""
TRIES, PAUSE = 20, 0.1
"""How often it is tried to lower a session, and the seconds between: Linux lets users do it ten
times a second, all together."""
TURN = 0.0001
"""Seconds of a core that the proxy asks for at a time: the least that Linux grants."""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Numbers of the system call, for which the C library has no function."""
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")
"""`struct sched_attr` of sched_setattr(2): size, policy, flags, nice value, priority of real time,
and runtime, deadline and period in nanoseconds."""


def shorten_turns() -> None:
    """Ask for turns of `TURN` seconds for this process, so that it has a core soon after it is
    woken; never raises OSError.

    Since Linux 6.12 whoever is woken takes the core from one with longer turns (1.4 to 3 ms where
    nobody asked), and need not wait for its end or for the next tick. Whoever is woken gets no more
    of the core for it. Older kernels ignore the figure. Source: sched_setattr(2), and PREEMPT_SHORT
    in the kernel's `kernel/sched/features.h`.
    """
    import ctypes  # the proxy alone needs these
    import platform

    number = _SCHED_SETATTR.get(platform.machine())
    is_wide = sys.maxsize > 2**32  # with fewer bits the numbers of such a machine are others
    if number is None or not is_wide or not hasattr(os, "sched_getscheduler"):
        return
    call = ctypes.CDLL(None).syscall
    for thread in _threads(os.getpid()):
        with contextlib.suppress(OSError):  # it has ended
            policy, nice = os.sched_getscheduler(thread), os.getpriority(os.PRIO_PROCESS, thread)
            if policy in {os.SCHED_OTHER, os.SCHED_BATCH}:
                size = _SCHED_ATTR.size
                asked = _SCHED_ATTR.pack(size, policy, 0, nice, 0, round(TURN * 1e9), 0, 0)
                call(number, thread, asked, 0)


async def lower(pid: int) -> None:
    """Lower the priority of a process that leads its session, for good; never raises OSError.

    One that leads none shares somebody's session, a shell's or a test's, and is left alone with it.
    Nice value `NICE` and SCHED_BATCH (sched(7)), so that it takes no core from a process that is at
    work. Where Linux shares the cores among sessions first (autogroups), nice values count only
    within a session, so that is lowered too.
    """
    if not _leads_its_session(pid):
        return
    for thread in _threads(pid):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, pid)))
        if hasattr(os, "SCHED_BATCH"):
            with contextlib.suppress(OSError):
                if os.sched_getscheduler(thread) != os.SCHED_IDLE:
                    os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))
    session = Path(f"/proc/{pid}/autogroup")
    for _ in range(TRIES):
        try:
            session.write_text(str(NICE), encoding="ascii")  # noqa: ASYNC240  no disk is behind it
        except BlockingIOError:
            await asyncio.sleep(PAUSE)
        except OSError:  # no autogroups
            return
        else:
            return


def _leads_its_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except OSError:  # it has ended
        return False


def _threads(pid: int) -> list[int]:
    """Return the threads of a process, each of which Linux gives a priority of its own."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208
    except OSError:
        return [pid]
