"""A Parquet file → batches of columns; pyarrow is imported when a file is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from monitor.errors import SourceError
from monitor.extras import advice

BATCH = 4096

MAGIC = b"PAR1"
"""How every Parquet file begins."""


def names(path: Path) -> list[str]:
    """The names of the columns, those inside a struct as `struct.field`, without `apart`.

    Raises SourceError naming the file when it cannot be read.
    """
    return [".".join(leaf) for leaf in _leaves(_open(path).schema_arrow)[0]]


def apart(path: Path) -> list[str]:
    """The columns that cannot be looked at: maps and unions."""
    return _leaves(_open(path).schema_arrow)[1]


def groups(path: Path) -> int:
    """The number of row groups, which can be read apart."""
    return int(_open(path).num_row_groups)


def first_row(path: Path, group: int | None) -> int:
    """The number of rows before a row group."""
    metadata = _open(path).metadata
    return sum(metadata.row_group(place).num_rows for place in range(group or 0))


def batches(
    path: Path,
    columns: Sequence[str],
    group: int | None = None,
    damaged: Callable[[int, int, str], None] | None = None,
) -> Iterator[list[list[Any]]]:
    """Lists of values, one for each of `columns`, in batches of rows; of one group, or all.

    A missing number is NaN where all the numbers of its batch are not whole. `damaged` is told of
    each group that cannot be read to its end the number of the row and how many are lost; without
    it that is a SourceError.
    """
    import pyarrow as pa

    file = _open(path)
    leaves = {".".join(leaf): leaf for leaf in _leaves(file.schema_arrow)[0]}
    tops = list(dict.fromkeys(leaves[name][0] for name in columns))
    first = 0
    for place in range(file.num_row_groups):
        count = file.metadata.row_group(place).num_rows
        if group is None or group == place:
            done = 0
            try:
                for batch in file.iter_batches(BATCH, row_groups=[place], columns=tops):
                    yield [_values(_leaf(batch, leaves[name]), pa) for name in columns]
                    done += batch.num_rows
            except (OSError, ValueError, pa.ArrowException) as error:
                if damaged is None:
                    raise SourceError(f"{path}: is damaged: {_reason(error)}") from None
                damaged(first + done + 1, count - done, f"is damaged: {_reason(error)}")
        first += count


def _leaves(schema: Any) -> tuple[list[tuple[str, ...]], list[str]]:
    """(where each column stands, columns that cannot be looked at)."""
    import pyarrow as pa

    found: list[tuple[str, ...]] = []
    left: list[str] = []

    def visit(field: Any, path: tuple[str, ...]) -> None:
        if pa.types.is_struct(field.type) and field.type.num_fields:
            for place in range(field.type.num_fields):
                inner = field.type.field(place)
                visit(inner, (*path, inner.name))
        elif pa.types.is_map(field.type) or pa.types.is_union(field.type):
            left.append(".".join(path))
        else:
            found.append(path)

    for field in schema:
        visit(field, (field.name,))
    return found, left


def _leaf(batch: Any, path: Sequence[str]) -> Any:
    """A column of a batch, or a field of one: null where what it stands in is."""
    column = batch.column(path[0])
    for name in path[1:]:
        place = column.type.get_field_index(name)
        column = column.flatten()[place]
    return column


def _values(column: Any, pa: Any) -> list[Any]:
    """A column as Python values; the detours are ten times faster than `to_pylist`."""
    types, kind = pa.types, column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _values(column.storage, pa)
    if types.is_dictionary(kind):
        words = [*_values(column.dictionary, pa), None]
        places = column.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
        return [words[place] for place in places.tolist()]
    if types.is_decimal(kind):
        column, kind = column.cast(pa.float64(), safe=False), pa.float64()
    if types.is_floating(kind) or (types.is_integer(kind) and not column.null_count):
        found: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
        return found
    if types.is_temporal(kind) and getattr(kind, "unit", "") == "ns":
        # Python's own times know no nanoseconds.
        if types.is_timestamp(kind):
            kind = pa.timestamp("us", kind.tz)
        else:
            kind = pa.time64("us") if types.is_time(kind) else pa.duration("us")
        column = column.cast(kind, safe=False)
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
