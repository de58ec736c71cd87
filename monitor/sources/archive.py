"""A Parquet archive of Records, one JSON document a row in the column `record` → Records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from monitor.damage import Damage
from monitor.interfaces import Head, Source
from monitor.tables import parquet
from monitor.types import Record, decode_record

COLUMN = "record"


def claims(head: Head) -> bool:
    """Whether a file is such an archive; raises SourceError when it cannot be read."""
    return head.start.startswith(parquet.MAGIC) and COLUMN in parquet.names(head.path)


def read(path: Path, damage: Damage) -> Iterator[Record]:
    """The records in the order they stand; rows that are none are told to `damage`."""
    damage.begin(path)
    number = 0

    def damaged(row: int, count: int, error: str) -> None:
        nonlocal number
        damage.rows(path, f"{path}: row {row}", error, count)
        number = row + count - 1

    for (documents,) in parquet.batches(path, [COLUMN], damaged=damaged):
        for document in documents:
            number += 1
            try:
                yield decode_record(document)
            except (msgspec.DecodeError, TypeError, RecursionError) as error:
                damage.rows(path, f"{path}: row {number}", f"not a record: {error}")


SOURCE = Source("archive", (".parquet", ".pq"), claims, records=read)
