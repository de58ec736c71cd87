"""What a manifest says, and where files and manifests of an archive stand.

    endpoint=E/date=D/hour=H/shard=S/FIRST_LAST_HASH.parquet
                                                           rows; FIRST and LAST are entries' ids
    endpoint=E/_manifests/shard=S/00000012/00012345.json   the chain that lists them
    endpoint=E/_staged/shard=S/00012345_NAME.new and .old  the file that manifest 12345 puts in the
                                                           place of others, and these, for a while

Names that begin with `_` are not data to Spark, Hive and DuckDB. A file is named by its content, a
manifest by its number alone: of two that are written at the same time one is the first. Archives of
earlier have no `hour=H`; what takes the place of a file stands where that did.
"""

from __future__ import annotations

import datetime
import math
import re
from hashlib import sha256
from urllib.parse import quote

import msgspec

from monitor.audit.documents import TwiceError, require_unique_keys
from monitor.audit.merkle import Tree
from monitor.errors import ArchiveError

VERSION = 3
"""Of the form of manifests and files, from 1 on; all are read. Manifests of 1 add rows, those of 2
replace files or tell of an erasure, those of 3 do any of this and know hours."""

BUCKET = 1000
"""Manifests of a directory."""

LATEST = 253_402_300_799_000
"""The last second that has a date, in Unix milliseconds: 9999-12-31."""

NEW = ".new"
"""Suffix of a file that no manifest lists yet, or one that has not been given its name yet."""

OLD = ".old"
"""Suffix of a file that was replaced, and is kept for who was reading it."""

MOST_REPLACED = 1000
"""Files that one may take the place of."""


