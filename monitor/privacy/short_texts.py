"""A short text of the traffic (a name, a label, a path, a header) → what of it leaves memory.

Few values of these make most of the traffic: those in which nothing was found are remembered.
"""

from __future__ import annotations

from monitor.bodies import Kept
from monitor.privacy.scrub import Scrub

LONGEST = 200
"""Characters of a label; of a longer one only a digest is kept."""

_MAX_FIELD = 4096
_MAX_CLEAN = 8192
_MAX_TOGETHER = 64
"""Labels of an exchange that are known together: one answer may give thousands of reasons."""


class ShortTexts:
    """What becomes of short texts, by the hint of where they stand. One for all Records."""

    def __init__(self) -> None:
        self._clean: set[tuple[str, str]] = set()  # (hint, text)
        self._all_clean: set[tuple[str | tuple[str, str], ...]] = set()

    def is_clean(self, value: str, name: str = "") -> bool:
        """Whether it is known that a label of this name stays as it is."""
        return (name, value) in self._clean and type(value) is str and value.isprintable()

    def are_clean(self, labels: tuple[str | tuple[str, str], ...]) -> bool:
        """Whether that is known of all labels; of a name and a label where it has one."""
        if labels in self._all_clean:
            return True
        is_clean = self.is_clean
        for one in labels:
            if not (is_clean(one) if isinstance(one, str) else is_clean(one[1], one[0])):
                return False
        if len(labels) <= _MAX_TOGETHER:
            if len(self._all_clean) >= _MAX_CLEAN:
                self._all_clean.clear()
            self._all_clean.add(labels)
        return True

    def label(self, scrub: Scrub, value: str, name: str = "") -> str:
        """A text of one line in a few words: a digest of a longer one, a space for what is not
        printable."""
        if self.is_clean(value, name):
            return value
        if len(value) > LONGEST:
            return scrub.redacted(value, "too_long")
        value = self.text(scrub, value, name)
        if value.isprintable():
            return value
        return "".join(character if character.isprintable() else " " for character in value)

    def text(self, scrub: Scrub, value: str, hint: str = "") -> str:
        """A text of which few values make most of the traffic (names, labels, paths, headers).

        Values that nothing was found in, and that look like no mark, are remembered as they are,
        within bounds; no other text ever is.
        """
        if isinstance(value, Kept):
            return scrub.literal(str(value))
        known = hint, value
        if known in self._clean:
            return value
        if len(value) > _MAX_FIELD:
            return scrub.redacted(value, "too_long")
        found = scrub.text(value, hint, cached=len(value) > LONGEST)
        if found == value and len(value) <= LONGEST and "<" not in value:
            if len(self._clean) >= _MAX_CLEAN:
                self._clean.clear()
            self._clean.add(known)
        return found

    def once(self, scrub: Scrub, value: str) -> str | None:
        """A text that comes once: nothing to be remembered. None of an empty one."""
        if len(value) > LONGEST:
            return scrub.redacted(value, "too_long")
        return scrub.text(value, cached=False) if value else None
