"""A file of Records → Rows, many at once: all cores look at its pieces, which come in order."""

from __future__ import annotations

import gc
import io
import os
import pickle
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import numpy as np

from monitor import packing
from monitor.analysis.observed import Looked, Seen, Wanted, look_at
from monitor.damage import Damage
from monitor.rows import Row
from monitor.sources import records
from monitor.tables.blocks import NUMBER, Block, Column, Numbers, relabelled
from monitor.tables.cells import LARGE
from monitor.types import Observation, Record

PIECE = 1 << 20
"""Bytes of a file that are looked at together, about."""

PATIENCE = 8
"""After so many unusual pieces, one after the other, the rest of a file is not tried."""

AHEAD = 2
"""Pieces that are given to each process before the first of them is wanted."""

WORTH, WORTH_PACKED = 8 << 20, 1 << 20
"""Bytes of a file from which on it is worth while to start processes."""

Task = bytes | tuple[int, int]
"""A piece of a file, whole lines; or where one stands in an open file: first byte, and size."""

Looks = Iterator[tuple[Callable[[], bytes] | None, Looked | None]]


@dataclass
class Reader:
    """Reads files of Records. `observe` makes Rows of Records one by one; `clean` makes an
    Observation safe to be shown, `text` a name. `records` counts what was read; `told`
    is what other people's logs say of an exchange that they keep no body of."""

    wanted: Wanted
    observe: Callable[[Iterable[Record]], Iterator[Row]]
    clean: Callable[[Observation], Observation]
    text: Callable[[str], str]
    damage: Damage
    records: int = 0
    told: set[str] = field(default_factory=set)

    def read(self, path: Path) -> Iterator[Row | Block]:
        """The rows of a file in the order of its lines; what cannot be read is told as
        `sources.records.read` tells it. Raises SourceError when the file cannot be opened."""
        self.damage.begin(path)
        lines = unusual = 0
        for piece, looked in _looks(path, self.wanted):
            if piece is None or unusual == PATIENCE:
                rest = records.read(path, self.damage, after=lines)
                yield from self.observe(self.counted(rest))
                return
            block = None if looked is None else self.block(looked)
            if looked is None or block is None:
                unusual += 1
                data = piece()
                found = records.decode(path, io.BytesIO(data), self.damage, after=lines)
                yield from self.observe(self.counted(found))
                lines += data.count(b"\n")
            else:
                unusual = 0
                self.records += looked.records
                lines += looked.lines
                if len(block):
                    yield block

    def counted(self, found: Iterable[Record]) -> Iterator[Record]:
        """The same Records, counted on their way."""
        for record in found:
            self.records += 1
            yield record

    def block(self, looked: Looked) -> Block | None:
        """What was seen, as it may be shown; None where two features then have one name."""
        columns = [self._column(seen) for seen in looked.columns]
        if len({column.feature for column in columns}) < len(columns):
            return None
        segments = {
            name: relabelled(
                np.frombuffer(codes, dtype=np.intp), [self.text(one) for one in values]
            )
            for name, (codes, values) in looked.labels.items()
        }
        taken = np.frombuffer(looked.accepted, dtype=np.bool_)
        return Block(np.frombuffer(looked.at), segments, columns, None if taken.all() else taken)

    def _column(self, seen: Seen) -> Column:
        numbers: Numbers = np.frombuffer(seen.numbers)
        if seen.code == "q":
            numbers = numbers.view(np.int64)
        codes = np.frombuffer(seen.codes, dtype=np.intp)
        if not seen.codes:
            codes = np.full(len(numbers), NUMBER)
        name = self.text(seen.feature)
        rest = [
            Observation(name, kind, value)  # there is nothing to be cleaned in hashed words
            if type(value) is bytes
            else self.clean(Observation(seen.feature, kind, value))
            for kind, value in seen.rest
        ]
        large = np.flatnonzero((codes == NUMBER) & (np.abs(numbers) >= LARGE))
        if len(large):
            codes = codes.copy()
        for place in large.tolist():
            cleaned = self.clean(Observation(seen.feature, "numeric", numbers[place].item()))
            if type(cleaned.value) is str:
                codes[place] = len(rest)
                rest.append(cleaned)
        rows = np.frombuffer(seen.rows, dtype=np.intp) if seen.rows else None
        return Column(name, codes, rest, numbers, rows)


def look(piece: bytes, wanted: Wanted) -> Looked | None:
    """What is seen in lines of JSON; None where something in them is unusual."""
    lines = piece.split(b"\n")
    try:
        return look_at(records.strictly(lines), len(lines) - 1, wanted)
    except records.UNREADABLE:
        return None


