"""Small files of a shard's hours that are over → few, with the same rows in the same order.

Rows are copied as they are, each with its leaf, so the tree stays as it is; no key is needed. What
is read must be what its manifest lists: a damaged file is never made to look whole.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import msgspec

from monitor.archive.chain import Chain
from monitor.archive.held import Held, altered
from monitor.archive.manifests import (
    MOST_REPLACED,
    File,
    Manifest,
    Replaced,
    beside,
    day,
    entry,
    hour,
)
from monitor.archive.rows import GROUP_BYTES, GROUP_ROWS, parquet_writer, synced
from monitor.archive.storage import Storage
from monitor.errors import ArchiveError

SMALL = 32 << 20
"""Bytes of a file that is worth to be put together with others, at most: what is read at once."""

ASIDE = 86400.0
"""Seconds for which a file that was replaced is kept for who is reading it."""

LARGE = 128 << 20
"""Bytes of the files that become one, at most."""


def runs(held: Sequence[Held], before: str) -> Iterator[list[Held]]:
    """Yield what is worth to become one file: small files of one hour before that one
    (`manifests.hour`), which follow one another, in the order of their entries. Archives of earlier
    have files of days."""
    for directory, files in groupby(held, lambda one: one.file.directory):
        found = list(files)
        of = hour if "/hour=" in directory else day
        span = of(found[0].file.first)
        if span < before[: len(span)]:
            yield from (run for run in _runs(found) if len(run) > 1)


def _runs(files: list[Held]) -> Iterator[list[Held]]:
    run, size = files[:1], files[0].file.bytes
    for one, following in pairwise(files):
        size += following.file.bytes
        if (
            max(one.file.bytes, following.file.bytes) > SMALL
            or size > LARGE
            or len(run) == MOST_REPLACED
            or entry(following.file.first) <= entry(one.file.last)
        ):
            yield run
            run, size = [], following.file.bytes
        run.append(following)
    yield run


def written(
    chain: Chain, run: Sequence[Held], path: Path, may_go_on: Callable[[], bool]
) -> tuple[list[Held], File | None]:
    """Write the rows of a run to a local file; return the files that it stands for and what it is.
    Those from the first one on are left that have other columns. There is no new file where that
    leaves one alone, or nobody may go on. Raises ArchiveError for a file that is not what is
    listed."""
    done: list[Held] = []
    writer: Any = None
    schema: Any = None
    try:
        held: list[Any] = []
        for one in run:
            opened = _opened(chain.storage, one.file)
            if schema is not None and opened.schema_arrow != schema:
                break
            if schema is None:
                schema = opened.schema_arrow
                writer = parquet_writer(path, schema)
            for batch in opened.iter_batches(GROUP_ROWS, use_threads=False):
                if not may_go_on():
                    return list(run), None
                held.append(batch)
                if sum(map(len, held)) >= GROUP_ROWS or sum(x.nbytes for x in held) >= GROUP_BYTES:
                    _write(writer, held)
            done.append(one)
        if len(done) < 2:
            return done, None
        _write(writer, held)
    finally:
        if writer is not None:
            writer.close()
    size, digest = synced(path)
    files = [one.file for one in done]
    first, last = files[0].first, files[-1].last
    place = beside(files[0].directory, first, last, digest)
    start, end = min(one.start for one in files), max(one.end for one in files)
    rows = sum(one.rows for one in files)
    erased = sum(one.erased for one in files)
    return done, File(place, rows, size, digest, first, last, start, end, erased)


def _opened(storage: Storage, file: File) -> Any:
    from pyarrow import parquet

    data = storage.read(file.path)
    if data is None:
        raise ArchiveError(f"{storage.name}/{file.path}: is missing")
    if sha256(data).hexdigest() != file.sha256:
        raise altered(storage.name, file)
    return parquet.ParquetFile(io.BytesIO(data))


def _write(writer: Any, held: list[Any]) -> None:
    """Write what is held as a row group."""
    import pyarrow as pa

    if held:
        writer.write_table(pa.Table.from_batches(held), row_group_size=GROUP_ROWS)
        held.clear()


def step(chain: Chain, done: Sequence[Held], file: File, *, at: float, writer: str) -> Manifest:
    """Return the next manifest, by which a file takes the place of others."""
    new = chain.next_manifest(at=at, writer=writer, position=chain.position, tree=chain.tree)
    replaced = Replaced(done[0].first, done[-1].last, [one.file for one in done], at + ASIDE)
    return msgspec.structs.replace(new, file=file, replaces=replaced)
