"""Counts as endpoints report them, whatever type they have on the way → whole numbers."""

from __future__ import annotations

from typing import Any

LARGEST = 10**11 - 1
"""Beyond it no count of tokens is true, and a number may be that of a payment card."""


def count(value: Any) -> int | None:
    """A count from 0 to `LARGEST`; None for everything else, as a count that was not said.

    Proxies on the way write counts as floats and as strings.

    >>> [count(value) for value in (26, 26.0, "56", 0)]
    [26, 26, 56, 0]
    >>> [count(value) for value in (-5, 2**64, 1.5, float("inf"), "1e3", True, None, [1])]
    [None, None, None, None, None, None, None, None]
    """
    if type(value) is not int:
        if value is None:  # as most that are asked for
            return None
        is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
        is_whole = isinstance(value, float) and value.is_integer()
        if not is_whole and not (is_digits and len(value) <= 16):
            return None
        value = int(value)
    return value if 0 <= value <= LARGEST else None
