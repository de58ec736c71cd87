"""A child process of the supervisor: settings in, readiness and answers out, SIGTERM heard.

A role's module ends in `if __name__ == "__main__": child.main("recorder", serve)` and is started as
`python -m monitor.app.recorder RUNTIME INDEX`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import setproctitle
import uvloop

from monitor import logs
from monitor.config import Settings
from monitor.errors import UsageError
from monitor.framing import Unpacker, pack
from monitor.types import Measurement

EXIT_USAGE = 2


class Message(msgspec.Struct, array_like=True):
    """What goes over the control socket.

    Child → supervisor: `hello` (role, index, pid), `ready`, and the answer to a question, under
    the question's kind. Supervisor → child: the questions `metrics` and `findings`.
    """

    kind: str
    role: str = ""
    index: int = 0
    pid: int = 0
    measurements: list[Measurement] = []
    document: bytes = b""


class Child:
    """What a role is given.

    `stopping` is set on SIGTERM, SIGINT or the end of the supervisor: finish what is under way
    within `settings.drain`, then return. `runtime` is the private directory of ARCHITECTURE.md.
    The role may set `measure` (→ Measurements) and `findings` (→ a JSON document for `/api`).
    """

    def __init__(self, role: str, runtime: Path, index: int) -> None:
        self.role = role
        self.runtime = runtime
        self.index = index
        self.settings = msgspec.json.decode((runtime / "settings.json").read_bytes(), type=Settings)
        self.stopping = asyncio.Event()
        self.measure: Callable[[], Awaitable[list[Measurement]]] | None = None
        self.findings: Callable[[], bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None

    def ready(self) -> None:
        """Tell the supervisor that this role does its work now."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(pack(Message("ready", self.role, self.index)))

    async def connect(self) -> None:
        """Join the supervisor; from here on it may ask questions."""
        reader, self._writer = await asyncio.open_unix_connection(self.runtime / "control.sock")
        self._writer.write(pack(Message("hello", self.role, self.index, os.getpid())))
        self._listener = asyncio.ensure_future(self._listen(reader, self._writer))

    async def leave(self) -> None:
        """End the connection to the supervisor."""
        if self._writer is not None:
            self._writer.close()
            await self._listener
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = Unpacker(Message)
        try:
            while data := await reader.read(65536):
                for question in unpacker.feed(data):
                    writer.write(pack(await self._answer(question.kind)))
        except ConnectionError:
            pass
        self.stopping.set()

    async def _answer(self, kind: str) -> Message:
        answer = Message(kind, self.role, self.index)
        if kind == "metrics" and self.measure:
            answer.measurements = await self.measure()
        elif kind == "findings" and self.findings:
            answer.document = self.findings()
        return answer


def main(role: str, serve: Callable[[Child], Awaitable[None]]) -> None:
    """Run `serve` as the child process `role` until it returns."""
    setproctitle.setproctitle(f"monitor: {role}")
    logs.start(role)

    async def run() -> None:
        child = Child(role, Path(sys.argv[1]), int(sys.argv[2]))
        logs.start(role, child.settings.log)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, child.stopping.set)
        await child.connect()
        await serve(child)
        await child.leave()

    gc.freeze()
    try:
        uvloop.run(run())
    except UsageError as error:
        logs.error(str(error))
        sys.exit(EXIT_USAGE)
