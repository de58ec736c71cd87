"""An archive → whether it is what was written, or the first place that is not.

What is proved: each shard's manifests follow one another without a gap, by number and digest; each
vouches for a tree that has grown out of the one before by the rows of its file; one that replaces
files takes away as many records as it says and no leaf; each file that is
listed is there, byte for byte, and its rows are in order; no other file, link or directory is there
that a reader could take for one; no shard is missing before another one; and who has the keys has
signed every manifest. That nothing was cut off at the end, nor the last shards or a whole endpoint,
is not proved: only a checkpoint that somebody keeps elsewhere (an anchor) says so.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import unquote

from nacl.signing import VerifyKey

from monitor.archive import orphans, reading, storage
from monitor.archive.chain import Chain, checkpoint_of, is_manifest
from monitor.archive.held import Held, Holdings
from monitor.archive.manifests import NEW, OLD, File, Link, Manifest, directory, entry, name_of
from monitor.archive.rows import PROOF, RECORD, SEALED
from monitor.archive.sealing import Opener
from monitor.archive.storage import Directory, Storage
from monitor.audit import checkpoints
from monitor.audit.merkle import NONCE, Tree, leaf
from monitor.errors import ArchiveError, SourceError

LEAF = 32
"""Bytes of a leaf."""

FEW = 32
"""Records in later shards from which on chance has not left an earlier one empty: it would have got
each of them with the same probability, so that is one case in 2³² at most."""


_ELSEWHERE = ", or that checkpoint is of another archive of this endpoint"


class Violation(Exception):  # noqa: N818  what somebody did to an archive is no error of ours
    """The first place that is not what was written, and what is wrong with it."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place}: {what}")
        self.place = place
        self.what = what


class Shard(NamedTuple):
    """What was proved of a shard: its last manifest and its checkpoint, how many manifests there
    are, how many of them are signed, how many files there are, how many files that came are
    deleted, how many rows are erased, and whether it began with nothing, which it did once all
    shards before it had begun; of how many stores Records are there, one after the other."""

    last: Manifest
    checkpoint: str
    manifests: int
    signed: int
    files: int
    deleted: int
    erased: int
    began: bool
    stores: int


