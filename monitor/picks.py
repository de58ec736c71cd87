"""Numbers of rows → which of them a sample takes: one of each few, at a place that no period meets.

Every second row is one kind only where two kinds alternate, as they do behind a balancer that goes
round; every third one where there are three. So each few neighbours have a place of their own: a
hash of their number, which is the same live, restored and in replay.
"""

from __future__ import annotations

from hashlib import blake2b


def pick(number: int, size: int) -> int:
    """A place below `size` that is as good as drawn, and always the same for a number.

    >>> [pick(number, 3) for number in range(12)]
    [1, 2, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1]
    """
    return int.from_bytes(blake2b(b"%d" % number, digest_size=8).digest()) % size


def is_picked(number: int, size: int) -> bool:
    """Whether a sample of one in `size` has the row of this number, counted from 0.

    >>> [number for number in range(12) if is_picked(number, 3)]
    [1, 5, 8, 10]
    """
    return number % size == pick(number // size, size)
