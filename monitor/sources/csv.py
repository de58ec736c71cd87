"""Somebody's CSV file → Table."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Head, Source, Table
from monitor.tables import columns

_DELIMITERS = ",;\t|"
_NONE = "\x1f"
"""Parts nothing: a table of one column, whatever stands in it."""

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
        damage = Damage()
        head = next(_readable(lines, path, damage), None)
    if head is None:
        raise SourceError(damage.first() or f"{path}: is empty")
    names = columns.header(head[1], f"{path}:1")

    def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        pick = columns.picker(names, wanted)
        with _text(path) as stream:
            lines = _readable(_fields(stream, path)[0], path, damage)
            next(lines, None)
            for line, fields in lines:
                if len(fields) != len(names):
                    error = f"{len(fields)} fields where the header has {len(names)}"
                    damage.rows(path, f"{path}:{line}", error)
                else:
                    yield line, pick(fields)

    return Table(path, names, rows, lambda line: f"{path}:{line}", "," if delimiter == ";" else ".")


def _text(path: Path) -> IO[str]:
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        raw = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115  closed by rows
        start = raw.peek(2)[:2]
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "is damaged"
        raise SourceError(f"{path}: cannot be read: {reason}") from None
    encoding = "utf-16" if start in _BROAD else "utf-8-sig"
    return io.TextIOWrapper(raw, encoding, errors="surrogateescape", newline="")


def _fields(stream: IO[str], path: Path) -> tuple[Any, str]:
    """A reader of rows, and the delimiter."""
    try:
        first = stream.readline()
    except (EOFError, OSError, zlib.error, UnicodeError):
        raise SourceError(f"{path}:1: the file is damaged") from None
    delimiter = max(_DELIMITERS, key=first.count)
    if delimiter not in first:
        delimiter = _NONE
    return csv.reader(chain([first], stream), delimiter=delimiter, strict=True), delimiter


def _readable(reader: Any, path: Path, damage: Damage) -> Iterator[tuple[int, list[str]]]:
    """(number of the line it ends on, fields) of every row that can be read and is not blank."""
    while True:
        line = reader.line_num
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            count = max(reader.line_num - line, 1)
            damage.rows(path, f"{path}:{line + 1}", f"not a CSV row: {error}", count)
            continue
        except (EOFError, OSError, zlib.error, UnicodeError):
            damage.rows(path, f"{path}:{line + 1}", "the file is damaged")
            return
        if not fields:
            continue
        if not (text := "".join(fields)).isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                error_ = "is not UTF-8 text (from Latin-1: iconv -f LATIN1 -t UTF-8)"
                damage.rows(path, f"{path}:{reader.line_num}", error_)
                continue
        yield reader.line_num, fields


SOURCE = Source("csv", (".csv", ".csv.gz", ".tsv", ".tsv.gz"), claims, table=open_csv)
