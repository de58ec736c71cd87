"""The generator of traffic, without a clock and without an endpoint."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from monitor.demo import traffic


class Counted:
    """Clients that only count; every third request fails."""

    def __init__(self) -> None:
        self.sent: list[list[bool]] = []

    def send(self, todo: Iterator[bool], done: Callable[[], None]) -> int:
        self.sent.append(list(todo))
        return len(self.sent[-1]) // 3


def test_traffic_is_usual_until_it_shifts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many requests in each second; the shift, and what failed, is said in a line."""

    def endless(count: int, *, shifted: bool, seed: int) -> Iterator[bool]:
        return itertools.repeat(shifted, count)

    monkeypatch.setattr(traffic, "jobs", endless)
    monkeypatch.setattr(traffic.time, "sleep", lambda _: None)
    clients, said = Counted(), list[str]()
    traffic.send(cast(Any, clients), rate=3, usual=2, say=said.append, seconds=4)
    assert clients.sent == [[False] * 3] * 2 + [[True] * 3] * 2
    assert [line for line in said if line.startswith("from now on")] == [said[3]]
    assert said.count("1 of 3 requests failed") == 4
