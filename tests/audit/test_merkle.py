"""Merkle trees that grow: against the definition of RFC 6962."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from monitor.audit.merkle import NONCE, Tree, leaf, leaves, path, root_by


def defined(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, over leaves that are hashed already."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + defined(hashes[:split]) + defined(hashes[split:])).digest()


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_tree_that_grows_is_the_one_that_is_defined(steps: list[int]) -> None:
    """In however many steps its leaves come; its peaks are as many as its size has bits."""
    tree, hashes = Tree(), list[bytes]()
    for count in steps:
        new = [sha256(b"%d" % (len(hashes) + each)).digest() for each in range(count)]
        tree, hashes = tree.grown(new), hashes + new
        assert (tree.size, tree.root) == (len(hashes), defined(hashes))
        assert tree.is_whole


@given(st.integers(0, 70), st.integers(1, 40), st.data())
def test_a_path_leads_from_a_leaf_to_the_root(first: int, count: int, data: st.DataObject) -> None:
    """Of the tree that is defined, from the peaks before some leaves and these alone; no other
    leaf, place or size fits it, nor a path that is cut, longer or altered."""
    hashes = [leaf(b"", b"", str(number).encode()) for number in range(first + count)]
    index = data.draw(st.integers(first, first + count - 1))
    size, root = first + count, defined(hashes)
    found = path(index, Tree().grown(hashes[:first]), hashes[first:])
    assert len(found) <= (size - 1).bit_length()
    assert root_by(index, size, hashes[index], found) == root
    assert root_by(index, size, leaf(b"", b"", b"other"), found) != root
    other = data.draw(st.integers(-1, size + 1).filter(lambda one: one != index))
    assert root_by(other, size, hashes[index], found) != root
    assert root_by(index, size, hashes[index], [*found, root]) is None
    if found:
        assert root_by(index, size, hashes[index], found[:-1]) != root
        place = data.draw(st.integers(0, len(found) - 1))
        assert (
            root_by(index, size, hashes[index], [*found[:place], bytes(32), *found[place + 1 :]])
            != root
        )


def test_a_known_tree() -> None:
    """The test vectors of certificate-transparency's reference implementation: three leaves."""
    inputs = [b"", b"\x00", b"\x10"]
    hashes = [sha256(b"\x00" + each).digest() for each in inputs]
    root = "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert Tree().grown(hashes).root.hex() == root
    assert Tree().root.hex() == sha256(b"").hexdigest()


def test_peaks_that_are_none_are_seen() -> None:
    """Too few for a size, or of another length."""
    assert not Tree(3, (bytes(32),)).is_whole
    assert not Tree(1, (b"short",)).is_whole


def test_a_leaf_says_what_it_is_of() -> None:
    """Another nonce, place or document is another leaf; many at once are the same as one by one."""
    nonce, place, document = bytes(NONCE), b"1-0", b"{}"
    one = leaf(nonce, place, document)
    assert one == sha256(b"\x00" + nonce + place + b"\n" + document).digest()
    assert len({one, leaf(b"x" * NONCE, place, document), leaf(nonce, b"1-1", document)}) == 3
    assert leaf(nonce, b"1", b"\n{}") != leaf(nonce, b"1\n", b"{}x")
    assert leaves(nonce + b"x" * NONCE, [place, place], [document] * 2) == [
        one,
        leaf(b"x" * NONCE, place, document),
    ]
