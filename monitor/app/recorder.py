"""The recorder's process: Exchanges from the proxy → Records in the stream, Receipts back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import logs
from monitor.assembly import build, keyring
from monitor.errors import ConfigError, StreamError
from monitor.framing import Batch, Processing
from monitor.interfaces import Check, EdgeCase
from monitor.meters import Meters
from monitor.ner.client import Names
from monitor.privacy import keys
from monitor.privacy.pseudonyms import Key, derive
from monitor.protocols import PROTOCOLS
from monitor.recorder.agreements import Agreements
from monitor.recorder.capture import Capture, Taken
from monitor.recorder.delivery import Delivery, Item
from monitor.recorder.intake import Intake
from monitor.recorder.repeats import Repeats
from monitor.recorder.sampler import Sampler
from monitor.recorder.spool import Spool
from monitor.settings.schema import Ner, Settings
from monitor.streams.redis import RedisStream
from monitor.supervision import garbage
from monitor.supervision.child import Child
from monitor.tasks import forever, own
from monitor.templates.shared import SharedTemplates
from monitor.turns import give_way
from monitor.types import Exchange, Measurement, Receipt, Record, encode_record
from monitor.urls import shown

if TYPE_CHECKING:
    from monitor.assembly.tracing import Tracing
    from monitor.privacy.records import Privacy

QUEUE, QUEUE_BYTES = 2048, 16 << 20
"""Records that may wait here for the store, and their bytes; more wait in the proxy's buffer."""
PLENTY = 262144
"""Bytes of exchanges that wait for no others, or an eighth of what the proxy's buffer may hold."""
SLICE = 0.01
"""Seconds of reading exchanges before the event loop runs other tasks."""
GROUP, GROUP_BYTES = 16, 131072
"""Exchanges that are read together, and bytes of their bodies; a larger body comes alone."""
COMPARE_PATIENCE = 0.5
"""Seconds that a start waits for other replicas' keys; meanwhile the proxy buffers exchanges."""
COMPARE_PAUSE = 0.5
"""Seconds until keys are compared again after the store was away; doubled each time."""
WARN_AFTER = 3
TRIM_EVERY = 10.0
"""Seconds between two deletions of records that are too old."""
COMMAND_TIMEOUT = 2.0


