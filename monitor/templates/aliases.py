"""Ids that have become one."""

from __future__ import annotations

MOST = 2048


class Aliases:
    """Old id → new id, by union-find. An id that lives is never an alias."""

    def __init__(self) -> None:
        self.new: dict[str, str] = {}

    def find(self, name: str) -> str:
        """The id that stands for `name` now."""
        while (after := self.new.get(name)) is not None:
            name = after
        return name

    def join(self, old: str, new: str) -> None:
        """From now on `new` stands for `old`."""
        new = self.find(new)
        if self.find(old) != new:
            self.new[old] = new
        while len(self.new) > MOST:
            self.new.pop(next(iter(self.new)))

    def revive(self, name: str) -> None:
        """`name` lives: it stands for itself."""
        self.new.pop(name, None)
