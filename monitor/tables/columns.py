"""The columns of a table: what they are called, and what each is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from monitor.errors import SourceError

INDEX = re.compile(r"__index_level_\d+__")
"""How pandas calls an index without a name; a number of a row is no data."""


class Columns(msgspec.Struct, frozen=True):
    """What the columns of a table are for. `by` are dimensions; the rest is looked at, unless
    only the dimensions are wanted (`segments_only`)."""

    by: tuple[str, ...] = ()
    timestamp: str = ""
    ignore: tuple[str, ...] = ()
    segments_only: bool = False

    def needed(self) -> tuple[str, ...]:
        """The columns that every table must have."""
        return (*self.by, self.timestamp) if self.timestamp else self.by

    def looks_at(self, name: str) -> bool:
        """Whether the values of a column are watched."""
        unseen = not name or INDEX.fullmatch(name) or name in self.ignore or name in self.needed()
        return not self.segments_only and not unseen

    def wants(self, name: str) -> bool:
        """Whether a column has to be read."""
        return self.looks_at(name) or name in self.needed()


def header(names: Sequence[str], where: str, apart: Sequence[str] | None = None) -> list[str]:
    """The names of a table's columns; raises SourceError where two are the same, or none is there.

    A column without a name is the index that pandas writes; it is not looked at. `apart` are the
    columns of a typed table that cannot be looked at, None where the first line has the names.
    """
    trimmed = [name.strip() for name in names]
    seen: set[str] = set()
    for name in filter(None, trimmed):
        if name in seen:
            raise SourceError(f"{where}: two columns are called {name!r}; rename one")
        seen.add(name)
    if not seen:
        raise SourceError(f"{where}: {_nothing(apart)}")
    return trimmed


def _nothing(apart: Sequence[str] | None) -> str:
    """Why a table has no column that can be looked at, and what would be right."""
    if apart is None:
        return "no column has a name; the first line must hold the names"
    if not apart:
        return "no column has a name"
    named = ", ".join(apart[:NOTES]) + (f" and {len(apart) - NOTES} more" * (len(apart) > NOTES))
    return f"all columns are maps or unions ({named}), which are not looked at; write structs"


def distinct(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """(the names, those that come again with a number behind, what to say of these).

    >>> distinct(["x", "x", "", "", "x.1"])
    (['x', 'x.2', '', '', 'x.1'], ("column 2 is called 'x' as another one; here it is 'x.2'",))
    """
    trimmed = [name.strip() for name in names]
    taken, seen, found = set(trimmed), dict[str, int](), list[str]()
    notes: list[str] = []
    for place, name in enumerate(trimmed, start=1):
        new = name
        if name in seen and name:
            while new in taken:
                seen[name] += 1
                new = f"{name}.{seen[name]}"
            taken.add(new)
            notes.append(f"column {place} is called {name!r} as another one; here it is {new!r}")
        seen.setdefault(name, 0)
        found.append(new)
    return found, tuple(notes[:NOTES])


NOTES = 8
"""Columns of one name of which something is said, at most."""


def picker(names: Sequence[str], wanted: Sequence[str]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The function (values of all columns) → those of the wanted ones, in their order."""
    if list(names) == list(wanted):
        return lambda values: values
    places = [names.index(name) for name in wanted]
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places) if places else lambda _: ()
