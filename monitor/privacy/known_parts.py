"""A text of somebody's log → the Part that was made of it before, while the log is read.

Conversations in a log bring their system prompt and all earlier turns with every line. Unlike the
`cache` this holds the texts themselves: they lie in the file, and the process ends with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

import msgspec

from monitor.privacy.patterns import Located, Scanner
from monitor.privacy.plain_texts import SHORTEST, located
from monitor.types import Part

BYTES = 16 << 20
"""Bytes that the entries may take; then it is begun anew, and what comes again is soon there."""
LARGEST = 1 << 18
"""Characters of a text that is still kept, and of texts that are looked at together, about."""

_ENTRY = 400
"""Bytes of an entry beside its texts."""


class Work(msgspec.Struct, frozen=True, gc=False):
    """Characters that were looked at in a text, and those that were added to it."""

    characters: int
    grown: int


_beside = attrgetter("name", "datatype", "shape", "data", "media")
_NOTHING = (None,) * 5


def is_bare(part: Part) -> bool:
    """Whether a Part is a text that somebody said, and nothing else."""
    return _beside(part) == _NOTHING


Scrubbed = Callable[[str, Located], tuple[str, Work] | None]
"""What becomes of a plain text, and the work that it is; None where it may be otherwise another
time."""


class KnownParts:
    """Parts, and the work that they were, by the role and the text of which they were made."""

    def __init__(self, size: int = BYTES) -> None:
        self.held = 0
        self._size = size
        self._known: dict[tuple[str | None, str], tuple[Part, Work]] = {}
        self.get = self._known.get

    def put(self, role: str | None, text: str, part: Part, work: Work) -> None:
        """Keep a Part; that of a very large text is not kept."""
        if len(text) > LARGEST:
            return
        size = _ENTRY + sys.getsizeof(text)
        if part.text is not text:
            size += sys.getsizeof(part.text)
        if self.held + size > self._size:
            self.clear()
            if size > self._size:
                return
        self.held += size
        self._known[role, text] = part, work

    def foresee(
        self,
        parts: Iterable[Part],
        scanner: Scanner,
        scrubbed: Scrubbed,
        longest: int,
        is_role: Callable[[str], bool],
    ) -> None:
        """Keep what becomes of those new Parts that are plain texts of at most `longest`
        characters, of roles that stay as they are."""
        known = self._known
        roles: set[str | None] = set()
        new: dict[tuple[str | None, str], Part] = {}
        size = 0
        for part in parts:
            text = part.text
            if type(text) is str and SHORTEST <= len(text) <= longest:
                key = role, _ = part.role, text
                if (
                    key not in known and _beside(part) == _NOTHING
                    and (role in roles or role is None or is_role(role))
                ):  # fmt: skip
                    new[key] = part
                    roles.add(role)
                    size += len(text)
                    if size > LARGEST:
                        self._look(new, scanner, scrubbed)
                        new, size = {}, 0
        if new:
            self._look(new, scanner, scrubbed)

    def _look(
        self, new: Mapping[tuple[str | None, str], Part], scanner: Scanner, scrubbed: Scrubbed
    ) -> None:
        texts = [text for _, text in new]
        for ((role, text), part), where in zip(new.items(), located(texts, scanner), strict=True):
            if where:
                done = scrubbed(text, where)
                if done is not None:
                    found, work = done
                    self.put(role, text, Part(role=role, text=found), work)
            elif where is not None:
                self.put(role, text, part, Work(len(text), 0))

    def all(self, parts: Sequence[Part]) -> tuple[list[Part], int, int] | None:
        """What was made of Parts, and the work that all of them were: characters, and how many were
        added; None where one is not known."""
        found, characters, grown = [], 0, 0
        for part in parts:
            text = part.text
            known = self.get((part.role, text)) if type(text) is str else None
            if known is None or _beside(part) != _NOTHING:
                return None
            made, work = known
            found.append(made)
            characters += work.characters
            grown += work.grown
        return found, characters, grown

    def clear(self) -> None:
        """Forget all of them, as when a key is changed."""
        self.held = 0
        self._known.clear()
