"""Event time → panes."""

from __future__ import annotations

import math

import pytest

from monitor.analysis.panes import NEVER, Panes, Saved


def test_an_event_closes_what_ended_long_enough_before_it() -> None:
    """With panes of 10 s and 2 s of lateness: not at 21 s, but at 22 s the pane that ends at 20 s."""
    panes = Panes(10.0, 2.0)
    assert panes.enter(15.0) == (15.0, 1, 0)
    panes.closed = 0
    assert panes.enter(21.0) == (21.0, 2, None)
    assert panes.enter(22.0) == (22.0, 2, 1)
    panes.closed = 1
    assert panes.enter(3.0) == (3.0, 2, None)  # late: the oldest open pane
    assert (panes.newest, panes.last, panes.end(1)) == (22.0, 2, 20.0)


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, 1e300])
def test_a_time_of_another_world_is_that_of_the_newest_event(at: float) -> None:
    """Nothing is closed by it."""
    panes = Panes(10.0, 2.0)
    assert panes.enter(at)[0] == 0.0
    panes.enter(55.0)
    panes.closed = 4
    assert panes.enter(at) == (55.0, 5, None)


def test_panes_cut_by_hand_follow_each_other() -> None:
    """Whatever the times are."""
    panes = Panes(None, 2.0)
    assert panes.enter(1e9) == (1e9, 0, None)
    panes.closed = 0
    assert panes.enter(5.0) == (5.0, 1, None)
    assert panes.newest == 1e9


@pytest.mark.parametrize(
    ("length", "before", "after"),
    [(10.0, [6, 7], [6, 7]), (5.0, [6, 7], [12, 14]), (60.0, [6, 7], [1, 1])],
)
def test_open_panes_of_another_length_become_those_of_now(
    length: float, before: list[int], after: list[int]
) -> None:
    """None of them is one that is closed, or of the future."""
    panes = Panes(length, 2.0)
    place = panes.resume(Saved(10.0, 5, 78.0, 7), math.inf)
    assert [place(pane) for pane in before] == after
    assert panes.closed < min(after)
    assert panes.last == after[-1]


def test_what_is_saved_from_the_future_is_brought_back() -> None:
    """A clock that was ahead leaves no pane closed that has not come."""
    panes = Panes(10.0, 2.0)
    place = panes.resume(Saved(10.0, 900, 9100.0, 910), latest=100.0)
    assert (panes.newest, panes.closed, place(905), panes.last) == (100.0, 10, 11, 11)


def test_nothing_saved_is_nothing_resumed() -> None:
    """Panes that saw no event begin as they are."""
    panes = Panes(10.0, 2.0)
    place = panes.resume(Panes(10.0, 2.0).saved(), math.inf)
    assert (panes.closed, panes.last, place(3)) == (NEVER, NEVER, 3)
