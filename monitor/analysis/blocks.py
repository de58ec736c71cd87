"""Where all rows are one pane, they are cut into blocks, so that bets can look at earlier ones."""

from __future__ import annotations

FIRST, GROWTH = 50, 10
"""Rows of the first block, on which nothing can be bet, and how often one is that part of all."""


def is_due(opened: int, closed: int) -> bool:
    """Whether a block of `opened` rows is long enough beside those in closed ones.

    >>> is_due(49, 0), is_due(50, 0), is_due(50, 1000), is_due(100, 1000)
    (False, True, False, True)
    """
    return opened >= max(FIRST, closed // GROWTH)


def due_in(opened: int, closed: int) -> int:
    """How many more rows, at least one, make a block of `opened` rows long enough.

    >>> due_in(0, 0), due_in(49, 0), due_in(50, 0), due_in(10, 1000)
    (50, 1, 1, 90)
    """
    return max(1, max(FIRST, closed // GROWTH) - opened)


def refuse(*, is_closed: bool) -> None:
    """Raise ValueError where counts that are to be added to others have a closed pane or block:
    the bets on it looked at their own earlier ones alone, so they have no sum.

    >>> refuse(is_closed=True)
    Traceback (most recent call last):
    ValueError: counts add up before a pane is closed, not after
    """
    if is_closed:
        raise ValueError("counts add up before a pane is closed, not after")
