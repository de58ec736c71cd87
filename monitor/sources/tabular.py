"""Somebody's CSV or Parquet table → Rows."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO

from monitor import parquet, tables
from monitor.errors import SourceError
from monitor.tables import Clean, Columns, Readings
from monitor.types import Row

SAMPLE = 1000
"""Rows that decide how a column of text is read."""

_DELIMITERS = ",;\t|"

csv.field_size_limit(1 << 24)


def read_csv(
    path: Path,
    columns: Columns,
    readings: Readings,
    clean: Clean,
    first: int = 0,
) -> Iterator[Row]:
    """The rows of a CSV file, plain or gzipped; numbered from `first`.

    The delimiter (comma, semicolon, tab, bar) is the one the header has most of. Raises
    SourceError naming file and line for what is no table.
    """
    with _text(path) as stream:
        lines = _fields(stream, path)
        head = next(lines, None)
        if head is None:
            raise SourceError(f"{path}: is empty")
        names = tables.header(head[1], f"{path}:1")
        sample = list(islice(lines, SAMPLE))
        _learn(names, sample, readings)
        ways = [readings.by_column[name] for name in names]
        observe = tables.observer(names, columns, clean, str(path), ways)
        for index, (number, fields) in enumerate(chain(sample, lines), start=first):
            place = f"{path}:{number}"
            _check_width(fields, names, place)
            yield observe(fields, index, place)


def read_parquet(
    path: Path,
    columns: Columns,
    clean: Clean,
    first: int = 0,
    group: int | None = None,
) -> Iterator[Row]:
    """The rows of a Parquet file, or of one row group of it; numbered from `first`.

    Raises SourceError naming the file when it cannot be read.
    """
    every = tables.header(parquet.names(path), str(path))
    tables.observer(every, columns, clean, str(path))  # says which column is not there
    names = [name for name in every if columns.wants(name)] or every[:1]
    observe = tables.observer(names, columns, clean, str(path))
    index = first
    for batch in parquet.batches(path, names, group):
        for values in zip(*batch, strict=True):
            yield observe(values, index, f"{path}: row {index - first + 1}")
            index += 1


def names(path: Path) -> list[str]:
    """The names of the columns of a CSV file; raises SourceError naming it."""
    with _text(path) as stream:
        head = next(_fields(stream, path), None)
        return tables.header(head[1], f"{path}:1") if head else []


def learn(path: Path, readings: Readings) -> None:
    """Decide how the columns of a CSV file are read, as `read_csv` would."""
    with _text(path) as stream:
        lines = _fields(stream, path)
        head = next(lines, None)
        if head is not None:
            _learn(tables.header(head[1], f"{path}:1"), list(islice(lines, SAMPLE)), readings)


def _learn(
    names: Sequence[str], sample: Sequence[tuple[int, Sequence[str]]], readings: Readings
) -> None:
    readings.learn(names, [fields for _, fields in sample if len(fields) == len(names)])


def _text(path: Path) -> IO[str]:
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        raw = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115  closed by read_csv
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _fields(stream: IO[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number of the line it ends on, fields) of every row that is not blank."""
    line = 1
    try:
        first = stream.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(chain([first], stream), delimiter=delimiter, strict=True)
        for fields in reader:
            line = reader.line_num + 1
            if fields:
                yield reader.line_num, fields
    except UnicodeDecodeError:
        raise SourceError(f"{path}:{line}: is not UTF-8 text") from None
    except csv.Error as error:
        raise SourceError(f"{path}:{line}: not a CSV row: {error}") from None
    except (EOFError, OSError, zlib.error):
        raise SourceError(f"{path}:{line}: the file is damaged") from None


def _check_width(fields: Sequence[str], names: Sequence[str], place: str) -> None:
    if len(fields) != len(names):
        raise SourceError(f"{place}: {len(fields)} fields where the header has {len(names)}")
