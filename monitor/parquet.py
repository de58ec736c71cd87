"""A Parquet file → batches of columns; pyarrow is imported when a file is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from monitor.errors import SourceError
from monitor.extras import advice

BATCH = 4096


def names(path: Path) -> list[str]:
    """The names of the columns; raises SourceError naming the file when it cannot be read."""
    return list(_open(path).schema_arrow.names)


def groups(path: Path) -> int:
    """The number of row groups, which can be read apart."""
    return int(_open(path).num_row_groups)


def batches(
    path: Path, columns: Sequence[str], group: int | None = None
) -> Iterator[list[list[Any]]]:
    """Lists of values, one for each of `columns`, in batches of rows; of one group, or all.

    A missing number is NaN where all the numbers of its batch are not whole.
    """
    import pyarrow as pa

    file = _open(path)
    wanted = range(file.num_row_groups) if group is None else (group,)
    try:
        for batch in file.iter_batches(BATCH, row_groups=list(wanted), columns=list(columns)):
            yield [_values(batch.column(name), pa.types) for name in columns]
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path}: is damaged: {_reason(error)}") from None


def _values(column: Any, types: Any) -> list[Any]:
    """A column as Python values; the detours are ten times faster than `to_pylist`."""
    if types.is_dictionary(column.type):
        words = [*column.dictionary.to_pylist(), None]
        places = column.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
        return [words[place] for place in places.tolist()]
    if types.is_floating(column.type) or (types.is_integer(column.type) and not column.null_count):
        found: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
        return found
    return list(column.to_pylist())


def _open(path: Path) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise SourceError(advice("replay", f"{path}: Parquet")) from None
    try:
        return parquet.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path}: is not Parquet: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
