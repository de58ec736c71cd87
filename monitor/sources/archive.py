"""A Parquet archive of Records, one JSON document a row in the column `record` → Records.

A row without one that has the column `leaf` is a tombstone: `monitor erase` has taken its Record.
In a file without that column Records are sealed to a key (`SEALED`), and an `Opener` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Head, Source
from monitor.tables import parquet
from monitor.types import Record, decode_record

COLUMN, LEAF = "record", "leaf"

SEALED = ("sealed_key", "nonce", "sid", "sealed")
"""Columns of Records that are sealed to a key, and what is needed to open them."""

Opener = Callable[[bytes, bytes, bytes, bytes], bytes | None]
"""Opens a sealed document, given these columns (`archive.sealing`)."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError, SourceError)
"""What reading a row raises that is no Record, or is damaged."""


def claims(head: Head) -> bool:
    """Whether a file is such an archive; raises SourceError when it cannot be read."""
    if not head.start.startswith(parquet.MAGIC):
        return False
    names = parquet.names(head.path)
    return COLUMN in names or set(SEALED) <= set(names)


def read(
    path: Path, damage: Damage, group: int | None = None, opener: Opener | None = None
) -> Iterator[Record]:
    """The records in the order they stand, of all of it, or of one row group; rows that are none
    are told to `damage`, those that were erased, and a file that cannot be opened. Raises
    SourceError where a record is sealed and nobody can open it."""
    if group is None:
        damage.begin(path)
    try:
        is_clear = COLUMN in parquet.names(path)
        number = parquet.first_row(path, group) if group else 0
    except SourceError as error:
        damage.ends(path, str(path), str(error).removeprefix(f"{path}: "))
        return

    def damaged(row: int, count: int, error: str) -> None:
        nonlocal number
        damage.lost(path, f"{path}: row {row}", error, count)
        number = row + count - 1

    for lists in parquet.batches(path, [COLUMN] if is_clear else list(SEALED), group, damaged):
        for values in zip(*lists, strict=True):
            document: Any = values[0]
            if not is_clear:
                document = _opened(path, opener, values)
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
    if COLUMN not in parquet.names(path):
        raise SourceError(_closed(path))
    for (documents,) in parquet.batches(path, [COLUMN], group):
        yield len(documents), map(decode_record, documents)


def _closed(path: Path) -> str:
    return f"{path}: its records are sealed to a key; --private-key FILE opens them"


def _opened(path: Path, opener: Opener | None, values: Sequence[Any]) -> bytes | None:
    """A document, None where it was erased; of what is not what was sealed some bytes that are
    none."""
    key, nonce, sid, sealed = values
    if sealed is None:
        return None
    if opener is None:
        raise SourceError(_closed(path))
    try:
        found = opener(key, nonce, sid.encode(), sealed)
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from None
    return b"(not what was sealed)" if found is None else found


def opened_by(source: Source, opener: Opener) -> Source:
    """Return the source that reads what is sealed, too; another one as it is."""
    return replace(source, records=partial(read, opener=opener)) if source is SOURCE else source


SOURCE = Source("archive", (".parquet", ".pq"), claims, records=read)
