"""What is due begins in time, no more at once than may, and the rest is said to have waited."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from monitor.redrive.pacing import Done, drive


def worked(
    seconds: float, schedule: list[float] | None, concurrency: int, items: int
) -> tuple[list[Done[int]], int, float]:
    """What came, how many were under way at once, and how long all took."""
    lock, now, most = threading.Lock(), 0, 0

    def work(item: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(seconds)
        with lock:
            now -= 1
        return item

    began = time.monotonic()
    done = list(
        drive(
            range(items), lambda: work, concurrency=concurrency, schedule=schedule,
            clock=time.monotonic, stop=threading.Event(),
        )
    )  # fmt: skip
    return done, most, time.monotonic() - began


def test_a_closed_loop_keeps_so_many_under_way() -> None:
    """All are done, and never more at once than may be."""
    done, most, took = worked(0.02, None, 4, 20)
    assert sorted(one.made for one in done) == list(range(20))
    assert most <= 4
    assert took >= 0.02 * 5


def test_an_open_loop_begins_what_is_due() -> None:
    """Answers that take longer than the time between two are not waited for."""
    done, most, took = worked(0.2, [0.0, 0.02, 0.04, 0.06], 16, 4)
    assert most > 1
    assert 0.2 <= took < 0.7
    assert len(done) == 4


def test_what_has_to_wait_has_a_lag() -> None:
    """Two at once: the third of three that are due together begins when one of these has ended."""
    done, most, _ = worked(0.1, [0.0, 0.0, 0.0], 2, 3)
    assert most <= 2
    assert max(one.lag for one in done) >= 0.0
    assert [one.made for one in done][-1] == 2


def test_nothing_begins_after_a_stop() -> None:
    """Whoever goes away, by Ctrl-C or an error, leaves no work behind that was not begun."""
    stop, begun = threading.Event(), []

    def work(item: int) -> int:
        begun.append(item)
        return item

    results = drive(
        range(1000), lambda: work, concurrency=2, schedule=None, clock=time.monotonic, stop=stop
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

    def worker() -> Callable[[int], int]:
        return fail

    with pytest.raises(ValueError, match="no"):
        list(
            drive(
                [1],
                worker,
                concurrency=1,
                schedule=None,
                clock=time.monotonic,
                stop=threading.Event(),
            )
        )
