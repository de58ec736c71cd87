"""An archive → the same without the Records that name somebody: tombstones stand in their places.

A tombstone is a row with its number, its id and its leaf alone. The leaf has a nonce in it, which
is gone with the Record: nobody can find what it was by guessing. Roots and signatures hold, for
they are over leaves. Files are copied a row group at a time, and each is replaced by a step of the
chain that says how many Records it takes away. What an archiver writes meanwhile is looked through
too; of two who put the same step the loser goes on behind, as two archivers do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from monitor.archive.chain import Chain, Sign
from monitor.archive.held import Held, Holdings, altered
from monitor.archive.manifests import Erasure, File, Manifest, Replaced, beside
from monitor.archive.rows import RECORD, SEALED, parquet_writer, synced
from monitor.archive.sealing import Opener
from monitor.archive.storage import why
from monitor.errors import ArchiveError, SourceError
from monitor.places import in_parts

LEFT = ("number", "sid", "leaf")
"""Columns of a tombstone."""

BATCH = 1024
"""Rows that are looked at together."""


class Names(Protocol):
    """What a document is looked through for: a text of which one of `needles` is a part, and of
    which it says so itself."""

    @property
    def needles(self) -> Sequence[str]:
        """What each text that is meant has one of."""

    def __call__(self, document: str, /) -> bool:
        """Whether a document names who is meant."""


class Copy(NamedTuple):
    """What is to take the place of a file, how many rows more are erased in it, and where it is: a
    local file, or staged already, by a step that came too late."""

    file: File
    rows: int
    local: Path | None
    staged: str = ""


class Eraser:
    """Takes Records out of one shard, as the program `writer`. `tell` is given the document of each
    that is found.

    `rows` says how many rows that name somebody each file has, by its path, of those that were
    looked through; `erasures` are those that manifests tell of, of whomever and by any run. The
    `opener` reads those that are sealed. Methods raise ArchiveError.
    """

    def __init__(
        self,
        chain: Chain,
        names: Names,
        tell: Callable[[str], object],
        *,
        writer: str,
        opener: Opener | None = None,
    ) -> None:
        self.rows: dict[str, int] = {}
        self.erasures: list[Erasure] = []
        self._chain = chain
        self._names = names
        self._tell = tell
        self._writer = writer
        self._opener = opener
        self._holdings = Holdings()
        self._last: Manifest | None = None

    @property
    def last(self) -> Manifest | None:
        """The last manifest, as of when files were last looked for."""
        return self._last

    def files(self) -> list[Held]:
        """Return the files that are read by now."""
        first = self._last.number + 1 if self._last else 0
        for link in self._chain.links(first):
            self._last = link.manifest
            self._holdings.add(link.manifest)
            if link.manifest.erasure is not None:
                self.erasures.append(link.manifest.erasure)
        return self._holdings.kept(self._last.kept) if self._last else []

    def look(self) -> Iterator[int]:
        """Look through the files that were not yet, until there is none; yield how many rows of
        each name somebody."""
        while new := [one for one in self.files() if one.file.path not in self.rows]:
            for one in new:
                found = self._found(one)
                if found is not None:
                    self.rows[one.file.path] = found
                    yield found

    def erase(self, how: Erasure, sign: Sign, *, clock: Callable[[], float]) -> Iterator[int]:
        """Erase what is found, file by file, and what is archived meanwhile; yield how many rows
        each file has lost. `how` says who erases and why."""
        storage = self._chain.storage
        ready: dict[str, Copy] = {}
        while True:
            for _ in self.look():
                pass
            due = [one for one in self.files() if self.rows.get(one.file.path)]
            if not due:
                break
            held = due[0]
            copy = ready.pop(held.file.path, None) or self._copied(held)
            if copy is None:  # another one has replaced it meanwhile
                continue
            new = self._step(held, copy, how, clock())
            if copy.local is not None:
                storage.publish(copy.local, new.unnamed)
            else:
                storage.rename(copy.staged, new.unnamed)
            if self._chain.add(new, sign):
                self.rows[copy.file.path] = 0
                yield copy.rows
            elif storage.exists(new.unnamed):
                ready[held.file.path] = copy._replace(local=None, staged=new.unnamed)
        for copy in ready.values():
            storage.delete(copy.staged)

    def note(self, how: Erasure, sign: Sign, *, clock: Callable[[], float]) -> bool:
        """Put a step that says what was erased of the stream, and that has no file; whether it was
        the next one. An archiver that has read what is erased, and has not written it yet, finds
        that another one was before it, and reads again."""
        new = self._chain.next_manifest(
            at=clock(), writer=self._writer, position=self._chain.position, tree=self._chain.tree
        )
        return self._chain.add(msgspec.structs.replace(new, erasure=how), sign)

    def _step(self, held: Held, copy: Copy, how: Erasure, at: float) -> Manifest:
        chain = self._chain
        new = chain.next_manifest(
            at=at, writer=self._writer, position=chain.position, tree=chain.tree
        )
        return msgspec.structs.replace(
            new, file=copy.file,
            replaces=Replaced(held.first, held.last, [held.file]),
            erasure=msgspec.structs.replace(how, rows=copy.rows),
        )  # fmt: skip

    def _found(self, held: Held) -> int | None:
        """How many rows of a file name somebody; None where another one has replaced it."""
        place = self._place(held)
        if place is None:
            return None
        count = 0
        with _opened(place) as file:
            known = file.schema_arrow.names
            columns = [one for one in (RECORD, "sid", "nonce", *SEALED) if one in known]
            for batch in file.iter_batches(BATCH, columns=columns, use_threads=False):
                column = _documents(batch, place, self._opener)
                for row in _matches(column, self._names):
                    self._tell(column[row].as_py())
                    count += 1
        return count

    def _copied(self, held: Held) -> Copy | None:
        """A copy of a file with tombstones; None where another one has replaced it."""
        place = self._place(held)
        if place is None:
            return None
        storage = self._chain.storage
        if _digest(place) != held.file.sha256:
            raise altered(storage.name, held.file)
        local = storage.scratch()
        try:
            rows = _copied(place, local, self._names, self._opener)
            size, digest = synced(local)
        except BaseException:
            local.unlink(missing_ok=True)
            raise
        path = beside(held.file.directory, held.file.first, held.file.last, digest)
        file = msgspec.structs.replace(
            held.file, path=path, bytes=size, sha256=digest, erased=held.file.erased + rows
        )
        return Copy(file, rows, local)

    def _place(self, held: Held) -> Path | None:
        """Where a file is to be read; None where another one has replaced it, or it is kept no
        longer."""
        storage, path = self._chain.storage, held.file.path
        if storage.exists(path):
            return storage.place(path)
        if held not in self.files():
            return None
        if self._last and self._last.number == held.number and storage.exists(self._last.unnamed):
            return storage.place(self._last.unnamed)
        raise ArchiveError(f"{storage.name}/{path}: is missing")


@contextlib.contextmanager
def _opened(place: Path) -> Generator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with in_parts(place) as stream:
            yield parquet.ParquetFile(stream)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise ArchiveError(f"{place}: cannot be read: {why(error)}") from None


def _digest(place: Path) -> str:
    try:
        with place.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveError(f"{place}: cannot be read: {why(error)}") from None


def _copied(place: Path, local: Path, names: Names, opener: Opener | None) -> int:
    """Copy a file with tombstones for the rows that name somebody; how many these are."""
    count = 0
    with _opened(place) as file:
        writer = parquet_writer(local, file.schema_arrow)
        try:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, use_threads=False).combine_chunks()
                if rows := _matches(_documents(table, place, opener), names):
                    table = _without(table, rows)
                    count += len(rows)
                writer.write_table(table, row_group_size=max(1, table.num_rows))
        finally:
            writer.close()
    return count


def _documents(rows: Any, place: Path, opener: Opener | None) -> Any:
    """The documents of some rows, None where they are erased."""
    import pyarrow as pa

    if RECORD in rows.schema.names:
        return rows.column(RECORD)
    if opener is None:
        sealed = rows.column(SEALED[1])
        if sealed.null_count == len(sealed):  # tombstones alone
            return pa.nulls(len(sealed), pa.string())
        raise ArchiveError(
            f"{place}: its records are sealed to a key, so nobody can be found in them; "
            "--private-key FILE opens them"
        )
    found = []
    names = (SEALED[0], "nonce", "sid", SEALED[1])
    for key, nonce, sid, sealed in zip(
        *(rows.column(name).to_pylist() for name in names), strict=True
    ):
        try:
            one = None if sealed is None else opener(key, nonce, sid.encode(), sealed)
        except SourceError as error:
            raise ArchiveError(f"{place}: {error}") from None
        if one is None and sealed is not None:
            raise ArchiveError(f"{place}: the record at {sid} is not what was sealed")
        found.append(None if one is None else one.decode())
    return pa.array(found, pa.string())


def _matches(column: Any, names: Names) -> list[int]:
    """The rows of a column of documents that name somebody."""
    import pyarrow.compute as pc

    found: set[int] = set()
    for needle in names.needles:
        mask = pc.fill_null(pc.match_substring(column, needle), fill_value=False)
        found.update(pc.indices_nonzero(mask).to_pylist())
    return [row for row in sorted(found) if names(column[row].as_py())]


def _without(table: Any, rows: Sequence[int]) -> Any:
    """The same rows, of some of which only what a tombstone has is left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    gone = set(rows)
    mask = pa.array([row in gone for row in range(table.num_rows)])
    columns = [
        column if name in LEFT else pc.if_else(mask, pa.scalar(None, column.type), column)
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)