@dataclass
class Verifier:
    """Verifies the shards of an archive, one after the other.

    With `keys` each manifest must be signed by one of them. `anchors` are checkpoints that were
    kept elsewhere; those of a shard must be in its chain. `seen` are the anchors that are. So many
    Records were `sealed` to a key; with an `opener` each of them must open. So many shards
    were looked at as a `whole`, and `reached` says how far the next one was.
    """

    storage: Storage
    keys: Sequence[VerifyKey] = ()
    anchors: Sequence[str] = ()
    opener: Opener | None = None
    sealed: int = 0
    seen: set[str] = field(default_factory=set)
    reached: str = ""
    whole: int = 0

    def shard(self, endpoint: str, number: int) -> Shard:
        """Verify one shard; raises Violation, and ArchiveError where it cannot be told."""
        chain = Chain(self.storage, endpoint, number)
        total = self._numbered(chain)
        kept = _read(chain, total - 1).manifest.kept
        held = Holdings(_read(chain, each).manifest for each in range(total)).kept(kept)
        firsts, lasts = {one.first for one in held}, {one.last: one for one in held}
        holdings = Holdings()
        before: Link | None = None
        trees = [Tree()]
        signed = deleted = 0
        began, store, stores = False, "", 1
        for each in range(total):
            self.reached = f"{each:,} of {total:,} manifests of {endpoint}, shard {number}"
            link = _read(chain, each)
            signed += self._follows(link, before, chain)
            began = began or not (each or link.manifest.file or link.manifest.position)
            if not link.manifest.rows and before is not None:
                _same_tree(link, before, self._name(chain, each))
            if link.manifest.store:
                stores += store not in ("", link.manifest.store)
                store = link.manifest.store
            _replaces(link.manifest, holdings, self._name(chain, each))
            holdings.add(link.manifest)
            if each in firsts:
                trees = [before.manifest.tree if before else Tree()]
            if link.manifest.rows:
                trees.append(link.manifest.tree)
                deleted += not held or each < held[0].first
            if each in lasts:
                self._file(chain, lasts[each], trees, total)
            before = link
        if before is None:
            raise Violation(directory(endpoint, number), "its manifests are missing")
        self._anchored(chain, total)
        erased = sum(one.file.erased for one in held)
        numbers = total, signed, len(held), deleted, erased
        self.reached, self.whole = "", self.whole + 1
        return Shard(before.manifest, before.checkpoint, *numbers, began, stores)

    def irregular(self, top: str) -> None:
        """Raise Violation for what is no file below a directory, and could be taken for one: a
        link, a directory that is called like a file, a device. No link is followed."""
        if isinstance(self.storage, Directory):
            root = self.storage.place("")
            try:
                for path, what in orphans.irregular(root / top, is_named=bool(top)):
                    raise Violation(str(path.relative_to(root)), what)
            except OSError as error:
                raise ArchiveError(f"{self.storage.name}: {storage.why(error)}") from None

    def unlisted(self, top: str) -> None:
        """Raise Violation for a file below a directory, all of it or that of an endpoint, that no
        manifest lists, or that one says is deleted."""
        paths = self.storage.below(top)  # first: what is visible then has been listed before
        listed: dict[str, orphans.Gone | None] = {}
        steps: dict[tuple[str, int], str] = {}
        named = unquote(top.removeprefix("endpoint="))
        for endpoint in [named] if named else reading.endpoints(self.storage):
            for number in reading.shards(self.storage, endpoint):
                chain = Chain(self.storage, endpoint, number)
                files, steps[endpoint, number] = orphans.listed(chain)
                listed.update(files)
        for path in paths:
            if path in listed:
                what = self._expired(path, listed[path])
            elif not orphans.is_data(path):
                continue
            elif not path.lower().endswith(NEW):
                what = "is listed by no manifest"
            elif orphans.is_unfinished(path, steps):
                continue
            else:
                what = "is of no step that is unfinished"
            if what and self.storage.exists(path):  # it may have gone meanwhile
                raise Violation(path, what)

    def gaps(self, endpoint: str, shards: Sequence[Shard]) -> None:
        """Raise Violation where shards of an endpoint have a chain and one before them has none.

        Archivers of before began a chain with its first record: then it is an ArchiveError where
        the others have so few that it may never have had any.
        """
        here = [one for one in shards if one.last.endpoint == endpoint]
        sizes = {one.last.shard: one.last.size for one in here}
        after = max((one.last.shard for one in here if one.began), default=0)
        for number in range(max(sizes, default=0)):
            if number in sizes:
                continue
            place = directory(endpoint, number)
            if (
                number < after
                or sum(size for shard, size in sizes.items() if shard > number) >= FEW
            ):
                raise Violation(place, "is missing, and shards after it are there")
            raise ArchiveError(
                f"{place} is not there, and shards after it are; they have too few records to tell "
                "whether it was removed or never had any"
            )

    def _expired(self, path: str, gone: orphans.Gone | None) -> str:
        """What is wrong with a listed file, by its bytes if it may still be there and is not read
        any more."""
        if gone is None:
            return ""
        if gone.file is None:
            return f"is there, although {gone.done}"
        data = self.storage.read(path)
        if data is None or sha256(data).hexdigest() == gone.file.sha256:
            return ""
        return f"is not the file that {gone.doing}"

    # --- manifests ---------------------------------------------------------------------------

    def _numbered(self, chain: Chain) -> int:
        """How many manifests there are; raises Violation where one is missing, or is none."""
        top = directory(chain.endpoint, chain.shard)
        found: set[int] = set()
        for path in self.storage.below(top):
            name = path.rpartition("/")[2]
            if not is_manifest(name) or path != self._name(chain, int(name[:8])):
                raise Violation(path, "is not a manifest")
            found.add(int(name[:8]))
        for number in range(len(found)):
            if number not in found:
                raise Violation(self._name(chain, number), "is missing")
        if not found:
            raise Violation(top, "its manifests are missing")
        return len(found)

    def _follows(self, link: Link, before: Link | None, chain: Chain) -> bool:
        """Raise Violation where a manifest is not the next one; whether it is signed."""
        manifest = link.manifest
        name = self._name(chain, manifest.number)
        last = before.manifest if before else None
        number = last.number + 1 if last else 0
        if manifest.previous != (before.digest if before else ""):
            place = self._name(chain, number - 1) if before else name
            raise Violation(place, f"is not the one that manifest {number} was written behind")
        checkpoint = checkpoint_of(manifest, link.body)
        if link.checkpoint.partition("\n\n")[0] + "\n" != checkpoint.text:
            raise Violation(name, "its checkpoint is about something else")
        if self.keys and not checkpoints.is_vouched_for(link.checkpoint, self.keys):
            how = "by another key" if checkpoints.is_signed(link.checkpoint) else "by nobody"
            raise Violation(name, f"is signed {how}")
        if manifest.tree.root.hex() != manifest.root:
            raise Violation(name, "its root is not that of its peaks")
        if last and (
            manifest.size < last.size or manifest.kept < last.kept
            or manifest.files != last.files + bool(manifest.rows)
        ):  # fmt: skip
            raise Violation(name, "counts less than the manifest before it")
        if manifest.size != (last.size if last else 0) + manifest.rows:
            raise Violation(name, "counts other rows than its file has")
        return checkpoints.is_signed(link.checkpoint)

    def _anchored(self, chain: Chain, total: int) -> None:
        """Raise Violation where the chain has not what was kept elsewhere of it."""
        origin = f"monitor/{chain.endpoint}/{chain.shard}"
        for anchor in self.anchors:
            lines = anchor.splitlines()
            words = lines[3].split() if len(lines) > 3 else []
            if lines[:1] != [origin] or len(words) != 3 or not words[1].isdecimal():
                continue
            number = int(words[1])
            if number >= total:
                raise Violation(
                    self._name(chain, number),
                    "is missing: it was there when a checkpoint of it was kept, and the chain was "
                    f"cut off since{_ELSEWHERE}",
                )
            link = _read(chain, number)
            if link.checkpoint.partition("\n\n")[0] != anchor.partition("\n\n")[0].strip("\n"):
                what = (
                    "is not the one of which a checkpoint was kept: the chain was rewritten"
                    f"{_ELSEWHERE}"
                )
                raise Violation(self._name(chain, number), what)
            self.seen.add(anchor)

    def _name(self, chain: Chain, number: int) -> str:
        return name_of(chain.endpoint, chain.shard, number)

    # --- files -------------------------------------------------------------------------------

    def _file(self, chain: Chain, held: Held, trees: Sequence[Tree], total: int) -> None:
        """Raise Violation where a file, or a row of it, is not what is listed: with its rows the
        first tree grows to the others, which are those of the manifests that brought them."""
        file = held.file
        data = self.storage.read(file.path)
        if data is None and held.number == total - 1:  # it may get its name between two looks
            unnamed = _read(chain, held.number).manifest.unnamed
            data = self.storage.read(unnamed) or self.storage.read(file.path)
        if data is None:
            later = (link.manifest for link in chain.links(total))
            taker = next((one for one in later if _takes_away(one, held)), None)
            if taker is None:
                raise Violation(file.path, "is missing")
            # Since the last manifest was read one says that it is deleted, or kept aside.
            data = self.storage.read(taker.aside(file, OLD))
            if data is None:
                return
        is_same = (len(data), sha256(data).hexdigest()) == (file.bytes, file.sha256)
        leaves = _leaves(self._opened(data, file), file, trees[0].size)
        for grown, wanted in _grown(trees, leaves):
            if grown.size < wanted.size:
                row, rest = grown.size - trees[0].size + 1, trees[-1].size - grown.size
                what = f"is truncated: {rest:,} rows from row {row} on are missing"
                raise Violation(file.path, what)
            if grown != wanted:
                what = "records were altered: the root over its rows is not the one of its manifest"
                raise Violation(file.path, what)
        if more := sum(1 for _ in leaves):
            what = f"has {more:,} rows more than its manifest lists"
            raise Violation(f"{file.path}: row {file.rows + 1}", what)
        if not is_same:
            raise Violation(file.path, "is not the file that its manifest lists, although its "
                            "records are the same")  # fmt: skip

    def _opened(self, data: bytes, file: File) -> Iterator[_Row]:
        """The rows of a file, of which those that are sealed can be opened, if anybody can; each is
        tried once its leaf has been looked at."""
        for row, one in enumerate(_rows(data, file), start=1):
            yield one
            if one.key is not None and one.sealed is not None and one.nonce and one.sid:
                self.sealed += 1
                if self.opener is not None and not self._opens(one, file):
                    place = f"{file.path}: row {row}"
                    raise Violation(place, f"record {one.number:,} is not what was sealed")

    def _opens(self, one: _Row, file: File) -> bool:
        if self.opener is None or one.key is None or one.sealed is None:
            return True
        try:
            found = self.opener(one.key, one.nonce or b"", (one.sid or "").encode(), one.sealed)
        except SourceError as error:
            raise ArchiveError(f"{self.storage.name}/{file.path}: {error}") from None
        return found is not None


