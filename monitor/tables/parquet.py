"""A Parquet file → batches of columns; pyarrow is imported when a file is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from monitor.errors import SourceError
from monitor.extras import advice
from monitor.places import Remote, kept_aside
from monitor.tables import arrays, leaves

BATCH = 4096
"""Rows that are read at a time into lists."""

WIDE = 1 << 15
"""Rows that are read at a time into arrays: calls cost little for each value, and texts fit."""

_CHECKED = {"page_checksum_verification": True}
"""Pages are held against their checksums, where a file has these: a number that was altered is else
as good as any."""

MAGIC = b"PAR1"
"""How every Parquet file begins."""


def names(path: Path) -> list[str]:
    """The names of the columns, those inside a struct as `struct.field`, without `apart`.

    Raises SourceError naming the file when it cannot be read.
    """
    return leaves.named(leaves.leaves(_open(path).schema_arrow)[0])


def apart(path: Path) -> list[str]:
    """The columns that cannot be looked at: maps and unions."""
    return leaves.named(leaves.leaves(_open(path).schema_arrow)[1])


def groups(path: Path) -> int:
    """The number of row groups, which can be read apart."""
    return int(_open(path).num_row_groups)


def sizes(path: Path) -> list[int]:
    """How many rows each row group has; raises SourceError as `names` does."""
    metadata = _open(path).metadata
    return [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]


def first_row(path: Path, group: int | None) -> int:
    """The number of rows before a row group."""
    return sum(sizes(path)[: group or 0])


def batches(
    path: Path,
    columns: Sequence[str],
    group: int | None = None,
    damaged: Callable[[int, int, str], None] | None = None,
) -> Iterator[list[list[Any]]]:
    """Lists of values, one for each of `columns`, in batches of rows; of one group, or all.

    A missing number is NaN where all the numbers of its batch are not whole. `damaged` is told of
    each group that cannot be read to its end the number of the row and how many are lost; without
    it that is a SourceError. Where a group cannot be got at all, as when a connection breaks, that
    number is 0, and nothing behind it is read.
    """
    file = _open(path)
    for place, first in _groups(file, group):
        done = 0
        try:
            for batch in _batches(file, place, columns, BATCH):
                yield [arrays.values(column) for column in batch]
                done += len(batch[0])
        except leaves.damage() as error:
            if damaged is None:
                raise SourceError(f"{path}: {leaves.wrong(error)}") from None
            if leaves.is_out_of_reach(error):
                damaged(first + done + 1, 0, leaves.wrong(error))
                return
            count = file.metadata.row_group(place).num_rows
            damaged(first + done + 1, count - done, leaves.wrong(error))


def wide_batches(
    path: Path,
    columns: Sequence[str],
    group: int | None = None,
    damaged: Callable[[int, int, str], None] | None = None,
) -> Iterator[tuple[int, list[Any]]]:
    """(number of the first row, arrays of pyarrow or lists of the same values) of many rows.

    Where a group is damaged the rows before that are the same as those of `batches`.
    """
    file = _open(path)
    for place, first in _groups(file, group):
        done = 0
        try:
            for batch in _batches(file, place, columns, WIDE):
                found = [arrays.usable(column) for column in batch]
                yield first + done + 1, found
                done += len(found[0])
        except leaves.damage() as error:
            if leaves.is_out_of_reach(error) and damaged is not None:
                damaged(first + done + 1, 0, leaves.wrong(error))
                return
            again = 0
            for lists in batches(path, columns, place, damaged):
                new = max(done - again, 0)
                if new < len(lists[0]):
                    yield first + again + new + 1, [column[new:] for column in lists]
                again += len(lists[0])


def _groups(file: Any, group: int | None) -> Iterator[tuple[int, int]]:
    """(number of a row group, how many rows come before it), of one group, or all."""
    first = 0
    for place in range(file.num_row_groups):
        if group is None or group == place:
            yield place, first
        first += file.metadata.row_group(place).num_rows


def _batches(file: Any, group: int, columns: Sequence[str], size: int) -> Iterator[list[Any]]:
    """Arrays of `size` rows, the last of fewer."""
    found = leaves.leaves(file.schema_arrow)[0]
    places = dict(zip(leaves.named(found), found, strict=True))
    tops = list(dict.fromkeys(places[name][0] for name in columns))
    for batch in file.iter_batches(size, row_groups=[group], columns=tops):
        yield [leaves.leaf(batch, places[name]) for name in columns]


@lru_cache(maxsize=64)
def _footer(url: str) -> Any:
    """What a file at a URL says of its parts: to ask for that each time would take as long as all
    else."""
    from pyarrow import parquet

    with Remote.at(url).parts_of() as stream:
        return parquet.ParquetFile(stream).metadata


def _open(path: Path) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise SourceError(advice("replay", f"{path}: Parquet")) from None
    try:
        if isinstance(path, Remote):
            return parquet.ParquetFile(
                path.parts_of(), metadata=_footer(path.url), pre_buffer=True, **_CHECKED
            )
        return parquet.ParquetFile(path, **_CHECKED)
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and (aside := kept_aside(path)) is not None:
            return _open(aside)
        why = getattr(error, "strerror", None) if isinstance(path, Remote) else None
        say = f"cannot be read: {why}" if why else f"is not Parquet: {leaves.reason(error)}"
        if isinstance(error, FileNotFoundError):
            say = "is missing"
        raise SourceError(f"{path}: {say}") from None
