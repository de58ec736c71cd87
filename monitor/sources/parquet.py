"""Somebody's Parquet file → Table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from monitor.damage import Damage
from monitor.interfaces import Head, Source, Table
from monitor.tables import columns, parquet


def claims(head: Head) -> bool:
    """Whether a file begins as Parquet does."""
    return head.start.startswith(parquet.MAGIC)


def open_parquet(path: Path, group: int | None = None) -> Table:
    """A Parquet file, or one row group of it; raises SourceError naming the file."""
    names = columns.header(parquet.names(path), str(path))

    def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        number = parquet.first_row(path, group)

        def damaged(row: int, count: int, error: str) -> None:
            nonlocal number
            damage.rows(path, f"{path}: row {row}", error, count)
            number = row + count - 1

        for batch in parquet.batches(path, list(wanted) or names[:1], group, damaged):
            for values in zip(*batch, strict=True):
                number += 1
                yield number, values if wanted else ()

    apart = tuple(parquet.apart(path))
    return Table(path, names, rows, lambda row: f"{path}: row {row}", apart=apart)


SOURCE = Source(
    "parquet",
    (".parquet", ".pq"),
    claims,
    table=open_parquet,
    pieces=parquet.groups,
    piece=open_parquet,
)
