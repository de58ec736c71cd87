"""Finished Exchanges → the recorder's Unix socket, bounded in bytes and never waited for.

An exchange stays in the buffer until its Fate has come back; when the recorder comes back after
having been away, everything that is still in the buffer is handed over again.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from time import monotonic

import msgspec

from monitor.errors import ParseError
from monitor.framing import Handover, Unpacker
from monitor.proxy.copies import Budget
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.types import Exchange, Fate, Outcome

BATCH_DELAY = 0.002
BATCH_BYTES = 262144
BATCH_FRAMES = 256
RETRY_FIRST, RETRY_LAST = 0.05, 1.0
OVERHEAD = 400
"""Bytes that an exchange costs beside its frame: object headers, its id, three table entries."""


class Handoff:
    """The proxy's end of the socket to one recorder."""

    def __init__(self, path: str, budget: Budget, ledger: Ledger, ids: Ids) -> None:
        self._path = path
        self._budget = budget
        self._ledger = ledger
        self._ids = ids
        self._loop = asyncio.get_running_loop()
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self._scratch = bytearray(4096)
        self._buffer: dict[str, bytes] = {}
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._again: deque[str] = deque()
        self._sent_of_first = 0
        self._socket: socket.socket | None = None
        self._unpacker = Unpacker(list[Fate])
        self._scheduled = False
        self._writing = False
        self._retry = RETRY_FIRST
        self._closed = False
        self._connect()

    # --- from the observers --------------------------------------------------------------------

    def offer(self, exchange: Exchange) -> None:
        """Take over a finished exchange, or count it lost where the buffer has no room."""
        scratch = self._scratch
        self._encode_into(Handover(exchange), scratch, 4)
        size = len(scratch)
        scratch[:4] = (size - 4).to_bytes(4, "big")
        budget = self._budget
        if budget.used + size + OVERHEAD > budget.bound:
            too_large = size + OVERHEAD > budget.bound
            self._ledger.lose(exchange.outcome, "too_large" if too_large else "buffer_full")
            return
        frame = bytes(scratch)
        if size > BATCH_BYTES:
            self._scratch = bytearray(4096)
        budget.used += size + OVERHEAD
        self._buffer[exchange.id] = frame
        self._ledger.hold(exchange.id, exchange.outcome, monotonic())
        if self._socket is None:
            return  # what is in the buffer is handed over when the recorder is back
        self._unsent.append(frame)
        self._unsent_bytes += size
        if not self._scheduled and not self._writing:
            self._scheduled = True
            self._loop.call_later(BATCH_DELAY, self._flush)

    def lose(self, outcome: Outcome, reason: str) -> None:
        """Count an exchange whose copy was given up while it was under way."""
        self._ledger.lose(outcome, reason)

    # --- the socket ----------------------------------------------------------------------------

    def _connect(self) -> None:
        if self._closed:
            return
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            connection.connect(self._path)
        except OSError:  # no recorder yet, or one that is too busy to accept
            connection.close()
            self._loop.call_later(self._retry, self._connect)
            self._retry = min(2 * self._retry, RETRY_LAST)
            return
        self._retry = RETRY_FIRST
        self._socket = connection
        self._unpacker = Unpacker(list[Fate])
        self._again = deque(self._buffer)
        self._loop.add_reader(connection.fileno(), self._receive)
        self._flush()

    def _disconnect(self) -> None:
        connection, self._socket = self._socket, None
        if connection is None:
            return
        self._loop.remove_reader(connection.fileno())
        if self._writing:
            self._loop.remove_writer(connection.fileno())
            self._writing = False
        connection.close()
        self._unsent.clear()
        self._unsent_bytes = self._sent_of_first = 0
        self._again.clear()
        self._loop.call_later(self._retry, self._connect)

    def _flush(self) -> None:
        self._scheduled = False
        connection = self._socket
        if connection is None:
            return
        try:
            while self._refill():
                self._send(connection)
        except BlockingIOError:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(connection.fileno(), self._flush)
            return
        except OSError:
            self._disconnect()
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(connection.fileno())

    def _refill(self) -> bool:
        """Old exchanges go first; they are copied a few at a time, to be marked `again`."""
        while self._again and self._unsent_bytes < BATCH_BYTES:
            frame = self._buffer.get(self._again.popleft())
            if frame is not None:
                self._unsent.append(frame[:-1] + b"\xc3")  # msgpack true
                self._unsent_bytes += len(frame)
        return bool(self._unsent)

    def _send(self, connection: socket.socket) -> None:
        unsent = self._unsent
        batch: list[bytes | memoryview] = []
        size = 0
        for frame in unsent:
            batch.append(frame)
            size += len(frame)
            if size > BATCH_BYTES or len(batch) >= BATCH_FRAMES:
                break
        if self._sent_of_first:
            batch[0] = memoryview(unsent[0])[self._sent_of_first :]
        sent = connection.sendmsg(batch) + self._sent_of_first
        while unsent and sent >= len(unsent[0]):
            length = len(unsent.popleft())
            sent -= length
            self._unsent_bytes -= length
        self._sent_of_first = sent

    def _receive(self) -> None:
        connection = self._socket
        if connection is None:
            return
        try:
            data = connection.recv(65536)
            fates = self._unpacker.feed(data)
        except BlockingIOError:
            return
        except (OSError, ParseError):
            data = b""
        if not data:
            self._disconnect()
            return
        for batch in fates:
            for fate in batch:
                self._settle(fate)

    def _settle(self, fate: Fate) -> None:
        number = self._ids.number(fate.id)
        if number is None:
            return  # of an earlier process, whose ledger went with it
        frame = self._buffer.pop(fate.id, None)
        if frame is None:
            self._ledger.settle_spooled(fate, number)
            return
        self._budget.used -= len(frame) + OVERHEAD
        self._ledger.settle(fate, number)

    # --- scrapes and the end -------------------------------------------------------------------

    async def settled(self, until: float, patience: float) -> None:
        """Wait for the labels of all that had ended at `until`, or for `patience` seconds."""
        end = self._loop.time() + patience
        while self._ledger.waits(until) and self._loop.time() < end:  # noqa: ASYNC110  as in drain
            await asyncio.sleep(0.005)

    async def drain(self, patience: float) -> None:
        """Flush, wait for the Fates up to `patience` seconds; what is left then is lost."""
        end = self._loop.time() + patience
        self._flush()
        while self._buffer and self._loop.time() < end:  # noqa: ASYNC110  the hot path sets no event
            await asyncio.sleep(0.01)
        self._closed = True
        for id_, frame in self._buffer.items():
            self._budget.used -= len(frame) + OVERHEAD
            self._ledger.lose_held(id_, "shutdown")
        self._buffer.clear()
        self._disconnect()

    def shrink(self) -> None:
        """Give the tables' memory back after an outage."""
        if not self._buffer:
            self._buffer = {}
            self._scratch = bytearray(4096)
