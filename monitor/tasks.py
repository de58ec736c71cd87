"""Tasks that cannot end unseen: whoever starts one says what it is, and its exception is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from monitor import logs

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0


def own(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start `work` as a task. When it raises, a line says so: the type and the place."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_told)
    return task


async def forever(work: Callable[[], Awaitable[None]], name: str) -> None:
    """Do `work` again and again, whatever it raises: then after a pause that doubles.

    Said once, until it has gone well again. `work` itself waits for its next turn.
    """
    pause, said = FIRST_PAUSE, ""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  a keeper goes on
            if type(error).__name__ != said:
                logs.error(f"{name} failed: {logs.place(error)}; trying again")
            said = type(error).__name__
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            pause, said = FIRST_PAUSE, ""


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Do nothing for so long, or until told to stop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


def until_beat(now: float, period: float) -> float:
    """Return the seconds from `now`, the loop's time, to the next multiple of `period`.

    Who waits for a beat wakes up together with all who wait for one. To wake up costs more than
    most of what is done then.

    >>> until_beat(7.375, 0.25), until_beat(7.5, 0.25)
    (0.125, 0.25)
    """
    return period - now % period


def _told(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logs.error(f"{task.get_name()} ended for good: {logs.place(error)}")
