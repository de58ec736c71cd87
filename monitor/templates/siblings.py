"""Texts that differ at one place: versions of a template, or values of a slot."""

from __future__ import annotations

from collections.abc import Callable

SIBLING = 28
"""Texts that differ in so many characters at one place are siblings."""
VERSIONS = 2
"""So many siblings are versions of a template; with more of them the place is a slot."""


def one_place(one: str, other: str) -> tuple[int, int] | None:
    """How many characters two texts have in common at the beginning and at the end, up to a word;
    None where they are no siblings.

    >>> one_place("in German, please", "in French, please"), one_place("one", "something else")
    ((3, 8), None)
    """
    if abs(len(one) - len(other)) > SIBLING or (one[:8] != other[:8] and one[-8:] != other[-8:]):
        return None
    least = min(len(one), len(other))
    begin = _most(least, lambda size: one[:size] == other[:size])
    end = _most(least - begin, lambda size: one[len(one) - size :] == other[len(other) - size :])
    while begin and one[begin - 1].isalnum():
        begin -= 1
    while end and one[len(one) - end].isalnum():
        end -= 1
    if max(len(one), len(other)) - begin - end > SIBLING:
        return None
    return begin, end


def _most(most: int, are_equal: Callable[[int], bool]) -> int:
    """The largest size up to `most` for which they are equal, by halving."""
    low, high = 0, most
    while low < high:
        size = (low + high + 1) // 2
        low, high = (size, high) if are_equal(size) else (low, size - 1)
    return low
