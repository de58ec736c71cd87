"""A text of somebody's log → the Part that was made of it before, while the log is read.

Conversations in a log bring their system prompt and all earlier turns with every line. Unlike the
`cache` this holds the texts themselves: they lie in the file, and the process ends with it.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from monitor.types import Part

BYTES = 16 << 20
"""Bytes that the entries may take; then it is begun anew, and what comes again is soon there."""
LARGEST = 1 << 18
"""Characters of a text that is still kept."""

_ENTRY = 400
"""Bytes of an entry beside its texts."""


class Work(NamedTuple):
    """Characters that were looked at in a text, and those that were added to it."""

    characters: int
    grown: int


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
        size = _ENTRY + sys.getsizeof(text) + sys.getsizeof(part.text)
        if self.held + size > self._size:
            self.clear()
        if size <= self._size:
            self.held += size
            self._known[role, text] = part, work

    def clear(self) -> None:
        """Forget all of them, as when a key is changed."""
        self.held = 0
        self._known.clear()
