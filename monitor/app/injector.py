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
from collections import Counter
from pathlib import Path

import setproctitle
import uvicorn
import uvloop
from fastapi import FastAPI

import monitor
from monitor import logs
from monitor.api import admission as pages
from monitor.api.door import Door, Server
from monitor.app.certificates import LOOK_EVERY, Validities
from monitor.app.cluster import Cluster
from monitor.errors import ConfigError, ParseError
from monitor.exporters.prometheus import render
from monitor.inject import admission, decision
from monitor.inject.admission import Review
from monitor.inject.container import IMAGE
from monitor.inject.decision import Decision, Defaults
from monitor.inject.reasons import REASONS, UNCAPTURED, Refusal
from monitor.proxy import tls
from monitor.proxy.tls import H1, Certificate
from monitor.settings import load
from monitor.settings.schema import Settings
from monitor.supervision import listeners, process_metrics
from monitor.tasks import forever, own
from monitor.types import Measurement

LAST_ANSWERS = 2
"""Seconds that an open answer may still take at the end: the API server waits no longer."""
NAMESPACE = "namespace"
"""The file of a service account that holds its namespace."""


def defaults_of(settings: Settings, *, asked: bool = False, namespace: str = "") -> Defaults:
    """Return what Pods get that say nothing else."""
    given = settings.injector
    return Defaults(
        image=given.image or IMAGE,
        secret=given.secret,
        config=given.config,
        minor=given.kubernetes_minor,
        asked=asked,
        namespace=namespace,
    )


def serve(settings: Settings, cluster: Cluster | None = None) -> int:
    """Answer until SIGTERM or SIGINT; return the exit code.

    Raises ConfigError if an address cannot be bound or the certificate not be used.
    """
    given = settings.tls
    shown = Certificate(given.cert, given.key, logs.log) if given.cert or given.key else None
    logs.start("injector", settings.log)
    for name in load.unknown_variables():
        logs.warning(f"{name} is not a setting and is ignored; CONFIGURATION.md lists them")
    setproctitle.setproctitle("monitor: injector")
    with listeners.bound(settings, proxy=True) as (traffic, admin):
        for spare in traffic[1:]:
            spare.close()
        return uvloop.run(_Injector(settings, cluster, shown).run(traffic[0], admin))


class _Injector:
    def __init__(
        self, settings: Settings, cluster: Cluster | None, shown: Certificate | None
    ) -> None:
        self._settings = settings
        self._cluster = cluster or Cluster.around(os.environ)
        self._shown = shown
        self._defaults = defaults_of(settings, namespace=_namespace())
        self._counts: Counter[tuple[str, str]] = Counter()
        # A series that is born with its first count would hide it from increase().
        for result, reason in (
            ("injected", ""), ("injected", UNCAPTURED), *((REASONS[one], one) for one in REASONS),
        ):  # fmt: skip
            self._counts[result, reason] = 0
        self._certificates = Validities(settings, serves=True)
        self._stopping = asyncio.Event()

    async def run(self, traffic: socket.socket, admin: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        shown = self._shown
        context = (lambda: shown.context((H1,))) if shown else None
        doors = []
        version = monitor.__version__
        for app, listener, tls_ in (
            (pages.webhook(self.mutate, version), traffic, context),
            (pages.admin(self.measure, render, version), admin, None),
        ):
            server = _server(app, self._stopping)
            door = Door(listener, server, tls_)
            serving = own(server.serve([]), "the injector")
            door.open()
            doors.append((door, serving))
        looking = own(forever(self._look, "certificates"), "certificates")
        self._announce(traffic, admin)
        await self._stopping.wait()
        logs.info("ending: open answers are given, and no more are taken")
        for door, _ in doors:
            door.close()
        looking.cancel()
        for _, serving in doors:
            await serving
        with contextlib.suppress(OSError):
            self._run_file.unlink()
        return 0

    async def mutate(self, body: bytes | None) -> bytes:
        """Return the answer to a body. Whatever happens, it allows."""
        review: Review | None = None
        try:
            if body is None:
                raise ParseError("the body is too long, or did not come")  # noqa: TRY301
            review = admission.read(body)
            found = await self._decided(review)
        except ParseError as error:
            found = decision.refused(None, None, Refusal("unreadable", str(error)))
        except Exception as error:  # noqa: BLE001  no defect of ours keeps a Pod from starting
            logs.error(f"a Pod was admitted as it is: {logs.place(error)}")
            found = decision.refused(None, None, Refusal("error", "a defect of monitor"))
        self._counts[found.result, found.reason] += 1
        return admission.answer(review, found)

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
        logs.info(f"webhook {scheme}://{_name(traffic)}/mutate")
        if not self._shown:
            logs.warning("tls.cert: is not set, and API servers call webhooks by https alone")
        logs.info(f"admin   http://{_name(admin)}/metrics")
        where = "asked whether Secrets and ConfigMaps are there" if self._cluster else (
            "not asked: Secrets and ConfigMaps are taken to be there"
        )  # fmt: skip
        logs.info(f"cluster {where}")
        document = {
            "listen": _name(traffic), "admin": _name(admin), "redis": None,
            "pids": {"injector": [os.getpid()]},
        }  # fmt: skip
        try:
            self._run_file.parent.mkdir(parents=True, exist_ok=True)
            self._run_file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            logs.info(f"{self._run_file} is not written: {error.strerror}")


def _server(app: FastAPI, stopping: asyncio.Event) -> Server:
    return Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=LAST_ANSWERS,
        ),
        stopping,
    )


def _namespace() -> str:
    """Our own namespace; empty outside of a cluster."""
    from monitor.app.cluster import ACCOUNT

    with contextlib.suppress(OSError, ValueError):
        return (ACCOUNT / NAMESPACE).read_text(encoding="utf-8").strip()
    return ""


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
