"""Keyed digest of a text → what scrubbing it did: a text that comes again is not scanned again.

Chats repeat themselves: the system prompt and every earlier message come with each request. Nothing
of a text is kept here, only a digest under a random key that never leaves the process, offsets, and
the marks that stand there on record.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict

import msgspec

BYTES = 16 << 20
"""Bytes that the entries of a cache may take: some 50,000 texts."""
LARGEST = 1 << 18
"""Bytes of an entry that is still kept."""

_PROVEN = 0.5
"""Share of the bytes for what came again, which no flood of new texts drives out."""
_ENTRY = 256
"""Bytes of an entry beside its edit: the digest, and its places in the most spacious of tables."""
_EDIT, _STRING, _COUNT, _LINK = 384, 72, 104, 296
"""Bytes of an edit with empty members, of a string beside its characters, of a count, and of a link
beside its; each with its place in what holds it."""
_DIGEST_BYTES = 16


class Link(msgspec.Struct, frozen=True, gc=False):
    """A pseudonym, the one that it continues, and its sealed value; "" where there is none."""

    token: str
    previous: str
    box: str


class Edit(msgspec.Struct, frozen=True, gc=False):
    """What was done to a text, without the text.

    `spans` are offsets, a start and an end for each of `marks`, which stand there instead.
    `pseudonyms` are counts by entity; `links` are those of pseudonyms, in order, where any is
    linked or sealed. `grown` is what `Scrub.grown` grew by, `unpacked` the characters looked at
    beside those of the text, and `size` the bytes of memory that all of it takes.
    """

    spans: array[int] = array("I")
    marks: tuple[str, ...] = ()
    pseudonyms: tuple[tuple[str, int], ...] = ()
    links: tuple[Link, ...] = ()
    grown: int = 0
    unpacked: int = 0
    size: int = _ENTRY

    @classmethod
    def of(
        cls,
        places: list[int],
        marks: list[str],
        pseudonyms: dict[str, int],
        links: list[Link],
        *,
        grown: int,
        unpacked: int,
    ) -> Edit:
        """Return an edit with its size; what others may share counts in full."""
        size = _ENTRY + _EDIT + (_STRING + 8) * len(marks) + sum(map(len, marks))
        size += _COUNT * len(pseudonyms)
        for link in links:
            size += _LINK + len(link.token) + len(link.previous) + len(link.box)
        return cls(
            array("I", places), tuple(marks), tuple(pseudonyms.items()), tuple(links),
            grown, unpacked, size,
        )  # fmt: skip

    def apply(self, text: str) -> str:
        """Return the text that this was done to with its marks in place."""
        if not self.marks:
            return text
        out: list[str] = []
        done = 0
        offsets = iter(self.spans)
        for start, end, mark in zip(offsets, offsets, self.marks, strict=True):
            out += (text[done:start], mark)
            done = end
        out.append(text[done:])
        return "".join(out)


NOTHING = Edit()
"""What is done to most texts."""


class Cache:
    """The edits of the texts that came last, at most `size` bytes of them; `secret` is random.

    An edit depends on nothing but the text, the name of its field, and what is the same for all
    texts: recognizers, bounds, keys. Whoever changes one of these begins with an empty cache.
    """

    def __init__(self, secret: bytes, size: int = BYTES) -> None:
        self.hits = 0
        self.misses = 0
        self._secret = secret
        self._size = size
        self._states = [
            hashlib.blake2b(bytes((kind,)), key=secret, digest_size=_DIGEST_BYTES)
            for kind in range(4)
        ]
        # A segmented LRU (Karedla, Love and Wherry 1994): what came once, and what came again.
        self._new = _Segment(size * (1 - _PROVEN))
        self._proven = _Segment(size * _PROVEN)

    @property
    def held(self) -> int:
        """Bytes of memory that the entries take."""
        return self._new.bytes + self._proven.bytes

    def emptied(self) -> Cache:
        """Return an empty cache of the same size, which counts on."""
        other = Cache(self._secret, self._size)
        other.hits, other.misses = self.hits, self.misses
        return other

    def key(self, text: str, field: str, *, trusted: bool) -> bytes:
        """Return the digest of a text, of the name of its field, and of whether it is `trusted`."""
        state = self._states[trusted + 2 * bool(field)].copy()
        if field:
            name = field.encode("utf-8", "surrogatepass")
            state.update(b"%d %b" % (len(name), name))
        state.update(text.encode("utf-8", "surrogatepass"))
        return state.digest()

    def get(self, key: bytes) -> Edit | None:
        """Return the edit of a text that came before."""
        proven = self._proven.edits
        edit = proven.get(key)
        if edit is not None:
            proven.move_to_end(key)
        elif (edit := self._new.pop(key)) is not None:
            self._proven.add(key, edit)
        else:
            self.misses += 1
            return None
        self.hits += 1
        return edit

    def put(self, key: bytes, edit: Edit) -> None:
        """Keep the edit of a text that `get` had none of; a very large one is not kept."""
        if edit.size <= LARGEST:
            self._new.add(key, edit)


class _Segment:
    """Edits by key within a bound of bytes; the one that was not used for longest goes first."""

    def __init__(self, size: float) -> None:
        self.bytes = 0
        self.edits: OrderedDict[bytes, Edit] = OrderedDict()
        self._size = size

    def pop(self, key: bytes) -> Edit | None:
        edit = self.edits.pop(key, None)
        if edit is not None:
            self.bytes -= edit.size
        return edit

    def add(self, key: bytes, edit: Edit) -> None:
        self.pop(key)
        self.edits[key] = edit
        self.bytes += edit.size
        while self.bytes > self._size:
            self.bytes -= self.edits.popitem(last=False)[1].size
