"""Somebody's Parquet file → Table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from monitor.damage import Damage
from monitor.interfaces import Batch, Head, Source, Table
from monitor.tables import columns, parquet


def claims(head: Head) -> bool:
    """Whether a file begins as Parquet does."""
    return head.start.startswith(parquet.MAGIC)


def open_parquet(path: Path, group: int | None = None) -> Table:
    """A Parquet file, or one row group of it; raises SourceError naming the file."""
    apart = tuple(parquet.apart(path))
    names = columns.header(parquet.names(path), str(path), apart)

    def place(row: int) -> str:
        return f"{path}: row {row}"

    def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        number = parquet.first_row(path, group)

        def damaged(row: int, count: int, error: str) -> None:
            nonlocal number
            damage.lost(path, place(row), error, count)
            number = row + count - 1

        for batch in parquet.batches(path, list(wanted) or names[:1], group, damaged):
            for values in zip(*batch, strict=True):
                number += 1
                yield number, values if wanted else ()

    def batches(wanted: Sequence[str], _: Collection[str], damage: Damage) -> Iterator[Batch]:
        def damaged(row: int, count: int, error: str) -> None:
            damage.lost(path, place(row), error, count)

        for first, found in parquet.wide_batches(path, wanted, group, damaged):
            yield Batch(range(first, first + len(found[0])), found)

    return Table(path, names, rows, place, apart=apart, batches=batches)


SOURCE = Source(
    "parquet",
    (".parquet", ".pq"),
    claims,
    table=open_parquet,
    pieces=parquet.groups,
    piece=open_parquet,
)
