"""Shapes of tensors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.shapes import COLUMNS, ROWS, VECTOR, columns, vectors
from monitor.types import Part


@given(shape=st.none() | st.lists(st.integers(-(10**20), 10**20), max_size=6))
def test_any_shape_has_a_number_of_columns(shape: list[int] | None) -> None:
    """Bounded, and at least one."""
    assert 1 <= columns(shape) <= VECTOR + 1


def test_vectors_are_whole_rows_of_wide_tensors() -> None:
    """Up to a bound; a ragged end is left out."""
    wide = Part(shape=[3, COLUMNS + 1], data=list(range(2 * (COLUMNS + 1) + 5)))
    assert [len(vector) for vector in vectors(wide)] == [COLUMNS + 1] * 2
    assert vectors(Part(shape=[1, COLUMNS], data=[0] * COLUMNS)) == []
    assert vectors(Part(shape=[1, VECTOR + 1], data=[0] * (VECTOR + 1))) == []
    assert len(vectors(Part(shape=[2000, 65], data=[0] * 65 * 2000))) == ROWS
