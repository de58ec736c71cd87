"""How slow this machine is just now: bounds of CPU time are stated for the one they were found on."""

from __future__ import annotations

import time

import pytest

from monitor import turns

STRETCH = turns.STRETCH
"""That of our processes: the one of the tests has no end."""
USUAL = 0.003
"""Seconds of CPU time that `_work` takes there while nobody else works."""


def slowness() -> float:
    """How many times as long as there the same work takes here, at least 1. Who shares a core or its
    caches with others takes longer, also in CPU time."""
    return max(1.0, max(_seconds() for _ in range(3)) / USUAL)


def is_within(seconds: float, bound: float) -> bool:
    """Whether so many seconds of CPU time are within a bound, times `slowness`, which takes longer to
    find than most of what is measured: nobody looks where it is fast enough without."""
    return seconds < bound or seconds < bound * slowness()


def give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who works long in this test give way as in our processes."""
    monkeypatch.setattr(turns, "STRETCH", STRETCH)
    monkeypatch.setattr(turns, "_look_at", 0.0)


def _seconds() -> float:
    begun = time.thread_time()
    _work()
    return time.thread_time() - begun


def _work() -> int:
    found: dict[str, int] = {}
    for number in range(20_000):
        name = str(number % 1000)
        found[name] = found.get(name, 0) + number
        if not number % 20:
            time.thread_time()  # a call of the system, which virtual machines do slowly
    return len(found)
