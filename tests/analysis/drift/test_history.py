"""Trails: counts since any mark are differences, and marks stay few."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.history import MARKS, NEAR, Trail


def counts(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_a_mark_is_made_every_block() -> None:
    """Panes are added up until they hold a block of values."""
    trail = Trail(2, 0.0)
    assert not trail.close(counts(3, 0), 60.0, 5)
    assert trail.close(counts(1, 1), 120.0, 5)
    assert not trail.close(counts(4, 0), 180.0, 5)
    assert trail.times == [0.0, 120.0]
    assert (trail.total - trail.marks).tolist() == [[8, 1], [4, 0]]


@given(st.lists(st.integers(1, 9), max_size=400))
def test_marks_stay_few_and_near_ones_are_kept(panes: list[int]) -> None:
    """However long it goes on: the first, the newest, and ever fewer with age."""
    trail = Trail(1, 0.0)
    for number, hits in enumerate(panes, start=1):
        trail.close(counts(hits), float(number), 1)
    assert len(trail.born) == len(trail.times) == len(trail.marks) <= MARKS
    assert trail.born[0] == 1
    newest = list(range(max(1, len(panes) + 2 - NEAR), len(panes) + 2))
    assert trail.born[-len(newest) :] == newest
    assert (np.diff(trail.born) > 0).all()


def test_old_marks_are_spread_by_age() -> None:
    """Gaps between marks grow with their age, so a window of any length is about at hand."""
    trail = Trail(1, 0.0)
    for number in range(5000):
        trail.close(counts(1), float(number), 1)
    ages = [trail.starts - born for born in trail.born]
    assert ages[0] == 5000
    assert all(older + NEAR <= 9 * (newer + NEAR) for older, newer in itertools.pairwise(ages))


def test_the_recent_window_is_the_newest_with_enough() -> None:
    """It begins at a mark; without enough values it is everything."""
    trail = Trail(1, 0.0)
    for number in range(6):
        trail.close(counts(10), float(number), 10)
    mark = trail.recent(trail.total, 25)
    assert (trail.total - trail.marks[mark]).sum() == 30
    assert trail.recent(trail.total, 1000) == 0


def test_a_trail_goes_on_after_a_restart() -> None:
    """The state holds all of it."""
    trail = Trail(2, 5.0)
    for number in range(30):
        trail.close(counts(number, 1), float(number), 7)
    again = Trail.restore(trail.state())
    for one in (trail, again):
        one.close(counts(9, 9), 31.0, 7)
        one.restart(len(one.born) - 2)
    assert again.state() == trail.state()
