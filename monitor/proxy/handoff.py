"""Finished Exchanges → the recorder's Unix socket, bounded in bytes and never waited for.

An exchange stays in the buffer until its Fate has come back; when the recorder comes back after
having been away, everything that is still in the buffer is handed over again.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import cast

import msgspec

from monitor.errors import ParseError
from monitor.framing import Handover, Holdings, Told, Unpacker
from monitor.proxy.copies import Budget
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.types import Exchange, Fate

BATCH_DELAY = 0.05
"""Seconds that an exchange may wait for others: waking the recorder, and being woken by its answer,
costs more than all else about an exchange."""
BATCH_BYTES = 262144
"""… unless so many bytes wait, or an eighth of what the buffer holds."""
BATCH = 256
RETRY_FIRST, RETRY_LAST = 0.05, 1.0
OVERHEAD = 600
"""Bytes that a held exchange costs beside its messages: objects, id, three table entries."""
ARRIVAL = 112
"""Bytes of one entry of `chunks`."""


_Held = tuple[Exchange, int]  # and the memory it takes


def _unpacker() -> Unpacker[Told]:
    return Unpacker(cast("type[Told]", Told))


class Handoff:
    """The proxy's end of the socket to one recorder."""

    def __init__(self, path: str, budget: Budget, ledger: Ledger, ids: Ids) -> None:
        self._path = path
        self._budget = budget
        self._ledger = ledger
        self._ids = ids
        self._loop = asyncio.get_running_loop()
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self._buffer: dict[str, _Held] = {}
        self._unsent: deque[_Held] = deque()
        self._unsent_bytes = 0
        self._hurry = min(BATCH_BYTES, budget.bound // 8)
        self._again: deque[str] = deque()
        self._batch = bytearray()
        self._sent = 0  # bytes of the batch
        self._socket: socket.socket | None = None
        self._unpacker = _unpacker()
        self._scheduled: asyncio.TimerHandle | None = None
        self._writing = False
        self._retry = RETRY_FIRST
        self._closed = False
        self._connect()

    # --- from the observers --------------------------------------------------------------------

    def offer(self, exchange: Exchange) -> None:
        """Take over a finished exchange, or count it lost where the buffer has no room."""
        request, response = exchange.request, exchange.response
        size = OVERHEAD + len(request.head) + len(request.body) + len(request.trailers)
        if response is not None:
            size += len(response.head) + len(response.body) + len(response.trailers)
        size += ARRIVAL * len(exchange.chunks)
        budget = self._budget
        if budget.used + size > budget.bound:
            reason = "too_large" if size > budget.bound else "buffer_full"
            self._ledger.lose(exchange.outcome, reason)
            return
        budget.used += size
        held = self._buffer[exchange.id] = exchange, size
        self._ledger.hold(exchange)
        if self._socket is None:
            return  # what is in the buffer is handed over when the recorder is back
        self._unsent.append(held)
        unsent = self._unsent_bytes = self._unsent_bytes + size
        if self._scheduled is None and not self._writing:
            self._scheduled = self._loop.call_later(BATCH_DELAY, self._flush)
        elif unsent - size < self._hurry <= unsent:
            self._loop.call_soon(self._flush)

    # --- the socket ----------------------------------------------------------------------------

    def _connect(self) -> None:
        if self._closed:
            return
        connection = None
        try:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.setblocking(False)
            connection.connect(self._path)
        except OSError:  # no recorder yet, one that is too busy to accept, no descriptor left
            if connection is not None:
                connection.close()
            self._loop.call_later(self._retry, self._connect)
            self._retry = min(2 * self._retry, RETRY_LAST)
            return
        self._retry = RETRY_FIRST
        self._socket = connection
        self._unpacker = _unpacker()
        self._again = deque(self._buffer)
        self._ledger.connected()
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
        self._unsent_bytes = 0
        self._again.clear()
        self._batch = bytearray()
        self._sent = 0
        self._loop.call_later(self._retry, self._connect)

    def _flush(self) -> None:
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        connection = self._socket
        if connection is None:
            return
        try:
            while self._sent < len(self._batch) or self._fill():
                self._sent += connection.send(memoryview(self._batch)[self._sent :])
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

    def _fill(self) -> bool:
        """Make the next batch; what an earlier recorder may have had goes first, and says so."""
        exchanges: list[Exchange] = []
        size = 0
        again = bool(self._again)
        while self._again if again else self._unsent:
            held = self._buffer.get(self._again.popleft()) if again else self._unsent.popleft()
            if held is None:
                continue  # its Fate has come meanwhile
            exchanges.append(held[0])
            size += held[1]
            if size > BATCH_BYTES or len(exchanges) >= BATCH:
                break
        if not again:
            self._unsent_bytes -= size
        batch = self._batch
        if len(batch) > 2 * BATCH_BYTES:
            batch = self._batch = bytearray()
        self._sent = 0
        if not exchanges:
            batch.clear()
            return bool(self._unsent)
        self._encode_into(Handover(exchanges, again), batch, 4)
        batch[:4] = (len(batch) - 4).to_bytes(4, "big")
        return True

    def _receive(self) -> None:
        connection = self._socket
        if connection is None:
            return
        try:
            data = connection.recv(65536)
            told = self._unpacker.feed(data)
        except BlockingIOError:
            return
        except (OSError, ParseError):
            data = b""
        if not data:
            self._disconnect()
            return
        take, settle = self._buffer.pop, self._ledger.settle
        for batch in told:
            if isinstance(batch, Holdings):
                self._ledger.inherit(batch, self._ids.process)
                continue
            for fate in batch:
                held = take(fate.id, None)
                if held is None or fate.state == "spooled":
                    self._settle_spooled(fate, held)
                else:
                    self._budget.used -= held[1]
                    settle(fate)

    def _settle_spooled(self, fate: Fate, held: _Held | None) -> None:
        number = self._ids.number(fate.id)
        if number is None:
            self._ledger.settle_inherited(fate)
        elif held is None:
            self._ledger.settle_spooled(fate, number)
        else:
            self._budget.used -= held[1]
            self._ledger.settle(fate, number)

    # --- scrapes and the end -------------------------------------------------------------------

    async def settled(self, until: float, patience: float) -> None:
        """Wait up to `patience` seconds until what had ended by `until` (Unix) has labels."""
        end = self._loop.time() + patience
        if self._ledger.waits(until):
            self._flush()
        while self._ledger.waits(until) and self._loop.time() < end:  # noqa: ASYNC110  as in drain
            await asyncio.sleep(0.005)

    async def drain(self, patience: float) -> None:
        """Flush, wait for the Fates up to `patience` seconds; what is left then is lost."""
        end = self._loop.time() + patience
        self._flush()
        while self._buffer and self._loop.time() < end:  # noqa: ASYNC110  the hot path sets no event
            await asyncio.sleep(0.01)
        self._closed = True
        for id_, (_, size) in self._buffer.items():
            self._budget.used -= size
            self._ledger.lose_held(id_, "shutdown")
        self._buffer.clear()
        self._disconnect()

    def shrink(self) -> None:
        """Give the tables' memory back after an outage."""
        if not self._buffer:
            self._buffer = {}
