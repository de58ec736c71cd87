"""What is due begins in time, no more at once than may, and the rest is said to have waited."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from monitor.redrive.pacing import Done, drive


def worked(
    work: Callable[[int], int], schedule: list[float] | None, concurrency: int, items: int
) -> list[Done[int]]:
    return list(
        drive(
            range(items), lambda: nullcontext(work), concurrency=concurrency, schedule=schedule,
            clock=time.monotonic, stop=threading.Event(),
        )
    )  # fmt: skip


def test_a_closed_loop_keeps_so_many_under_way() -> None:
    """All are done, and never more at once than may be."""
    lock, now, most = threading.Lock(), 0, 0

    def work(item: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1
        return item

    done = worked(work, None, 4, 20)
    assert sorted(one.made for one in done) == list(range(20))
    assert most <= 4


def test_an_open_loop_begins_what_is_due() -> None:
    """Answers that take longer than the time between two are not waited for: all four are under way
    together, since none ends before."""
    together = threading.Barrier(4, timeout=20)

    def work(item: int) -> int:
        together.wait()
        return item

    assert len(worked(work, [0.0, 0.01, 0.02, 0.03], 16, 4)) == 4


def test_nothing_begins_before_it_is_due() -> None:
    """However fast the answers come."""
    began = time.monotonic()
    done = worked(lambda _: time.monotonic_ns(), [0.0, 0.1], 2, 2)
    assert done[1].made / 1e9 - began >= 0.1


def test_what_has_to_wait_has_a_lag() -> None:
    """One at a time: the second of two that are due together begins when the first has ended."""

    def work(item: int) -> int:
        time.sleep(0.1)
        return item

    first, second = worked(work, [0.0, 0.0], 1, 2)
    assert second.lag >= 0.1
    assert second.lag > first.lag


def test_nothing_begins_after_a_stop() -> None:
    """Whoever goes away, by Ctrl-C or an error, leaves no work behind that was not begun."""
    stop, begun = threading.Event(), []

    def work(item: int) -> int:
        begun.append(item)
        return item

    results = drive(
        range(1000),
        lambda: nullcontext(work),
        concurrency=2,
        schedule=None,
        clock=time.monotonic,
        stop=stop,
    )
    for one in results:
        if one.made >= 5:
            break
    results.close()  # type: ignore[attr-defined]
    assert stop.is_set()
    assert len(begun) < 1000


def test_an_error_of_the_work_is_raised_where_it_was_asked_for() -> None:
    """And not lost in a thread."""

    def fail(_: int) -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        worked(fail, None, 1, 1)
