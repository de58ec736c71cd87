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


def watched(rows: Iterable[T], what: str, total: int = 0, *, every: int = EVERY) -> Iterator[T]:
    """The rows, with their number on the screen where there is one: of `what`, of a `total`."""
    if not sys.stderr.isatty():
        yield from rows
        return
    of = f" of {total:,}" if total else ""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what)
        number = shown = 0
        for one in rows:
            if number >= shown:
                progress.update(task, description=f"{what} {number:,}{of}")
                shown = number + every
            yield one
            number += len(one) if isinstance(one, Block) else 1