class Recorder:
    """Reads the exchanges that proxies send, and delivers the records."""

    def __init__(self, process: Child) -> None:
        settings = process.settings
        self._process = process
        self._key_file = keyring.KeyFile(settings)
        self._keyring = keyring.keyring(settings)
        self._meters = Meters("recorder", settings.endpoint)
        self._privacy = build.privacy(settings, self._keyring, keeps_scanner=True)
        self._meters.set("monitor_key_conflict", 0)
        dimensions, crossed = build.dimensions(settings)
        rules, checks = build.edge_cases(settings), build.checks(settings)
        self._tracing = _tracing(settings, self._privacy)
        self._capture = Capture(
            settings.endpoint,
            PROTOCOLS,
            dimensions,
            self._privacy,
            self._meters,
            crossed=crossed,
            pricing=build.pricing(settings),
            objectives=settings.objectives.seconds,
            edge_cases=rules,
            checks=checks,
            checks_sample=settings.checks_sample,
            agreements=Agreements(os.urandom(32)) if _has(checks, "consistency") else None,
            usual=build.usual(settings, rules),
            repeats=Repeats(os.urandom(32)) if _has(rules, "repeated_request") else None,
            business=build.business(settings),
            lineage=build.lineage(settings),
            mined=settings.mined,
            miner=(miner := build.miner(settings)),
            min_group=settings.privacy.min_group,
            noisy_counts=build.noisy_counts(settings),
            tracer=self._tracing.tracer if self._tracing else None,
        )
        self._sampler = _sampler(settings, self._keyring.current)
        self._names = _names(settings.privacy.ner, self._privacy, self._count_names)
        self._store = RedisStream(
            settings.redis,
            settings.endpoint,
            shards=settings.stream.shards,
            max_length=settings.stream.max_length,
            max_age=settings.stream.max_age,
            feedback_max_age=settings.stream.feedback_max_age,
            timeout=COMMAND_TIMEOUT,
        )
        # A model of names looks at records later, so what is found before stays in memory.
        is_shared = miner is not None and self._names is None
        self._templates = (
            SharedTemplates(miner, self._store, time.monotonic) if miner and is_shared else None
        )
        self._spool = _spool(settings, process.index)
        self._intake = Intake(
            process.runtime / f"recorder-{process.index}.sock",
            self._read,
            min(PLENTY, settings.capture.buffer_bytes // 8),
        )
        self._delivery = Delivery(
            self._store,
            self._spool,
            acknowledge=self._intake.acknowledge,
            connected=self._intake.connected,
            reconcile=self._intake.notify,
            log=self._log_store,
            clock=time.time,
        )
        self._warned_at = 0.0
        self._comparing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Read and deliver until `stopping`; then finish what was received.

        Raises ConfigError if another replica uses another key under the same id.
        """
        try:
            await asyncio.wait_for(self._compare_keys(), COMPARE_PATIENCE)
        except (StreamError, TimeoutError):
            self._compare_later()
        if self._templates is not None:
            with contextlib.suppress(StreamError, TimeoutError):
                await asyncio.wait_for(self._templates.read(), COMPARE_PATIENCE)
        if self._names is not None:
            await self._names.start()
        await self._delivery.survey()
        self._intake.listen(self._delivery.state, self._delivery.proxy_connected)
        delivering = own(self._delivery.run(), "delivery")
        following = own(forever(self._follow_keys, "the key file"), "the key file")
        trimming = own(forever(self._trim, "trimming the stream"), "trimming the stream")
        sharing: asyncio.Task[None] | None = None
        if self._templates is not None:
            sharing = own(forever(self._templates.follow, "sharing templates"), "sharing templates")
        self._process.measure = self._measure
        garbage.begin()
        self._process.ready()
        stopping = own(self._process.stopping.wait(), "stopping")
        await asyncio.wait({stopping, delivering}, return_when=asyncio.FIRST_COMPLETED)
        if delivering.done():
            await delivering  # raises the defect that ended it; the supervisor restarts us
        following.cancel()
        trimming.cancel()
        if sharing:
            sharing.cancel()
        if self._comparing:
            self._comparing.cancel()
        self._intake.stop()
        telling: asyncio.Task[None] | None = None
        if self._tracing is not None:  # no more spans come: nothing is read
            telling = own(self._tracing.close(), "the last spans")
        if self._names is not None:
            await self._names.close()
        await self._delivery.close()
        await delivering
        if telling is not None:
            await telling
        if self._templates is not None:
            with contextlib.suppress(StreamError):
                await self._templates.write()
        self._intake.close()
        await self._store.close()

    async def _compare_keys(self) -> None:
        store, ring = self._store.notes, self._keyring
        new = keys.agree(ring, await store.fingerprints())
        if new:
            await store.add_fingerprints(new)
            keys.agree(ring, await store.fingerprints())  # another replica may have been quicker

    async def _follow_keys(self) -> None:
        """Use the new key after `monitor keys rotate` or after a new secret was mounted."""
        while True:
            await asyncio.sleep(keyring.LOOK_EVERY)
            try:
                ring = self._key_file.changed()
            except ConfigError as error:
                logs.warning(f"{error}; the key from before stays in use")
                continue
            if ring is not None:
                self._keyring = ring
                self._privacy.use(ring)
                logs.info(f"the key file has changed; key {ring.current.id} makes new pseudonyms")
                self._compare_later()

    async def _trim(self) -> None:
        """Delete records and feedback that are too old, also while nothing is appended."""
        while True:
            await asyncio.sleep(TRIM_EVERY)
            with contextlib.suppress(StreamError):  # tried again next time
                await self._store.trim(time.time())

    def _compare_later(self) -> None:
        if self._comparing:
            self._comparing.cancel()
        self._comparing = own(self._compare_keys_later(), "comparing keys")

    async def _compare_keys_later(self) -> None:
        """Compare keys once the store is there; log and export a conflict, but go on recording."""
        for attempt in itertools.count():
            await asyncio.sleep(min(COMPARE_PAUSE * 2**attempt, 30.0))
            try:
                await self._compare_keys()
            except StreamError as error:
                if attempt == WARN_AFTER:
                    self._log_store(
                        logging.WARNING,
                        f"cannot compare the key with that of other replicas yet: {error}; trying "
                        "again",
                    )
            except ConfigError as error:
                logs.warning(
                    f"{error}; until then its pseudonyms do not join with those of other replicas"
                )
                self._meters.set("monitor_key_conflict", 1)
                return
            else:
                self._meters.set("monitor_key_conflict", 0)
                return

    # --- the proxy's side --------------------------------------------------------------------

    async def _read(self, batches: list[Batch]) -> None:
        until = time.monotonic() + SLICE
        unsampled: list[Receipt] = []
        for batch, group in _groups(batches):
            if (
                batch.suspect
            ):  # without waiting for room: a kill while waiting would blame the suspect
                await self._intake.notify(Processing(group[0].id))
            else:
                await self._delivery.room(QUEUE, QUEUE_BYTES)
            # What an earlier recorder may have appended must not count as lost.
            sampler = None if batch.redelivered else self._sampler
            for exchange, taken in zip(group, self._capture.take(group, sampler), strict=True):
                try:
                    found = await self._captured(taken, batch)
                except Exception as error:  # noqa: BLE001  one exchange must not end the recorder
                    await self._unreadable(exchange, error)
                    continue
                if isinstance(found, Receipt):
                    unsampled.append(found)
                else:
                    self._delivery.offer(found)
                give_way()
            if time.monotonic() > until:
                if unsampled:
                    await self._intake.acknowledge(unsampled)
                    unsampled = []
                await asyncio.sleep(0)
                until = time.monotonic() + SLICE
        if unsampled:
            await self._intake.acknowledge(unsampled)
        if any(each.suspect for each in batches):
            await self._intake.notify(Processing(""))
        garbage.collect()

    async def _captured(self, taken: Taken, batch: Batch) -> Item | Receipt:
        """Return what to deliver of an exchange, or the Receipt of one that is not in the sample;
        raise what it raised."""
        if isinstance(taken, Exception):
            raise taken
        if isinstance(taken, Receipt):
            return taken
        record, model = taken
        if self._names is not None:
            record = await self._names.cover(record)
        if batch.suspect:
            encode_record(record)
        return Item(record, model, batch.redelivered, _size(record))

    async def _unreadable(self, exchange: Exchange, error: Exception) -> None:
        if self._tracing is not None:
            self._tracing.tracer.missed(exchange.id)
        now = time.monotonic()
        if now - self._warned_at > 60:
            self._warned_at = now
            logs.warning(
                f"an exchange could not be read ({logs.place(error)}); it leaves no record and "
                "counts as lost, reason unreadable"
            )
        await self._intake.acknowledge(
            [Receipt(exchange.id, "lost", "unreadable", outcome=exchange.outcome.value)]
        )

    # --- what it says ------------------------------------------------------------------------

    async def _measure(self) -> list[Measurement]:
        self._capture.release(time.monotonic())
        self._meters.set("monitor_store_up", float(self._delivery.is_up))
        self._meters.set("monitor_spool_bytes", self._spool.bytes)
        for shard, (records, size) in self._store.appended.items():
            self._meters.set("monitor_shard_records_total", records, (str(shard),))
            self._meters.set("monitor_shard_bytes_total", size, (str(shard),))
        if self._tracing is not None:
            self._tracing.measure(self._meters)
        return self._meters.measurements()

    def _count_names(self, kind: str, name: str, count: int) -> None:
        metric = "monitor_pseudonyms_total" if kind == "entity" else "monitor_redactions_total"
        self._meters.add(metric, (name,), count)

    def _log_store(self, level: int, text: str) -> None:
        logs.log(level, f"{shown(self._process.settings.redis)}: {text}")


def _groups(batches: Sequence[Batch]) -> Iterator[tuple[Batch, list[Exchange]]]:
    """Yield exchanges that are read together, in order, with a Batch that is as theirs; suspects
    one by one."""
    group: list[Exchange] = []
    last, size = batches[0], 0
    for batch in batches:
        is_alike = (batch.suspect, batch.redelivered) == (last.suspect, last.redelivered)
        for exchange in batch.exchanges:
            more = len(exchange.request.body)
            if exchange.response is not None:
                more += len(exchange.response.body)
            is_full = batch.suspect or len(group) >= GROUP or size + more > GROUP_BYTES
            if group and (is_full or not is_alike):
                yield last, group
                group, size = [], 0
            group.append(exchange)
            last, size, is_alike = batch, size + more, True
    if group:
        yield last, group


def _has(rules: Sequence[EdgeCase | Check], name: str) -> bool:
    return any(one.name == name for one in rules)


def _tracing(settings: Settings, privacy: Privacy) -> Tracing | None:
    """Return what makes spans and delivers them; without a collector not even their code is
    loaded."""
    if not settings.otlp.endpoint:
        return None
    from monitor.assembly import tracing

    return tracing.Tracing(settings, privacy) if tracing.is_on(settings) else None


def _sampler(settings: Settings, key: Key) -> Sampler | None:
    """Return what decides which exchanges leave a Record, None where all do. The recorders of all
    workers have equal parts of the records."""
    most = settings.capture.sample_over
    if most is None:
        return None
    return Sampler(most / settings.workers, derive(key.root, "monitor-sample-v1"))


def _names(ner: Ner, privacy: Privacy, count: Callable[[str, str, int], None]) -> Names | None:
    """Return what has a model look for names, or None where none is set."""
    if not ner.model:
        return None
    return Names(
        ner.model,
        privacy,
        count,
        timeout=ner.timeout,
        on_failure=ner.on_failure,
        clock=time.monotonic,
    )


def _spool(settings: Settings, index: int) -> Spool:
    """Return a recorder's spool; the first recorder takes over spools of workers no longer used."""
    parent = Path(settings.data) / "spool"
    spool = Spool(parent / f"{settings.endpoint}-{index}", settings.spool.max_bytes)
    if index == 0 and parent.is_dir():
        for directory in sorted(parent.iterdir()):
            endpoint, _, number = directory.name.rpartition("-")
            is_ours = endpoint == settings.endpoint and number.isdecimal()
            if is_ours and int(number) >= settings.workers:
                spool.adopt(directory)
    return spool


def _size(record: Record) -> int:
    """Return about how many bytes of memory a record takes."""
    size = 4096
    for part in (*record.inputs, *record.outputs):
        data = part.data or ()
        size += len(part.text or "") + 40 * len(data) + 128 * len(part.media or ())
        size += sum(len(one) for one in data if isinstance(one, str))
    return size


async def serve(process: Child) -> None:
    """Run the recorder until `process.stopping`."""
    await Recorder(process).serve()
