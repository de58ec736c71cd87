"""The fixed text of a prompt template, with gaps where something was filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b

GAP = "\0"
"""Stands for a gap where a skeleton is written as one text."""
SHOWN_GAP = "{…}"
LONG_WORDS, LONG_CHARACTERS = 3, 12
"""A piece of so many words or characters is no accident, and enters the id."""
NAME = 40

_WORD = re.compile(r"\w+")
_LINE = re.compile(r"\w[^\w\n]*\n")


class Skeleton:
    """Literals in their order: the first is how a text begins, the last how it ends, and either
    may be empty. One literal is a text without gaps. What is made of too few different texts
    `is_own`: it may be one person's, and leaves memory for nowhere.

    >>> translate = Skeleton(["Translate into ", ": ", ""])
    >>> translate.matches("Translate into German: good morning"), translate.matches("Translate")
    (True, False)
    >>> translate.fillers("Translate into German: good morning")
    ['German', 'good morning']
    """

    def __init__(self, literals: list[str], *, is_own: bool = False) -> None:
        self.literals = literals
        self.is_own = is_own
        self.head, self.tail = literals[0], literals[-1] if len(literals) > 1 else ""
        self.inner = literals[1:-1]
        self.size = sum(map(len, literals))
        self.text = GAP.join(literals)

    @property
    def shown(self) -> str:
        """All of it for a person."""
        return SHOWN_GAP.join(self.literals)

    @property
    def name(self) -> str:
        """The beginning of its longest literal, for a person."""
        return " ".join(max(self.literals, key=len).split())[:NAME]

    @cached_property
    def id(self) -> str:
        """A digest of its long pieces. The ends of gaps, where chance decides, do not enter."""
        return digest([one for one in self.pieces() if _is_long(one)] or self.pieces())

    def pieces(self) -> list[str]:
        """The lines of its literals, white space folded."""
        folded = (" ".join(line.split()) for one in self.literals for line in one.split("\n"))
        return [one for one in folded if one]

    def matches(self, text: str) -> bool:
        """Whether a text can have been made of it."""
        if not (text.startswith(self.head) and text.endswith(self.tail)):
            return False
        if len(self.literals) == 1:
            return len(text) == len(self.head)
        at, end = len(self.head), len(text) - len(self.tail)
        for literal in self.inner:
            at = text.find(literal, at, end)
            if at < 0:
                return False
            at += len(literal)
        return at <= end

    def fillers(self, text: str) -> list[str] | None:
        """What a text has in the gaps; None where it does not match."""
        if len(self.literals) == 1 or not self.matches(text):
            return None
        at, end = len(self.head), len(text) - len(self.tail)
        found = []
        for literal in self.inner:
            here = text.find(literal, at, end)
            found.append(text[at:here])
            at = here + len(literal)
        return [*found, text[at:end]]

    def _beginnings(self) -> Iterator[str]:
        """What is fixed from the start of a line on: a sentence within a line may be a saying."""
        yield self.head
        for one in self.literals[1:]:
            yield one.partition("\n")[2]

    def is_strong(self) -> bool:
        """Whether so much is fixed that it cannot be an accident."""
        if self.size < 20 or not any(map(_WORD.search, self._beginnings())):
            return False
        words = [len(_WORD.findall(one)) for one in self.literals]
        sides = [*(one.rstrip(" ")[-1:] for one in self.literals[:-1])]
        sides += [one.lstrip(" ")[:1] for one in self.literals[1:]]
        if any(one in _DELIMITERS for one in sides if one) or _LINE.search(self.head):
            return sum(words) >= 3
        needed = 8 if sum(map(bool, words)) > 1 or len(words) == 1 else 16
        return sum(words) >= needed


_DELIMITERS = ":\n\"'`>«“=#|"


def digest(pieces: list[str]) -> str:
    """48 bits that stand for some texts in their order."""
    return "t_" + blake2b("\n".join(pieces).encode("utf-8", "replace"), digest_size=6).hexdigest()


def _is_long(piece: str) -> bool:
    return len(piece) >= LONG_CHARACTERS or len(_WORD.findall(piece)) >= LONG_WORDS
