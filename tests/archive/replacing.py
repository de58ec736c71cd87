"""Steps of a chain that replace files, as an erasure makes them, with any rows."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from pyarrow import parquet

from monitor.archive import manifests
from monitor.archive.chain import Chain, Sign, signer
from monitor.archive.held import Held, Holdings
from monitor.archive.manifests import Erasure, File, Manifest, Replaced

HOW = Erasure("somebody (uid 7)", "ticket 7", ["ab" * 32])


def current(chain: Chain) -> list[Held]:
    return Holdings(link.manifest for link in chain.links()).all()


def rewritten(chain: Chain, file: File, rows: Sequence[int]) -> File:
    """Stage the same file with some rows erased; what it is then."""
    local = chain.storage.scratch()
    table = parquet.read_table(chain.storage.place(file.path), partitioning=None)
    columns = table.to_pydict()
    for name in set(columns) - {"number", "sid", "leaf"}:
        columns[name] = [
            None if at in rows else one for at, one in enumerate(columns[name])
        ]  # fmt: skip
    parquet.write_table(table.schema.empty_table().from_pydict(columns, table.schema), local)
    data = local.read_bytes()
    digest = sha256(data).hexdigest()
    path = manifests.beside(file.directory, file.first, file.last, digest)
    erased = columns["record"].count(None)
    new = msgspec.structs.replace(file, path=path, sha256=digest, bytes=len(data), erased=erased)
    chain.storage.publish(local, step(chain, Held(0, 0, 0, file), new, 0).unnamed)
    return new


def step(chain: Chain, held: Held, new: File, gone: int, **changes: Any) -> Manifest:
    """The manifest that puts a file in the place of another."""
    said = chain.next_manifest(at=2e9, writer="t", position=chain.position, tree=chain.tree)
    replaces = Replaced(held.first, held.last, [held.file])
    erasure = msgspec.structs.replace(HOW, rows=gone)
    facts = {"file": new, "replaces": replaces, "erasure": erasure, **changes}
    return msgspec.structs.replace(said, **facts)


def erase(
    chain: Chain, place: int, rows: Sequence[int], sign: Sign | None = None, **changes: Any
) -> None:
    """Erase rows of a file, by its place among those that are read."""
    held = current(chain)[place]
    new = rewritten(chain, held.file, rows)
    said = step(chain, held, new, new.erased - held.file.erased, **changes)
    assert chain.add(said, sign or signer(None))
