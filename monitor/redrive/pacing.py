"""Work → when it is begun: as it was recorded, times a speed, or so many at once.

At a speed the loop is open: what is due begins whether or not the answers before have come, unless
as many as `concurrency` are under way. What begins later than it was due has waited, and its *lag*
says how long: without that a slow endpoint would look better than it is (coordinated omission).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

TICK = 0.2
"""Seconds after which somebody who waits looks whether all is to end."""


@dataclass(frozen=True)
class Done(Generic[R]):
    """What work made; `lag` is how many seconds after it was due it began."""

    made: R
    lag: float


def due(times: Sequence[float], speed: float) -> list[float]:
    """Return seconds after the first at which each is due, at so many times the recorded speed.

    >>> due([100.0, 101.0, 104.0], 2.0)
    [0.0, 0.5, 2.0]
    """
    first = min(times, default=0.0)
    return [(at - first) / speed for at in times]


def drive(
    items: Sequence[T],
    worker: Callable[[], AbstractContextManager[Callable[[T], R]]],
    *,
    concurrency: int,
    schedule: Sequence[float] | None,
    clock: Callable[[], float],
    stop: threading.Event,
) -> Iterator[Done[R]]:
    """Do the work of all items in threads, and yield what it makes as it is done.

    `worker` is entered once in each thread, and left when there is no more to do. `schedule` are
    the seconds at which each is due, in rising order; without one each begins as soon as a thread
    is free. `clock` gives monotonic seconds. When the caller goes away, or `stop` is set, nothing
    more begins. An exception of the work is raised here.
    """
    waiting: queue.Queue[tuple[T, float] | None] = queue.Queue()
    done: queue.Queue[Done[R] | BaseException] = queue.Queue()

    def work() -> None:
        try:
            with worker() as do:
                while (item := waiting.get()) is not None and not stop.is_set():
                    lag = max(0.0, clock() - item[1])
                    done.put(Done(do(item[0]), lag))
        except BaseException as error:  # noqa: BLE001  it is raised where the caller is
            done.put(error)

    threads = [
        threading.Thread(target=work, name=f"redrive-{number}", daemon=True)
        for number in range(max(1, min(concurrency, len(items))))
    ]
    began, begun, ended = clock(), 0, 0
    try:
        for thread in threads:
            thread.start()
        while ended < len(items) and not (stop.is_set() and ended == begun):
            pause = TICK
            while begun < len(items) and begun - ended < concurrency and not stop.is_set():
                at = began + schedule[begun] if schedule is not None else clock()
                if (left := at - clock()) > 0:
                    pause = min(pause, left)
                    break
                waiting.put((items[begun], at))
                begun += 1
            try:
                one = done.get(timeout=pause)
            except queue.Empty:
                continue
            if isinstance(one, BaseException):
                raise one
            ended += 1
            yield one
    finally:
        stop.set()
        for _ in threads:
            waiting.put(None)
