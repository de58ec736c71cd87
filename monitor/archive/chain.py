"""A shard's chain of manifests: the one place that says what is archived, and up to where.

A step is made in this order, so that a kill between any two leaves an archive that is whole:

1. the rows are written to a local file, and stored under their name with `.new` behind it;
2. the manifest with the next number, which lists them, is put where there is none yet. This is the
   moment from which on they are archived, and the position of the stream is a part of it;
3. the file gets its name. Whoever opens the chain next does that for one who was killed here.

Of two writers one puts its manifest first. The other one removes its file, and goes on behind.

A step that replaces files is made in the same way, but that its file is staged elsewhere, and that
the files that it replaces are deleted once it has its name, or put aside for a while.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from nacl.signing import SigningKey, VerifyKey

from monitor.archive import manifests
from monitor.archive.held import Holdings
from monitor.archive.manifests import BUCKET, NEW, OLD, Link, Manifest, entry, name_of
from monitor.archive.storage import Storage
from monitor.audit import checkpoints
from monitor.audit.checkpoints import Checkpoint, signed
from monitor.audit.merkle import Tree
from monitor.errors import ArchiveError
from monitor.streams.entries import ShardPosition

Sign = Callable[[Manifest, bytes], str]
"""(a manifest, its bytes) → the checkpoint that vouches for it."""

READ = 64
"""Manifests that are asked for at a time."""

LENGTH = len("00000000.json")


class Chain:
    """The chain of one shard; `head` is its last link, None while it is empty. With `keys` one of
    them must have signed each link that is read: nothing is done by the word of another one.

    `store` is the identity of the store whose Records are archived; empty for who archives none.
    """

    def __init__(
        self, storage: Storage, endpoint: str, shard: int, keys: Sequence[VerifyKey] = ()
    ) -> None:
        self.head: Link | None = None
        self.store = ""
        self.storage = storage
        self.endpoint = endpoint
        self.shard = shard
        self._keys = keys

    def beside(self, shard: int) -> Chain:
        """Return the chain of another shard, for the same store."""
        found = Chain(self.storage, self.endpoint, shard, self._keys)
        found.store = self.store
        return found

    @property
    def position(self) -> str:
        """Where the stream is read on."""
        return self.head.manifest.position if self.head else ""

    @property
    def holder(self) -> str:
        """The identity of the store whose Records come next; empty while it may be any."""
        return self.head.manifest.store if self.head else ""

    @property
    def is_foreign(self) -> bool:
        """Whether it goes on with the Records of another store."""
        return bool(self.store and self.holder and self.store != self.holder)

    @property
    def tree(self) -> Tree:
        """The tree of all Records so far."""
        return self.head.manifest.tree if self.head else Tree()

    @property
    def next_number(self) -> int:
        """The number of the manifest that comes next."""
        return self.head.manifest.number + 1 if self.head else 0

    def open(self) -> None:
        """Find the last link, and finish what its writer had no time for, unless that is one of
        another store, which may be about it. Raises ArchiveError where the files cannot be read."""
        top = manifests.directory(self.endpoint, self.shard)
        buckets = self.storage.inside(top)
        last = self.last_in(buckets[-1]) if buckets else -1
        if last < 0 and buckets:
            raise ArchiveError(f"{self.storage.name}/{top}: its last directory has no manifest")
        self.head = self.link(last) if last >= 0 else None
        # Somebody may have gone on since the names were read.
        while (further := self._found(self.next_number)) is not None:
            self.head = further
        if not self.is_foreign:
            self.finish()

    def finish(self) -> None:
        """Finish what the writer of the last link had no time for; raises ArchiveError where that
        was not written behind the one before it."""
        number = self.next_number - 2
        link = self.link(number) if number >= 0 else None
        if link is not None and self.head and self.head.manifest.previous != link.digest:
            name = name_of(self.endpoint, self.shard, number)
            raise ArchiveError(
                f"{self.storage.name}/{name}: is not the one that manifest {number + 1} was "
                "written behind: two archives were put together, or somebody changed it"
            )
        before = link.manifest if link else None
        self._finish(before.kept if before else 0)
        self._sweep(before)

    def add(self, new: Manifest, sign: Sign) -> bool:
        """Put the next manifest, whose file is stored where it is `unnamed`; whether it was the
        first with its number. Where another one was, the file is removed, unless it replaces others
        at once, and the chain opened anew."""
        body = manifests.encode(new)
        data = manifests.seal(body, sign(new, body))
        name = name_of(self.endpoint, self.shard, new.number)
        if not self.storage.put(name, data) and self.storage.read(name) != data:
            if new.file is not None and (new.replaces is None or new.replaces.until):
                self.storage.delete(new.unnamed)
            self.open()
            return False
        before = self.head.manifest if self.head else None
        self.head = manifests.opened(data, name)
        self._finish(before.kept if before else 0)
        self._sweep(before)
        return True

    def link(self, number: int) -> Link:
        """Return a link that must be there; raises ArchiveError where it is not."""
        found = self._found(number)
        if found is None:
            name = name_of(self.endpoint, self.shard, number)
            raise ArchiveError(f"{self.storage.name}/{name}: is missing")
        return found

    def links(self, first: int = 0) -> Iterator[Link]:
        """Yield the links from a number on, until one is not there. The names are listed first: an
        object store takes much longer to say of each that it is not there."""
        for start in itertools.count(first - first % BUCKET, BUCKET):
            there = set(self.storage.inside(manifests.bucket_of(self.endpoint, self.shard, start)))
            names = [
                name_of(self.endpoint, self.shard, number)
                for number in range(max(first, start), start + BUCKET)
            ]
            known = [*itertools.takewhile(lambda one: one[-LENGTH:] in there, names)]  # noqa: B023
            for at in range(0, len(known), READ):
                found = self.storage.read_all(known[at : at + READ])
                for number, data in enumerate(found, max(first, start) + at):
                    if data is None:
                        return
                    yield self._opened(data, number)
            if len(known) < len(names):
                return

    def since(self, start: float) -> Iterator[Link]:
        """Yield the links of what was appended to the stream at Unix time `start` and later, and
        some that were a little earlier. Of the clocks of store and archiver the one that is ahead
        decides, so that one that is behind leaves nothing out."""
        buckets = [int(name) for name in self.buckets()]
        low, high = 0, len(buckets)
        while high - low > 1:  # the last directory that begins before that time
            middle = (low + high) // 2
            first = self._found(buckets[middle] * BUCKET)
            before = first is not None and max(first.manifest.at, _read_at(first)) < start
            low, high = (middle, high) if before else (low, middle)
        yield from self.links(buckets[low] * BUCKET if buckets else 0)

    def buckets(self) -> list[str]:
        """Return the names of the directories of manifests."""
        names = self.storage.inside(manifests.directory(self.endpoint, self.shard))
        return [name for name in names if name.isdecimal()]

    def last_in(self, bucket: str) -> int:
        """Return the number of the last manifest in one of these directories, -1 if none is."""
        top = manifests.directory(self.endpoint, self.shard)
        names = self.storage.inside(f"{top}/{bucket}")
        return max((int(name[:8]) for name in names if is_manifest(name)), default=-1)

    def next_manifest(self, *, at: float, writer: str, position: str, tree: Tree) -> Manifest:
        """Return what the next manifest says, as far as it follows from the one before; raises
        ArchiveError where that is of another store, whose position says nothing of this one."""
        if self.is_foreign:
            raise ArchiveError(
                f"{self.storage.name}/{manifests.directory(self.endpoint, self.shard)}: goes on "
                f"with the records of store {self.holder}, and this is store {self.store}; give "
                "this one another endpoint or archive.url, or let both have one store (`redis`); "
                "if this one has taken the place of that one for good, set archive.follows to "
                f"{self.holder}, or to any where it is a new one at each start"
            )
        return self._next(at, writer, position, tree)

    def succession(self, *, at: float, writer: str, position: str) -> Manifest:
        """Return a step by which the chain goes on with the Records of this store, whoever had it
        before."""
        return self._next(at, writer, position, self.tree)

    def _next(self, at: float, writer: str, position: str, tree: Tree) -> Manifest:
        before = self.head.manifest if self.head else None
        return Manifest(
            manifests.VERSION, self.endpoint, self.shard, self.next_number,
            self.head.digest if self.head else "", at, writer, position, tree.size,
            [peak.hex() for peak in tree.peaks], tree.root.hex(),
            files=before.files if before else 0, unreadable=before.unreadable if before else 0,
            kept=before.kept if before else 0, store=self.store or self.holder,
        )  # fmt: skip

    def expired(self, before: str) -> int:
        """Return the number of the first manifest with a file of that date or a later one."""
        number = self.head.manifest.kept if self.head else 0
        for link in self.links(number):
            file = link.manifest.file
            # An id may be of the future, but not of a time after it was archived.
            archived = manifests.day(f"{int(link.manifest.at * 1000)}-0")
            is_new = file is not None and link.manifest.replaces is None
            if file is not None and is_new and min(manifests.day(file.last), archived) >= before:
                break
            number = link.manifest.number + 1
        # An empty chain would say nothing of where it ends.
        return min(number, self.next_number - 1) if self.head else 0

    def _remove(self, first: int, end: int) -> None:
        """Delete the files that are kept no longer, and directories that have no file any more."""
        found = (link.manifest for link in self.links(first))
        gone = [one.file for one in Holdings(each for each in found if _last(each) < end).all()]
        for file in gone:
            self.storage.delete(file.path)
        for directory in dict.fromkeys(file.directory for file in gone):
            self.storage.leave(directory)

    def _found(self, number: int) -> Link | None:
        data = self.storage.read(name_of(self.endpoint, self.shard, number))
        return None if data is None else self._opened(data, number)

    def _opened(self, data: bytes, number: int) -> Link:
        """Return what was read in the place of a manifest; raises ArchiveError where it is another
        one, or where none of the keys vouches for it."""
        place = f"{self.storage.name}/{name_of(self.endpoint, self.shard, number)}"
        link = manifests.opened(data, place)
        said = link.manifest
        if (said.endpoint, said.shard, said.number) != (self.endpoint, self.shard, number):
            raise ArchiveError(
                f"{place}: is manifest {said.number} of {said.endpoint}, shard {said.shard}"
            )
        if self._keys and not _is_vouched_for(link, self._keys):
            raise ArchiveError(
                f"{place}: is signed by no key of audit.sign; after a change of keys append the "
                "public key of before to that file; if nobody has changed the key, somebody else "
                "wrote this: bring the archive back, or name a new archive.url"
            )
        return link

    def _finish(self, kept: int) -> None:
        """Do what the last manifest says; the one before it kept files from that number on."""
        if self.head is None:
            return
        self._name(self.head.manifest)
        if self.head.manifest.kept > kept:
            self._remove(kept, self.head.manifest.kept)

    def _name(self, said: Manifest) -> None:
        """Give a file that is listed its name, unless it has it, and delete what it replaces."""
        if said.file is None:
            return
        path = said.file.path
        if not self.storage.exists(path):
            if not self.storage.exists(said.unnamed):
                return
            try:
                self.storage.rename(said.unnamed, path)
            except ArchiveError:
                if not self.storage.exists(path):  # another one may have named it just now
                    raise
        for file in said.replaces.files if said.replaces else ():
            if file.path == path:
                continue
            if not (said.replaces and said.replaces.until):
                self.storage.delete(file.path)
            elif self.storage.exists(file.path):
                self.storage.rename(file.path, said.aside(file, OLD))
        if said.replaces and not said.replaces.until:  # copies may have what must not be kept
            self.clear(math.inf)

    def clear(self, now: float) -> None:
        """Delete the files that were replaced and are kept no longer at Unix time `now`, and those
        that were to replace some by a manifest whose number another one has."""
        top = manifests.staging(self.endpoint, self.shard)
        until: dict[int, float] = {}
        for name in self.storage.inside(top):
            number, _, _ = name.partition("_")
            if len(number) != 8 or not number.isdecimal() or int(number) >= self.next_number:
                continue  # of who is ahead
            if name.endswith(OLD) and int(number) not in until:
                replaces = self.link(int(number)).manifest.replaces
                until[int(number)] = replaces.until if replaces else 0.0
            if name.endswith(NEW) or now >= until.get(int(number), math.inf):
                self.storage.delete(f"{top}/{name}")

    def _sweep(self, before: Manifest | None) -> None:
        """Remove files with `.new` of steps that another writer made, or that were not finished, by
        the last manifest and the one `before` it.

        One that is being written begins behind the position, and is not touched.
        """
        said = self.head.manifest if self.head else None
        if said is None or said.file is None or said.replaces is not None:
            return
        file = said.file
        now, earlier = manifests.directories(self.endpoint, self.shard, file.first)
        # What wrote the one before may have known no hours, and was killed at its next step.
        was_earlier = before is not None and before.version < manifests.VERSION
        for directory in (now, earlier) if was_earlier else (file.directory,):
            for name in self.storage.inside(directory):
                first = name.partition("_")[0]
                if name.endswith(NEW) and entry(first) <= entry(file.last):
                    self.storage.delete(f"{directory}/{name}")


def checkpoint_of(manifest: Manifest, body: bytes) -> Checkpoint:
    """Return the checkpoint of a manifest and its bytes."""
    origin = f"monitor/{manifest.endpoint}/{manifest.shard}"
    root, digest = bytes.fromhex(manifest.root), sha256(body).hexdigest()
    return Checkpoint(origin, manifest.size, root, manifest.number, digest)


def _is_vouched_for(link: Link, keys: Sequence[VerifyKey]) -> bool:
    is_its = link.checkpoint.startswith(f"{checkpoint_of(link.manifest, link.body).text}\n")
    return is_its and checkpoints.is_vouched_for(link.checkpoint, keys)


def signer(key: SigningKey | None) -> Sign:
    """Return what makes the checkpoints of manifests, signed where there is a key."""
    return lambda manifest, body: signed(checkpoint_of(manifest, body), key)


def _read_at(link: Link) -> float:
    """When the last entry that was read by then came to its stream, in Unix time by the store's
    clock."""
    return entry(ShardPosition.of(link.manifest.position).id)[0] / 1000


def _last(manifest: Manifest) -> int:
    """The number of the last manifest that brought rows of its file."""
    return manifest.replaces.last if manifest.replaces else manifest.number


def is_manifest(name: str) -> bool:
    """Whether this is what a manifest is called."""
    return len(name) == LENGTH and name[:8].isdecimal() and name.endswith(".json")