class _Row(NamedTuple):
    """A row: the document in clear, or sealed behind its sealed key; None where there is none."""

    number: int | None
    sid: str | None
    nonce: bytes | None
    leaf: bytes | None
    clear: str | None = None
    key: bytes | None = None
    sealed: bytes | None = None

    @property
    def document(self) -> bytes | None:
        """What the leaf is over."""
        if self.clear is not None:
            return self.clear.encode()
        return self.key + self.sealed if self.key is not None and self.sealed is not None else None


def _grown(trees: Sequence[Tree], leaves: Iterator[bytes]) -> Iterator[tuple[Tree, Tree]]:
    """(what the tree before grows to with as many leaves as it should, what it should be)."""
    for before, wanted in itertools.pairwise(trees):
        yield before.grown(itertools.islice(leaves, wanted.size - before.size)), wanted


def _read(chain: Chain, number: int) -> Link:
    """A manifest; one that cannot be read is a place that is wrong."""
    try:
        return chain.link(number)
    except ArchiveError as error:
        text = str(error)
        if ".json: is " in text:  # missing, no file, no manifest, another one
            place, _, what = text.rpartition(".json: ")
            below = place.removeprefix(f"{chain.storage.name}/")
            raise Violation(f"{below}.json", what) from None
        raise


def _same_tree(link: Link, before: Link, name: str) -> None:
    if link.manifest.tree != before.manifest.tree:
        raise Violation(name, "changes the tree and has no file")


