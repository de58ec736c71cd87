"""The notifier process: what the children say of themselves → alerts → receivers, for whom no
Prometheus judges."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import msgspec

import monitor
from monitor import logs, tasks
from monitor.alerting.alerts import Alerts
from monitor.alerting.conditions import Standing, as_bad_as_said
from monitor.alerting.delivery import Answer, Courier
from monitor.alerting.health import Health
from monitor.alerting.outbox import Due, Outbox
from monitor.alerting.silences import silenced
from monitor.alerting.store import AlertStore, State
from monitor.alerting.table import ALERTS, WATCHDOG
from monitor.assembly.certificates import Validities
from monitor.assembly.receivers import Receiver, receivers_of
from monitor.errors import ConfigError, StreamError
from monitor.notifications import Alert, Notification, fingerprint
from monitor.supervision import child
from monitor.supervision.answers import Answers
from monitor.types import Measurement

LOOK_EVERY = 5.0
"""Seconds between two looks at all processes."""
TURN = 0.5
"""Seconds between two looks of a receiver at what is due."""
PATIENCE = 30.0
"""Seconds that a start waits for the store to say what was told already."""
LAST_SECONDS = 2.0
"""Seconds that a delivery under way may still take when this process stops."""
BLIND = 60.0
"""Seconds without a look from which on there is no heartbeat: nothing would be noticed."""

OF_ANALYSIS = frozenset((
    "MonitorDrift", "MonitorOutcomeAlarm", "MonitorExperimentAlarm", "MonitorLineageChange",
))  # fmt: skip
"""Alerts of which only an analyzer that answers can say that they are over."""
OF_COUNTS = frozenset(("MonitorRecordsSetAside", "MonitorRecordsMissed", "MonitorAnalysisLagging"))
"""The same of the analyzer's numbers."""


@dataclass
class Line:
    """The way to one receiver: what it is to be told, who brings it, and what became of that."""

    receiver: Receiver
    outbox: Outbox
    courier: Courier
    counts: dict[str, int] = field(default_factory=lambda: {"delivered": 0, "failed": 0})
    said: str = ""
    beat_at: float = 0.0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        """What the settings call the receiver."""
        return self.receiver.given.name