def _looks(path: Path, wanted: Wanted) -> Looks:
    """What gives each piece of a file, and what was seen in it; None for the rest of a damaged
    one."""
    try:
        stream = packing.opened(path)
    except OSError:
        yield None, None
        return
    with stream:
        is_packed, cores = packing.is_packed(stream), len(os.sched_getaffinity(0))
        held = None if is_packed else stream.fileno()
        if cores > 1 and path.stat().st_size >= (WORTH_PACKED if is_packed else WORTH):
            # Who looks at a plain file reads it too: the bytes need not go from process to process.
            tasks = _tasks(_pieces(stream) if is_packed else _spans(stream))
            for task, looked in looks_elsewhere(tasks, partial(look, wanted=wanted), cores, held):
                yield None if task is None else partial(_lines, task, held), looked
            return
        for task in _tasks(_pieces(stream)):
            data = None if task is None else _lines(task, held)
            yield (None, None) if data is None else (partial(bytes, data), look(data, wanted))


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while data := stream.read(PIECE):
        yield data + stream.readline()


def _spans(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where the same pieces stand."""
    start, size = 0, PIECE
    while size >= PIECE:
        stream.seek(start + PIECE)
        rest = len(stream.readline())
        size = PIECE + rest if rest else stream.seek(0, os.SEEK_END) - start
        if size > 0:
            yield start, size
        start += size


def _tasks(found: Iterable[Task]) -> Iterator[Task | None]:
    """The same; None where the rest of a file cannot be read."""
    try:
        yield from found
    except OSError:
        yield None


def _lines(task: Task, held: int | None) -> bytes:
    """The lines of a piece, which may stand in the open file `held`."""
    if isinstance(task, bytes):
        return task
    assert held is not None  # noqa: S101  for the type checker
    return os.pread(held, task[1], task[0])


Look = Callable[[bytes], Looked | None]
"""What looks at a piece; it can be sent to another process."""


def looks_elsewhere(
    tasks: Iterable[Task | None], look: Look, cores: int, held: int | None = None
) -> Iterator[tuple[Task | None, Looked | None]]:
    """Pieces, looked at by a process for each core; in order, a few pieces ahead."""
    waiting: deque[tuple[Task | None, Future[Looked | None] | None]] = deque()

    def first() -> tuple[Task | None, Looked | None]:
        task, future = waiting.popleft()
        return task, None if future is None else future.result()

    with ExitStack() as stack:
        free: SimpleQueue[_Helper] = SimpleQueue()
        for _ in range(cores):
            free.put(stack.enter_context(closing(_Helper(look, held))))

        def ask(task: Task) -> Looked | None:
            helper = free.get()
            try:
                return helper.look(task)
            finally:
                free.put(helper)

        # A thread waits for each process: to write to it, and to read from it, may take long.
        threads = stack.enter_context(ThreadPoolExecutor(cores))
        for task in tasks:
            waiting.append((task, None if task is None else threads.submit(ask, task)))
            if len(waiting) > AHEAD * cores:
                yield first()
        while waiting:
            yield first()


class _Helper:
    """A process that looks at pieces, one after the other, of the open file `held` if any.

    On Linux it is a fork: it has at once what this process took a second to load and to compile.
    Nothing that a thread of this process may hold is touched there.
    """

    def __init__(self, look: Look, held: int | None) -> None:
        is_fork = sys.platform == "linux"
        context = get_context("fork" if is_fork else "spawn")
        self._connection, theirs = context.Pipe()
        ours = self._connection if is_fork else None
        self._process = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, ours, look, held is not None), daemon=True
        )
        with warnings.catch_warnings():  # Python 3.12 warns of threads
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()
        if held is not None and self._process.pid is not None:
            with suppress(OSError):  # it has ended; see `look`
                send_handle(self._connection, held, self._process.pid)

    def look(self, task: Task) -> Looked | None:
        """What is seen in a piece; None also where the process has ended."""
        try:
            self._connection.send(task)
            looked: Looked | None = pickle.loads(self._connection.recv_bytes())  # noqa: S301  ours
        except (EOFError, OSError):
            return None
        return looked

    def close(self) -> None:
        """Let the process end."""
        self._connection.close()
        self._process.join()


def _serve(connection: Connection, theirs: Connection | None, look: Look, is_held: bool) -> None:
    """What a `_Helper` does until the other side has closed, or ended. A fork has `theirs`, too."""
    if theirs is not None:
        theirs.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this minds an interrupt
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # what is seen has no cycles
    with suppress(EOFError, OSError):
        held = recv_handle(connection) if is_held else None
        while True:
            task = connection.recv()
            try:
                looked = look(_lines(task, held))
            except Exception:  # noqa: BLE001  who reads the piece line by line will say it
                looked = None
            connection.send_bytes(pickle.dumps(looked))
    if theirs is not None:
        os._exit(0)  # what is left to be done at an end is left to the process that was forked