def _replaces(said: Manifest, holdings: Holdings, name: str) -> None:
    """Raise Violation where a manifest replaces other files than those that are read by now, or
    takes away other records than it says."""
    if said.replaces is None or said.file is None:
        return
    before = holdings.between(said.replaces.first, said.replaces.last)
    if (
        [one.file for one in before] != said.replaces.files
        or before[0].first != said.replaces.first
        or before[-1].last != said.replaces.last
        or (said.file.first, said.file.last) != (before[0].file.first, before[-1].file.last)
        or said.file.rows != sum(one.file.rows for one in before)
    ):
        raise Violation(name, "replaces other files than the manifests before it list")
    erased = said.erasure.rows if said.erasure else 0
    if (gone := said.file.erased - sum(one.file.erased for one in before)) != erased:
        raise Violation(name, f"erases {gone:,} records and says that it erases {erased:,}")


def _takes_away(later: Manifest, held: Held) -> bool:
    """Whether a later manifest deletes or replaces a file."""
    is_replaced = later.replaces is not None and held.file in later.replaces.files
    return later.kept > held.last or is_replaced


def _leaves(rows: Iterable[_Row], file: File, first: int) -> Iterator[bytes]:
    """The leaves of a file's rows; raises Violation for the first row that is altered, missing or
    out of order, or erased and not listed so. The leaf of one that is erased stands for it."""
    number, last, erased = first, (0, 0), 0
    for row, one in enumerate(rows, start=1):
        at, sid, nonce, said, document = one.number, one.sid, one.nonce, one.leaf, one.document
        place = f"{file.path}: row {row}"
        is_erased = document is None and nonce is None and erased < file.erased
        if at is None or sid is None or (not is_erased and (nonce is None or document is None)):
            raise Violation(place, "has no record, or no proof of one")
        if at > number:
            raise Violation(place, f"record {number:,} is missing before it")
        if at < number or entry(sid) <= last:
            raise Violation(place, f"record {at:,} is out of order")
        found = said if is_erased else leaf(nonce or b"", sid.encode(), document or b"")
        if (
            found is None
            or found != said
            or len(found) != LEAF
            or (nonce is not None and len(nonce) != NONCE)
        ):
            raise Violation(place, f"record {at:,} ({sid}) was altered")
        number, last, erased = number + 1, entry(sid), erased + is_erased
        yield found
    if erased != file.erased:
        what = f"has {erased:,} erased records, and its manifest lists {file.erased:,}"
        raise Violation(file.path, what)


def _rows(data: bytes, file: File) -> Iterator[_Row]:
    import pyarrow as pa
    from pyarrow import parquet

    row = 0
    try:
        opened = parquet.ParquetFile(io.BytesIO(data))
        is_sealed = SEALED[1] in opened.schema_arrow.names
        names = [*PROOF, *(SEALED if is_sealed else (RECORD,))]
        for batch in opened.iter_batches(4096, columns=names):
            lists = [batch.column(name).to_pylist() for name in names]
            for values in zip(*lists, strict=True):
                row += 1
                number, sid, nonce, said, *rest = values
                document = (None, *rest) if is_sealed else tuple(rest)
                yield _Row(number, sid, nonce, said, *document)
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError):
        raise Violation(f"{file.path}: row {row + 1}", "cannot be read: it is damaged") from None


def endpoint_of(anchor: str) -> str:
    """Return the endpoint that a checkpoint is about.

    >>> endpoint_of("monitor/a/0\\n1\\nAA==\\nmanifest 0 ff\\n\\n")
    'a'
    """
    return anchor.partition("\n")[0].removeprefix("monitor/").rpartition("/")[0]


def parse_anchors(text: str) -> list[str]:
    """Return the checkpoints in a text in which several stand one after the other, or that quotes
    them as mails do.

    >>> parse_anchors("monitor/a/0\\n1\\nAA==\\nmanifest 0 ff\\n\\n")
    ['monitor/a/0\\n1\\nAA==\\nmanifest 0 ff\\n\\n']
    """
    found: list[list[str]] = []
    for quoted in text.splitlines():
        line = quoted.lstrip("> \t").rstrip()
        if line.startswith("monitor/"):
            found.append([])
        if found:
            found[-1].append(line)
    return ["\n".join(lines[:4]) + "\n\n" for lines in found if len(lines) >= 4]