class Clock:
    """Unix seconds that never jump while this process lives, whatever happens to the system's
    clock."""

    def __init__(self) -> None:
        self._born = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since 1970, as they went by since the start."""
        return self._born + time.monotonic()


class NotifierProcess:
    """Looks, follows what is wrong, and tells each receiver in a task of its own."""

    def __init__(self, process: child.Child) -> None:
        settings = self._settings = process.settings
        self._process = process
        self._answers = Answers(process.runtime, "heard", but=("analyzer", "notifier"))
        self._clock = Clock()
        self._store = AlertStore(settings.redis, settings.endpoint)
        self._health = Health()
        self._certificates = Validities(settings)
        self._labels = {"endpoint": settings.endpoint}
        self._name = "analyzer"
        self._alerts = Alerts(self._labels)
        self._lines: list[Line] = []
        # One each, so that a receiver which hangs holds up no other.
        self._threads = ThreadPoolExecutor(max(1, len(settings.notify)))
        self._is_silenced = silenced((), 0.0)
        self._restored = False
        self._saved = b""
        self._begun = self._clock.now()
        self._looked_at = self._begun

    async def serve(self) -> None:
        """Look and tell until `stopping`; then save what was told."""
        while (  # noqa: ASYNC110  seldom, at the start
            status := await self._status()
        ) is None and not self._process.stopping.is_set():
            await asyncio.sleep(TURN)
        if status and not any(role == "analyzer" for role, *_ in status.children):
            # Many sidecars of one endpoint: each speaks for itself.
            self._name = socket.gethostname()[:100]
            self._labels["instance"] = self._name
            self._alerts = Alerts(self._labels)
        self._lines = [self._line(one) for one in receivers_of(self._settings)]
        self._process.measure = self._measure
        self._process.ready()
        looking = tasks.own(tasks.forever(self._look, "the notifier's look"), "look")
        telling = [
            tasks.own(tasks.forever(partial(self._turn, line), f"receiver {line.name}"), line.name)
            for line in self._lines
        ]
        await self._process.stopping.wait()
        looking.cancel()
        # What is under way may be told; nothing else is begun.
        last = [tasks.own(line.busy.acquire(), "the last delivery") for line in self._lines]
        await asyncio.wait(last, timeout=LAST_SECONDS)
        for line in self._lines:
            line.courier.close()
        for _ in range(3):  # a library may take a cancellation for a time-out of its own
            for one in (looking, *telling, *last):
                one.cancel()
            await asyncio.wait({looking, *telling}, timeout=0.2)
        self._threads.shutdown(wait=False)
        await self._save()
        self._answers.close()
        await self._store.close()

    async def _status(self) -> child.Status | None:
        """The supervisor's status; None where it does not answer in time, being busy or frozen."""
        with contextlib.suppress(TimeoutError):
            return await self._process.status()
        return None

    def _line(self, receiver: Receiver) -> Line:
        return Line(receiver, self._outbox(receiver), Courier(version=monitor.__version__))

    def _outbox(self, receiver: Receiver) -> Outbox:
        given = receiver.given
        return Outbox(
            given.name, severities=given.severities, repeat=given.repeat, labels=self._labels,
            runbook=given.runbook,
        )  # fmt: skip

    async def _measure(self) -> list[Measurement]:
        return [
            Measurement(
                "monitor_notifications_total",
                {
                    "endpoint": self._settings.endpoint, "receiver": line.name, "result": result,
                },
                count,
            )
            for line in self._lines
            for result, count in line.counts.items()
        ]  # fmt: skip

    # --- looking -------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Wait for the next look; then ask everybody, and note what changed."""
        await asyncio.sleep(LOOK_EVERY)
        status = await self._status()
        if status is None:
            return
        standing = _standing(await self._answers.standing(status))
        stands_by = standing is not None and standing.stands_by
        recorders = sum(1 for role, *_ in status.children if role == "recorder")
        if stands_by and not recorders:
            await self._stand_by()
            return
        standing = None if stands_by else standing
        await self._from_store()
        samples = await self._answers.measurements(status)
        now, clock = self._clock.now(), time.time()
        settings = self._settings
        conditions = self._health.look(
            samples,
            restarts={role: times for role, _, _, times in status.children},
            limits={
                "spool": recorders * settings.spool.max_bytes,
                "buffer": recorders * settings.capture.buffer_bytes,
            },
            objectives=settings.objectives.shares,
            recorders=recorders,
            certificates=self._certificates.now(),
            now=now,
            clock=clock,
        )
        judged = {one.name for one in ALERTS}
        if not stands_by and any(role == "analyzer" for role, *_ in status.children):
            conditions += self._health.analysis(
                standing, clock=clock, now=now, has_traffic=bool(recorders)
            )
            if standing is not None:
                conditions += standing.conditions
        if standing is None:
            judged -= OF_ANALYSIS | OF_COUNTS
        told = as_bad_as_said(conditions, settings.alerts.by_name)
        for transition in self._alerts.follow(told, judged, now=now, clock=clock):
            for line in self._lines:
                line.outbox.take(transition)
        self._looked_at = now
        await self._save()

    async def _stand_by(self) -> None:
        """Tell nothing while another analyzer owns the endpoint: its notifier does. What that one
        has told is read once it is gone."""
        self._restored = False
        self._alerts = Alerts(self._labels)
        for line in self._lines:
            async with line.busy:
                line.outbox = self._outbox(line.receiver)

    async def _from_store(self) -> None:
        """Read what was told before, once, and the silences; while the store is away those hold
        that were there before."""
        clock = time.time()
        try:
            if not self._restored:
                self._restore(await self._store.load(self._name))
            silences = await self._store.silences(clock)
        except StreamError:
            return
        self._is_silenced = silenced(silences, clock)

    def _restore(self, state: State) -> None:
        now = self._clock.now()
        self._alerts.restore(state.alerts, now)
        for line in self._lines:
            line.outbox.restore(state.receivers.get(line.name, {}), now)
        for transition in list(self._alerts.firing(time.time())):
            for line in self._lines:
                line.outbox.take(transition)
        self._restored = True

    async def _save(self) -> None:
        """Keep what fires and what was told, where that has changed."""
        if not self._restored:
            return
        receivers = {line.name: line.outbox.state() for line in self._lines}
        state = msgspec.json.encode(State(self._alerts.state(), receivers))
        if state == self._saved:
            return
        try:
            await self._store.save(self._name, state)
        except StreamError:
            return  # saved at the next look, whenever the store is back
        self._saved = state

    # --- telling -------------------------------------------------------------------------------

    async def _turn(self, line: Line) -> None:
        await asyncio.sleep(TURN)
        async with line.busy:
            await self._tell(line)

    async def _tell(self, line: Line) -> None:
        """Tell a receiver what is due, if anything is."""
        now = self._clock.now()
        if not self._restored and now - self._begun < PATIENCE:
            return  # what was told already is not known yet
        every = line.receiver.given.heartbeat
        if every is not None and now >= line.beat_at and now - self._looked_at < BLIND:
            line.beat_at = now + every
            self._note(line, await self._sent(line, self._beat(line)), None)
        due = line.outbox.due(now, self._is_silenced)
        if due is not None:
            self._note(line, await self._sent(line, due.notification), due)
            await self._save()

    async def _sent(self, line: Line, notification: Notification) -> Answer:
        try:
            request, secret = line.receiver.request(notification)
        except ConfigError as error:
            return Answer(False, str(error))
        send = partial(line.courier.send, request, secret=secret, clock=time.time())
        return await asyncio.get_running_loop().run_in_executor(self._threads, send)

    def _note(self, line: Line, answer: Answer, due: Due | None) -> None:
        """Count a delivery, and say once that a receiver is away, and once that it is back."""
        line.counts["delivered" if answer.is_taken else "failed"] += 1
        now, name = self._clock.now(), line.name
        if due is not None and answer.is_taken:
            line.outbox.told(due, now)
        elif due is not None:
            chance = random.random()  # noqa: S311  it spreads attempts, and hides nothing
            line.outbox.failed(due, now, chance=chance, asked=answer.asked)
        if answer.is_taken and line.said:
            logs.info(f"receiver {name} ({line.receiver.place}) takes notifications again")
            line.said = ""
        elif not answer.is_taken and answer.words != line.said:
            logs.warning(
                f"receiver {name} ({line.receiver.place}) was not told: {answer.words}; trying "
                "again until it is"
            )
            line.said = answer.words

    def _beat(self, line: Line) -> Notification:
        """That the notifier works: for a receiver that raises the alarm when this stops coming."""
        labels = {**self._labels, "alertname": WATCHDOG}
        alert = Alert(
            fingerprint=fingerprint(labels),
            labels={**labels, "severity": "info"},
            summary="The alerting path works; this alert always fires.",
            description="The notifier looks, and delivers. Nothing to do.",
            starts=self._begun,
        )
        return Notification(line.name, labels, [alert], 1)


def _standing(document: bytes) -> Standing | None:
    try:
        return msgspec.json.decode(document, type=Standing) if document else None
    except msgspec.MsgspecError:
        return None


async def serve(process: child.Child) -> None:
    """Run until `process.stopping`."""
    await NotifierProcess(process).serve()
