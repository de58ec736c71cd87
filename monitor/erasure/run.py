"""Pseudonyms → spool, store and archive of an endpoint without what names them.

Records flow from the spool to the stream to the archive, and are looked for and erased in this
order, so that none gets by; what came to the stream meanwhile is looked through again. Whoever is
killed in between starts again: what is still there is found as before.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from nacl.signing import SigningKey, VerifyKey

import monitor
from monitor.archive import reading
from monitor.archive.chain import Chain, signer
from monitor.archive.erasure import Eraser
from monitor.archive.manifests import Erasure
from monitor.archive.sealing import Opener
from monitor.archive.storage import Storage
from monitor.audit import checkpoints
from monitor.erasure.store import StoreErasure
from monitor.errors import ConfigError
from monitor.privacy.pseudonyms import Mentions
from monitor.recorder import spool
from monitor.streams.entries import ShardPosition

ROUNDS = 8
"""How often the stream is looked through again for what came meanwhile, at most."""

Watch = Callable[[Iterable[int], str], Iterable[int]]
"""(what is done step by step, what it is) → the same, shown to who waits."""


class Found(msgspec.Struct):
    """What was found, or is gone: Records by where they stood, and what was said of them.

    `files` are those of the archive, `state` the fields of the analyzer's state, which are left.
    """

    stream: int = 0
    spool: int = 0
    archive: int = 0
    files: int = 0
    feedback: int = 0
    reviews: int = 0
    decisions: int = 0
    templates: int = 0
    state: int = 0

    @property
    def total(self) -> int:
        """How many documents go in all; what stays is not counted."""
        said = self.feedback + self.reviews + self.decisions + self.templates
        return self.stream + self.spool + self.archive + said


class ErasureRun:
    """One run, in the spools below `data`, in a store and in an archive; either may be None.

    `look` says what there is, `erase` takes it out and says what is gone. With `is_archived` an
    archiver may write to an archive that has nothing yet. `sign` is the key of an archive that is
    signed, and the `opener` reads one that is sealed. Both raise StreamError, ArchiveError, and
    ConfigError where that key is missing.
    """

    def __init__(
        self, endpoint: str, names: Mentions, *, data: Path, store: StoreErasure | None,
        archive: Storage | None, is_archived: bool, sign: SigningKey | None,
        trusted: Sequence[VerifyKey], watch: Watch, ask: asyncio.Runner,
        opener: Opener | None = None,
    ) -> None:  # fmt: skip
        self.found = Found()
        self._endpoint = endpoint
        self._names = names
        self._spools = _spools(data, endpoint)
        self._store = store
        self._archive = archive
        self._is_archived = is_archived
        self._sign = sign
        self._trusted = trusted
        self._opener = opener
        self._watch = watch
        self._ask = ask
        self._erasers: dict[int, tuple[Chain, Eraser]] = {}
        self._is_open: set[int] = set()

    @property
    def is_known(self) -> bool:
        """Whether the archive has this endpoint."""
        return bool(self._erasers)

    @property
    def continued(self) -> set[str]:
        """Other pseudonyms of the same values, as Records say that are erased."""
        return self._store.continued if self._store else set()

    def look(self) -> Found:
        """Look through all of it, and change nothing."""
        found = self.found
        found.spool = self._in_spools(for_good=False)
        for number in reading.shards(self._archive, self._endpoint) if self._archive else ():
            _, eraser = self._eraser(number)
            what = f"looking through the archive, shard {number}, file"
            for rows in self._watch(eraser.look(), what):
                found.archive += rows
                found.files += rows > 0
        if self._store:
            self._ask.run(self._store.records())
            self._ask.run(self._store.rest())
            self._count(found)
        return found

    def erase(self, how: Erasure, clock: Callable[[], float]) -> Found:
        """Erase what was found, and what comes meanwhile."""
        for number in self._erasers:
            self._signed(number)
        gone = Found()
        for _ in range(ROUNDS):
            gone.spool += self._in_spools(for_good=True)
            dropped: dict[int, int] = {}
            if self._store:
                dropped = self._ask.run(self._store.erase())
                gone.stream += sum(dropped.values())
            known = len(self._store.subjects) if self._store else 0
            if self._archive is not None:
                for number in sorted({*self._erasers, *(dropped if self._is_archived else ())}):
                    self._in_archive(number, how, dropped.get(number, 0), clock, gone)
            if self._store is None:
                break
            new = self._ask.run(self._store.records())
            if not new and len(self._store.subjects) == known:
                break
            self._ask.run(self._store.rest())
        if self._store:
            streamed = gone.stream
            self._count(gone)
            gone.stream = streamed
        return gone

    def told(self, pseudonyms: Collection[str]) -> dict[str, int]:
        """What the archive's manifests say is gone of these (SHA-256), by all runs that there were:
        `rows` of files, and `entries` of the stream."""
        sums = {"rows": 0, "entries": 0}
        for _, eraser in self._erasers.values():
            eraser.files()
            for one in eraser.erasures:
                if not set(pseudonyms).isdisjoint(one.pseudonyms):
                    sums["rows"] += one.rows
                    sums["entries"] += one.entries
        return sums

    def _in_spools(self, *, for_good: bool) -> int:
        def is_meant(document: bytes) -> bool:
            is_one = self._names.within(document)
            if is_one and self._store:
                self._store.tell(document)
            return is_one

        return sum(spool.erase(one, is_meant, for_good=for_good) for one in self._spools)

    def _in_archive(
        self, number: int, how: Erasure, entries: int, clock: Callable[[], float], gone: Found
    ) -> None:
        chain, eraser = self._eraser(number)
        if number not in self._is_open:
            chain.open()
            chain.storage.sweep(clock())  # a writer that was killed may have left what is erased
            self._is_open.add(number)
        sign = signer(self._sign)
        if entries or self._may_come(chain):
            told = msgspec.structs.replace(how, entries=entries)
            while not eraser.note(told, sign, clock=clock):
                pass
        what = f"erasing in the archive, shard {number}, file"
        for rows in self._watch(eraser.erase(how, sign, clock=clock), what):
            gone.archive += rows
            gone.files += 1

    def _may_come(self, chain: Chain) -> bool:
        """Whether an archiver may have read what a run has erased that was killed, and not have
        written it yet."""
        head = chain.head.manifest if chain.head else None
        if self._store is None or (head is not None and head.erasure is not None):
            return False
        return self._ask.run(self._store.behind(chain.shard, ShardPosition.of(chain.position).id))

    def _eraser(self, number: int) -> tuple[Chain, Eraser]:
        if number not in self._erasers and self._archive is not None:
            chain = Chain(self._archive, self._endpoint, number, self._trusted)
            tell = self._store.tell if self._store else _ignore
            writer = f"monitor {monitor.__version__}"
            self._erasers[number] = (
                chain,
                Eraser(chain, self._names, tell, writer=writer, opener=self._opener),
            )
        return self._erasers[number]

    def _signed(self, number: int) -> None:
        """Raise ConfigError where a chain is signed and there is no key to go on with."""
        chain, eraser = self._erasers[number]
        last = eraser.last
        if (
            self._sign is None
            and last
            and checkpoints.is_signed(chain.link(last.number).checkpoint)
        ):
            raise ConfigError(
                "audit.sign: the archive is signed, and what is erased must be signed too; name "
                "the key of its archiver in the configuration, --config FILE"
            )

    def _count(self, found: Found) -> None:
        """Take over what was found in the store."""
        for name, count in (self._store.found if self._store else {}).items():
            setattr(found, name, count)


def _ignore(_: str) -> None:
    """Without a store nobody asks how a Record is named."""


def digest(pseudonym: str) -> str:
    """Return what is written down of a pseudonym: its SHA-256. Who has the key of pseudonyms and
    the value can tell that it is this one, and nobody else."""
    return sha256(pseudonym.encode()).hexdigest()


def _spools(data: Path, endpoint: str) -> list[Path]:
    """The directories of the spools of an endpoint's recorders."""
    is_its = re.compile(re.escape(endpoint) + r"-[0-9]+", re.ASCII).fullmatch
    parent = data / "spool"
    return sorted(one for one in parent.glob("*") if is_its(one.name)) if parent.is_dir() else []
