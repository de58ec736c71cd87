"""The analyzer: Records of all shards → the fold → Measurements; its state is kept in Redis.

Any number of them may run for an endpoint. One owns it (`analysis.lease`); the others stand by, and
tell nothing of what it tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from monitor import logs
from monitor.alerting.conditions import (
    Standing,
    of_drift,
    of_lineage,
    of_outcomes,
    standing_of,
)
from monitor.analysis.checkpoint import Checkpoint
from monitor.analysis.drift.findings import summary
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.analysis.guard import Guard
from monitor.analysis.lease import LEASE, Lease
from monitor.analysis.lineage import Lineage
from monitor.analysis.monitors import analysis_of
from monitor.analyzer.attempts import Attempts
from monitor.analyzer.changes import Changes
from monitor.analyzer.decision_log import DecisionLog
from monitor.analyzer.folding import Folding
from monitor.analyzer.patience import QUIET, Patience
from monitor.analyzer.set_aside import SetAside
from monitor.analyzer.shard_watch import ShardWatch
from monitor.analyzer.sharing import Looker, Sharing
from monitor.assembly import meaning
from monitor.assembly.analysis import features_of, read_profile, rules_of, versus_of
from monitor.assembly.experiments import digests_of
from monitor.assembly.outcomes import outcomes_of
from monitor.assembly.reviewing import reviewer_of
from monitor.errors import LeaseError, StreamError
from monitor.findings import Finding
from monitor.settings.schema import Settings
from monitor.streams.entries import AHEAD, missed, time_of
from monitor.streams.redis import RedisStream
from monitor.streams.shards import checked, is_position
from monitor.supervision import child, garbage
from monitor.tasks import own
from monitor.types import WHOLE, Measurement
from monitor.urls import shown

SAVE_EVERY = 15.0
LOOK_EVERY = 10.0
"""Seconds between looks for what has changed its state, when records have come."""

REFRESH_EVERY = 5.0
"""Seconds between looks at the review queue."""

DECIDE_EVERY = 10.0
"""Seconds between looks whether a verdict of an experiment has changed."""

SEEK_EVERY = 2.0
"""Seconds between looks whether there is feedback."""

LINEAGE = "lineage"
"""Field of the checkpoint: what is in service, and what changed."""

COUNTS = ("monitor_drift_samples", "monitor_quality_labels")
"""What counts exchanges by segment."""

LOOK_SHARE = 20
"""A look that took long waits so many times as long for the next: a twentieth of the time."""

READ_EVERY = 1.0
"""Seconds between two reads, unless more records wait already: nothing looks at what is counted
more often, and many records at once cost less than the same ones by twos and threes."""

BLOCK = 2.0
"""Seconds a read waits for records."""

LEAST_BLOCK = 0.001
"""The same while there is feedback to be read."""

DRAIN_SECONDS = 3.0
"""How long a stopping analyzer goes on reading what is there already."""

CLAIM_EVERY = 0.5
"""Seconds between two looks of an analyzer that stands by."""

AHEAD_EVERY = 0.25
"""Seconds between two looks ahead, unless more records wait already."""

DOUBT = 1.0
"""Seconds that numbers wait for the store to say whether they may be told."""


class Analyzer:
    """One endpoint's fold and where it stands in the stream.

    `name` is another one for each analyzer that may run at the same time; `clock` is in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        stopping: asyncio.Event,
        *,
        name: str = "analyzer",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._stopping = stopping
        self._features = features_of(settings)
        self._profile = read_profile(settings.reference.file)
        self._stream = _stream(settings)
        self._lease = Lease(settings.redis, settings.endpoint, name, clock=clock)
        self._checkpoint = Checkpoint(settings.redis, settings.endpoint, lease=self._lease)
        self._stands_by = False
        self._sharing = Sharing(self._features, self._stream.looks, clock=clock)
        self._looker = Looker(_stream(settings), self._features, name, clock=clock)
        self._shards = ShardWatch(settings.stream.shards)
        self._set_aside = SetAside(time.monotonic)
        self._outcomes = outcomes_of(settings, partial(self._set_aside.note, "failed"))
        self._analysis = self._fresh()
        self._lineage = self._followed()
        self._position = ""
        self._saved = ""
        self._unsaved: dict[str, bytes] = {}
        self._changes = Changes()
        self._standing = Standing([])
        self._has_news = False
        self._attempts = Attempts(self._checkpoint.write)
        self._reviewer = reviewer_of(settings)
        self._decisions = DecisionLog(digests_of(settings), self._stream)
        self._is_restored = False
        self._patience = Patience(
            shown(settings.redis), stopping, self._hang_up, clock=time.monotonic, quiet=QUIET
        )

    async def run(self) -> None:
        """Own the endpoint as soon as nobody else does, and fold until told to stop; then what is
        already there, for a moment, and save."""
        hurrying = own(self._hurry(), "the wait for the stop")
        while await self._patience.until(self._own) and self._lease.is_held:
            keeping = own(self._lease.keep(), "the lease")
            try:
                if await self._patience.until(self._restore):
                    await self._analyze()
            except LeaseError:
                pass  # said below
            finally:
                keeping.cancel()
            if not self._lease.is_held and not self._stopping.is_set():
                self._lose()
        await hurrying
        if self._lease.is_held:
            with contextlib.suppress(StreamError, LeaseError):
                await self._lease.release()
        if self._reviewer is not None:
            await self._reviewer.close()
        with contextlib.suppress(StreamError):
            await self._looker.leave()
        for one in (self._looker, self._stream, self._outcomes, self._checkpoint):
            await one.close()

    async def _analyze(self) -> None:
        """Fold until told to stop, or until another analyzer owns the endpoint."""
        save_at = look_at = seek_at = review_at = decide_at = time.monotonic()
        while not self._stopping.is_set() and self._lease.is_held:
            read_at = time.monotonic() + READ_EVERY
            await self._patience.until(self._lease.confirm)
            if time.monotonic() >= seek_at:
                await self._patience.until(self._seek)
                seek_at = time.monotonic() + SEEK_EVERY
            await self._patience.until(self._read)
            now = time.monotonic()
            if now >= look_at and self._has_news:
                self._has_news = False
                with self._set_aside.failing("looking for changes"):
                    self._tell()
                spent = time.monotonic() - now
                look_at = now + max(LOOK_EVERY, LOOK_SHARE * spent)
            if now >= review_at and self._reviewer is not None:
                await self._reviewer.refresh(time.time())
                review_at = time.monotonic() + REFRESH_EVERY
            if now >= decide_at:
                await self._patience.until(self._decide)
                decide_at = time.monotonic() + DECIDE_EVERY
            if now >= save_at and (self._position != self._saved or self._outcomes.is_changed):
                await self._patience.until(self._save)
                save_at = time.monotonic() + SAVE_EVERY
            if not (self._stream.has_more or self._outcomes.has_more):
                await self._patience.rest(read_at - time.monotonic())
        if not self._lease.is_held:
            return
        deadline = time.monotonic() + DRAIN_SECONDS
        with contextlib.suppress(StreamError):
            while time.monotonic() < deadline and await self._read():
                pass
            await self._lease.confirm()
            await self._decide()
            await self._save(stopping=True)

    # --- who owns the endpoint ---------------------------------------------------------------

    async def _own(self) -> bool:
        """Wait until this analyzer owns the endpoint; False when stopped first."""
        while not await self._lease.claim():
            self._patience.is_back()
            if not self._stands_by:
                who = self._lease.owner or "another analyzer"
                logs.info(f"{who} analyzes this endpoint; this analyzer stands by")
            self._stands_by = True
            await self._look_ahead(self._lease.pause(CLAIM_EVERY))
            if self._stopping.is_set():
                return False
        if self._stands_by:
            logs.info("nobody else analyzes this endpoint any more; this analyzer takes over")
        self._stands_by = False
        with contextlib.suppress(StreamError):  # what it has left is gone soon
            await self._looker.leave()
        self._decisions.forget()
        return True

    async def _look_ahead(self, seconds: float) -> None:
        """Look at records for who owns the endpoint, for so long or until told to stop."""
        end = time.monotonic() + seconds
        while not self._stopping.is_set() and (left := end - time.monotonic()) > 0:
            try:
                has_more = await self._looker.turn(time.time())
            except StreamError:  # said where the lease is asked for
                has_more, left = False, seconds
            await self._patience.rest(0.0 if has_more else min(AHEAD_EVERY, left))

    def _lose(self) -> None:
        """Forget all that was counted: whoever owns the endpoint goes on from what is saved."""
        self._shards.rewinds += self._lease.went_back
        why = "'s lease was gone from the store" if self._lease.was_gone else " was not heard of"
        logs.warning(
            "the store has lost what this analyzer saved last: another primary took over without "
            "it; the analyzer goes on from what is saved there, and nothing is counted twice"
            if self._lease.went_back
            else f"{self._lease.owner or 'another analyzer'} has taken over this endpoint, because "
            f"this analyzer{why}; it stands by, and nothing is counted twice"
        )
        self._is_restored, self._stands_by = False, True
        self._analysis, self._lineage = self._fresh(), self._followed()
        self._outcomes.restore({})
        self._set_aside.clear()
        self._position = self._saved = ""
        self._unsaved = {}

    @property
    def _is_replaced(self) -> bool:
        """Whether another analyzer tells what is known of this endpoint, or may do so."""
        return self._stands_by or (self._lease.age >= LEASE and not self._is_sure)

    @property
    def _is_sure(self) -> bool:
        """Whether this analyzer may tell numbers: not one that was frozen, for another may have
        taken over. While the store is away nobody can."""
        is_owner = self._lease.age < LEASE or (self._patience.is_away and self._lease.is_held)
        return self._is_restored and is_owner

    async def measure(self) -> list[Measurement]:
        """What the monitors measure, as of now."""
        if self._lease.is_held and not self._patience.is_away:
            with contextlib.suppress(StreamError, LeaseError, TimeoutError):
                async with asyncio.timeout(DOUBT):
                    await self._lease.confirm()
        endpoint = self._settings.endpoint
        samples = self.count()
        if not self._is_sure:
            return samples
        samples.extend(self._outcomes.measurements())
        samples.extend(self._lineage.measurements(endpoint))
        for monitor in (*self._analysis.monitors, *self._outcomes.monitors):
            with self._set_aside.failing(f"measuring {monitor.name}"):
                samples.extend(monitor.measurements(endpoint))
        if self._settings.privacy.differential.epsilon is None:
            return samples
        # A count by segment without noise would undo the noise in the recorder's.
        return [
            one
            for one in samples
            if one.name not in COUNTS or one.labels["dimension"] == WHOLE.dimension
        ]

    def count(self) -> list[Measurement]:
        """What was counted, without what the monitors measure."""
        return [
            Measurement(name, {"endpoint": self._settings.endpoint, **labels}, number)
            for name, labels, number in self._counted()
        ]

    def findings(self) -> bytes:
        """The findings as a JSON document; an empty one of an analyzer that stands by."""
        if self._is_replaced:
            return b"{}"
        with self._set_aside.failing("judging"):
            findings = self._analysis.findings()
            left_out = sum(
                one.watches.left_out
                for one in self._analysis.monitors
                if isinstance(one, DriftMonitor)
            )
            changes = self._lineage.changes()
            return summary(self._analysis.records, findings, changes, left_out=left_out)
        return b"{}"

    def outcomes(self) -> bytes:
        """What became of predictions, as a JSON document (`findings.Outcomes`)."""
        if self._is_replaced:
            return b"{}"
        with self._set_aside.failing("judging outcomes"):
            return self._outcomes.findings()
        return b"{}"

    def standing(self) -> bytes:
        """What is wrong, as of the last look, and how far this analyzer is: for the notifier."""
        if self._stands_by:
            return msgspec.json.encode(Standing([], stands_by=True))
        if not self._is_sure or self._patience.is_away:
            return b""
        now = msgspec.structs.replace(
            self._standing,
            records=self._analysis.records,
            newest=max(self._analysis.newest, 0.0),
            missed=missed(self._position),
            set_aside=dict(self._set_aside.counts),
        )
        return msgspec.json.encode(now)

    def _counted(self) -> Iterator[tuple[str, dict[str, str], float]]:
        is_sure, behind = self._is_sure, self._stream.behind
        yield "monitor_shards_owned", {}, len(self._stream.keys) if is_sure else 0
        yield "monitor_shards_read_ahead", {}, len(self._looker.shards)
        if not is_sure:
            # Counters that begin at 0 and jump would look like as many records in a moment.
            if self._stands_by:
                yield "monitor_analysis_lag_records", {}, 0
            return
        if not self._patience.is_away:  # else nobody knows how many wait
            if behind is not None:
                yield "monitor_analysis_lag_records", {}, behind
            for shard, lag in enumerate(self._stream.lags):
                yield "monitor_shard_lag_records", {"shard": str(shard)}, lag
        fold = self._analysis
        yield "monitor_records_analyzed_total", {}, fold.records
        yield "monitor_records_missed_total", {}, missed(self._position)
        yield "monitor_store_rewinds_total", {}, self._shards.rewinds
        yield "monitor_analysis_timestamp_seconds", {}, max(fold.newest, 0.0)
        for reason, count in self._set_aside.counts.items():
            yield "monitor_records_set_aside_total", {"reason": reason}, count
        yield "monitor_records_read_ahead_total", {}, self._sharing.used
        yield "monitor_records_ahead_total", {}, self._set_aside.ahead
        yield "monitor_damaged_checkpoints_total", {"part": "analysis"}, self._set_aside.damaged
        if self._reviewer is not None:
            yield from self._reviewer.counted()
        for feature in self._features:
            if isinstance(feature.observe, Guard):
                failures = feature.observe.failures
                labels = {"kind": "feature", "name": feature.observe.name}
                yield "monitor_part_failures_total", labels, failures

    def _fresh(self) -> Analysis[Finding]:
        self._gives_up = self._outcomes.is_on
        return analysis_of(
            self._features,
            rules_of(self._settings, outcomes=self._outcomes.is_on),
            Baseline(
                self._profile,
                learn=self._settings.reference.learn,
                versus=versus_of(self._settings),
                hourly=self._settings.reference.hour_of_week,
            ),
        )

    def _followed(self) -> Lineage:
        """Counts of what clients may have stated have noise, or are not told."""
        if self._settings.privacy.differential.epsilon is None:
            return Lineage()
        constant = [name for name, one in self._settings.lineage.items() if one.value]
        return Lineage({"config", "policy", "monitor", "key", *constant})

    async def _restore(self) -> bool:
        """Go on from what was saved, as the owner of the endpoint; raises LeaseError or
        StreamError."""
        if not (self._lease.is_held or await self._lease.claim()):
            raise LeaseError(self._lease.owner)
        saved, state = await self._checkpoint.load()
        position = saved if is_position(saved) else ""
        await self._stream.widen(position.count(",") + 1)
        await self._stream.look(position)
        self._sharing.forget()
        self._shards.look(len(self._stream.keys))
        before = meaning.read(state)
        now = meaning.of(self._settings)
        latest = time_of(position) + AHEAD
        state = self._outcomes.restore(
            state, latest=latest, keeps=meaning.keeps_outcomes(before, now)
        )
        self._analysis = self._fresh()
        self._lineage = self._followed()
        try:
            if LINEAGE in state:
                self._lineage.restore(state[LINEAGE])
            self._analysis.restore(state, latest=latest, keeps=meaning.keeps(before, now))
            self._set_aside.restore(state)
            checked(saved, counted=self._analysis.records)
        except Exception as error:  # noqa: BLE001  whatever a damaged checkpoint leads to
            logs.warning(
                f"the checkpoint is damaged ({logs.place(error)}) and is not used; the analyzer "
                "starts over from the oldest record of the stream"
            )
            self._set_aside.damaged += 1
            self._analysis, position = self._fresh(), ""
            self._lineage = self._followed()
            self._outcomes.restore({})
            await self._checkpoint.clear()
        await self._attempts.resume(state, is_again=self._lease.is_again)
        if changed := meaning.changed(before, now):
            logs.warning(f"these settings have changed since the checkpoint: {changed}")
        self._position = self._saved = position
        self._unsaved = meaning.saved(now)
        findings = self._analysis.findings()
        self._changes.begin(findings, self._lineage.latest())
        self._stand(findings)
        self._is_restored = True
        return True

    async def _seek(self) -> bool:
        """See whether there is feedback; with the first, drift gives up a part of the budget."""
        await self._outcomes.look(self._position)
        if self._outcomes.is_on == self._gives_up or not await self._save(stopping=True):
            return False
        return await self._restore()

    async def _decide(self) -> bool:
        """Write down which verdicts of experiments have changed."""
        for monitor in self._outcomes.monitors:
            if monitor.name == "experiments":
                with self._set_aside.failing("judging experiments"):
                    await self._decisions.note(monitor.findings(), time.time())
        return True

    async def _read(self) -> bool:
        """Fold what comes next; whether anything came."""
        if not self._outcomes.is_on:
            came = (await self._read_records())[0]
        else:
            now = await self._outcomes.now()
            came, until = await self._read_records()
            came = await self._outcomes.follow(until if came else now, now) or came
        self._has_news = self._has_news or came or self._outcomes.is_changed
        return came

    async def _read_records(self) -> tuple[bool, float]:
        """Fold the Records that come next; whether any came, and up to when all are read."""
        block = LEAST_BLOCK if self._outcomes.has_more else BLOCK
        folding = Folding(
            self._analysis, self._lineage, self._outcomes, self._reviewer, self._attempts,
            self._set_aside,
        )  # fmt: skip
        position, entries, strips = await self._sharing.next(
            self._stream, self._position, self._attempts, time.time(),
            block=block, needs_records=folding.needs_records,
        )  # fmt: skip
        self._shards.look(len(self._stream.keys), self._position, position)
        self._set_aside.deleted(missed(position) - missed(self._position))
        if not entries:
            self._position = position
            return False, 0.0
        await self._attempts.begin(time_of(position))
        if strips:
            now = time.time()
            self._sharing.used += await folding.together(entries, strips, self._features, now)
        else:
            await folding.one_by_one(entries, time.time())
        self._position = position
        await self._attempts.end()
        if self._reviewer is not None:
            await self._reviewer.put()
        garbage.collect()
        return True, time_of(position)

    async def _hang_up(self) -> None:
        """Close the connections: else each would find out later that the store is away."""
        for one in (self._stream, self._outcomes, self._lease):
            await one.close()

    async def _hurry(self) -> None:
        """Let no read wait once this is to stop."""
        await self._stopping.wait()
        self._stream.hurry()

    async def _save(self, *, stopping: bool = False) -> bool:
        changes = None
        with self._set_aside.failing("saving"):
            changes = self._analysis.saved() | self._outcomes.saved()
        if changes is None:
            return False
        if self._reviewer is not None:
            await self._reviewer.put()  # before a position behind it is saved
        self._unsaved |= changes | self._set_aside.saved() | {LINEAGE: self._lineage.saved()}
        self._unsaved |= self._attempts.saved(stopping=stopping)
        await self._checkpoint.save(self._position, self._unsaved)
        self._saved, self._unsaved = self._position, {}
        with contextlib.suppress(StreamError):  # nothing rests on it
            await self._stream.advertise(self._position)
        return True

    def _tell(self) -> None:
        """Say and note what this look finds."""
        findings = self._analysis.findings()
        self._stand(findings)
        if self._reviewer is not None:
            self._reviewer.drift(findings)
        self._changes.say(findings, self._lineage.latest())

    def _stand(self, findings: list[Finding]) -> None:
        """Note what is wrong at this look."""
        if not self._settings.notify:
            return
        found = [*of_drift(findings), *of_lineage(self._lineage.latest(), self._analysis.newest)]
        for monitor in self._outcomes.monitors:
            with self._set_aside.failing(f"looking at {monitor.name}"):
                found += of_outcomes(monitor.name, monitor.findings())
        before = {one.identity for one in self._standing.conditions}
        self._standing = Standing(*standing_of(found, before))


async def serve(role: child.Child) -> None:
    """The role: runs until `role.stopping`."""
    # The directory is another one for each supervisor, and the same for this role started again.
    name = f"{socket.gethostname()}/{role.runtime.name}"
    analyzer = Analyzer(role.settings, role.stopping, name=name)
    role.measure = analyzer.measure
    role.count = analyzer.count
    role.documents = {
        "findings": analyzer.findings,
        "outcomes": analyzer.outcomes,
        "standing": analyzer.standing,
    }
    garbage.begin()
    role.ready()
    await analyzer.run()


def _stream(settings: Settings) -> RedisStream:
    return RedisStream(settings.redis, settings.endpoint, shards=settings.stream.shards)
