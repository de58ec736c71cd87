"""Cells: every score has one, and bins are made of whole ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.calibration.cells import COUNTED, cells_of
from monitor.sequential.known_probability import UNIT


@given(st.integers(2, 100), st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30))
def test_bins_hold_what_their_cells_do(bins: int, seen: list[tuple[float, bool]]) -> None:
    """Counts by bin are those of numpy's histogram with as many equal bins."""
    cells = cells_of(bins)
    counts = np.zeros(COUNTED * cells.size, dtype=np.int64)
    for score, true in seen:
        for place, integer in cells.added(score, came_true=true):
            counts[place] += integer
    n, y, p, squares, hits = cells.in_bins(counts)
    edges = [number / bins for number in range(bins)] + [1.0]
    scores = [score for score, _ in seen]
    assert n.tolist() == np.histogram(scores, edges)[0].tolist()
    assert y.sum() == sum(true for _, true in seen)
    assert abs(p.sum() / UNIT - sum(scores)) < 1e-6
    assert abs(squares.sum() / UNIT - sum(score**2 for score in scores)) < 1e-6
    assert abs(hits.sum() / UNIT - sum(score for score, true in seen if true)) < 1e-6


@pytest.mark.parametrize("bins", [2, 10, 15, 100])
def test_both_ends_have_a_bin(bins: int) -> None:
    """0 is in the first and 1 in the last; there is no bin beyond."""
    cells = cells_of(bins)
    assert cells.added(0.0, came_true=False)[0] == (0, 1)
    assert cells.added(1.0, came_true=False)[0] == (cells.size - 1, 1)
    assert len(cells.middles) == cells.size
    assert np.all(np.diff(cells.middles) > 0)
