"""Records with their places in the stream → a Parquet file; pyarrow is imported late, or by `load`.

The column `record` has each document, byte for byte. The others are for queries (`COLUMNS`; those
with a structure are made in `archive.nested`) and for the proof: `number` counts the Records of the
shard from 0, `sid` is the entry's id, `leaf` the hash of `nonce`, `sid` and `record` together
(`audit.merkle`).

Where documents are sealed (`archive.sealing`) `sealed_key` and `sealed` stand in the place of
`record`, and the leaf is over both of these: it can be proved without any private key.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple

from monitor.archive import nested
from monitor.archive.manifests import File, path_of
from monitor.archive.sealing import Seal
from monitor.audit.merkle import NONCE, Tree, leaves
from monitor.types import Record

LEVEL = 3
"""Of zstd: 9 saves 4 % of the bytes and takes five times as long."""

GROUP_ROWS, GROUP_BYTES = 8192, 8 << 20
"""Rows and bytes of documents of a row group, at most about: what is held in memory."""

PROOF = ("number", "sid", "nonce", "leaf")
RECORD = "record"
SEALED = ("sealed_key", "sealed")

FACTS = (
    "id", "started", "duration", "protocol", "operation", "model", "outcome", "status",
    "population", "template", "variant", "input_tokens", "output_tokens", "trace_id", "key",
)  # fmt: skip
"""Facts of a Record that queries filter by."""

COLUMNS = (*FACTS, *nested.NAMES)
"""All that queries see beside the Record itself."""

FEW = (
    "protocol", "operation", "model", "outcome", "status", "population", "template", "variant",
    "key", SEALED[0], "cost.currency", "segments.key_value.key", "segments.key_value.value",
    "lineage.key_value.key", "lineage.key_value.value", "checks.key_value.key",
    "edge_cases.list.element", "finish_reasons.list.element",
)  # fmt: skip
"""Columns of Parquet with few values, which are stored once for each row group."""


class Kept(NamedTuple):
    """A Record that is to be archived, the id of its entry, and its document."""

    sid: str
    document: bytes
    record: Record


class Writer:
    """Writes the rows of one file to a local path. `close` makes it whole, or `abandon` removes
    it. Those of `COLUMNS` are written that `columns` names; with a `seal` documents are sealed."""

    def __init__(
        self,
        path: Path,
        tree: Tree,
        columns: Sequence[str] = COLUMNS,
        seal: Seal | None = None,
    ) -> None:
        self.tree = tree
        self.rows = 0
        self.bytes = 0
        self.path = path
        self._held: list[Kept] = []
        self._size = 0
        self._nonces: list[bytes] = []
        self._first = self._last = ""
        self._start, self._end = float("inf"), float("-inf")
        self._seal = seal
        self._schema = _schema(tuple(one for one in COLUMNS if one in columns), seal is not None)
        self._writer = parquet_writer(path, self._schema)

    def add(self, kept: Sequence[Kept], nonces: bytes) -> None:
        """Add rows; `nonces` are `NONCE` bytes of chance for each. Raises OSError."""
        if not kept:
            return
        self._first = self._first or kept[0].sid
        self._last = kept[-1].sid
        size = sum(len(one.document) for one in kept)
        self.rows += len(kept)
        self.bytes += size
        self._held += kept
        self._nonces.append(nonces[: NONCE * len(kept)])
        self._size += size
        if len(self._held) >= GROUP_ROWS or self._size >= GROUP_BYTES:
            self._write()

    def close(self, endpoint: str, shard: int) -> File:
        """Write what is left, wait until all of it is on the disk, and say what it is."""
        self._write()
        self._writer.close()
        size, digest = synced(self.path)
        name = path_of(endpoint, shard, self._first, self._last, digest)
        return File(
            name, self.rows, size, digest, self._first, self._last, self._start, self._end
        )  # fmt: skip

    def abandon(self) -> None:
        """Remove the file that was begun."""
        with contextlib.suppress(Exception):  # a full disk has no room for the footer either
            self._writer.close()
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        """Write what is held as a row group."""
        if not self._held:
            return
        held, self._held, self._size = self._held, [], 0
        nonces, self._nonces = b"".join(self._nonces), []
        sids = [one.sid.encode() for one in held]
        documents, each = [one.document for one in held], _each(nonces)
        last: list[Sequence[Any]] = [documents]
        if (seal := self._seal) is not None:
            sealed = list(map(seal.document, documents, sids, each))
            last = [[seal.key] * len(held), sealed]
            documents = [seal.key + one for one in sealed]
        hashes = leaves(nonces, sids, documents)
        first = self.tree.size
        self.tree = self.tree.grown(hashes)
        records = [one.record for one in held]
        self._start = min(self._start, *(one.started for one in records))
        self._end = max(self._end, *(one.started for one in records))
        facts = dict(zip(FACTS, zip(*map(_facts, records), strict=True), strict=True))
        columns: list[Any] = [
            facts[one.name] if one.name in facts else nested.array(one.name, records, one.type)
            for one in self._schema
            if one.name in COLUMNS
        ]
        columns += [range(first, first + len(held)), [one.sid for one in held], each, hashes, *last]
        self._writer.write_table(_table(columns, self._schema))


def load() -> None:
    """Load all that the first row needs: 0.3 s of CPU time where pandas, which pyarrow then looks
    for, is there too."""
    from pyarrow import parquet

    schema = _schema(COLUMNS, False)
    parquet.ParquetWriter(os.devnull, schema).close()
    _table([()] * len(schema), schema)


def parquet_writer(path: Path, schema: Any) -> Any:
    """Begin a Parquet file of rows."""
    from pyarrow import parquet

    names = [leaf for one in schema for leaf in nested.leaves(one.name, one.type)]
    codecs = {name: "none" if name == SEALED[1] else "zstd" for name in names}
    return parquet.ParquetWriter(
        path, schema, compression=codecs,
        compression_level={name: LEVEL for name in names if name != SEALED[1]},
        use_dictionary=[one for one in FEW if one in names],
        write_statistics=True, store_schema=True,
    )  # fmt: skip


def synced(path: Path) -> tuple[int, str]:
    """Wait until a file is on the disk; return its bytes and its digest."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _facts(record: Record) -> tuple[Any, ...]:
    """What `FACTS` hold of a Record."""
    segments, tokens = record.segments, record.tokens
    return (
        record.id, record.started, record.duration, record.protocol, record.operation,
        record.model, record.outcome.value, record.status,
        segments.get("population"), segments.get("template"), segments.get("variant"),
        tokens and tokens.input, tokens and tokens.output, record.trace_id, record.key,
    )  # fmt: skip


def _each(nonces: bytes) -> list[bytes]:
    return [nonces[at : at + NONCE] for at in range(0, len(nonces), NONCE)]


def _table(columns: Sequence[Any], schema: Any) -> Any:
    import pyarrow as pa

    arrays = [
        values if isinstance(values, pa.Array) else nested.plain(values, field.type)
        for field, values in zip(schema, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


@lru_cache(maxsize=8)
def _schema(columns: tuple[str, ...], is_sealed: bool) -> Any:
    import pyarrow as pa

    text, whole = pa.string(), pa.int64()
    types = {
        "started": pa.float64(), "duration": pa.float64(), "status": whole, "number": whole,
        "input_tokens": whole, "output_tokens": whole, "nonce": pa.binary(NONCE),
        "leaf": pa.binary(32), **dict.fromkeys(SEALED, pa.binary()), **nested.types(),
    }  # fmt: skip
    last = SEALED if is_sealed else (RECORD,)
    return pa.schema([(name, types.get(name, text)) for name in (*columns, *PROOF, *last)])
