"""How long this thread works at a stretch: the CPU time from one moment at which another process may have the core
to the next."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.pace import give_way, slowness

LONG = 0.001


class Stretches:
    """Notes the CPU seconds of every stretch of this thread: it ends where it gives way, and where it waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: list[float] = []
        self._slow: list[float] = []
        self._thread = threading.get_ident()
        self._began = time.thread_time()
        monkeypatch.setattr(os, "sched_yield", self.end)
        give_way(monkeypatch)

    def end(self) -> None:
        """End a stretch and begin the next."""
        if threading.get_ident() == self._thread:
            self.seconds.append(time.thread_time() - self._began)
            self._began = time.thread_time()

    def clear(self) -> None:
        """Forget what was until now, such as a start."""
        self.seconds.clear()
        self._slow = [slowness()]
        self._began = time.thread_time()

    @property
    def slowness(self) -> float:
        """That of this machine before the work or after it, whichever is more: others come and go.
        At least 2: work on much memory was seen to take twice as long in hours in which `slowness`,
        whose work fits into the caches, was 1. Work that gives way nowhere takes 50 times as long."""
        if len(self._slow) < 2:
            self._slow.append(slowness())
        return max(2.0, *self._slow)

    @property
    def longest(self) -> float:
        """The longest one, as it would be on the machine of the bounds."""
        return max(self.seconds) / self.slowness

    @property
    def share_of_long(self) -> float:
        """How much of the time was spent in stretches of more than LONG."""
        return sum(one for one in self.seconds if one > LONG * self.slowness) / sum(self.seconds)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run on an event loop of which waiting ends a stretch."""
        selector = _Selector()
        selector.stretches = self
        loop = asyncio.SelectorEventLoop(selector)
        try:
            loop.run_until_complete(work)
        finally:
            loop.close()


class _Selector(selectors.DefaultSelector):
    stretches: Stretches

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self.stretches.end()
        return super().select(timeout)
