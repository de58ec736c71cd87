"""The proxy process: client ⇄ model, Exchanges → the recorder, the ledger → metrics."""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import resource
import secrets
import socket
import time
from typing import Any

from monitor import logs
from monitor.assembly import connections
from monitor.assembly.upstream_connector import UpstreamConnector
from monitor.proxy import http2, observer, websocket
from monitor.proxy.clock import WallClock
from monitor.proxy.copies import Budget
from monitor.proxy.deferral import Deferral
from monitor.proxy.fullness import Fullness
from monitor.proxy.handoff import Handoff
from monitor.proxy.heads import Ambiguous
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.proxy.listener import Listener
from monitor.proxy.observer import Observer, Upgraded
from monitor.proxy.splice import Splice
from monitor.supervision import child, garbage
from monitor.supervision.ledger_snapshot import VARIABLE, SnapshotFile
from monitor.tasks import forever, own, until_beat
from monitor.types import Measurement

LABEL_SECONDS = 2.0
"""Seconds that a scrape waits for the Receipts, and so the labels, of what had arrived before it. A
recorder that starts or is busy has sent them by then. Without a Receipt they are `unknown`."""
FLUSH_PATIENCE = 8.0
"""Seconds after `drain.delay` and `drain.timeout` in which recorders may answer: two less than
the supervisor leaves the proxies, who would be killed at the end of their patience."""
REASONS = (*observer.OPAQUE_REASONS, *http2.OPAQUE_REASONS, *websocket.OPAQUE_REASONS)
SNAPSHOT_SECONDS = 0.25
FOLLOW_SECONDS = 0.5
STEP_SECONDS = 1.0
"""Seconds by which the system's clock must be set for a line in the log."""
TRIM_BYTES = 8 << 20
"""Bytes in the buffer that are an outage: when it ends, the system gets its memory back."""
EMPTY_BYTES = 512 << 10
RETAINED_BYTES = 4 << 20
"""Free bytes that the allocator may keep. Fetching pages from the system for each exchange would
cost more than parsing it."""


async def serve(process: child.Child) -> None:
    """Run until `process.stopping`, then drain."""
    settings = process.settings
    budget = Budget(settings.capture.buffer_bytes, random.random)
    ledger = Ledger()
    snapshots = SnapshotFile(int(os.environ[VARIABLE]))
    if (snapshot := snapshots.read()) is not None:
        ledger.resume(snapshot)
    ids = Ids(secrets.randbits(34), time.time)
    handoff = Handoff(
        str(process.runtime / f"recorder-{process.index}.sock"),
        budget,
        ledger,
        ids,
        save=snapshots.write,
        clock=time.time,
        gather=lambda most: deferral.settle(most),  # noqa: PLW0108  made below
    )
    deferral = Deferral(budget, handoff.expect)
    clock = WallClock(time.time, time.monotonic)
    connector = UpstreamConnector(settings, logs.log)

    shared: dict[str, Any] = {
        "emit": handoff.offer,
        "lose": ledger.lose,
        "max_body_bytes": settings.capture.max_body_bytes,
        "budget": budget,
    }
    common = {**shared, "new_id": ids.new, "started_unix": clock.unix}

    def observe(splice: Splice) -> Observer:
        named = splice.name_answers() if settings.edits.exchange_id else None

        def become(kind: str, upgraded: Upgraded | None) -> Observer | None:
            if upgraded is None:
                return http2.Http2(opaque=splice.opaque, named=named, **common)
            try:
                return websocket.WebSocket(upgraded, opaque=splice.opaque, **shared)
            except Ambiguous:  # an unknown extension
                return None

        splice.edits = connector.edits(splice.peer)
        return Http1FastPath(
            Http1Parser(
                opaque=splice.opaque, become=become, decided=splice.decided, named=named, **common
            )
        )

    listener = Listener(
        socket.socket(fileno=int(os.environ["MONITOR_TRAFFIC_FD"])),
        connector.dial,
        observe,
        limit=_limit(settings.limits.connections),
        connect_timeout=settings.timeouts.connect,
        idle_timeout=settings.timeouts.idle,
        tls=connector.shown if settings.tls.cert else None,
        before_dial=connector.before_dial,
        log=logs.warning,
        deferral=deferral,
    )

    async def measure() -> list[Measurement]:
        await handoff.label(LABEL_SECONDS)
        handoff.save_snapshot()  # before the scrape has it: no counter may go back
        return [
            *ledger.measurements(settings.endpoint),
            *_measurements(listener, budget, settings.endpoint),
        ]

    process.measure = measure
    _prepare()
    listener.open()
    process.ready()
    trimming = own(forever(lambda: _trim(handoff, budget), "giving memory back"), "trimming")
    saving = own(forever(lambda: _save_snapshots(handoff), "writing the ledger"), "keeping")
    following = own(forever(lambda: _follow(clock), "following the clock"), "following")
    full = Fullness(budget.bound, ledger.lost["buffer_full"], logs.log)
    telling = own(forever(lambda: _tell(full, ledger), "telling of the buffer"), "telling")
    await process.stopping.wait()
    drain = settings.drain
    end = time.monotonic() + drain.delay + drain.timeout + FLUSH_PATIENCE
    await listener.drain(drain.delay, drain.timeout)
    if lost := await handoff.drain(end - time.monotonic()):
        logs.warning(
            f"exchanges not recorded when the drain ended, which are lost (shutdown): {lost:,}"
        )
    trimming.cancel()
    saving.cancel()
    following.cancel()
    telling.cancel()


