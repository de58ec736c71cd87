"""The injector: AdmissionReviews → answers on the traffic port; metrics on the admin port.

It is one process without children, since Kubernetes starts it again and keeps several. It needs no
store, and no other injector: none is a leader.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import requests
import setproctitle
import uvloop

import monitor
from monitor import logs
from monitor.api import admission as pages
from monitor.api.door import Door, Server
from monitor.assembly.certificates import LOOK_EVERY, Validities
from monitor.assembly.injection import defaults_of, flaw_of
from monitor.errors import ConfigError, ParseError
from monitor.exporters.prometheus import render
from monitor.inject import admission, decision
from monitor.inject.admission import Review
from monitor.inject.cluster import ACCOUNT, Cluster, ConflictError
from monitor.inject.decision import Decision
from monitor.inject.reasons import REASONS, UNCAPTURED, Refusal
from monitor.inject.rotation import AGAIN, TURN, Rotation
from monitor.proxy import tls
from monitor.proxy.tls import H1, Certificate
from monitor.settings import load
from monitor.settings.schema import Settings, Tls
from monitor.supervision import data_lock, listeners, process_metrics
from monitor.tasks import forever, own, rest
from monitor.types import Measurement
from monitor.web import FastAPI

SAY_EVERY = 60.0
"""Seconds in which the same reason is said once; the metric counts each."""
LAST_ANSWERS = 2
"""Seconds that an open answer may still take at the end: the API server waits no longer."""
CERTIFICATE = "tls.pem"
"""The file of the data directory for a certificate of our own, and its key."""
FAULTS = (requests.RequestException, ConflictError, OSError, ValueError)
"""What a turn of the rotation may raise: the API server is away, refuses, or is of two minds."""
NAMESPACE = "namespace"
"""The file of a service account that holds its namespace."""


def serve(settings: Settings, cluster: Cluster | None = None) -> int:
    """Answer until SIGTERM or SIGINT; return the exit code.

    Raises ConfigError if an address cannot be bound or the certificate not be used.
    """
    cluster = cluster or Cluster.around(os.environ, clock=time.monotonic, flaw_of=flaw_of)
    injector = _Injector(settings, cluster, rotation_of(settings, cluster))
    logs.start("injector", settings.log)
    for name in load.unknown_variables():
        logs.warning(f"{name} is not a setting and is ignored; CONFIGURATION.md lists them")
    setproctitle.setproctitle("monitor: injector")
    with listeners.bound(settings, proxy=True) as (traffic, admin):
        for spare in traffic[1:]:
            spare.close()
        return uvloop.run(injector.run(traffic[0], admin))


def rotation_of(settings: Settings, cluster: Cluster | None) -> Rotation | None:
    """Return what keeps the certificate, where the injectors do that themselves. Raises ConfigError
    where they cannot."""
    if not settings.injector.rotates:
        return None
    namespace = _namespace()
    if settings.tls.cert or settings.tls.key:
        raise ConfigError("injector.rotates: makes the certificate itself; leave tls.cert out")
    if cluster is None or not namespace:
        raise ConfigError("injector.rotates: works in a cluster with a service account alone")
    file = data_lock.made(Path(settings.data)) / CERTIFICATE
    return Rotation(cluster, namespace, file, time.time, os.urandom)


class _Injector:
    def __init__(
        self, settings: Settings, cluster: Cluster | None, rotation: Rotation | None = None
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._rotation = rotation
        self._defaults = defaults_of(settings, namespace=_namespace())
        self._counts: Counter[tuple[str, str]] = Counter()
        # A series that is born with its first count would hide it from increase().
        for result, reason in (
            ("injected", ""), ("injected", UNCAPTURED), *((REASONS[one], one) for one in REASONS),
        ):  # fmt: skip
            self._counts[result, reason] = 0
        self._said: dict[str, float] = {}
        self._clock = time.monotonic
        self._shown: Certificate | None = None
        self._certificates = Validities(settings, serves=True)
        if rotation is None:
            self._show(settings.tls.cert, settings.tls.key)
        self._stopping = asyncio.Event()
        self._is_ending = False

    async def run(self, traffic: socket.socket, admin: socket.socket) -> int:
        """Answer on both sockets until a signal; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        version = monitor.__version__
        doors = [self._opened(pages.admin(self.measure, render, version), admin, None)]
        tasks = [own(forever(self._look, "certificates"), "certificates")]
        if await self._certified():
            shown = self._shown
            context = (lambda: shown.context((H1,))) if shown else None
            doors.append(self._opened(pages.webhook(self.mutate, version), traffic, context))
            if self._rotation:
                tasks.append(own(forever(self._rotate, "rotation"), "rotation"))
            self._announce(traffic, admin)
        await self._stopping.wait()
        logs.info("ending: open answers are given, and no more are taken")
        for door, _ in doors:
            door.close()
        for task in tasks:
            task.cancel()
        for _, serving in doors:
            await serving
        with contextlib.suppress(OSError):
            self._run_file.unlink()
        return 0

    def _end(self) -> None:
        """End after `drain.delay`, or at once when told again: API servers send Pods here until
        they know that this one ends, and a Pod that finds nobody is admitted without a sidecar."""
        delay = 0.0 if self._is_ending else self._settings.drain.delay
        if delay:
            logs.info(f"Pods are still taken for {delay:g} s (drain.delay)")
        self._is_ending = True
        asyncio.get_running_loop().call_later(delay, self._stopping.set)

    def _opened(
        self, app: FastAPI, listener: socket.socket, context: Callable[[], ssl.SSLContext] | None
    ) -> tuple[Door, asyncio.Task[None]]:
        server = Server(app, self._stopping, LAST_ANSWERS)
        door = Door(listener, server, context)
        serving = own(server.serve([]), "the injector")
        door.open()
        return door, serving

    def _show(self, cert: str, key: str) -> None:
        """Show the certificate of these files. Raises ConfigError."""
        if cert or key:
            self._shown = Certificate(cert, key, logs.log)

    async def _certified(self) -> bool:
        """Wait until there is a certificate that API servers trust; False where this is to end."""
        rotation, said = self._rotation, ""
        while rotation and not self._stopping.is_set():
            try:
                await asyncio.to_thread(rotation.turn)
            except FAULTS as error:
                why = str(error) if isinstance(error, PermissionError) else logs.place(error)
                if why != said:
                    logs.warning(f"no certificate yet: {why}; trying again")
                said = why
                await rest(self._stopping, AGAIN)
            else:
                file = str(Path(self._settings.data) / CERTIFICATE)
                self._settings = msgspec.structs.replace(self._settings, tls=Tls(cert=file))
                self._show(file, "")
                self._certificates = Validities(self._settings, serves=True)
                break
        return not self._stopping.is_set()

    async def _rotate(self) -> None:
        """Wait for the next look; then renew what is due, and show what another has renewed."""
        assert self._rotation is not None  # noqa: S101
        await asyncio.sleep(TURN)
        await asyncio.to_thread(self._rotation.turn)

    async def mutate(self, body: bytes | None) -> bytes:
        """Return the answer to a body. Whatever happens, it allows."""
        review: Review | None = None
        try:
            if body is None:
                raise ParseError("the body is too long, or did not come")  # noqa: TRY301
            review = admission.read(body)
            found = await self._decided(review)
        except ParseError as error:
            if review is None and body is not None:
                review = admission.unread(body)
            found = decision.refused(None, None, Refusal("unreadable", str(error)))
        except Exception as error:  # noqa: BLE001  no defect of ours keeps a Pod from starting
            logs.error(f"a Pod was admitted as it is: {logs.place(error)}")
            found = decision.refused(None, None, Refusal("error", "a defect of monitor"))
        self._counts[found.result, found.reason] += 1
        self._say(found, review)
        return admission.answer(review, found)

    def _say(self, found: Decision, review: Review | None) -> None:
        """Say that somebody's Pod was to have a sidecar and has none; each reason once a minute."""
        if found.result not in ("refused", "failed") or found.reason == "error":
            return  # of a defect its place was said
        now = self._clock()
        last = self._said.get(found.reason)
        if last is not None and now - last < SAY_EVERY:
            return
        self._said[found.reason] = now
        why = found.warnings[0].removeprefix("monitor: ") if found.warnings else "not injected"
        where = f" in the namespace {review.namespace[:63]}" if review and review.namespace else ""
        logs.warning(f"a Pod{where} was admitted as it is ({found.reason}): {why}")

    async def _decided(self, review: Review) -> Decision:
        found = admission.decided(review, self._defaults)
        cluster = self._cluster
        if cluster is None or found.result != "injected" or not (found.secret or found.config):
            return found
        asked = review.namespace, found.secret, found.config
        known = cluster.known(*asked)
        lacks = known[0] if known else await asyncio.to_thread(cluster.lacks, *asked)
        return found if lacks is None else decision.missing(review.document, *lacks)

    def measure(self) -> list[Measurement]:
        """Return what was decided, and what this process costs."""
        own_ = {"endpoint": self._settings.endpoint}
        samples = [
            Measurement("monitor_injections_total", {**own_, "result": result, "reason": reason}, n)
            for (result, reason), n in self._counts.items()
        ]
        samples += self._certificates.measurements()
        samples += process_metrics.measurements(
            self._settings.endpoint, [("injector", os.getpid())]
        )
        version = {**own_, "version": monitor.__version__}
        return [*samples, Measurement("monitor_build_info", version, 1)]

    async def _look(self) -> None:
        """Warn of a certificate that no API server accepts; then wait for the next look."""
        given = self._settings.tls
        if given.cert:
            try:
                context = tls.server_context(given.cert, given.key)
                said = await asyncio.to_thread(tls.flaw, context, given.cert)
            except ConfigError as error:
                said = str(error)
            if said:
                logs.warning(said)
        await asyncio.sleep(LOOK_EVERY)

    @property
    def _run_file(self) -> Path:
        return Path(self._settings.data) / "run.json"

    def _announce(self, traffic: socket.socket, admin: socket.socket) -> None:
        scheme = "https" if self._shown else "http"
        logs.info(f"webhook {scheme}://{listeners.name(traffic)}/mutate")
        if not self._shown:
            logs.warning("tls.cert: is not set, and API servers call webhooks by https alone")
        logs.info(f"admin   http://{listeners.name(admin)}/metrics")
        where = "asked whether Secrets and ConfigMaps are there" if self._cluster else (
            "not asked: Secrets and ConfigMaps are taken to be there"
        )  # fmt: skip
        logs.info(f"cluster {where}")
        document = {
            "listen": listeners.name(traffic), "admin": listeners.name(admin), "redis": None,
            "pids": {"injector": [os.getpid()]},
        }  # fmt: skip
        try:
            self._run_file.parent.mkdir(parents=True, exist_ok=True)
            self._run_file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            logs.info(f"{self._run_file} is not written: {error.strerror}")


def _namespace() -> str:
    """Our own namespace; empty outside of a cluster."""
    with contextlib.suppress(OSError, ValueError):
        return (ACCOUNT / NAMESPACE).read_text(encoding="utf-8").strip()
    return ""
