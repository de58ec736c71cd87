"""Skeletons, found by the beginning of one line."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.templates.skeleton import GAP, Skeleton

BEGINNING = 16
"""Characters of a line that it is found by."""
SHORTEST = 3
"""Characters of a whole line that is short, at least."""
LINES, LAST = 40, 8
"""Lines of a text that are looked at, from its beginning and from its end."""
SKELETONS = 512
ALWAYS = 64
"""Skeletons without a line of their own, at most: they are tried on every text."""


class Index:
    """At most `SKELETONS`; the least lately used one gives way."""

    def __init__(self) -> None:
        self._found_by: dict[str, list[Skeleton]] = {}
        self._always: list[Skeleton] = []
        self._key: dict[Skeleton, str] = {}
        self._used: dict[Skeleton, int] = {}
        self._looks = 0

    def __len__(self) -> int:
        return len(self._key)

    def __iter__(self) -> Iterator[Skeleton]:
        return iter(self._key)

    def look(self, text: str) -> Skeleton | None:
        """The skeleton that a text was made of: of those that match, the one that fixes most."""
        best: Skeleton | None = None
        for line in first_lines(text):
            for one in self._found_by.get(line[:BEGINNING], ()):
                if (best is None or one.size > best.size) and one.matches(text):
                    best = one
        for one in self._always:
            if (best is None or one.size > best.size) and one.matches(text):
                best = one
        if best is not None:
            self._looks += 1
            self._used[best] = self._looks
        return best

    def add(self, skeleton: Skeleton) -> Skeleton | None:
        """Add one; returns the one that gave way to it."""
        keys = beginnings(skeleton)
        key = min(keys, key=lambda one: len(self._found_by.get(one, ())), default="")
        gone: Skeleton | None = None
        if not key and len(self._always) >= ALWAYS:
            gone = min(self._always, key=self._used.__getitem__)
        elif len(self._key) >= SKELETONS:
            gone = min(self._key, key=self._used.__getitem__)
        if gone is not None:
            self.remove(gone)
        (self._found_by.setdefault(key, []) if key else self._always).append(skeleton)
        self._key[skeleton] = key
        self._looks += 1
        self._used[skeleton] = self._looks
        return gone

    def remove(self, skeleton: Skeleton) -> None:
        """Find this skeleton no more."""
        key = self._key.pop(skeleton)
        del self._used[skeleton]
        those = self._found_by[key] if key else self._always
        those.remove(skeleton)
        if key and not those:
            del self._found_by[key]


def first_lines(text: str) -> list[str]:
    """The lines of a text that are looked at: the first ones, and the last ones of a long text."""
    lines = text.split("\n", LINES)
    if len(lines) > LINES:
        lines[LINES:] = lines[LINES].rsplit("\n", LAST)[1:]
    return lines


def beginnings(skeleton: Skeleton) -> list[str]:
    """What a line of every text that matches begins with."""
    found = []
    for line in skeleton.text.split("\n"):
        fixed = line.split(GAP, 1)[0]
        if len(fixed) >= BEGINNING or (fixed == line and len(line.strip()) >= SHORTEST):
            found.append(fixed[:BEGINNING])
    return found
