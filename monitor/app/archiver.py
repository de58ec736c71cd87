"""The archiver process: what stands in the stream → files of an archive, each Record once.

Any number of them may run for an archive. One writes (`analysis.lease`); the others stand by, and
take over. That each Record is archived once rests on the chain of manifests, not on that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from nacl.signing import VerifyKey

import monitor
from monitor import logs
from monitor.analysis.lease import Lease
from monitor.archive import manifests, storage
from monitor.archive.belonging import Belonging
from monitor.archive.chain import Chain, signer
from monitor.archive.entries import added, hour_of, position_behind
from monitor.archive.manifests import NEW
from monitor.archive.rows import Writer, load
from monitor.archive.sealing import KEY, Seal
from monitor.archive.upkeep import Upkeep
from monitor.assembly.anchors import anchoring
from monitor.assembly.auditing import columns_of, recipient_of, signing_key, trusted_keys
from monitor.errors import ArchiveError, LeaseError, StreamError
from monitor.settings.archive import ANY, Archive
from monitor.settings.schema import Settings
from monitor.streams.entries import ShardPosition, missed
from monitor.streams.redis import RedisStream
from monitor.supervision import child
from monitor.tasks import own, rest
from monitor.types import Measurement
from monitor.urls import shown

LOOK_EVERY = 1.0
"""Seconds between two looks at how much waits."""

PAGE = 256
"""Entries that are read at a time."""

FILE_BYTES = 256 << 20
"""Bytes of documents of a file, at most about."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before what failed is tried again; each time twice as long."""

RETAIN_EVERY = 3600.0
"""Seconds between two looks for files that are older than they are kept."""

SKEW = 3600.0
"""Seconds by which two clocks may differ before it is said."""

CLAIM_EVERY = 1.0
"""Seconds between two looks of an archiver that stands by."""

SILENT = 2
"""So many times `archive.every` without a step, and a store has left its archive to any other."""

LAST_SECONDS = 10.0
"""How long a stopping archiver goes on archiving what is there already."""

ANCHOR_SECONDS = 3.0
"""How long the last checkpoints may take to be kept elsewhere."""

UNWIND_SECONDS = 2.0
"""How long a disk or an object store may take then for what is under way."""


class Shard:
    """One shard: its stream, its chain, how much waits in it (None: not known yet), and since when
    (monotonic); where its chain is to begin, which says what had been trimmed at the first look."""

    def __init__(
        self, settings: Settings, number: int, kept_in: storage.Storage, keys: Sequence[VerifyKey]
    ) -> None:
        self.stream = RedisStream(settings.redis, settings.endpoint)
        self.stream.only(number)
        self.chain = Chain(kept_in, settings.endpoint, number, keys)
        self.upkeep: Upkeep
        self.number = number
        self.is_open = False
        self.was_open = False
        self.waiting: int | None = None
        self.since: float | None = None
        self.beginning = ""

    async def ask(self) -> tuple[dict[bytes, Any], int]:
        """Ask the stream what it says of itself, and how much waits by that, whatever the archive
        does."""
        # The position of another store says nothing of this one: all of it waits.
        position = "" if self.chain.is_foreign else self.chain.position
        (about,) = await self.stream.about(position)
        waiting = self.waiting = ShardPosition.of(position).waiting(about)
        if not self.beginning:
            self.beginning = str(ShardPosition().seen(about) if about else ShardPosition(number=0))
        if self.since is None or not waiting:
            self.since = time.monotonic() if waiting else None
        return about, waiting


