"""A Parquet archive of Records, one JSON document a row in the column `record` → Records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from monitor.errors import SourceError
from monitor.tables import parquet
from monitor.types import Record, decode_record

COLUMN = "record"


def claims(path: Path) -> bool:
    """Whether a Parquet file is such an archive; raises SourceError when it cannot be read."""
    return COLUMN in parquet.names(path)


def read(path: Path) -> Iterator[Record]:
    """The records in the order they stand; raises SourceError naming file and row."""
    row = 0
    for (documents,) in parquet.batches(path, [COLUMN]):
        for document in documents:
            row += 1
            try:
                yield decode_record(document)
            except (msgspec.DecodeError, TypeError, RecursionError) as error:
                raise SourceError(f"{path}: row {row}: not a record: {error}") from None
