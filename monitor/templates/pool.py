"""Texts of no known template, waiting for others like them."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

from monitor.templates.index import BEGINNING, SHORTEST, first_lines
from monitor.templates.siblings import VERSIONS, one_place

TEXTS = 1024
BYTES = 4 << 20
"""Texts that wait, at most, and their characters; the oldest gives way."""
KEYS = 12
"""Beginnings of lines that a text waits under, at most, beside how it begins and ends."""
END = 12
PATIENCE = 64
"""A group of so many texts is one template, whatever lines some of them share."""
LABELS = 4
"""A label with so many values is no sign of several templates."""

_DIGITS = re.compile(r"\d+")


class Pool:
    """Texts by what their lines begin with, in the order in which they came."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Text → how often it came."""
        self._groups: dict[str, dict[str, None]] = {}
        self._wanted: dict[str, int] = {}
        self._size = 0

    def add(self, text: str) -> None:
        """Let a text wait that does not wait yet."""
        self.counts[text] = 1
        self._size += len(text)
        for key in keys(text):
            self._groups.setdefault(key, {})[text] = None
        while len(self.counts) > TEXTS or self._size > BYTES:
            self.remove(next(iter(self.counts)))

    def again(self, text: str) -> int:
        """A text that waits has come again; returns how often it came."""
        count = self.counts.pop(text) + 1
        self.counts[text] = count  # it is the youngest now
        return count

    def like(self, text: str) -> list[str]:
        """The other texts that wait and begin as this one does."""
        return [one for one in self._groups.get(keys(text)[0], ()) if one != text]

    def remove(self, text: str) -> None:
        """Let a text wait no longer."""
        del self.counts[text]
        self._size -= len(text)
        for key in keys(text):
            group = self._groups[key]
            del group[text]
            if not group:
                del self._groups[key]
                self._wanted.pop(key, None)

    def settle(self, texts: list[str]) -> None:
        """These wait no longer, and what waited with them is looked at anew."""
        for text in texts:
            for key in keys(text):
                self._wanted.pop(key, None)
            self.remove(text)

    def groups(self, text: str, least: int) -> Iterator[tuple[str, list[str]]]:
        """Those that the text belongs to and that are due: (key, texts)."""
        seen: list[list[str]] = []
        for key in keys(text):
            group = self._groups.get(key, ())
            if len(group) >= self._wanted.get(key, least):
                texts = list(group)
                if texts not in seen:
                    seen.append(texts)
                    yield key, texts
                else:
                    self.fail(key, len(texts), 2.0)

    def fail(self, key: str, size: int, growth: float) -> None:
        """A group was nothing; it is due again when it has grown."""
        if key in self._groups:
            self._wanted[key] = max(size + 1, int(size * growth))


def keys(text: str) -> list[str]:
    """Return the beginnings of lines under which a text waits for others like it."""
    lines = dict.fromkeys(
        line[:BEGINNING] for line in first_lines(text) if len(line.strip()) >= SHORTEST
    )
    chosen = list(lines)
    if len(chosen) > KEYS:
        chosen = sorted(chosen, key=lambda key: (zlib.crc32(key.encode("utf-8", "replace")), key))
        del chosen[KEYS:]
    return ["^" + text[:BEGINNING], *chosen, "$" + text[-END:]]


def alike(texts: list[str], least: int) -> list[str] | None:
    """Of texts with a line in common, those of one template; None where it is too early to say.

    Where a part shares another line that the rest lacks, several templates begin alike.
    """
    while True:
        lines = [
            {_DIGITS.sub("", line): None for line in first_lines(text) if len(line) >= SHORTEST}
            for text in texts
        ]
        shared = Counter(line for one in lines for line in one)
        few = max(3, len(texts) / 6)
        several = [line for line, count in shared.items() if few <= count < len(texts)]
        parts = [(shared[line], line) for line in several if not _is_slot(line, shared)]
        if not parts or len(texts) >= PATIENCE:
            return texts
        most, line = max(parts)
        if most < least:
            return None
        texts = [text for text, one in zip(texts, lines, strict=True) if line in one]


def _is_slot(line: str, others: Iterable[str]) -> bool:
    """Whether lines differ from this one in a value only, and are too many for versions."""
    label, colon, _ = line[: BEGINNING + 1].partition(":")
    if colon and sum(one.startswith(label + ":") for one in others) >= LABELS:
        return True
    return sum(one_place(line, one) is not None for one in others if one != line) >= VERSIONS
