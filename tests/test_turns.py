"""A process that works long gives way in time, and not more often than it must."""

from __future__ import annotations

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor import turns
from tests.pace import is_within

pytestmark = pytest.mark.usefixtures("own_turns")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """CPU times of this thread at which others could have had the core."""
    moments: list[float] = []
    monkeypatch.setattr(os, "sched_yield", lambda: moments.append(time.thread_time()))
    return moments


def work(seconds: float) -> None:
    """Use CPU time and ask all the time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        turns.give_way()


def test_long_work_gives_way_after_each_stretch(given: list[float]) -> None:
    """None is shorter than a stretch, and none longer by more than what asking takes."""
    work(0.1)
    stretches = sorted(b - a for a, b in itertools.pairwise(given))
    assert len(stretches) > 100
    assert stretches[0] >= turns.STRETCH
    assert stretches[len(stretches) // 2] < 1.2 * turns.STRETCH


def test_time_spent_waiting_is_no_stretch(given: list[float]) -> None:
    """Who has waited for the core, or for anything else, has not kept it from others."""
    turns.give_way()
    work(turns.STRETCH)
    given.clear()
    began = time.thread_time()
    for _ in range(20):
        time.sleep(2 * turns.STRETCH)
        turns.give_way()
    # Sleeping takes some CPU time, too.
    assert len(given) <= 1 + (time.thread_time() - began) / turns.STRETCH


def test_asking_is_cheap(given: list[float]) -> None:
    """So it can be asked for every value of a long text."""
    start, count = time.process_time(), 200_000
    for _ in range(count):
        turns.give_way()
    assert is_within((time.process_time() - start) / count, 5e-6)


def test_who_is_alone_gives_way_to_nobody(given: list[float]) -> None:
    """Until it is alone no more; what it has worked is still known to the moment."""
    with turns.alone():
        before = turns.worked()
        work(0.01)
        assert turns.worked() >= before + 0.01
        assert not given
    work(0.01)
    assert given


def test_what_was_worked_is_known_to_a_stretch() -> None:
    """Sleep is no work, and each thread has worked for itself."""
    work(0.002)
    before = turns.worked()
    time.sleep(0.05)
    turns.give_way()
    assert turns.worked() - before < 0.01
    work(0.02)
    assert 0.018 < turns.worked() - before < 0.05
    with ThreadPoolExecutor(1) as other:
        assert other.submit(turns.worked).result() < 0.01


def test_to_know_what_was_worked_is_cheap() -> None:
    """It is asked for every text."""
    turns.give_way()
    start, count = time.process_time(), 200_000
    for _ in range(count):
        turns.worked()
    assert is_within((time.process_time() - start) / count, 1e-6)


def test_what_was_worked_is_never_older_than_a_stretch() -> None:
    """Long after it gave way a thread is told its CPU time as it is: else a text that is looked at
    then would seem to have taken all the time since."""
    turns.give_way()
    began = time.thread_time()
    while time.thread_time() - began < 0.05:
        pass  # and nobody gives way
    assert turns.worked() - began >= 0.05
