"""The backlog: every piece looked at once, in order, soon, whatever an observer does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from monitor.proxy.backlog import AGE, BATCH_BYTES, LONGEST, PIECE_BYTES, Backlog


class Loop:
    """Keeps what it is to call later."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        self.later.append((delay, call))


class Side:
    """Writes down what it sees; `fails` on some of it."""

    def __init__(self, log: list[tuple[bytes, float]], fails: bytes = b"") -> None:
        self.log = log
        self.fails = fails
        self.splice = self
        self.reasons: list[str] = []

    def observe(self, data: bytes, at: float) -> None:
        if data == self.fails:
            raise RuntimeError
        self.log.append((data, at))

    def opaque(self, reason: str) -> None:
        self.reasons.append(reason)


def made() -> tuple[Backlog, Loop, list[tuple[bytes, float]]]:
    loop = Loop()
    return Backlog(cast(Any, loop)), loop, []


def test_pieces_are_looked_at_together_in_order_of_arrival() -> None:
    """Of all connections, with the times of arrival."""
    backlog, _, log = made()
    one, other = Side(log), Side(log)
    backlog.add(one, b"a", 1.0)
    backlog.add(other, b"b", 1.001)
    backlog.add(one, b"c", 1.002)
    assert not log
    backlog.catch_up()
    assert log == [(b"a", 1.0), (b"b", 1.001), (b"c", 1.002)]
    backlog.catch_up()
    assert len(log) == 3


def test_the_next_piece_has_old_ones_looked_at() -> None:
    """None waits for longer while there is traffic."""
    backlog, _, log = made()
    backlog.add(Side(log), b"a", 1.0)
    backlog.add(Side(log), b"b", 1.0 + AGE / 2)
    assert not log
    backlog.add(Side(log), b"c", 1.0 + 1.01 * AGE)
    assert [data for data, _ in log] == [b"a", b"b", b"c"]
    backlog.add(Side(log), b"d", 1.0 + 1.02 * AGE)
    assert len(log) == 3, "a new batch has begun"


def test_when_traffic_stops_the_last_pieces_are_looked_at_all_the_same() -> None:
    """One timer at a time, however many pieces came meanwhile."""
    backlog, loop, log = made()
    backlog.add(Side(log), b"a", 1.0)
    backlog.catch_up()
    backlog.add(Side(log), b"b", 1.01)
    assert [delay for delay, _ in loop.later] == [LONGEST]
    loop.later.pop()[1]()
    assert [data for data, _ in log] == [b"a", b"b"]
    backlog.add(Side(log), b"c", 1.1)
    assert len(loop.later) == 1


def test_what_waits_is_bounded() -> None:
    """In bytes and in pieces."""
    for size in (1, 65536):
        backlog, _, log = made()
        side, waited = Side(log), 0
        while not log:
            backlog.add(side, b"x" * size, 1.0)
            waited += size + PIECE_BYTES
        assert BATCH_BYTES < waited <= BATCH_BYTES + size + PIECE_BYTES


def test_an_observer_that_fails_stops_no_other() -> None:
    """Its own connection turns opaque."""
    backlog, _, log = made()
    bad, good = Side(log, fails=b"a"), Side(log)
    backlog.add(bad, b"a", 1.0)
    backlog.add(good, b"b", 1.0)
    backlog.catch_up()
    assert bad.reasons == ["observer_failed"]
    assert log == [(b"b", 1.0)]
