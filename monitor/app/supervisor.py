"""Composition of `run`, `sidecar`, `analyze`: first sockets, then children, the pages last."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from monitor import logs
from monitor.assembly import certificates, check, connections, explanation, keyring
from monitor.privacy.pseudonyms import fingerprint
from monitor.settings import load
from monitor.settings.schema import Settings
from monitor.supervision import child as child_process
from monitor.supervision import data_lock, ledger_snapshot, listeners, runtime_directory
from monitor.supervision.child import Serve, Status
from monitor.supervision.control import Control
from monitor.supervision.managed_process import ManagedProcess
from monitor.supervision.run_queue import PING_SECONDS, PINGS, Waits
from monitor.tasks import forever, own
from monitor.urls import shown

if TYPE_CHECKING:
    from monitor.supervision.embedded_store import EmbeddedStore

PROXY_SECONDS, RECORDER_SECONDS = 1.0, 5.0
"""Seconds that recorders and analyzer wait for the proxies to start, and the pages for the
recorders. Processes that start at the same time would take the cores from those needed first."""

FLUSH_SECONDS, RESERVED_SECONDS = 15.0, 5.0
"""Seconds that all roles together may take after the drain to pass on what they hold, and how many
of them the proxies must leave to the others."""
PAGES_SECONDS = 2.0
"""Seconds that the pages may take longer, since they end last."""
AIDES = ("archiver", "notifier", "pages")
"""Roles without which the sidecar works, so they are restarted for ever."""
SAME_SIGNAL = 0.1
"""Seconds within which a second signal counts as the first: `timeout` and terminals send two."""
AWAITED = ("proxy", "pages")
"""Roles for which clients or probes wait; they would do so for ever if one of these is frozen."""
DOUBTED = 3.0
"""Pings without an answer, as above, from which on a proxy is not called ready."""
TERMINAL_SECONDS = 2.0
"""Seconds after SIGHUP in which a terminal that ends is gone."""


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

    Raises ConfigError if an address cannot be bound, or the data or temporary directory not used.
    """
    logs.start("supervisor", settings.log)
    for name in load.unknown_variables():
        logs.warning(f"{name} is not a setting and is ignored; CONFIGURATION.md lists them")
    check.verify(settings, proxy=roles.proxy, analyzer=roles.analyzer)
    directory = data_lock.made(Path(settings.data))
    with contextlib.ExitStack() as stack:
        if roles.proxy:
            stack.enter_context(data_lock.held(directory))
            keyring.keyring(settings)  # so that only one process makes the key
        runtime_directory.remove_abandoned()
        runtime, lock = runtime_directory.create()
        stack.callback(os.close, lock)
        stack.callback(shutil.rmtree, runtime, ignore_errors=True)
        bound = listeners.bound(settings, proxy=roles.proxy)
        traffic, admin = stack.enter_context(bound)
        return asyncio.run(_Supervisor(settings, roles, runtime, traffic, admin).run())


def _be(role: str, index: int, runtime: Path) -> None:
    """Be a child."""
    child_process.main(role, index, runtime, partial(_loaded, role))


def _loaded(role: str) -> Serve:
    """Load what a role does."""
    serve: Serve = import_module(f"monitor.app.{role}").serve
    return serve


def _load_what_children_share() -> None:
    """Load what several of recorder, analyzer and pages need: their processes share it. What one
    role needs it loads itself, so that neither numpy nor the web framework is here."""
    from monitor import edge_cases, interfaces  # noqa: F401
    from monitor.streams import clients, redis  # noqa: F401


