"""A long reading → its progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from monitor.types import Row


def watched(rows: Iterable[Row], what: str, total: int = 0) -> Iterator[Row]:
    """The rows, with their number on the screen where there is one: of `what`, of a `total`."""
    if not sys.stderr.isatty():
        yield from rows
        return
    of = f" of {total:,}" if total else ""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what)
        for number, row in enumerate(rows):
            if number % 1000 == 0:
                progress.update(task, description=f"{what} {number:,}{of}")
            yield row
