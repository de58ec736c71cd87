"""Somebody's CSV file → Table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Any

from monitor import packing
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Batch, Head, Source, Table
from monitor.tables import columns, csv_blocks, headers
from monitor.tables.headless import is_headless
from monitor.tables.western import Western, is_western

_NONE = "\x1f"
"""Parts nothing: a table of one column, whatever stands in it."""

UTF_8 = "utf-8-sig"
"""UTF-8 with or without a mark."""

WESTERN = "Windows-1252"

_SAID = re.compile(r"\ufeff?sep=(?P<delimiter>[,;\t|])[,;\t|]*\s*", re.IGNORECASE)
"""A first line by which spreadsheets say what parts the fields of the others."""

_QUOTED = re.compile(r'"[^"]*"')

_BLANK = 1000
"""Empty lines before the header, at most."""

_AHEAD = 1 << 18
"""Characters in which the header is looked for, where the first line may be none."""

csv.field_size_limit(1 << 24)


def claims(head: Head) -> bool:
    """Whatever nothing else claims may be a CSV file, unless it is known to be something else, or
    nothing in it names columns."""
    return not packing.strange(head.start) and not is_headless(head)


def open_csv(path: Path) -> Table:
    """A CSV file, plain or packed, in UTF-8, UTF-16 or, where that is certain, Windows-1252.

    The delimiter (comma, semicolon, tab, bar) is the one the header has most of outside quotes, or
    what a line `sep=;` before it says; where it is a semicolon, the comma is for decimals. Lines
    above a header are left out where the rows below show it (`headers`). Raises SourceError naming
    file and line for what has no header.
    """
    western = _is_western(path)
    with _text(path, western=western) as stream:
        lines, delimiter, size, note = _lines(stream, path)
        encoding, damage = stream.encoding, Damage()
        is_broad = packing.is_broad(stream.buffer)
        head = list(islice(csv_blocks.readable(lines, delimiter, path, damage), size))
    if len(head) < size or damage.files:
        # A row of values must not be taken for the header that could not be read.
        raise SourceError(damage.first() or f"{path}: is empty")
    names, notes = columns.distinct(head[-1][1])
    names = columns.header(names, f"{path}:{head[-1][0]}")
    notes = (*filter(None, (note, headers.doubted(names))), *notes)
    if western:
        notes = (f"is not UTF-8; it was read as {WESTERN}", *notes)

    def rows(wanted: Sequence[str], damage: Damage) -> csv_blocks.Numbered:
        pick = columns.picker(names, wanted)
        with _text(path, western=western) as stream:
            lines = _lines(stream, path)[0]
            for _ in islice(csv_blocks.readable(lines, delimiter, path, damage), size):
                pass
            found = csv_blocks.readable(lines, delimiter, path, damage, len(names))
            for line, fields in csv_blocks.of_width(found, len(names), path, damage):
                yield line, pick(fields)

    def batches(wanted: Sequence[str], numeric: Collection[str], damage: Damage) -> Iterator[Batch]:
        places, numbers = map(names.index, wanted), map(names.index, numeric)
        form = csv_blocks.Format(delimiter, len(names), list(places), frozenset(numbers), size)
        with _binary(path, western=western) as stream:
            yield from csv_blocks.batches(path, stream, form, damage, partial(rows, wanted))

    def place(line: int) -> str:
        return f"{path}:{line}"

    return Table(
        path, names, rows, place, "," if delimiter == ";" else ".", notes=notes,
        encoding=WESTERN if western else packing.UTF_16 if is_broad or encoding != UTF_8 else "",
        batches=batches if encoding == UTF_8 and find_spec("pyarrow") else None,
    )  # fmt: skip


def _is_western(path: Path) -> bool:
    try:
        with _binary(path) as stream:
            return is_western(stream)
    except csv_blocks.BROKEN:
        return False  # what is said of that is said by who reads it


def _text(path: Path, *, western: bool) -> io.TextIOWrapper:
    raw = _binary(path, western=western)
    try:
        start = raw.peek(_START)[:_START]
    except csv_blocks.BROKEN as error:
        raise _unreadable(path, error) from None
    return io.TextIOWrapper(raw, _encoding(start), errors="surrogateescape", newline="")


_START = 64
"""Bytes that tell an encoding."""


def _encoding(start: bytes) -> str:
    """UTF-16 without a mark by the zeros in its letters; else UTF-8, as what had a mark is now.

    >>> _encoding("a,b".encode("utf-16-le")), _encoding("a,b".encode("utf-16-be")), _encoding(b"a")
    ('utf-16-le', 'utf-16-be', 'utf-8-sig')
    """
    first, second = start[::2].count(0), start[1::2].count(0)
    if max(first, second) * 4 < len(start):
        return UTF_8
    return "utf-16-le" if second > first else "utf-16-be"


def _binary(path: Path, *, western: bool = False) -> Any:
    """The bytes of a file, unpacked, and in UTF-8 where they are `western`."""
    try:
        stream = packing.opened(path)
        return io.BufferedReader(Western(stream)) if western else stream
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError | UnicodeError) -> SourceError:
    return SourceError(f"{path}: cannot be read: {csv_blocks.broken(error)}")


def _lines(stream: io.TextIOWrapper, path: Path) -> tuple[csv_blocks.Lines, str, int, str]:
    """Its lines, the delimiter, how many rows come before the first of values, and what is to be
    said of that."""
    before: list[str] = []
    try:
        for line in stream:
            before.append(line)
            if line.strip() or len(before) == _BLANK:
                break
    except csv_blocks.BROKEN as error:
        raise SourceError(f"{path}:{len(before) + 1}: {csv_blocks.broken(error)}") from None
    first, size, note, rest = before[-1] if before else "", 1, "", iter(stream)
    if said := _SAID.fullmatch(first):
        delimiter, size = said["delimiter"], 2
    else:
        bare = _QUOTED.sub("", first)
        delimiter = max(headers.DELIMITERS, key=bare.count)
        if delimiter not in first:
            delimiter = _NONE
        ahead, rest = _ahead(rest)
        there = headers.moved([first, *ahead], delimiter if delimiter in bare else "")
        if there is not None:
            delimiter, size = there.delimiter, there.rows + 1
            if there.before:
                note = f"its header is line {len(before) + there.before}; what is above is left out"
        elif delimiter == _NONE:
            note = headers.unsure([first, *ahead])
        else:
            note = headers.other([first, *ahead], delimiter)
    is_broad = stream.encoding != UTF_8 or packing.is_broad(stream.buffer)
    encoding = packing.UTF_16 if is_broad else csv_blocks.UTF_8
    return csv_blocks.Lines(chain(before, rest), encoding=encoding), delimiter, size, note


def _ahead(lines: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """The next lines, which are looked at before they are read, and these and all after them; what
    breaks off does so where they are read."""
    found, size = list[str](), 0
    broken: OSError | UnicodeError | None = None
    try:
        for line in islice(lines, headers.LOOKED_AT):
            found.append(line)
            size += len(line)
            if size > _AHEAD:
                break
    except csv_blocks.BROKEN as error:
        broken = error
    return found, chain(found, _failing(broken) if broken is not None else lines)


def _failing(error: OSError | UnicodeError) -> Iterator[str]:
    raise error
    yield ""


SOURCE = Source("csv", packing.named(".csv", ".tsv"), claims, table=open_csv)
