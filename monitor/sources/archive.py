"""A Parquet archive of Records, one JSON document a row in the column `record` → Records.

A row without one that has the column `leaf` is a tombstone: `monitor erase` has taken its Record.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Head, Source
from monitor.tables import parquet
from monitor.types import Record, decode_record

COLUMN, LEAF = "record", "leaf"

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError, SourceError)
"""What reading a row raises that is no Record, or is damaged."""


def claims(head: Head) -> bool:
    """Whether a file is such an archive; raises SourceError when it cannot be read."""
    return head.start.startswith(parquet.MAGIC) and COLUMN in parquet.names(head.path)


def read(path: Path, damage: Damage, group: int | None = None) -> Iterator[Record]:
    """The records in the order they stand, of all of it, or of one row group; rows that are none
    are told to `damage`, and those that were erased."""
    if group is None:
        damage.begin(path)
    number = parquet.first_row(path, group) if group else 0

    def damaged(row: int, count: int, error: str) -> None:
        nonlocal number
        damage.rows(path, f"{path}: row {row}", error, count)
        number = row + count - 1

    for (documents,) in parquet.batches(path, [COLUMN], group, damaged):
        for document in documents:
            number += 1
            if document is None and LEAF in parquet.names(path):
                damage.erased(path)
                continue
            try:
                yield decode_record(document)
            except (msgspec.DecodeError, TypeError, RecursionError) as error:
                damage.rows(path, f"{path}: row {number}", f"not a record: {error}")


def strictly(path: Path, group: int) -> Iterator[tuple[int, Iterator[Record]]]:
    """(so many, the records) of each batch of rows of a row group; raises one of UNREADABLE where
    there is something else."""
    for (documents,) in parquet.batches(path, [COLUMN], group):
        yield len(documents), map(decode_record, documents)


SOURCE = Source("archive", (".parquet", ".pq"), claims, records=read)
