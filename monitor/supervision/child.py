"""A child process of the supervisor: settings in, readiness and answers out, SIGTERM handled.

It is a fork of the supervisor, with SIGTERM held back until it is handled, and runs `serve` of the
role's module.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import setproctitle
import uvloop

from monitor import logs
from monitor.errors import ParseError, UsageError
from monitor.framing import Unpacker, pack
from monitor.settings.schema import Settings
from monitor.supervision import priority, runtime_directory
from monitor.supervision.unix_server import UnixServer
from monitor.tasks import own
from monitor.turns import in_turns
from monitor.types import Measurement

EXIT_USAGE = 2
QUESTIONS = ("metrics", "counts", "findings", "outcomes", "standing")
STATUS_TIMEOUT = 2.0
PIECE = 500
"""Samples that are read at a stretch: 0.2 ms."""


class ControlMessage(msgspec.Struct, array_like=True):
    """A message between the supervisor, its children and the pages.

    To the supervisor: `hello` (role, index, pid), `ready`, the answer `alive`, and the question
    `status`, whose answer is a Status in `document`. To a child: the questions `alive` and those of
    `QUESTIONS`; an answer has the question's kind.
    """

    kind: str
    role: str = ""
    index: int = 0
    pid: int = 0
    measurements: list[Measurement] = []
    document: bytes = b""
    pieces: list[bytes] = []

    def packed(self) -> ControlMessage:
        """Return the same with its samples in pieces."""
        samples = self.measurements
        starts = in_turns(range(0, len(samples), PIECE))
        pieces = [msgspec.msgpack.encode(samples[at : at + PIECE]) for at in starts]
        return msgspec.structs.replace(self, measurements=[], pieces=pieces)

    def unpacked(self) -> ControlMessage:
        """Return the same with its samples read. Raises DecodeError where they are none."""
        samples = [one for piece in in_turns(self.pieces) for one in _samples(piece)]
        return msgspec.structs.replace(self, measurements=samples, pieces=[])


_samples = msgspec.msgpack.Decoder(list[Measurement]).decode


class Status(msgspec.Struct):
    """The supervisor's status of all processes: `children` as (role, index, pid or 0, restarts);
    `others`, itself and the store, as (role, pid). `ready` is the answer of `/readyz`;
    `store_restarts` is None where the store is not ours."""

    ready: bool
    children: list[tuple[str, int, int, int]]
    others: list[tuple[str, int]]
    store_restarts: int | None = None


def question_socket(runtime: Path, role: str, index: int) -> Path:
    """Return the path of the socket on which a child answers questions."""
    return runtime / f"ask-{role}-{index}.sock"


class Child:
    """What a role gets.

    `stopping` is set on SIGTERM, on SIGINT or when the supervisor ends: the role then finishes what
    is under way within `settings.drain` and returns. `runtime` is the runtime directory. The role
    may set `measure` (returns Measurements) and `documents` (what returns a JSON document for the
    pages or the notifier, by question). If one of them raises, the last good answer is sent again
    and the failure counted.
    """

    def __init__(self, role: str, runtime: Path, index: int) -> None:
        self.role = role
        self.runtime = runtime
        self.index = index
        self.settings = msgspec.json.decode((runtime / "settings.json").read_bytes(), type=Settings)
        self.stopping = asyncio.Event()
        self.measure: Callable[[], Awaitable[list[Measurement]]] | None = None
        self.count: Callable[[], list[Measurement]] | None = None
        self.documents: dict[str, Callable[[], bytes]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._questions: UnixServer | None = None
        self._lowering: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[bytes]] = deque()
        self._good: dict[str, ControlMessage] = {}
        self._failures: dict[str, int] = dict.fromkeys(QUESTIONS, 0)
        self._failing: set[str] = set()

    def ready(self) -> None:
        """Tell the supervisor that this role is ready, and from now on let the proxy go first.

        A start has the usual priority: what is missing shall be back soon.
        """
        if self.role == "proxy":
            priority.shorten_turns()
        else:
            self._lowering = own(priority.lower(os.getpid()), "the priority")
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(pack(ControlMessage("ready", self.role, self.index)))

    async def connect(self) -> None:
        """Connect to the supervisor and answer questions from now on."""
        path = question_socket(self.runtime, self.role, self.index)
        self._questions = UnixServer(path, self._serve)
        reader, self._writer = await asyncio.open_unix_connection(self.runtime / "control.sock")
        self._writer.write(pack(ControlMessage("hello", self.role, self.index, os.getpid())))
        self._listener = own(self._listen(reader, self._writer), "the control connection")

    async def leave(self) -> None:
        """Answer no more questions, and end the connection to the supervisor."""
        if self._questions is not None:
            await self._questions.close()
        if self._writer is not None and self._listener is not None:
            self._writer.close()
            await self._listener
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def status(self) -> Status:
        """Ask the supervisor for its status; raises TimeoutError if it does not answer in 2 s."""
        if self._writer is None or self._writer.is_closing():
            raise TimeoutError
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._writer.write(pack(ControlMessage("status")))
        async with asyncio.timeout(STATUS_TIMEOUT):
            return msgspec.json.decode(await answer, type=Status)

    def failures(self) -> list[Measurement]:
        """Return samples of how often an answer failed."""
        labels = {"endpoint": self.settings.endpoint, "role": self.role}
        return [
            Measurement("monitor_answer_errors_total", {**labels, "question": kind}, count)
            for kind, count in self._failures.items()
        ]

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = Unpacker(ControlMessage)
        try:
            while data := await reader.read(65536):
                for message in unpacker.feed(data):
                    if message.kind == "alive":
                        writer.write(pack(message))
                    elif message.kind == "status" and self._asked:
                        answer = self._asked.popleft()
                        if not answer.done():
                            answer.set_result(message.document)
        except OSError:
            pass
        finally:
            if not self.stopping.is_set() and not writer.is_closing():
                logs.warning("the supervisor has ended; finishing what is under way, then ending")
            self.stopping.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer questions on one connection until it ends; no failure here reaches the role."""
        unpacker = Unpacker(ControlMessage)
        try:
            while data := await reader.read(65536):
                for question in unpacker.feed(data):
                    writer.write(await self._answer(question.kind))
                    await writer.drain()
        except (OSError, ParseError):
            pass

    async def _answer(self, kind: str) -> bytes:
        try:
            answer = ControlMessage(kind, self.role, self.index, os.getpid())
            if kind == "metrics" and self.measure:
                answer.measurements = await self.measure()
            elif kind == "counts" and self.count:
                answer.measurements = self.count()
            elif kind in self.documents:
                answer.document = self.documents[kind]()
            packed = self._packed(answer)
        except Exception as error:  # noqa: BLE001  a number that no frame holds, a defect of ours
            if kind not in self._failing:
                logs.error(
                    f"{kind} cannot be reported ({logs.place(error)}); the last good answer is "
                    "shown instead"
                )
            self._failing.add(kind)
            self._failures[kind] = self._failures.get(kind, 0) + 1
            good = self._good.get(kind) or ControlMessage(kind, self.role, self.index, os.getpid())
            return self._packed(good)
        self._failing.discard(kind)
        self._good[kind] = answer
        return packed

    def _packed(self, answer: ControlMessage) -> bytes:
        samples = [*answer.measurements, *(self.failures() if answer.kind == "metrics" else ())]
        return pack(msgspec.structs.replace(answer, measurements=samples).packed())


def main(role: str, index: int, runtime: Path, load: Callable[[], Serve]) -> None:
    """Be the child process `role` until what `load` returns does; collect garbage from then on."""
    setproctitle.setproctitle(f"monitor: {role}")
    logs.start(role)
    gc.disable()  # what is loaded stays: to look for garbage in it took a tenth of a start
    serve = load()

    async def run() -> None:
        runtime_directory.hold(runtime)
        child = Child(role, runtime, index)
        logs.start(role, child.settings.log)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, child.stopping.set)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor says whether it ends anything
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # what came before, comes now
        await child.connect()
        await serve(child)
        await child.leave()

    gc.freeze()
    gc.enable()
    try:
        uvloop.run(run())
    except UsageError as error:
        logs.error(str(error))
        sys.exit(EXIT_USAGE)


Serve = Callable[[Child], Awaitable[None]]