class File(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Parquet file: its path below the archive, rows, bytes, digest of its content, the ids of
    its first and last entry, and when its first Record began and its last one (Unix seconds). So
    many of its rows are `erased`: tombstones, which have a number, an id and a leaf alone."""

    path: str
    rows: int
    bytes: int
    sha256: str
    first: str
    last: str
    start: float
    end: float
    erased: int = 0

    @property
    def directory(self) -> str:
        """Return the directory that its path is in, without a slash at its end."""
        return self.path.rpartition("/")[0]


class Replaced(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the file of a manifest takes the place of: the rows that the manifests `first` to `last`
    brought, as they stand in `files` until then. These are kept aside until `until` (Unix time) for
    who is reading them; 0: they are deleted at once."""

    first: int
    last: int
    files: list[File]
    until: float = 0.0


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """That a person was taken out: of so many `rows` of the file that is replaced, and of so many
    `entries` of the stream that had not been archived; who did it, why, and the SHA-256 of each
    pseudonym."""

    who: str
    reason: str
    pseudonyms: list[str]
    rows: int = 0
    entries: int = 0


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of a shard's chain: what came with it, and what is so after it.

    `position` is where the next one reads on. `size`, `peaks` and `root` are the tree of all
    Records so far, `files` and `unreadable` count all files and all entries that are no Record.
    Files of manifests with a number below `kept` are gone: retention has deleted them. One that
    `replaces` files adds no rows. `store` is the identity of the store that `position` is of; empty
    in those of before there were any.
    """

    version: int
    endpoint: str
    shard: int
    number: int
    previous: str
    at: float
    writer: str
    position: str
    size: int
    peaks: list[str]
    root: str
    files: int = 0
    unreadable: int = 0
    file: File | None = None
    kept: int = 0
    replaces: Replaced | None = None
    erasure: Erasure | None = None
    store: str = ""

    @property
    def rows(self) -> int:
        """How many rows it adds to those of all manifests before it."""
        return self.file.rows if self.file and not self.replaces else 0

    @property
    def unnamed(self) -> str:
        """Where its file stands until it gets its name; empty where it has none."""
        if self.file is None:
            return ""
        if self.replaces is None:
            return self.file.path + NEW
        return self.aside(self.file, NEW)

    def aside(self, file: File, suffix: str) -> str:
        """Return where a file stands that it replaces (OLD), or puts in the place of others (NEW),
        so that the number tells whose it is."""
        return f"{staging(self.endpoint, self.shard)}/{self.number:08}_{_stem(file)}{suffix}"

    @property
    def tree(self) -> Tree:
        """The tree of all Records so far."""
        return Tree(self.size, tuple(map(bytes.fromhex, self.peaks)))


class Sealed(msgspec.Struct, frozen=True):
    """A manifest as it is stored: its bytes, and the checkpoint that vouches for them."""

    manifest: msgspec.Raw
    checkpoint: str = ""


_encode = msgspec.json.Encoder().encode
_sealed = msgspec.json.Decoder(Sealed).decode
_manifest = msgspec.json.Decoder(Manifest).decode


class Link(msgspec.Struct, frozen=True):
    """A manifest that was read: what it says, its digest, its own bytes and its checkpoint."""

    manifest: Manifest
    digest: str
    body: bytes
    checkpoint: str


def encode(manifest: Manifest) -> bytes:
    """Return the bytes of a manifest that a checkpoint vouches for."""
    return _encode(manifest)


def seal(body: bytes, checkpoint: str) -> bytes:
    """Return a manifest as it is stored."""
    return _encode(Sealed(msgspec.Raw(body), checkpoint))


def opened(data: bytes, name: str) -> Link:
    """Return what is stored under a name; raises ArchiveError for what is no manifest."""
    try:
        sealed = _sealed(data)
        body = bytes(sealed.manifest)
        manifest = _manifest(body)
        require_unique_keys(data)
        tree, _ = manifest.tree, bytes.fromhex(manifest.root)
    except TwiceError as error:
        raise ArchiveError(f"{name}: is not a manifest: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise ArchiveError(f"{name}: is not a manifest") from None
    if not 1 <= manifest.version <= VERSION:
        raise ArchiveError(
            f"{name}: has version {manifest.version}; this monitor reads versions 1 to {VERSION}"
        )
    if not tree.is_whole:
        raise ArchiveError(f"{name}: is not a manifest: its peaks are not those of its size")
    if fault := _fault(manifest):
        raise ArchiveError(f"{name}: is not a manifest: {fault}")
    return Link(manifest, sha256(data).hexdigest(), body, sealed.checkpoint)


_ID = r"\d{1,20}-\d{1,20}"
_is_id = re.compile(_ID, re.ASCII).fullmatch
_is_position = re.compile(rf"(?:{_ID}(?:/\d{{1,20}}/\d{{1,20}})?)?", re.ASCII).fullmatch
_is_digest = re.compile(r"[0-9a-f]{64}").fullmatch
_is_store = re.compile(r"(?:[0-9a-f]{32})?").fullmatch


def _fault(said: Manifest) -> str:
    """What a manifest says that cannot be; empty where all can. Whoever can write to an archive may
    have written it, and files are read and deleted by their paths in it."""
    counts = (said.number, said.shard, said.size, said.files, said.unreadable, said.kept)
    if min(counts) < 0 or said.kept > said.number or not math.isfinite(said.at):
        return "its numbers cannot be"
    if not _is_position(said.position):
        return "its position is none"
    if not _is_store(said.store):
        return "its store has no identity"
    files = [] if said.file is None else [said.file]
    if said.replaces is not None:
        first, last = said.replaces.first, said.replaces.last
        is_few = 0 < len(said.replaces.files) <= MOST_REPLACED
        if not files or not 0 <= first <= last < said.number or not is_few:
            return "it replaces what cannot be"
        files += said.replaces.files
    return next(filter(None, (_fault_of(one, said) for one in files)), "")


def _fault_of(file: File, said: Manifest) -> str:
    if not (_is_id(file.first) and _is_id(file.last) and _is_digest(file.sha256)):
        return "its file has no ids, or no digest"
    is_right = min(file.rows, file.bytes) >= 0 and 0 <= file.erased <= file.rows
    if not is_right or entry(file.first) > entry(file.last):
        return "its file's numbers cannot be"
    if file.path not in (
        beside(one, file.first, file.last, file.sha256)
        for one in directories(said.endpoint, said.shard, file.first)
    ):
        return "its file stands elsewhere"
    return ""


def chain_of(endpoint: str) -> str:
    """Return the directory of the chains of an endpoint."""
    return f"endpoint={quote(endpoint, safe='')}/_manifests"


def identity_of(endpoint: str) -> str:
    """Return where it stands by which archivers know that they write the same archive."""
    return f"{chain_of(endpoint)}/identity"


def directory(endpoint: str, shard: int) -> str:
    """Return the directory of a shard's chain."""
    return f"{chain_of(endpoint)}/shard={shard}"


def bucket_of(endpoint: str, shard: int, number: int) -> str:
    """Return the directory in which a manifest stands."""
    return f"{directory(endpoint, shard)}/{number // BUCKET:08}"


def name_of(endpoint: str, shard: int, number: int) -> str:
    """Return where a manifest stands.

    >>> name_of("bot", 0, 1234)
    'endpoint=bot/_manifests/shard=0/00000001/00001234.json'
    """
    return f"{bucket_of(endpoint, shard, number)}/{number:08}.json"


def hour(entry: str) -> str:
    """Return the date and hour (UTC) in which an entry was appended, by its id; the last one that
    there is for what is later.

    >>> hour("1700000000000-0"), hour("18446744073709551000-0")
    ('2023-11-14T22', '9999-12-31T23')
    """
    at = min(int(entry.partition("-")[0]), LATEST) / 1000
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()[:13]


def day(entry: str) -> str:
    """Return the date (UTC) on which an entry was appended, as `hour`."""
    return hour(entry)[:10]


def directories(endpoint: str, shard: int, first: str) -> tuple[str, str]:
    """Return where files stand that begin with an entry: now, and in archives of earlier."""
    date, _, clock = hour(first).partition("T")
    place = f"endpoint={quote(endpoint, safe='')}/date={date}"
    return f"{place}/hour={clock}/shard={shard}", f"{place}/shard={shard}"


def path_of(endpoint: str, shard: int, first: str, last: str, digest: str) -> str:
    """Return where a file with this content belongs."""
    return beside(directories(endpoint, shard, first)[0], first, last, digest)


def beside(directory: str, first: str, last: str, digest: str) -> str:
    """Return the path of a file with this content in a directory."""
    return f"{directory}/{first}_{last}_{digest[:12]}.parquet"


def staging(endpoint: str, shard: int) -> str:
    """Return the directory of what is to replace files, and of what was replaced: nobody takes
    anything in it for a file of the archive, and who adds rows leaves it alone."""
    return f"endpoint={quote(endpoint, safe='')}/_staged/shard={shard}"


def _stem(file: File) -> str:
    """The name of a file without what readers know Parquet by."""
    return file.path.rpartition("/")[2].removesuffix(".parquet")


def entry(id_: str) -> tuple[int, int]:
    """When an entry was appended, by its id; before all where it is none."""
    milliseconds, _, number = id_.partition("-")
    try:
        return int(milliseconds), int(number or 0)
    except ValueError:
        return 0, 0
