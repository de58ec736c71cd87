"""A tensor part's shape → its rows: the first dimension counts them, the others are one row."""

from __future__ import annotations

from typing import Any

from monitor.types import Part

COLUMNS = 64
"""A tensor with more columns is an embedding or an image: a vector, not a feature a column."""

VECTOR = 4096
"""A longer vector is not looked at."""

ROWS = 1024
"""Of a larger batch the first rows are looked at."""


def columns(shape: list[int] | None) -> int:
    """Values a row; `VECTOR` + 1 where there are more than that.

    >>> columns([8]), columns([8, 1]), columns([2, 3, 4]), columns(None), columns([1, 10**9])
    (1, 1, 12, 1, 4097)
    """
    count = 1
    if shape is None or len(shape) < 2:
        return count
    for length in shape[1:]:
        count = min(count * max(length, 1), VECTOR + 1)
    return count


def vectors(part: Part) -> list[list[Any]]:
    """The rows of a wide tensor; none of any other."""
    width = columns(part.shape)
    if part.data is None or not COLUMNS < width <= VECTOR:
        return []
    rows = min(len(part.data) // width, ROWS)
    return [part.data[row * width : (row + 1) * width] for row in range(rows)]
