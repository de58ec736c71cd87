"""Histories: counts since any change point are differences, and these stay few."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.sequential.history import CHANGE_POINTS, NEAR, History


def counts(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_a_mark_is_made_every_block() -> None:
    """Panes are added up until they hold a block of values."""
    history = History(2, 0.0)
    assert not history.close(counts(3, 0), 60.0, 5)
    assert history.close(counts(1, 1), 120.0, 5)
    assert not history.close(counts(4, 0), 180.0, 5)
    assert history.times == [0.0, 120.0]
    assert (history.total - history.change_points).tolist() == [[8, 1], [4, 0]]


@given(st.lists(st.integers(1, 9), max_size=400))
def test_marks_stay_few_and_near_ones_are_kept(panes: list[int]) -> None:
    """However long it goes on: the first, the newest, and ever fewer with age."""
    history = History(1, 0.0)
    for number, hits in enumerate(panes, start=1):
        history.close(counts(hits), float(number), 1)
    assert len(history.born) == len(history.times) == len(history.change_points) <= CHANGE_POINTS
    assert history.born[0] == 1
    newest = list(range(max(1, len(panes) + 2 - NEAR), len(panes) + 2))
    assert history.born[-len(newest) :] == newest
    assert (np.diff(history.born) > 0).all()


def test_old_marks_are_spread_by_age() -> None:
    """Gaps between change points grow with their age, so a window of any length is about at hand."""
    history = History(1, 0.0)
    for number in range(5000):
        history.close(counts(1), float(number), 1)
    ages = [history.starts - born for born in history.born]
    assert ages[0] == 5000
    assert all(older + NEAR <= 9 * (newer + NEAR) for older, newer in itertools.pairwise(ages))


def test_the_recent_window_is_the_newest_with_enough() -> None:
    """It begins at a change point; without enough values it is everything."""
    history = History(1, 0.0)
    for number in range(6):
        history.close(counts(10), float(number), 10)
    point = history.recent(history.total, 25)
    assert (history.total - history.change_points[point]).sum() == 30
    assert history.recent(history.total, 1000) == 0


def test_a_trail_goes_on_after_a_restart() -> None:
    """The state holds all of it."""
    history = History(2, 5.0)
    for number in range(30):
        history.close(counts(number, 1), float(number), 7)
    again = History.restore(history.state())
    for one in (history, again):
        one.close(counts(9, 9), 31.0, 7)
        one.restart(len(one.born) - 2)
    assert again.state() == history.state()
