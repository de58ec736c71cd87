"""A Record's id, or that of its entry, and an archive → the proof of that one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from monitor.archive.chain import Chain
from monitor.archive.held import Held, Holdings
from monitor.archive.manifests import Manifest, entry
from monitor.archive.reading import MARGIN
from monitor.archive.rows import RECORD
from monitor.archive.storage import why
from monitor.audit import proofs
from monitor.audit.merkle import Tree, path
from monitor.audit.proofs import Proof
from monitor.errors import ArchiveError
from monitor.places import in_parts

BATCH = 4096
"""Rows that are looked at together."""

is_entry = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII).fullmatch
"""Whether an id is that of an entry."""


class Found(NamedTuple):
    """A row: the file that it is in, its place there, from 0, and what it has; without a Record it
    is a tombstone, or with a nonce one that is sealed."""

    held: Held
    row: int
    leaves: list[bytes]
    sid: str
    nonce: bytes | None
    record: str | None


def find(chain: Chain, name: str, start: float | None) -> Found | None:
    """Return the row with this id of a Record, or of an entry; None where the shard has none.

    Files are looked through whose Records may have begun `start` (Unix seconds) or later.
    """
    found = [link.manifest for link in chain.since((start or 0.0) - MARGIN)]
    column = "sid" if is_entry(name) else "id"
    for held in Holdings(found).kept(found[-1].kept if found else 0):
        if column == "sid" and not entry(held.file.first) <= entry(name) <= entry(held.file.last):
            continue
        if start is not None and held.file.end < start:
            continue
        row = _row(chain, held, found[-1], column, name)
        if row is not None:
            return _found(chain, held, found[-1], row)
    return None


def prove(chain: Chain, found: Found, *, with_record: bool) -> Proof:
    """Return the proof of a row, by the checkpoint of the manifest that brought it; raises
    ArchiveError where the files have other rows than the manifests list."""
    last = chain.link(found.held.last)
    first = found.held.first
    before = chain.link(first - 1).manifest.tree if first else Tree()
    index = before.size + found.row
    if before.size + len(found.leaves) != last.manifest.size:
        raise ArchiveError(
            f"{chain.storage.name}/{found.held.file.path}: has other rows than its manifest lists; "
            "`monitor verify` says which"
        )
    said: dict[str, str] = {}
    if with_record and found.nonce is not None and found.record is not None:
        said = {"sid": found.sid, "nonce": found.nonce.hex(), "record": found.record}
    return Proof(
        proofs.VERSION, last.checkpoint, index,
        [one.hex() for one in path(index, before, found.leaves)],
        found.leaves[found.row].hex(), **said,
    )  # fmt: skip


def _row(chain: Chain, held: Held, last: Manifest, column: str, name: str) -> int | None:
    import pyarrow.compute as pc

    for before, batch in _batches(chain, held, last, [column]):
        row = pc.index(batch.column(column), name).as_py()
        if row >= 0:
            return before + int(row)
    return None


def _found(chain: Chain, held: Held, last: Manifest, row: int) -> Found:
    leaves: list[bytes] = []
    for _, batch in _batches(chain, held, last, ["leaf"]):
        leaves += batch.column("leaf").to_pylist()
    columns = ["sid", "nonce", RECORD]
    for before, batch in _batches(chain, held, last, columns, row):
        if row < before + batch.num_rows:
            has = batch.slice(row - before, 1).to_pylist()[0]
            return Found(held, row, leaves, has["sid"], has["nonce"], has.get(RECORD))
    raise ArchiveError(f"{chain.storage.name}/{held.file.path}: changes while it is read")


def _batches(
    chain: Chain, held: Held, last: Manifest, columns: list[str], row: int | None = None
) -> Iterator[tuple[int, Any]]:
    """(how many rows come before, a batch) of a file, or of the row group with that row alone."""
    import pyarrow as pa
    from pyarrow import parquet

    storage, place = chain.storage, held.file.path
    if not storage.exists(place) and held.number == last.number:
        place = last.unnamed
    try:
        with in_parts(storage.place(place)) as stream:
            file = parquet.ParquetFile(stream)
            if "id" in columns and "id" not in file.schema_arrow.names:
                raise ArchiveError(
                    f"{storage.name}/{held.file.path}: has no column `id`, since its records are "
                    "sealed; name the id of an entry, as 1795905227046-0"
                )
            before = 0
            for group in range(file.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                if row is None or before <= row < before + size:
                    batches = file.iter_batches(
                        BATCH, row_groups=[group], columns=columns, use_threads=False
                    )
                    for batch in batches:
                        yield before, batch
                        before += batch.num_rows
                else:
                    before += size
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError) as error:
        raise ArchiveError(
            f"{storage.name}/{held.file.path}: cannot be read: {why(error)}"
        ) from None