def _measurements(listener: Listener, budget: Budget, endpoint: str) -> list[Measurement]:
    base = {"endpoint": endpoint}
    opaque = {**dict.fromkeys(REASONS, 0), **listener.opaque}
    return [
        Measurement("monitor_buffer_bytes", base, budget.used),
        Measurement("monitor_connections_open", base, len(listener)),
        Measurement("monitor_connections_total", base, listener.accepted),
        Measurement("monitor_connections_refused_total", base, listener.refused),
        *(
            Measurement("monitor_connections_opaque_total", {**base, "reason": reason}, count)
            for reason, count in opaque.items()
        ),
    ]


def _limit(wanted: int | None) -> int:
    """Take all file descriptors there are; return how many connections to allow."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return connections.served(wanted, connections.descriptors())


def _prepare() -> None:
    """Let the garbage collector run seldom, and the allocator keep some free memory."""
    garbage.begin()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it
    if mallopt is not None:
        mallopt(-1, RETAINED_BYTES)  # M_TRIM_THRESHOLD
        mallopt(-3, RETAINED_BYTES)  # M_MMAP_THRESHOLD


async def _beat(period: float) -> None:
    """Sleep until the next multiple of `period` seconds."""
    await asyncio.sleep(until_beat(asyncio.get_running_loop().time(), period))


async def _save_snapshots(handoff: Handoff) -> None:
    """Save the ledger regularly for a successor, in case this process is killed."""
    while True:
        await _beat(SNAPSHOT_SECONDS)
        handoff.save_snapshot()


async def _follow(clock: WallClock) -> None:
    """Follow the system's clock: a record from the future would close windows too early."""
    while True:
        await _beat(FOLLOW_SECONDS)
        moved = clock.follow()
        if abs(moved) > STEP_SECONDS:
            logs.warning(
                f"the system clock was set by {moved:+.1f} s; new exchanges use the new time"
            )


async def _tell(full: Fullness, ledger: Ledger) -> None:
    """Say in the log that the buffer is full, and that it has room again."""
    while True:
        await _beat(1.0)
        full.look(ledger.lost["buffer_full"], time.monotonic())


async def _trim(handoff: Handoff, budget: Budget) -> None:
    """Give memory back to the system after an outage, and not only to the allocator: as the buffer
    empties, and once more when hardly anything is left in it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    peak, is_unfinished = 0, False
    while True:
        await _beat(1.0)
        peak = max(peak, budget.used)
        if peak > TRIM_BYTES and budget.used < peak / 4:
            peak, is_unfinished = budget.used, True
        elif is_unfinished and budget.used < EMPTY_BYTES:
            is_unfinished = False
        else:
            continue
        handoff.shrink()
        if trim is not None:
            trim(0)
