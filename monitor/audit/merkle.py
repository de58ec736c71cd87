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
