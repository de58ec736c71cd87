"""An open-loop load generator: requests go out on a fixed schedule, and each latency counts from when it was due.

So a wait that holds up later requests is not left out of the figures ("coordinated omission"). One thread on bare
sockets; where permitted it runs under SCHED_FIFO, so that what it measures is not its own wait for a core.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import multiprocessing
import os
import select
import socket
import time
from collections import deque
from collections.abc import Generator, Iterable, Sequence

CONNECTIONS = 32
PATIENCE = 20.0
"""Seconds without any byte after which a round has failed."""
_TIMER_SLACK = 29  # prctl(2)


def is_realtime() -> bool:
    """Whether `promptly` gives this process a real-time class."""
    with promptly():
        return os.sched_getscheduler(0) == os.SCHED_FIFO


@contextlib.contextmanager
def promptly() -> Generator[None]:
    """Wake up on time: no timer slack, no garbage collector, a real-time class if that is permitted."""
    ctypes.CDLL(None).prctl(_TIMER_SLACK, 1, 0, 0, 0)
    gc.collect()
    gc.disable()
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        gc.enable()


def paced(port: int, requests: Sequence[bytes], rate: float, end: bytes) -> list[float]:
    """Return the latency (s) of each request, `rate` a second; `end` is how every answer ends."""
    clients = _Clients(port, end)
    waiting: deque[tuple[float, bytes]] = deque()
    sent, count, now = 0, len(requests), time.monotonic
    with contextlib.closing(clients), promptly():
        start = now() + 0.05
        while len(clients.latencies) < count:
            while sent < count and start + sent / rate <= now():
                waiting.append((start + sent / rate, requests[sent]))
                sent += 1
            while waiting and clients.idle:
                clients.ask(*waiting.popleft())
            clients.wait(max(0.0, start + sent / rate - now()) if sent < count else PATIENCE)
    return clients.latencies


class _Clients:
    """CONNECTIONS kept alive, each with one request at a time."""

    def __init__(self, port: int, end: bytes) -> None:
        self.idle = deque(_connect(port) for _ in range(CONNECTIONS))
        self.latencies: list[float] = []
        self._all, self._end = tuple(self.idle), end
        self._due: dict[socket.socket, float] = {}
        self._received: dict[socket.socket, bytes] = {}
        self._unsent: dict[socket.socket, memoryview] = {}

    def ask(self, due: float, request: bytes) -> None:
        connection = self.idle.popleft()
        self._due[connection], self._received[connection] = due, b""
        self._send(connection, memoryview(request))

    def wait(self, seconds: float) -> None:
        """Until something has come or gone, or so long."""
        readable, writable, _ = select.select(list(self._due), list(self._unsent), [], seconds)
        for connection in readable:
            self._receive(connection)
        for connection in writable:
            self._send(connection, self._unsent.pop(connection))
        if seconds == PATIENCE and not readable and not writable:
            raise RuntimeError(f"{len(self._due)} answers are missing")

    def close(self) -> None:
        for connection in self._all:
            connection.close()

    def _send(self, connection: socket.socket, data: memoryview) -> None:
        gone = 0
        with contextlib.suppress(BlockingIOError):
            gone = connection.send(data)
        if gone < len(data):
            self._unsent[connection] = data[gone:]

    def _receive(self, connection: socket.socket) -> None:
        piece = connection.recv(262144)
        data = self._received[connection] = self._received[connection] + piece
        if not piece or not data.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"answered {data[:60]!r}")
        if data.endswith(self._end):
            self.latencies.append(time.monotonic() - self._due.pop(connection))
            self.idle.append(connection)


def one_by_one(port: int, requests: Iterable[bytes], end: bytes) -> list[float]:
    """Return the latency (s) of each request, sent once the one before is answered."""
    latencies = []
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        for request in requests:
            start = time.monotonic()
            connection.sendall(request)
            data = b""
            while not data.endswith(end):
                piece = connection.recv(262144)
                if not piece:
                    raise RuntimeError(f"the connection was closed after {data[:60]!r}")
                data += piece
            latencies.append(time.monotonic() - start)
    return latencies


@contextlib.contextmanager
def beside(port: int, requests: Sequence[bytes], every: float, end: bytes) -> Generator[None]:
    """Send one of these each `every` seconds, or as soon as the one before is answered, from a process of its own."""

    def run() -> None:
        due = time.monotonic()
        for request in itertools.cycle(requests):
            one_by_one(port, [request], end)
            due += every
            time.sleep(max(0.0, due - time.monotonic()))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