def _has_terminal() -> bool:
    with contextlib.suppress(OSError):
        return os.isatty(0)
    return False


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
        self._news = asyncio.Event()
        self._control = Control(self._status, self._news.set)
        self._children: list[ManagedProcess] = []
        self._draining = False
        self._stop = asyncio.Event()
        self._stopped_at = 0.0
        self._store: EmbeddedStore | None = None
        self._cannot_write = False
        self._waits: defaultdict[tuple[str, int], Waits] = defaultdict(Waits)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` has it ignored
            had = _has_terminal()
            loop.add_signal_handler(
                signal.SIGHUP, lambda: own(self._on_hangup(had), "the answer to SIGHUP")
            )
        await self._prepare_store()
        self._write(self._runtime / "settings.json", msgspec.json.encode(self._settings))
        self._run_file.unlink(missing_ok=True)  # of a supervisor that was killed
        self._control.listen(self._runtime / "control.sock")
        watching = own(forever(self._watch, "the watch over frozen processes"), "watch")
        try:
            await self._start_children()
            if self._store:
                await self._start_store(self._store)
            self._announce()
            await self._are_ready("recorder", RECORDER_SECONDS)
            if self._roles.analyzer and self._settings.archive.url:
                self._add("archiver", 0)
            if self._settings.notify:
                self._add("notifier", 0)
            self._add("pages", 0, {"MONITOR_ADMIN_FD": self._admin.fileno()})
            code = await self._wait()
        finally:
            watching.cancel()
            await self._drain()
            self._run_file.unlink(missing_ok=True)
        await self._control.close()
        return code

    def _on_signal(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if not self._stop.is_set():
            self._stopped_at = now
            self._news.set()
            logs.info(f"{number.name}: draining what is under way, then ending")
            self._stop.set()
        elif now - self._stopped_at > SAME_SIGNAL:
            self._end_at_once(number)

    async def _on_hangup(self, had_terminal: bool) -> None:
        """End if the terminal ends. Else somebody wants settings to be read: end nothing. In a
        container that was given a terminal (`docker run -t`) that is still there."""
        end = time.monotonic() + TERMINAL_SECONDS * had_terminal
        while _has_terminal() and time.monotonic() < end:  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(TERMINAL_SECONDS / 20)
        if had_terminal and not _has_terminal():
            if not self._stop.is_set():  # kernel and shell send one each, and nobody is impatient
                self._on_signal(signal.SIGHUP)
            return
        logs.warning(
            "SIGHUP: goes on; settings are read at a start alone, certificates, keys and tokens "
            "whenever their files change"
        )

    def _end_at_once(self, number: signal.Signals) -> NoReturn:
        """Kill all children at a second signal. The store still saves its data."""
        logs.warning(
            f"{number.name} again: killing all processes; what they held in memory is lost"
        )
        for child in self._children:
            child.abandon()
        if self._store and self._store.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._store.pid, signal.SIGTERM)
                os.kill(self._store.pid, signal.SIGCONT)
        self._run_file.unlink(missing_ok=True)
        shutil.rmtree(self._runtime, ignore_errors=True)
        os._exit(128 + number)

    # --- start ------------------------------------------------------------------------------

    async def _prepare_store(self) -> None:
        if self._settings.redis:
            return
        from monitor.supervision.embedded_store import DIRECTORY, EmbeddedStore

        self._store = EmbeddedStore(Path(self._settings.data) / DIRECTORY, log=logs.warning)
        await self._store.reserve()
        self._settings = msgspec.structs.replace(self._settings, redis=self._store.url)

    async def _start_store(self, store: EmbeddedStore) -> None:
        """Start the store, or stop waiting at a signal; raises ConfigError if it does not start."""
        starting = own(store.start(), "the start of the embedded store")
        stopping = own(self._stop.wait(), "stop")
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if starting.done():
            starting.result()
        starting.cancel()

    async def _start_children(self) -> None:
        workers = range(self._settings.workers) if self._roles.proxy else ()
        for index in workers:
            traffic, ledger = self._traffic[index].fileno(), ledger_snapshot.create()
            files = {"MONITOR_TRAFFIC_FD": traffic, ledger_snapshot.VARIABLE: ledger}
            self._add("proxy", index, files)
        await self._are_ready("proxy", PROXY_SECONDS)
        _load_what_children_share()
        for index in workers:
            self._add("recorder", index)
        if self._roles.analyzer:
            self._add("analyzer", 0)

    def _add(self, role: str, index: int, files: Mapping[str, int] | None = None) -> None:
        child = ManagedProcess(
            role,
            index,
            partial(_be, role, index, self._runtime),
            log=logs.warning,
            changed=self._changed,
            was_ready=lambda: role in AIDES or self._control.was_ready(role, index),
            files=files or {},
        )
        self._children.append(child)
        child.start()

    async def _are_ready(self, role: str, patience: float) -> None:
        """Wait up to `patience` seconds until the children of this role are ready."""
        children = [child for child in self._children if child.role == role]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not self._stop.is_set() and not all(
                    self._control.was_ready(role, child.index) or child.unusable.is_set()
                    for child in children
                ):
                    self._news.clear()
                    await self._news.wait()

    def _changed(self) -> None:
        """Look anew: a child has another pid, or will have none."""
        self._news.set()
        self._write_run()

    def _announce(self) -> None:
        settings = self._settings
        if self._roles.proxy:
            scheme = "https" if settings.tls.cert else "http"
            where = listeners.name(self._traffic[0])
            logs.info(f"traffic {scheme}://{where} -> {shown(settings.upstream)}")
            if said := connections.shortage(settings.limits.connections, connections.descriptors()):
                logs.warning(said)
            current = keyring.keyring(settings).current
            logs.info(f"key     {current.id}, fingerprint {fingerprint(current)}")
        scheme = "https" if settings.access.tls.cert else "http"
        logs.info(f"admin   {scheme}://{listeners.name(self._admin)}/metrics")
        for flaw in certificates.flaws(settings, time.time()):
            logs.warning(flaw)
        if said := explanation.restriction(settings):
            logs.info(f"access  {said}")
        kind = "embedded Valkey, " + str(Path(settings.data) / "store") if self._store else "given"
        logs.info(f"store   {shown(settings.redis)} ({kind})")

    @property
    def _run_file(self) -> Path:
        return Path(self._settings.data) / "run.json"

    def _write_run(self) -> None:
        """Write `run.json` for scripts, not before the last child has been started. Log errors,
        because a full disk must not end the caller."""
        if not any(child.role == "pages" for child in self._children):
            return
        pids = {
            role: [child.pid for child in self._children if child.role == role and child.pid]
            for role in ("proxy", "recorder", "analyzer", "archiver", "notifier", "pages")
        }
        document = {
            "listen": listeners.name(self._traffic[0]) if self._traffic else None,
            "admin": listeners.name(self._admin),
            "redis": shown(self._settings.redis),
            "redis_file": str(Path(self._settings.data) / "store" / "url") if self._store else None,
            "pids": pids,
        }
        text = json.dumps(document, indent=2) + "\n"
        try:
            self._write(self._run_file, text.encode())
        except OSError as error:
            if not self._cannot_write:
                logs.warning(
                    f"{self._run_file} cannot be written: {error.strerror}; scripts read "
                    "old addresses and pids"
                )
            self._cannot_write = True
        else:
            self._cannot_write = False

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        """Replace a file atomically, mode 0600 because the settings may have passwords."""
        new = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        new.replace(path)

    # --- at work ----------------------------------------------------------------------------

    def _is_ready(self) -> bool:
        role = "proxy" if self._roles.proxy else "analyzer"
        doubted = {
            index
            for (name, index), waits in self._waits.items()
            if name == role and waits.unanswered >= DOUBTED
        }
        return not self._draining and self._control.is_ready(role, doubted)

    def _status(self) -> Status:
        store = self._store.pid if self._store else None
        others = [("supervisor", os.getpid()), *([("store", store)] if store else [])]
        restarts = self._store.restarts if self._store else None
        return Status(
            ready=self._is_ready(),
            children=[
                (child.role, child.index, child.pid or 0, child.restarts)
                for child in self._children
            ],
            others=others,
            store_restarts=restarts,
        )

    async def _watch(self) -> None:
        """Ping all children, and kill who is frozen."""
        await asyncio.sleep(PING_SECONDS)
        for child in self._children:
            silent = self._control.silence(child.role, child.index) if child.pid else 0
            if not silent or not child.pid:
                self._waits.pop((child.role, child.index), None)
                continue
            waits = self._waits[child.role, child.index]
            is_awaited = child.role in AWAITED
            if waits.look(child.pid, silent, time.monotonic(), is_awaited=is_awaited):
                logs.warning(
                    f"{child.role} {child.index} has not answered for {PING_SECONDS * PINGS:g} s "
                    "in which it did not wait for a core; killed, to be started again"
                )
                child.kill()

    async def _wait(self) -> int:
        stop = own(self._stop.wait(), "stop")
        unusable = [own(child.unusable.wait(), child.role) for child in self._children]
        done, rest = await asyncio.wait([stop, *unusable], return_when=asyncio.FIRST_COMPLETED)
        for future in rest:
            future.cancel()
        return 0 if stop in done else 2

    # --- the end ----------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Stop role after role: proxies first, because recorders must take what they flush; the
        pages last, so that the drain can be watched. Time that one role does not need is left to
        the next."""
        self._draining = True
        drain = self._settings.drain
        end = time.monotonic() + drain.delay + drain.timeout + FLUSH_SECONDS

        def left(kept: float) -> float:
            return max(1.0, end - kept - time.monotonic())

        await self._stop_role("proxy", left(RESERVED_SECONDS))
        await self._stop_role("recorder", left(2.0))
        await self._stop_role("analyzer", left(1.0))
        await self._stop_role("archiver", left(0.75))  # all has been appended by now
        await self._stop_role("notifier", left(0.5))  # it saves what it told in the store
        if self._store:
            await self._store.stop(left(0.0))
        await self._stop_role("pages", max(PAGES_SECONDS, left(-PAGES_SECONDS)))

    async def _stop_role(self, role: str, patience: float) -> None:
        stops = (child.stop(patience) for child in self._children if child.role == role)
        await asyncio.gather(*stops)
