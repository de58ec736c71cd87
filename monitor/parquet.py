"""A Parquet file → batches of columns; pyarrow is imported when a file is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from monitor.errors import SourceError

BATCH = 4096


def names(path: Path) -> list[str]:
    """The names of the columns; raises SourceError naming the file when it cannot be read."""
    return list(_open(path).schema_arrow.names)


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[list[list[Any]]]:
    """Lists of values, one a column, in batches of rows; all columns unless some are named."""
    import pyarrow as pa

    file = _open(path)
    try:
        for batch in file.iter_batches(batch_size=BATCH, columns=columns):
            yield [column.to_pylist() for column in batch.columns]
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path}: is damaged: {_reason(error)}") from None


def _open(path: Path) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise SourceError(
            f"{path}: to read Parquet, install the extra: pip install 'monitor-sidecar[replay]'"
        ) from None
    try:
        return parquet.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path}: is not Parquet: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
