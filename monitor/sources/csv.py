"""Somebody's CSV file → Table."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import IO, Any

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Batch, Head, Source, Table
from monitor.tables import columns, csv_blocks

_DELIMITERS = ",;\t|"
_NONE = "\x1f"
"""Parts nothing: a table of one column, whatever stands in it."""

UTF_8 = "utf-8-sig"
"""UTF-8 with or without a mark."""

_BROAD = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

csv.field_size_limit(1 << 24)


def claims(_: Head) -> bool:
    """Whatever nothing else claims may be a CSV file."""
    return True


def open_csv(path: Path) -> Table:
    """A CSV file, plain or gzipped, in UTF-8 or, with a mark, UTF-16.

    The delimiter (comma, semicolon, tab, bar) is the one the header has most of; where it is a
    semicolon, the comma is for decimals. Raises SourceError naming file and line for what has no
    header.
    """
    with _text(path) as stream:
        lines, delimiter = _fields(stream, path)
        encoding, damage = stream.encoding, Damage()
        head = next(csv_blocks.readable(lines, path, damage), None)
    if head is None:
        raise SourceError(damage.first() or f"{path}: is empty")
    names = columns.header(head[1], f"{path}:1")

    def rows(wanted: Sequence[str], damage: Damage) -> csv_blocks.Numbered:
        pick = columns.picker(names, wanted)
        with _text(path) as stream:
            lines = csv_blocks.readable(_fields(stream, path)[0], path, damage)
            next(lines, None)
            for line, fields in csv_blocks.of_width(lines, len(names), path, damage):
                yield line, pick(fields)

    def batches(wanted: Sequence[str], numeric: Collection[str], damage: Damage) -> Iterator[Batch]:
        places, numbers = map(names.index, wanted), map(names.index, numeric)
        form = csv_blocks.Format(delimiter, len(names), list(places), frozenset(numbers))
        with _binary(path) as stream:
            yield from csv_blocks.batches(path, stream, form, damage, partial(rows, wanted))

    def place(line: int) -> str:
        return f"{path}:{line}"

    return Table(
        path, names, rows, place, "," if delimiter == ";" else ".",
        batches=batches if encoding == UTF_8 and find_spec("pyarrow") else None,
    )  # fmt: skip


def _text(path: Path) -> io.TextIOWrapper:
    raw = _binary(path)
    try:
        start = raw.peek(2)[:2]
    except csv_blocks.BROKEN as error:
        raise _unreadable(path, error) from None
    encoding = "utf-16" if start in _BROAD else UTF_8
    return io.TextIOWrapper(raw, encoding, errors="surrogateescape", newline="")


def _binary(path: Path) -> Any:
    """The bytes of a file, unpacked."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        return gzip.open(path, "rb") if packed else path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> SourceError:
    return SourceError(
        f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'is damaged'}"
    )


def _fields(stream: IO[str], path: Path) -> tuple[Any, str]:
    """A reader of rows, and the delimiter."""
    try:
        first = stream.readline()
    except csv_blocks.BROKEN:
        raise SourceError(f"{path}:1: the file is damaged") from None
    delimiter = max(_DELIMITERS, key=first.count)
    if delimiter not in first:
        delimiter = _NONE
    return csv.reader(chain([first], stream), delimiter=delimiter, strict=True), delimiter


SOURCE = Source("csv", (".csv", ".csv.gz", ".tsv", ".tsv.gz"), claims, table=open_csv)
