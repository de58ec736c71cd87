"""Somebody's file of Arrow, whether a file (Feather) or a stream → Table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from monitor import packing
from monitor.damage import Damage
from monitor.interfaces import Batch, Head, Source, Table
from monitor.tables import arrays, arrow, columns


def claims(head: Head) -> bool:
    """Whether a file begins as Arrow does."""
    return head.start.startswith((arrow.MAGIC, arrow.STREAM))


def open_arrow(path: Path) -> Table:
    """A file or a stream of Arrow; raises SourceError naming the file."""
    found, apart = arrow.columns(path)
    names = columns.header(found, str(path), apart)

    def place(row: int) -> str:
        return f"{path}: row {row}"

    def told(damage: Damage) -> Callable[[int, int, str], None]:
        return lambda row, count, error: damage.lost(path, place(row), error, count)

    def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        for first, count, lists in arrow.batches(path, wanted, arrays.values, told(damage)):
            values = zip(*lists, strict=True) if wanted else [()] * count
            yield from enumerate(values, start=first)

    def batches(wanted: Sequence[str], _: Collection[str], damage: Damage) -> Iterator[Batch]:
        for first, count, some in arrow.batches(path, wanted, arrays.usable, told(damage)):
            yield Batch(range(first, first + count), some)

    return Table(path, names, rows, place, apart=apart, batches=batches)


SOURCE = Source(
    "arrow", packing.named(".arrow", ".feather", ".arrows", ".ipc"), claims, table=open_arrow
)
