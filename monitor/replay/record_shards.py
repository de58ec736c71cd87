"""Files of Records in shards → Rows: others look at the shards, wherever they are, and what they
have seen is folded here in order. So what is found is what one pass finds, bit for bit."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from monitor import packing
from monitor.analysis.observed import Looked, Wanted, look_at
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Source
from monitor.places import BLOCK, in_parts
from monitor.replay.record_files import Reader, look
from monitor.rows import Row
from monitor.sources import archive, records
from monitor.tables import parquet
from monitor.tables.blocks import Block
from monitor.types import Record

SHARD = 4 << 20
"""Bytes of lines that are a shard, about."""

PIECE = 1 << 20
"""Bytes of unpacked lines that are sent to who looks at them, about."""


class Found(NamedTuple):
    """What was seen in a shard of so many `lines`; `size` says how much of it was read."""

    size: int
    lines: int
    looks: list[Looked | None]


class Lines(NamedTuple):
    """The lines of JSON that begin from byte `start` until before `end` of a plain file, of which
    `whole` bytes are read."""

    path: Path
    start: int
    end: int
    whole: int

    @property
    def size(self) -> int:
        """Bytes; lines do not end where shards do, but all of a file have as many."""
        return self.end - self.start

    def look(self, wanted: Wanted) -> Found:
        """What is seen in it; raises SourceError where the file cannot be read."""
        data = self._data()
        return Found(len(data), data.count(b"\n"), [look(data, wanted)])

    def _data(self) -> bytes:
        try:
            with in_parts(self.path) as raw, io.BufferedReader(raw, BLOCK) as stream:
                at = self.start
                if at:
                    # A line belongs to whom it begins with: this may be in the midst of one.
                    stream.seek(at - 1)
                    at += len(stream.readline(self.whole - at + 1)) - 1
                data = stream.read(max(self.end - at, 0))
                if data and not data.endswith(b"\n"):
                    data += stream.readline(self.whole - at - len(data))
        except OSError as error:
            raise SourceError(f"{self.path}: cannot be read: {error.strerror}") from None
        return data

    def records(self, reader: Reader, lines: int) -> Iterator[Record]:
        """The Records in it; what is none is told. `lines` of the file come before."""
        return records.decode(self.path, io.BytesIO(self._data()), reader.damage, after=lines)


class Unpacked(NamedTuple):
    """Lines of JSON of a packed file, which can be read only from its beginning on."""

    path: Path
    data: bytes

    @property
    def size(self) -> int:
        """How many bytes of lines there are, unpacked."""
        return len(self.data)

    def look(self, wanted: Wanted) -> Found:
        """Return what the wanted features see in the Records of these lines."""
        return Found(len(self.data), self.data.count(b"\n"), [look(self.data, wanted)])

    def records(self, reader: Reader, lines: int) -> Iterator[Record]:
        """The Records in them; what is none is told. `lines` of the file come before."""
        return records.decode(self.path, io.BytesIO(self.data), reader.damage, after=lines)


class Rest(NamedTuple):
    """What follows in a file that is damaged, or cannot be opened, or what `read` takes from
    several files: nobody else looks at it."""

    path: Path
    size: int = 0
    read: Callable[[Path, Damage], Iterator[Record]] | None = None

    def records(self, reader: Reader, lines: int) -> Iterator[Record]:
        """The Records as far as they can be read; SourceError where the file cannot be opened."""
        if self.read is not None:
            return self.read(self.path, reader.damage)
        return records.read(self.path, reader.damage, after=lines)


class Group(NamedTuple):
    """A row group of an archive in Parquet; its size is in rows."""

    path: Path
    number: int
    size: int

    def look(self, wanted: Wanted) -> Found:
        """What is seen in each batch of its rows; raises SourceError where it is no Parquet."""
        size = parquet.sizes(self.path)[self.number]
        looks: list[Looked | None] = []
        try:
            for rows, found in archive.strictly(self.path, self.number):
                looks.append(look_at(found, rows, wanted))
        except archive.UNREADABLE:
            looks.append(None)  # who reads it row by row tells what is wrong
        return Found(size, size, looks)

    def records(self, reader: Reader, lines: int) -> Iterator[Record]:
        """The Records in it; what is none is told."""
        del lines
        return archive.read(self.path, reader.damage, self.number)


Shard = Lines | Unpacked | Rest | Group
"""A part of a file."""

FileShard = tuple[int, Shard]
"""The number of a file, and a part of it."""

Tasks = Iterable[tuple[FileShard, Callable[[], Found] | None]]

Ahead = Callable[[Tasks], Iterator[tuple[FileShard, Found | None]]]
"""What has tasks done elsewhere, some ahead of those that are wanted; in order, with what each
gives."""


def read(
    files: Iterable[tuple[Path, Source]], reader: Reader, ahead: Ahead
) -> Iterator[Row | Block]:
    """The rows of files in order, as `reader` gives them of files that are read here.

    Raises SourceError where a file cannot be opened, here or elsewhere, and where shards of it were
    left out, or read twice.
    """
    paths: list[Path] = []
    wanted: list[int] = []

    def tasks() -> Iterator[tuple[FileShard, Callable[[], Found] | None]]:
        for number, (path, source) in enumerate(files):
            paths.append(path)
            wanted.append(0)
            for shard in _shards(path, source):
                wanted[number] += shard.size
                task = None if isinstance(shard, Rest) else partial(shard.look, reader.wanted)
                yield (number, shard), task

    for number, some in groupby(ahead(tasks()), lambda one: one[0][0]):
        reader.damage.begin(paths[number])
        lines = size = 0
        for (_, shard), found in some:
            yield from _rows(shard, found, reader, lines)
            if found is not None:
                lines, size = lines + found.lines, size + found.size
        if size != wanted[number]:
            raise SourceError(
                f"{paths[number]}: workers have read {size:,} of {wanted[number]:,} bytes or rows; "
                "all must see the same file, which nobody changes"
            )


def _rows(shard: Shard, found: Found | None, reader: Reader, lines: int) -> Iterator[Row | Block]:
    looks = [None] if found is None else found.looks
    blocks = [None if one is None else reader.block(one) for one in looks]
    if any(block is None for block in blocks):
        yield from reader.observe(reader.counted(shard.records(reader, lines)))
        return
    reader.records += sum(one.records for one in looks if one is not None)
    yield from (block for block in blocks if block is not None and len(block))


def _shards(path: Path, source: Source) -> Iterator[Shard]:
    if source is archive.SOURCE:
        try:
            sizes = parquet.sizes(path)
        except SourceError:
            yield Rest(path, read=source.records)
            return
        for number, size in enumerate(sizes):
            yield Group(path, number, size)
    elif source.name == archive.SOURCE.name:
        yield Rest(path, read=source.records)
    else:
        yield from _lines(path)


def _lines(path: Path) -> Iterator[Shard]:
    try:
        stream = packing.opened(path)
    except OSError:
        yield Rest(path)
        return
    with stream:
        is_plain = isinstance(stream, io.BufferedReader) and stream.seekable()
        whole = path.stat().st_size if is_plain else 0
        for start in range(0, whole, SHARD):
            yield Lines(path, start, min(start + SHARD, whole), whole)
        try:
            while not whole and (data := stream.read(PIECE)):
                yield Unpacked(path, data + stream.readline())
        except OSError:
            yield Rest(path)
