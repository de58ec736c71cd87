"""A process beside the traffic → behind the proxy and the model endpoint, in the kernel's order.

Lowering a priority needs no rights, and what the system does not know or allow is left out. Nothing
is raised: what somebody started with a lower priority stays there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

NICE = 10
"""A tenth of a core beside a process that never sleeps and has the usual priority, 0. All of it if
nobody else wants it."""
TRIES, PAUSE = 20, 0.1
"""How often it is tried to lower a session, and the seconds between: Linux lets users do it ten
times a second, all together."""


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
