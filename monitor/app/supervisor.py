"""Composition of `run`, `sidecar`, `analyze`: sockets first, then children, then the admin port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import monitor
from monitor import config, logs
from monitor.app import check, costs, estate, keyring, listeners
from monitor.app.control import Control
from monitor.app.processes import Kept
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.privacy.pseudonyms import fingerprint
from monitor.types import Measurement
from monitor.urls import shown

if TYPE_CHECKING:
    import uvicorn

    from monitor.exporters.otlp import OtlpExporter
    from monitor.store import EmbeddedStore

PROXY_SECONDS, RECORDER_SECONDS = 1.0, 5.0
"""How long the recorders, and what else needs time to start, wait for the proxies; and the admin
pages for the recorders. What starts side by side takes the cores from what is needed first."""

FLUSH_SECONDS = 15.0
"""How long a role may take, beyond the drain, to hand over what it still holds."""


@dataclass(frozen=True)
class Roles:
    """Which children a command runs."""

    proxy: bool
    analyzer: bool


RUN = Roles(proxy=True, analyzer=True)
SIDECAR = Roles(proxy=True, analyzer=False)
ANALYZE = Roles(proxy=False, analyzer=True)


def supervise(settings: Settings, roles: Roles) -> int:
    """Run until SIGTERM or SIGINT, drain, return the exit code.

    Raises ConfigError when an address cannot be bound or the data directory cannot be used.
    """
    logs.start("supervisor", settings.log)
    for name in config.unknown_variables():
        logs.warning(f"{name} is not a setting; ignored")
    check.verify(settings, proxy=roles.proxy, analyzer=roles.analyzer)
    data = Path(settings.data)
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"data: {data}: {error.strerror}") from None
    if roles.proxy:
        keyring.keyring(settings)  # one process makes the key
    runtime = Path(tempfile.mkdtemp(prefix="monitor-"))
    try:
        with listeners.bound(settings, proxy=roles.proxy) as (traffic, admin):
            return asyncio.run(_Supervisor(settings, roles, runtime, traffic, admin).run())
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


class _Supervisor:
    def __init__(
        self,
        settings: Settings,
        roles: Roles,
        runtime: Path,
        traffic: list[socket.socket],
        admin: socket.socket,
    ) -> None:
        self._settings = settings
        self._roles = roles
        self._runtime = runtime
        self._traffic = traffic
        self._admin = admin
        self._control = Control()
        self._children: list[Kept] = []
        self._draining = False
        self._stop = asyncio.Event()
        self._store: EmbeddedStore | None = None
        self._exporter: OtlpExporter | None = None
        self._pusher: asyncio.Task[None] | None = None

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._heard, number)
        await self._prepare_store()
        self._write(self._runtime / "settings.json", msgspec.json.encode(self._settings))
        await self._control.listen(self._runtime / "control.sock")
        try:
            await self._start_children()
            if self._store:
                await self._store.start()
            self._announce()
            await self._are_ready("recorder", RECORDER_SECONDS)
            server = self._admin_server()
            serving = loop.create_task(server.serve([self._admin]))
            if self._settings.otlp.endpoint:
                self._pusher = loop.create_task(self._push())
            code = await self._wait()
        finally:
            await self._drain()
            (Path(self._settings.data) / "run.json").unlink(missing_ok=True)
        server.should_exit = True
        await serving
        await self._control.close()
        return code

    def _heard(self, number: signal.Signals) -> None:
        if not self._stop.is_set():
            logs.info(f"{number.name}: draining, then the end")
        self._stop.set()

    # --- start ------------------------------------------------------------------------------

    async def _prepare_store(self) -> None:
        if self._settings.redis:
            return
        from monitor.store import DIRECTORY, EmbeddedStore

        self._store = EmbeddedStore(Path(self._settings.data) / DIRECTORY, log=logs.warning)
        await self._store.reserve()
        self._settings = msgspec.structs.replace(self._settings, redis=self._store.url)

    async def _start_children(self) -> None:
        workers = range(self._settings.workers) if self._roles.proxy else ()
        for index in workers:
            traffic, ledger = self._traffic[index].fileno(), estate.found()
            self._add("proxy", index, {"MONITOR_TRAFFIC_FD": traffic, estate.VARIABLE: ledger})
        await self._are_ready("proxy", PROXY_SECONDS)
        for index in workers:
            self._add("recorder", index)
        if self._roles.analyzer:
            self._add("analyzer", 0)

    def _add(self, role: str, index: int, files: Mapping[str, int] | None = None) -> None:
        child = Kept(
            role,
            index,
            self._runtime,
            log=logs.warning,
            changed=self._write_run,
            was_ready=lambda: self._control.was_ready(role, index),
            files=files or {},
        )
        self._children.append(child)
        child.start()

    async def _are_ready(self, role: str, patience: float) -> None:
        """Give the children of this role the machine first, for a while."""
        children = [child for child in self._children if child.role == role]
        end = time.monotonic() + patience
        while time.monotonic() < end and not all(  # noqa: ASYNC110  twice, at the start
            self._control.was_ready(role, child.index) or child.unusable.is_set()
            for child in children
        ):
            await asyncio.sleep(0.005)

    def _announce(self) -> None:
        settings = self._settings
        if self._roles.proxy:
            scheme = "https" if settings.tls.cert else "http"
            logs.info(f"traffic {scheme}://{_name(self._traffic[0])} -> {shown(settings.upstream)}")
            current = keyring.keyring(settings).current
            logs.info(f"key     {current.id}, fingerprint {fingerprint(current)}")
        logs.info(f"admin   http://{_name(self._admin)}/metrics")
        kind = "embedded Valkey, " + str(Path(settings.data) / "store") if self._store else "given"
        logs.info(f"store   {shown(settings.redis)} ({kind})")

    def _write_run(self) -> None:
        pids = {
            role: [child.pid for child in self._children if child.role == role and child.pid]
            for role in ("proxy", "recorder", "analyzer")
        }
        document = {
            "listen": _name(self._traffic[0]) if self._traffic else None,
            "admin": _name(self._admin),
            "redis": shown(self._settings.redis),
            "pids": pids,
        }
        text = json.dumps(document, indent=2) + "\n"
        self._write(Path(self._settings.data) / "run.json", text.encode())

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        """Whole or not at all; private, because the settings may hold passwords."""
        new = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        new.replace(path)

    def _admin_server(self) -> uvicorn.Server:
        # Imported here: the proxies are on their way before this second of imports begins.
        import uvicorn

        from monitor.admin import application
        from monitor.exporters.prometheus import render

        class Server(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Generator[None]:
                yield  # the supervisor hears the signals; uvicorn would end before the drain

        app = application(self._measure, self._control.findings, self._is_ready, render)
        return Server(
            uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", ws="none")
        )

    # --- at work ----------------------------------------------------------------------------

    def _is_ready(self) -> bool:
        role = "proxy" if self._roles.proxy else "analyzer"
        return not self._draining and self._control.is_ready(role)

    async def _measure(self) -> list[Measurement]:
        own = {"endpoint": self._settings.endpoint}
        samples = await self._control.measurements()
        for child in self._children:
            labels = {**own, "role": child.role}
            samples.append(Measurement("monitor_restarts_total", labels, child.restarts))
        running = [(child.role, child.pid) for child in self._children if child.pid]
        running.append(("supervisor", os.getpid()))
        if self._store and self._store.pid:
            running.append(("store", self._store.pid))
        samples += costs.measurements(self._settings.endpoint, running)
        if self._roles.proxy:
            buffers = self._settings.workers * self._settings.capture.buffer_bytes
            spools = self._settings.workers * self._settings.spool.max_bytes
            for place, limit in (("buffer", buffers), ("spool", spools)):
                samples.append(Measurement("monitor_limit_bytes", {**own, "place": place}, limit))
        version = {**own, "version": monitor.__version__}
        samples.append(Measurement("monitor_build_info", version, 1))
        if self._exporter:
            samples += self._exporter.measurements(self._settings.endpoint)
        return samples

    async def _push(self) -> None:
        """Send every measurement to the OpenTelemetry collector, each interval, from a thread."""
        from monitor.exporters.otlp import OtlpExporter

        settings = self._settings.otlp
        exporter = OtlpExporter(
            settings.endpoint,
            version=monitor.__version__,
            started=time.time(),
            timeout=settings.interval,
            log=logs.warning,
        )
        self._exporter = exporter
        while True:
            await asyncio.sleep(settings.interval)
            measurements = await self._measure()
            await asyncio.to_thread(exporter.export, measurements, time.time())

    async def _wait(self) -> int:
        stop = asyncio.ensure_future(self._stop.wait())
        unusable = [asyncio.ensure_future(child.unusable.wait()) for child in self._children]
        done, rest = await asyncio.wait([stop, *unusable], return_when=asyncio.FIRST_COMPLETED)
        for future in rest:
            future.cancel()
        return 0 if stop in done else 2

    # --- the end ----------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Proxies first, while what they flush into still works; each role once the one before
        it has nothing left to give."""
        self._draining = True
        if self._pusher:
            self._pusher.cancel()
        drain = self._settings.drain
        await self._stop_role("proxy", drain.delay + drain.timeout + FLUSH_SECONDS)
        await self._stop_role("recorder", FLUSH_SECONDS)
        await self._stop_role("analyzer", FLUSH_SECONDS)
        if self._store:
            await self._store.stop()

    async def _stop_role(self, role: str, patience: float) -> None:
        stops = (child.stop(patience) for child in self._children if child.role == role)
        await asyncio.gather(*stops)


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
