"""The pages process: samples of all children → the admin port, and an OpenTelemetry collector.

No traffic passes here. If the process dies, freezes or runs out of memory, the supervisor starts
another. The admin socket never closes, because the supervisor holds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import uuid
from pathlib import Path

import msgspec

import monitor
from monitor import logs, resource, tasks
from monitor.alerting.store import AlertStore
from monitor.api import access, bodies, headers
from monitor.api.door import Door, Server
from monitor.api.pages import application
from monitor.assembly import tracing
from monitor.assembly.certificates import LOOK_EVERY, Validities, flaws
from monitor.assembly.feedback_intake import Intake, Taken
from monitor.assembly.reviewing import arms_of, queue_of
from monitor.assembly.system import RunningSystem
from monitor.conventions import Conventions
from monitor.errors import SilentError
from monitor.exporters.otlp import OtlpExporter
from monitor.exporters.prometheus import render
from monitor.otlp import grpc
from monitor.otlp.transport import Transport
from monitor.proxy.tls import H1, Certificate
from monitor.review.desk import Desk
from monitor.review.queue import ReviewQueue
from monitor.settings.addresses import address, is_loopback
from monitor.settings.schema import Settings
from monitor.supervision import child, process_metrics
from monitor.supervision.answers import Answers
from monitor.types import Measurement
from monitor.web import FastAPI

ADMIN = "MONITOR_ADMIN_FD"
FEEDBACK_SECONDS = 30.0
"""Seconds in which feedback must be read and safe; clients seldom wait for longer."""
LAST_ANSWERS = 1
"""Seconds that an open answer may still take when this process stops."""


class Pages:
    """Collects the samples of all processes of this command."""

    def __init__(self, process: child.Child) -> None:
        self._process = process
        self._settings = process.settings
        self._answers = Answers(process.runtime)
        self._feedback = Intake(self._settings, within=FEEDBACK_SECONDS)
        self._certificates = Validities(self._settings)
        path = self._settings.access.tokens
        self._tokens = access.Tokens(Path(path), logs.warning) if path else None
        self._system = RunningSystem(
            self._settings, measure=self._count, document=self._document, status=self._status
        )
        self._queue: ReviewQueue | None = None
        self._alerts: AlertStore | None = None
        self._known = child.Status(ready=False, children=[], others=[])
        self._traces = tracing.is_on(self._settings)
        self._exporter: OtlpExporter | None = None
        if self._settings.otlp.endpoint:
            self._exporter = OtlpExporter(
                self._settings.otlp.endpoint,
                version=monitor.__version__,
                sender=resource.attributes(monitor.__version__, os.environ),
                started=time.time(),
                timeout=self._settings.otlp.interval,
                transport=_transport(self._settings),
                conventions=Conventions(self._settings.otlp.conventions),
                log=logs.log,
            )

    async def serve(self) -> None:
        """Answer on the admin port and push to the collector until `stopping`."""
        pages = application(
            self.measure, self._findings, self._is_ready, render, version=monitor.__version__,
            take=self._take, desk=self._desk, system=lambda: self._system,
            silenced=self._silences, new_id=lambda: str(uuid.uuid4()), clock=time.time,
        )  # fmt: skip
        self._add_console(pages)
        tls = self._settings.access.tls
        shown = Certificate(tls.cert, tls.key, logs.log, "access.tls") if tls.cert else None
        server = Server(self._guarded(pages), self._process.stopping, LAST_ANSWERS)
        admin = socket.socket(fileno=int(os.environ[ADMIN]))
        door = Door(admin, server, (lambda: shown.context((H1,))) if shown else None)
        serving = tasks.own(server.serve([]), "the admin port")
        door.open()
        looking = tasks.own(tasks.forever(self._look, "certificates"), "certificates")
        pushing = None
        if self._exporter:
            pushing = tasks.own(tasks.forever(self._push, "otlp"), "otlp")
        stopping = tasks.own(self._process.stopping.wait(), "stopping")
        self._process.ready()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        door.close()
        looking.cancel()
        if pushing and self._exporter:
            pushing.cancel()
            self._exporter.close()
        await serving
        self._answers.close()
        await self._feedback.close()
        await self._system.close()
        if self._queue is not None:
            await self._queue.close()
        if self._alerts is not None:
            await self._alerts.close()

    def _add_console(self, pages: FastAPI) -> None:
        from monitor.console.pages import add_to

        tokens = self._tokens
        add_to(
            pages, lambda: self._system, desk=self._desk, clock=time.time,
            reader_of=lambda request: access.reader_of(request.scope),
            signs_in=(lambda token: tokens.holder(token) is not None) if tokens else None,
            body=bodies.body,
        )  # fmt: skip

    def _guarded(self, pages: access.App) -> headers.Headers:
        settings = self._settings
        guard = access.Guard(
            pages,
            tokens=self._tokens,
            is_exposed=not is_loopback(address(settings.admin, "admin")[0]),
            clock=time.monotonic,
        )
        return headers.Headers(guard)

    async def measure(self) -> list[Measurement]:
        """Return all samples of all processes."""
        status = await self._status()
        return self._with_ours(status, await self._answers.measurements(status))

    async def _count(self) -> list[Measurement]:
        """Return the same without what the analyzer finds."""
        status = await self._status()
        return self._with_ours(status, await self._answers.counts(status))

    def _with_ours(self, status: child.Status, samples: list[Measurement]) -> list[Measurement]:
        """Add what is known of processes from outside."""
        settings = self._settings
        own = {"endpoint": settings.endpoint}
        samples += self._process.failures()
        samples += self._certificates.measurements()
        running = list(status.others)
        restarted = [(role, restarts) for role, _, _, restarts in status.children]
        if status.store_restarts is not None:
            restarted.append(("store", status.store_restarts))
        for role, restarts in restarted:
            samples.append(Measurement("monitor_restarts_total", {**own, "role": role}, restarts))
        for role, _, pid, _ in status.children:
            if pid:
                running.append((role, pid))
        samples += process_metrics.measurements(settings.endpoint, running)
        if any(role == "proxy" for role, *_ in status.children):
            buffers = settings.workers * settings.capture.buffer_bytes
            spools = settings.workers * settings.spool.max_bytes
            for place, limit in (("buffer", buffers), ("spool", spools)):
                samples.append(Measurement("monitor_limit_bytes", {**own, "place": place}, limit))
            samples += _objectives(settings)
            if self._traces:
                samples.append(tracing.lost(settings, samples))
        version = {**own, "version": monitor.__version__}
        samples.append(Measurement("monitor_build_info", version, 1))
        if self._exporter:
            samples += self._exporter.measurements(settings.endpoint)
        return samples

    async def _findings(self) -> bytes:
        with contextlib.suppress(SilentError):
            return await self._document("findings")
        return b"{}"  # without a verdict: what reads this path polls it, and asks again

    async def _document(self, kind: str) -> bytes:
        return await self._answers.document(kind, await self._status())

    def _desk(self) -> Desk:
        """Where people read exchanges; made when the first comes."""
        settings = self._settings
        if self._queue is None:
            self._queue = queue_of(settings, settings.redis)
        return Desk(self._queue, self._feedback.safe, arms_of(settings))

    def _silences(self) -> AlertStore:
        """Where silences are kept; made when the first is asked for."""
        if self._alerts is None:
            self._alerts = AlertStore(self._settings.redis, self._settings.endpoint)
        return self._alerts

    async def _take(self, body: bytes, are_lines: bool) -> Taken:
        return await self._feedback.take(body, are_lines=are_lines)

    async def _is_ready(self) -> bool:
        return (await self._status()).ready

    async def _status(self) -> child.Status:
        """Return the supervisor's status; of a frozen supervisor the last one, as not ready."""
        with contextlib.suppress(TimeoutError):
            self._known = await self._process.status()
            return self._known
        return msgspec.structs.replace(self._known, ready=False)

    async def _look(self) -> None:
        """Wait for the next look; then warn of each certificate that nobody accepts any more."""
        await asyncio.sleep(LOOK_EVERY)
        for flaw in await asyncio.to_thread(list, flaws(self._settings, time.time())):
            logs.warning(flaw)

    async def _push(self) -> None:
        """Wait one interval, then push all measurements to the collector from a thread."""
        assert self._exporter is not None  # noqa: S101
        await asyncio.sleep(self._settings.otlp.interval)
        measurements = await self.measure()
        await asyncio.to_thread(self._exporter.export, measurements, time.time())


def _transport(settings: Settings) -> Transport | None:
    """Return what carries metrics to the collector, None: OpenTelemetry's exporter over HTTP."""
    if settings.otlp.protocol != "grpc":
        return None
    given = settings.otlp
    return tracing.grpc_transport(given.endpoint, grpc.METRICS, "METRICS", given.interval)


def _objectives(settings: Settings) -> list[Measurement]:
    """What users may expect. One process tells it, because samples of several are added up."""
    told = {
        "monitor_objective_ratio": settings.objectives.shares,
        "monitor_objective_seconds": settings.objectives.seconds,
    }
    return [
        Measurement(metric, {"endpoint": settings.endpoint, "objective": name}, value)
        for metric, objectives in told.items()
        for name, value in objectives.items()
    ]


async def serve(process: child.Child) -> None:
    """Run until `process.stopping`."""
    _give_up_first()
    await Pages(process).serve()


def _give_up_first() -> None:
    """Let the system kill this process before the others when memory runs out; Linux only."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