class Archiver:
    """Archives the stream of one endpoint, shard by shard. It holds a row group in memory at most,
    and while it puts files together one of them, too.

    `name` is another one for each archiver that may run at the same time; `clock` is in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        stopping: asyncio.Event,
        *,
        name: str = "archiver",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._name = name
        self._clock = clock
        self._lease: Lease | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._stands_by = False
        self._stopping = stopping
        scratch = Path(settings.data) / "archive"
        self._storage = storage.at(settings.archive.url, scratch)
        self._anchors = anchoring(settings)
        self._sign = signer(signing_key(settings))
        self._recipient = recipient_of(settings)
        self._columns = columns_of(settings)
        self._trusted = trusted_keys(settings)
        self._stream = RedisStream(settings.redis, settings.endpoint, shards=settings.stream.shards)
        self._belonging = Belonging(
            self._stream, settings.archive.follows, silence=_silence_of(settings.archive),
            writer=_WRITER, sign=self._sign, aside=self._aside,
            clock=time.time, elapsed=clock, new=lambda: os.urandom(16).hex(),
        )  # fmt: skip
        self._shards: list[Shard] = []
        self._take_shards()
        self._failures = dict.fromkeys(("archive", "store", "stream", "compaction", "clock"), 0)
        self._said: dict[str, str] = {}
        self._retain_at = 0.0
        # pyarrow and file systems wait for disks and networks; questions are answered meanwhile.
        self._thread = ThreadPoolExecutor(1)

    async def run(self) -> bool:
        """Archive until told to stop; then what is already there, for a moment. False where the
        storage hangs, which a thread waits for that nobody can end."""
        working = own(self._work(), "the archiver")
        stopping = own(self._stopping.wait(), "stop")
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.wait((working,), timeout=LAST_SECONDS)
        hangs = not working.done()
        if hangs:
            working.cancel()
            idle = asyncio.get_running_loop().run_in_executor(self._thread, lambda: None)
            # Work that was cancelled may be done, and the thread still be about it.
            await asyncio.wait((working, idle), timeout=UNWIND_SECONDS)
            hangs = not (working.done() and idle.done())
        if hangs:
            logs.warning(
                f"{self._storage.name} has not answered for {LAST_SECONDS + UNWIND_SECONDS:g} s; "
                "the archiver ends; what is not archived stays in the stream"
            )
            return False
        if not working.cancelled():
            working.result()
        for stream in (self._stream, *(shard.stream for shard in self._shards)):
            await stream.close()
        await self._let_go()
        await asyncio.to_thread(self._anchors.close, ANCHOR_SECONDS)
        self._thread.shutdown(wait=False)
        return True

    async def _work(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            owns = await self._owns()
            if owns is False and self._lease is not None:
                await rest(self._stopping, self._lease.pause(CLAIM_EVERY))
            elif owns and await self._turn(is_last=False):
                pause = FIRST_PAUSE
                self._anchor()
                await self._tidy()
                await rest(self._stopping, LOOK_EVERY)
            else:
                await rest(self._stopping, pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        if await self._owns() and self._lease is not None:
            await self._turn(is_last=True)
            self._anchor()
            with contextlib.suppress(StreamError, LeaseError):
                await self._lease.release()

    # --- who archives ------------------------------------------------------------------------

    async def _owns(self) -> bool | None:
        """Whether this archiver is the one that writes; None where nobody can tell now."""
        if self._lease is not None and self._lease.is_held:
            return True
        try:
            lease = await self._leased()
            is_held = await lease.claim()
        except StreamError as error:
            self._fail("store", str(error))
            return None
        except ArchiveError as error:
            self._fail("archive", str(error))
            await self._ask()  # how much waits is told also where the archive was never reached
            return None
        if not is_held:
            if not self._stands_by:
                logs.info(f"{lease.owner} writes this archive; this archiver stands by")
        else:
            if self._stands_by:
                logs.info("nobody else writes this archive any more; this archiver takes over")
            if self._keeping is None:
                self._keeping = own(lease.keep(), "the lease of the archive")
            for shard in self._shards:  # others have gone on
                shard.is_open = False
                shard.upkeep.forget()
        self._stands_by = not is_held
        return is_held

    async def _ask(self) -> None:
        """See how much waits, as far as the store says."""
        await self._look_around()
        for shard in self._shards:
            with contextlib.suppress(StreamError):
                await shard.ask()

    async def _let_go(self) -> None:
        """Renew the lease no longer, and close the connections to it."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait((self._keeping,))
        if self._lease is not None:
            await self._lease.close()

    async def _leased(self) -> Lease:
        """The lease of this archive; raises ArchiveError where nobody can tell which it is."""
        if self._lease is None:
            given = self._settings
            known = await self._aside(_identity, self._storage, given.endpoint)
            if not _is_identity(known):
                logs.warning(
                    f"{self._storage.name}/{manifests.identity_of(given.endpoint)}: is not what an "
                    "archiver put there; archivers go by it all the same; delete it while none "
                    "runs, and the next one puts another"
                )
            role = f"archiver:{sha256(known).hexdigest()[:16]}"
            self._lease = Lease(
                given.redis, given.endpoint, self._name, clock=self._clock, role=role
            )
        return self._lease

    async def measure(self) -> list[Measurement]:
        """What is archived, and what waits for it."""
        labels = {"endpoint": self._settings.endpoint}
        found = [
            Measurement(name, {**labels, **more}, value) for name, more, value in self._counted()
        ]
        return found if self._stands_by else found + self._anchors.measurements(labels["endpoint"])

    def _counted(self) -> Iterator[tuple[str, dict[str, str], float]]:
        clock = self._failures["clock"] + self._belonging.ahead
        for reason, count in (self._failures | {"clock": clock}).items():
            yield "monitor_archive_failures_total", {"reason": reason}, count
        if self._stands_by:
            return  # what is so, the one that writes tells
        known = [one.waiting for one in self._shards if one.waiting is not None]
        if known:  # also while nothing can be archived: then above all
            yield "monitor_archive_waiting_records", {}, sum(known)
            now, since = time.monotonic(), [one.since for one in self._shards]
            oldest = max((now - one for one in since if one is not None), default=0)
            overdue = max(0.0, oldest - self._settings.archive.every)
            yield "monitor_archive_overdue_seconds", {}, overdue
        if not all(shard.was_open and not shard.chain.is_foreign for shard in self._shards):
            return  # counters would seem to begin anew, or are those of another store
        heads = [shard.chain.head.manifest for shard in self._shards if shard.chain.head]
        yield "monitor_archive_rows_total", {}, sum(head.size for head in heads)
        yield "monitor_archive_files_total", {}, sum(head.files for head in heads)
        for reason, count in {
            "unreadable": sum(head.unreadable for head in heads),
            "missed": sum(missed(head.position) for head in heads),
        }.items():
            yield "monitor_archive_left_out_total", {"reason": reason}, count

    @property
    def _is_replaced(self) -> bool:
        """Whether another archiver may write by now."""
        return self._lease is not None and not self._lease.is_held

    async def _turn(self, *, is_last: bool) -> bool:
        """Look at all shards and archive what is due; whether all went well."""
        unseen = await self._look_around()
        well = True
        for shard in self._shards:
            well &= await self._tried(shard, self._look(shard, is_last=is_last))
        if well and unseen:  # else it has been said of a shard
            self._fail("store", unseen)
            well = False
        if self._settings.archive.keep and time.monotonic() >= self._retain_at:
            # Also where nothing can be written: it may make room on a full disk.
            done = [await self._tried(shard, self._retained(shard)) for shard in self._shards]
            self._retain_at = time.monotonic() + RETAIN_EVERY if all(done) else self._retain_at
            well &= all(done)
        if well:
            self._is_well()
        return well

    def _take_shards(self) -> None:
        """Archive all shards that are known from now on."""
        for number in range(len(self._shards), len(self._stream.keys)):
            shard = Shard(self._settings, number, self._storage, self._trusted)
            shard.upkeep = Upkeep(shard.chain, self._sign, _WRITER, self._may_go_on)
            self._shards.append(shard)

    async def _look_around(self) -> str:
        """Archive all shards that were ever written to, whatever `stream.shards` is; why that
        cannot be told."""
        try:
            await self._stream.widen()
        except StreamError as error:
            return str(error)
        self._take_shards()
        return ""

    async def _tried(self, shard: Shard, work: Awaitable[None]) -> bool:
        """Whether what is done for a shard went well; it is tried again otherwise."""
        try:
            await work
        except StreamError as error:
            self._fail("store", str(error))
        except ArchiveError as error:
            shard.is_open = False
            self._fail("archive", str(error))
        except Exception as error:  # noqa: BLE001  a defect of ours; other shards go on
            shard.is_open = False
            self._fail("archive", f"shard {shard.number} fails ({logs.place(error)})")
        else:
            return True
        return False

    async def _open(self, shard: Shard) -> None:
        """Open a shard's chain, unless it is; how much waits is told before."""
        if not shard.is_open:
            await shard.ask()
            await self._aside(self._storage.sweep, time.time())
            await self._belonging.name(shard.chain)
            await self._aside(shard.chain.open)
            await self._see(shard)
            shard.is_open = shard.was_open = True

    async def _see(self, shard: Shard) -> None:
        """Find out whether a shard's chain goes on with the Records of this store."""
        await self._belonging.see(shard.chain, [one.chain for one in self._shards])

    async def _retained(self, shard: Shard) -> None:
        await self._open(shard)
        ours, theirs = time.time(), await self._stream.now()
        if not shard.number and abs(ours - theirs) > SKEW:
            self._failures["clock"] += 1
            logs.warning(
                f"this machine's clock and the store's differ by {abs(ours - theirs):,.0f} s; "
                "archive.keep goes by the one that is behind, so that nothing is deleted too early"
            )
        await self._aside(self._retain, shard.chain, min(ours, theirs))

    async def _look(self, shard: Shard, *, is_last: bool) -> None:
        given = self._settings.archive
        await self._open(shard)
        due: int | None = None
        while True:
            about, waiting = await shard.ask()
            await self._see(shard)
            await self._follow(shard, about)
            now = time.monotonic()
            if due is None:  # what comes meanwhile has time
                is_late = shard.since is not None and now - shard.since >= given.every
                due = waiting if is_late or is_last else 0
            if not waiting or (due <= 0 and waiting < given.rows):
                break
            if self._is_replaced or not (done := await self._archive(shard)):
                break
            due, shard.since = due - done, now

    async def _tidy(self) -> None:
        """Look after files of each shard for a moment: what comes has time."""
        for shard in self._shards:
            try:
                await self._aside(shard.upkeep.turn, time.time())
            except ArchiveError as error:
                self._not_tidied(shard, str(error))
            except Exception as error:  # noqa: BLE001  a defect of ours; what comes is archived
                self._not_tidied(shard, f"that fails ({logs.place(error)})")

    def _not_tidied(self, shard: Shard, why: str) -> None:
        """Count and say that files of a shard stay as they are."""
        self._failures["compaction"] += 1
        logs.warning(f"files of shard {shard.number} are not put together: {why}")

    def _anchor(self) -> None:
        """Let the last checkpoints be kept elsewhere, too."""
        if all(shard.is_open for shard in self._shards):
            heads = [shard.chain.head for shard in self._shards]
            self._anchors.offer(
                self._settings.endpoint, [head.checkpoint if head else "" for head in heads]
            )

    def _may_go_on(self) -> bool:
        """Whether what can wait may go on: not while told to stop."""
        return not self._stopping.is_set()

    async def _follow(self, shard: Shard, about: dict[bytes, Any]) -> None:
        """Go on at a stream's end where it is behind the archive: a failover has lost entries, or a
        replica's clock is behind. What comes after a position there would never be seen."""
        place = ShardPosition.of(shard.chain.position)
        last = about.get(b"last-generated-id", b"").decode()
        if not last or manifests.entry(last) >= manifests.entry(place.id):
            return
        self._failures["stream"] += 1
        logs.warning(
            f"shard {shard.number} of the stream ends at {last}, before {place.id}, which is "
            "archived: the store has lost entries; the archive goes on from there"
        )
        new = shard.chain.next_manifest(
            at=time.time(), writer=_WRITER, position=str(ShardPosition(last)), tree=shard.chain.tree
        )
        await self._aside(shard.chain.add, new, self._sign)

    async def _archive(self, shard: Shard) -> int:
        """Archive what comes next, as one file; how many entries that were."""
        chain = shard.chain
        begin = position = chain.position or shard.beginning
        passed = 0
        hour: int | None = None
        writer: Writer | None = None
        rows = 0
        try:
            while rows < self._settings.archive.rows:
                limit = min(PAGE, self._settings.archive.rows - rows)
                behind, entries = await shard.stream.next(position, limit=limit, block=0.001)
                if not entries:
                    break
                hour = hour_of(entries[0]) if hour is None else hour
                same = [one for one in entries if hour_of(one) == hour]
                if not same:
                    break
                position = position_behind(behind, same[-1], len(entries) - len(same))
                if writer is None:
                    path = await self._aside(self._storage.scratch)
                    seal = Seal(self._recipient, os.urandom(KEY)) if self._recipient else None
                    writer = await self._aside(Writer, path, chain.tree, self._columns, seal)
                kept = await self._aside(added, writer, same, time.time(), os.urandom)
                rows, passed = rows + kept, passed + len(same) - kept
                if len(same) < len(entries) or writer.bytes >= FILE_BYTES:
                    break
            if position == begin:
                return 0
            await self._aside(self._step, chain, writer, position, passed)
        except OSError as error:
            raise ArchiveError(f"{self._storage.name}: {storage.why(error)}") from None
        finally:
            if writer is not None:
                await self._aside(writer.abandon)
        return rows + passed

    def _step(self, chain: Chain, writer: Writer | None, position: str, passed: int) -> None:
        """Make what was written a part of the archive."""
        file = None
        if writer is not None and writer.rows:
            file = writer.close(chain.endpoint, chain.shard)
            self._storage.publish(writer.path, file.path + NEW)
        tree = writer.tree if writer is not None else chain.tree
        new = chain.next_manifest(at=time.time(), writer=_WRITER, position=position, tree=tree)
        new = msgspec.structs.replace(
            new, file=file, files=new.files + bool(file), unreadable=new.unreadable + passed
        )
        chain.add(new, self._sign)

    def _retain(self, chain: Chain, now: float) -> None:
        """Delete files of days that are kept no longer at Unix time `now`, once a manifest says
        so."""
        oldest = now - self._settings.archive.keep * 86400
        kept = chain.expired(manifests.day(f"{int(oldest * 1000)}-0"))
        if chain.head is None or kept <= chain.head.manifest.kept:
            return
        new = chain.next_manifest(
            at=time.time(), writer=_WRITER, position=chain.position, tree=chain.tree
        )
        chain.add(msgspec.structs.replace(new, kept=kept), self._sign)

    async def _aside(self, work: Any, *arguments: Any) -> Any:
        """Do what may wait for a disk or a network in a thread; raises as it does, but for the
        errors of a disk, which are an ArchiveError."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(work, *arguments))
        except OSError as error:
            raise ArchiveError(f"{self._storage.name}: {storage.why(error)}") from None

    def _fail(self, reason: str, error: str) -> None:
        """Count a failure, and say it once."""
        self._failures[reason] += 1
        where = shown(self._settings.redis) if reason == "store" else "the archive"
        words = f"waiting for {where}: {error}; nothing is archived until then, nor skipped"
        if self._said.get(reason) != words:
            logs.warning(words)
        self._said[reason] = words

    def _is_well(self) -> None:
        if self._said:
            logs.info("the archiver goes on")
        self._said.clear()


def _identity(held: storage.Storage, endpoint: str) -> bytes:
    """By what archivers know that they write the same archive: a URL does not tell, for it may be
    that of a directory of each machine."""
    name = manifests.identity_of(endpoint)
    while (found := held.read(name)) is None:
        held.put(name, os.urandom(16).hex().encode())
    return found


_is_identity = re.compile(rb"[0-9a-f]{32}").fullmatch


_WRITER = f"monitor {monitor.__version__}"


def _silence_of(given: Archive) -> float | None:
    """After how many seconds without a step any store takes an archive over; None: none does."""
    return SILENT * given.every if given.follows == ANY else None


async def serve(role: child.Child) -> None:
    """The role: runs until `role.stopping`."""
    # The directory is another one for each supervisor, and the same for this role started again.
    name = f"{socket.gethostname()}/{role.runtime.name}"
    archiver = Archiver(role.settings, role.stopping, name=name)
    role.measure = archiver.measure
    # With the priority of a start. Later, behind all others, it could take a busy machine so long
    # that a stop, which archives what is left, would give up.
    load()
    role.ready()
    if not await archiver.run():
        await role.leave()
        sys.stderr.flush()
        os._exit(0)  # an ordinary end would wait for the thread
