"""Leaves, one after the other → the roots of a Merkle tree that only grows (RFC 6962, 2.1).

A leaf's hash has the prefix 0x00, an inner node's 0x01, so that neither can be taken for the
other. Of a tree only its *peaks* are kept: the roots of the full subtrees that it consists of, the
largest first, at most 64 of them. They are all that is needed to let it grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

NONCE = 16
"""Bytes of chance in each leaf: who has its hash cannot find what is in it by guessing."""


class Tree(NamedTuple):
    """A tree of so many leaves, by its peaks."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def grown(self, leaves: Iterable[bytes]) -> Tree:
        """Return the tree with more leaves, given by their hashes.

        >>> Tree().grown([leaf(b"", b"", b"")]).root == leaf(b"", b"", b"")
        True
        """
        size, peaks = self.size, list(self.peaks)
        push, pop = peaks.append, peaks.pop
        for one in leaves:
            size += 1
            node, low = one, size
            while not low & 1:
                node = sha256(b"\x01" + pop() + node).digest()
                low >>= 1
            push(node)
        return Tree(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """The root over all leaves; of an empty tree the hash of nothing."""
        if not self.peaks:
            return sha256(b"").digest()
        node = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            node = sha256(b"\x01" + peak + node).digest()
        return node

    @property
    def is_whole(self) -> bool:
        """Whether there are as many peaks of 32 bytes as a tree of this size has."""
        return len(self.peaks) == self.size.bit_count() and all(
            len(peak) == 32 for peak in self.peaks
        )


def path(index: int, before: Tree, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the inclusion path (RFC 6962, 2.1.1) of a leaf in a tree that has grown out of the one
    `before` by some leaves, of which it is one; `index` counts from 0.

    >>> path(1, Tree(), [b"a", b"b", b"c"]) == [b"a", b"c"]
    True
    """
    parts = _Parts(before, leaves)
    low, high = 0, before.size + len(leaves)
    found: list[bytes] = []
    while high - low > 1:
        middle = low + _half(high - low)
        if index < middle:
            found.append(parts.root(middle, high))
            high = middle
        else:
            found.append(parts.root(low, middle))
            low = middle
    return found[::-1]


def root_by(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """Return the root to which a leaf and its path lead in a tree of so many leaves; None where the
    path is of another place, or another size (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    node, last = leaf, size - 1
    for one in path:
        if not last:
            return None
        if index & 1 or index == last:
            node = sha256(b"\x01" + one + node).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + one).digest()
        index, last = index >> 1, last >> 1
    return None if last else node


class _Parts:
    """Roots of parts of a tree, of which the leaves behind the first ones are known, and of these
    the peaks."""

    def __init__(self, before: Tree, leaves: Sequence[bytes]) -> None:
        self._first = before.size
        self._leaves = leaves
        self._peaks: dict[tuple[int, int], bytes] = {}
        low = 0
        for peak in before.peaks:
            size = 1 << (before.size - low).bit_length() - 1
            self._peaks[low, low + size] = peak
            low += size

    def root(self, low: int, high: int) -> bytes:
        """Return the root over the leaves from `low` until before `high`."""
        if high <= self._first:
            return self._peaks[low, high]  # whole, and the part beside it is not: so it is a peak
        if low >= self._first:
            return Tree().grown(self._leaves[low - self._first : high - self._first]).root
        middle = low + _half(high - low)
        return sha256(b"\x01" + self.root(low, middle) + self.root(middle, high)).digest()


def _half(size: int) -> int:
    """The largest power of two below a size of 2 or more."""
    return 1 << (size - 1).bit_length() - 1


def leaf(nonce: bytes, place: bytes, document: bytes) -> bytes:
    """Return the hash of a leaf: a document, its place in the stream, and a nonce of `NONCE` bytes.

    A place is an entry's id, which holds no line feed.
    """
    return sha256(b"\x00" + nonce + place + b"\n" + document).digest()


def leaves(nonces: bytes, places: Sequence[bytes], documents: Sequence[bytes]) -> list[bytes]:
    """Return the same of many; `nonces` are those of all, one behind the other."""
    found = []
    at = 0
    for place, document in zip(places, documents, strict=True):
        found.append(sha256(b"\x00" + nonces[at : at + NONCE] + place + b"\n" + document).digest())
        at += NONCE
    return found
