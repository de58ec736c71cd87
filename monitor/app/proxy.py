"""The proxy's process: client ⇄ model, Exchanges → the recorder, the ledger → metrics."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import ipaddress
import os
import resource
import secrets
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from monitor import config
from monitor.app import child
from monitor.proxy import tls
from monitor.proxy.copies import Budget
from monitor.proxy.edits import Edits
from monitor.proxy.gate import Gate
from monitor.proxy.handoff import Handoff
from monitor.proxy.http1 import Http1, Upgraded
from monitor.proxy.http2 import Http2
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.proxy.observer import OPAQUE_REASONS, Observer
from monitor.proxy.splice import Side, Splice
from monitor.types import Measurement

LABEL_PATIENCE = 2.0
"""Seconds that a scrape waits for the Fates, and so the labels, of what had ended before it: a
recorder that is starting or busy has told them by then; without one they are `unknown`."""
FLUSH_PATIENCE = 10.0
WORTH_TRIMMING = 8 << 20


def log(text: str) -> None:
    """One line for a person, on stderr."""
    print(f"monitor: {text}", file=sys.stderr, flush=True)


async def serve(process: child.Child) -> None:
    """Run until `process.stopping`, then drain."""
    settings = process.settings
    budget = Budget(settings.capture.buffer_bytes)
    ledger = Ledger()
    ids = Ids(secrets.randbits(34), time.time)
    handoff = Handoff(str(process.runtime / f"recorder-{process.index}.sock"), budget, ledger, ids)
    wall = time.time() - time.monotonic()

    common: dict[str, Any] = {
        "emit": handoff.offer,
        "lose": handoff.lose,
        "new_id": ids.new,
        "started_unix": lambda at: at + wall,
        "max_body_bytes": settings.capture.max_body_bytes,
        "budget": budget,
    }

    def observer(splice: Splice) -> Observer:
        def become(kind: str, upgraded: Upgraded | None) -> Observer | None:
            return Http2(opaque=splice.opaque, **common) if kind == "http2" else None

        splice.edits = edits(splice.peer)
        return Http1(opaque=splice.opaque, become=become, decided=splice.decided, **common)

    url = urlsplit(settings.upstream)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    edits, only_h1 = _edits(settings.edits, url)
    pem = settings.tls
    certificate = tls.Certificate(pem.cert, pem.key, log) if pem.cert else None
    secure = None
    if url.scheme == "https":
        secure = tls.Upstream(
            host, port, ca=pem.ca, client_cert=pem.client_cert, client_key=pem.client_key, log=log
        )

    async def protocols() -> tuple[str, ...]:
        return (tls.H1,) if secure is None or only_h1 else await secure.protocols()

    async def shown() -> ssl.SSLContext | None:
        return None if certificate is None else certificate.context(await protocols())

    async def before_dial(splice: Splice) -> None:
        """Without TLS nobody says what the client speaks until it does."""
        if certificate is None and tls.H2 in await protocols():
            await splice.first(len(b"PRI"))

    async def dial(side: Side) -> None:
        if secure is None:
            await loop.create_connection(lambda: side, host, port)
        else:
            await secure.connect(side, side.splice.speaks())

    gate = Gate(
        socket.socket(fileno=int(os.environ["MONITOR_TRAFFIC_FD"])),
        dial,
        observer,
        limit=settings.limits.connections,
        connect_timeout=settings.timeouts.connect,
        idle_timeout=settings.timeouts.idle,
        tls=shown if certificate else None,
        before_dial=before_dial,
    )

    async def measure() -> list[Measurement]:
        now = time.monotonic()
        await handoff.settled(now, LABEL_PATIENCE)
        ledger.label(now)
        return [
            *ledger.measurements(settings.endpoint),
            *_measurements(gate, budget, settings.endpoint),
        ]

    process.measure = measure
    _prepare()
    gate.open()
    process.ready()
    trimming = loop.create_task(_trim(handoff, budget))
    await process.stopping.wait()
    await gate.drain(settings.drain.delay, settings.drain.timeout)
    await handoff.drain(FLUSH_PATIENCE)
    trimming.cancel()


def _edits(wanted: config.Edits, url: SplitResult) -> tuple[Callable[[str], Edits | None], bool]:
    """Makes the edits of a connection by its peer's address; True where HTTP/2 is refused."""
    rewrite = wanted.host == "always" or (wanted.host == "auto" and _is_remote(url.hostname or ""))
    host = url.netloc.rpartition("@")[2].encode() if rewrite else b""
    required = wanted.host == "always" or wanted.forwarded_for

    def make(peer: str) -> Edits | None:
        if not (host or wanted.forwarded_for):
            return None
        forwarded = peer.encode() if wanted.forwarded_for else b""
        return Edits(host=host, peer=forwarded, required=required)

    return make, required


def _is_remote(host: str) -> bool:
    """
    >>> [_is_remote(host) for host in ("localhost", "127.0.0.2", "::1", "api.example.com")]
    [False, False, False, True]
    """
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


def _measurements(gate: Gate, budget: Budget, endpoint: str) -> list[Measurement]:
    base = {"endpoint": endpoint}
    opaque = {**dict.fromkeys(OPAQUE_REASONS, 0), **gate.opaque}
    return [
        Measurement("monitor_buffer_bytes", base, budget.used),
        Measurement("monitor_connections", base, len(gate)),
        Measurement("monitor_connections_total", base, gate.accepted),
        Measurement("monitor_connections_refused_total", base, gate.refused),
        *(
            Measurement("monitor_connections_opaque_total", {**base, "reason": reason}, count)
            for reason, count in opaque.items()
        ),
    ]


def _prepare() -> None:
    """Room for connections, and a garbage collector that stays out of the way."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _trim(handoff: Handoff, budget: Budget) -> None:
    """After an outage, give memory back to the system and not only to the allocator."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    peak = 0
    while True:
        await asyncio.sleep(1.0)
        peak = max(peak, budget.used)
        if peak > WORTH_TRIMMING and budget.used < peak / 4:
            peak = budget.used
            handoff.shrink()
            if trim is not None:
                trim(0)


if __name__ == "__main__":
    child.main("proxy", serve)
