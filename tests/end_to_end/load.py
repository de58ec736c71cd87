"""Load for the fault tests: a fast model, clients that remember what they saw, a watched page.

`python -m tests.end_to_end.load PORT` is the model.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import uvloop

ANSWER = b'{"choices": [{"message": {"content": "' + b"word " * 100 + b'"}}]}'
BODY = b'{"text": "' + b"lorem " * 80 + b'"}'
RESET = struct.pack("ii", 1, 0)


class Model(asyncio.Protocol):
    """`/` answers, `/stream` sends three events, `/long` many, `/cut` breaks off in the middle."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n")[0]) if place >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            path = head.split(b" ", 2)[1]
            if path in (b"/stream", b"/long"):
                events = 3 if path == b"/stream" else 1000
                asyncio.get_running_loop().create_task(self.stream(events))
            elif path == b"/cut":
                self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
                self.transport.close()
            else:
                self.transport.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
                )

    async def stream(self, events: int) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for number in range(events):
            await asyncio.sleep(0.01)
            if self.transport.is_closing():
                return
            event = b'data: {"n":%d}\n\n' % number
            self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.transport.write(b"0\r\n\r\n")


class Load:
    """Clients that send numbered requests; `seen` is what became of each, by its trace id, and `at`
    when (monotonic).

    Each client waits `pause` seconds between two, which may be changed meanwhile.

    `ok`, `client_gone` and `upstream_broken` as the record should say; `cut` where the connection
    broke unasked. Some endpoints of the model are visited now and then: an event stream, one that
    the client leaves in the middle, one that the model breaks off.
    """

    def __init__(
        self,
        listen: str,
        clients: int = 4,
        pause: float = 0.01,
        bodies: Sequence[bytes] = (BODY,),
    ) -> None:
        host, _, port = listen.rpartition(":")
        self._address = host, int(port)
        self.pause = pause
        self._bodies = bodies
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._number = 0
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        self.seen: dict[str, str] = {}
        self.at: dict[str, float] = {}
        self.stall = 0.0
        """Seconds that a client has slept too long, at most: so busy is the machine."""

    @contextmanager
    def running(self) -> Generator[None]:
        """Send until left."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def outcomes(self) -> Counter[str]:
        """How many of each."""
        with self._lock:
            return Counter(self.seen.values())

    def _run(self) -> None:
        connection: socket.socket | None = None
        while not self._stop.is_set():
            with self._lock:
                self._number = number = self._number + 1
            trace = f"{number:032x}"
            try:
                if connection is None:
                    connection = socket.create_connection(self._address, timeout=30)
                outcome = self._ask(connection, number, trace)
            except OSError:
                outcome = "cut"
            if outcome != "ok" and connection is not None:
                connection.close()
                connection = None
            with self._lock:
                self.seen[trace] = outcome
                self.at[trace] = time.monotonic()
            if pause := self.pause or 0.02 * (outcome == "cut"):
                time.sleep(pause)
                self.stall = max(self.stall, time.monotonic() - self.at[trace] - pause)
        if connection is not None:
            connection.close()

    def _ask(self, connection: socket.socket, number: int, trace: str) -> str:
        turn = number % 40
        body = self._bodies[number % len(self._bodies)]
        path = {7: b"/stream", 17: b"/long", 27: b"/cut"}.get(turn, b"/")
        connection.sendall(
            b"POST %s HTTP/1.1\r\nhost: model\r\ntraceparent: 00-%s-00000000000000a1-01\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (path, trace.encode(), len(body), body)
        )
        if turn == 17:
            if not connection.recv(1):
                return "cut"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return "client_gone"
        end = b"\r\n0\r\n\r\n" if turn == 7 else ANSWER
        received = b""
        while not received.endswith(end):
            data = connection.recv(65536)
            if not data:
                return "upstream_broken" if turn == 27 and received else "cut"
            received += data
        return "ok"


class Watch:
    """Scrapes all the time: what does not add up or goes back is kept in `wrong`."""

    SUMS = (
        "monitor_exchanges_total",
        "monitor_records_appended_total",
        "monitor_exchanges_lost_total",
        "monitor_connections_total",
        "monitor_exchange_duration_seconds_count",
        "monitor_segment_exchanges_total",
    )

    def __init__(self, system: Any) -> None:
        self._system = system
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._before: dict[str, float] = {}
        self.scrapes = 0
        self.wrong: list[str] = []

    @contextmanager
    def running(self) -> Generator[None]:
        """Scrape until left."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                page = self._system.page()
            except (OSError, http.client.HTTPException):
                if self._system.process.poll() is not None:  # the end of a drain
                    return
                time.sleep(0.05)  # the pages were killed in the middle of one
                continue
            self.scrapes += 1
            sums = {name: page.total(name) for name in self.SUMS}
            if not page.is_conserved():
                self.wrong.append(f"{sums}, pending {page.pending()}: does not add up")
            for name, value in sums.items():
                if value < self._before.get(name, 0):
                    self.wrong.append(f"{name} went from {self._before[name]} to {value}")
            self._before = sums
            time.sleep(0.1)


async def main(port: int) -> None:
    """Serve until ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Model, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
