"""A long reading → its progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from monitor.tables.blocks import Block

EVERY = 1000
"""Rows between two numbers on the screen."""

T = TypeVar("T")


class _Far:
    """How far the newest reading has come."""

    what, number, of = "", 0, ""

    def at(self, what: str, number: int, of: str) -> None:
        self.what, self.number, self.of = what, number, of


_far = _Far()


def far() -> str:
    """What the newest reading was of, and how far it had come; empty before one.

    >>> _far.at("replaying", 1200, " of 9,000")
    >>> far()
    'replaying was at 1,200 of 9,000'
    """
    return f"{_far.what} was at {_far.number:,}{_far.of}" if _far.what else ""


def watched(rows: Iterable[T], what: str, total: int = 0, *, every: int = EVERY) -> Iterator[T]:
    """The rows, with their number on the screen where there is one: of `what`, of a `total`."""
    of = f" of {total:,}" if total else ""
    _far.at(what, 0, of)
    if not sys.stderr.isatty():
        for one in rows:
            yield one
            _far.number += len(one) if isinstance(one, Block) else 1
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what)
        shown = 0
        for one in rows:
            if _far.number >= shown:
                progress.update(task, description=f"{what} {_far.number:,}{of}")
                shown = _far.number + every
            yield one
            _far.number += len(one) if isinstance(one, Block) else 1
