"""Rows of a log are put in order of time, in bounded memory, by reading it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import SourceError
from monitor.logged import Logged
from monitor.replay import order


class Log:
    """Rows at times; counts how often it was read."""

    def __init__(self, times: list[float | None]) -> None:
        self.times = times
        self.readings = 0

    def read(self) -> Iterator[Logged]:
        """See order.Read."""
        self.readings += 1
        return (Logged(started=at, id=str(place)) for place, at in enumerate(self.times))


def test_a_row_without_a_time_has_that_of_the_one_before() -> None:
    """And its number where none had one."""
    found = order.timed(Log([None, None, 9.0, None, 7.0]).read())
    assert [(one.number, one.at, one.said.started) for one in found] == [
        (0, 0.0, 0.0),
        (1, 1.0, 1.0),
        (2, 9.0, 9.0),
        (3, 9.0, 9.0),
        (4, 7.0, 7.0),
    ]


@given(
    st.lists(st.none() | st.integers(0, 30).map(float), max_size=60),
    st.sampled_from([1, 3, 10, 1000]),
    st.sampled_from([0, 20, 1000]),
)
def test_rows_come_by_time_and_then_by_number(
    times: list[float | None], room: int, kept: int
) -> None:
    """Whichever way they are put in order, and however little may be held."""
    log = Log(times)
    expected = sorted(order.timed(log.read()), key=lambda one: (one.at, one.number))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "BYTES", room * order.ROW)
        patch.setattr(order, "KEPT", kept * order.ROW)
        patch.setattr(order, "READINGS", 1000)
        try:
            assert list(order.in_order(log.read, "a")) == expected
        except SourceError:  # more at one time than may be held
            assert room < 10


@pytest.mark.parametrize(
    ("times", "readings"),
    [
        ([float(n) for n in range(100)], 2),
        ([float(n ^ 1) for n in range(100)], 2),
        ([float(-n) for n in range(100)], 11),
        ([], 2),
    ],
    ids=["in order", "nearly", "newest first", "empty"],
)
def test_a_log_is_read_as_often_as_it_must(
    times: list[float | None], readings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice where little is out of order, and once for each part where all is; ten rows are held."""
    monkeypatch.setattr(order, "BYTES", 10 * order.ROW)
    monkeypatch.setattr(order, "KEPT", -1)
    log = Log(times)
    assert [one.at for one in order.in_order(log.read, "a")] == sorted(
        at for at in times if at is not None
    )
    assert log.readings <= readings


def test_a_small_log_is_read_once() -> None:
    """Whatever the order of its rows."""
    log = Log([3.0, 1.0, None, 2.0])
    assert [one.at for one in order.in_order(log.read, "a")] == [1.0, 1.0, 2.0, 3.0]
    assert log.readings == 1


def test_too_many_rows_out_of_order_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    monkeypatch.setattr(order, "BYTES", order.ROW)
    monkeypatch.setattr(order, "KEPT", 0)
    with pytest.raises(
        SourceError, match=r"a\.jsonl: its 100 rows are not in order of time.*sort them"
    ):
        list(order.in_order(Log([float(-n) for n in range(100)]).read, "a.jsonl"))
