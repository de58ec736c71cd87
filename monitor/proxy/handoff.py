"""Finished Exchanges → the recorder's Unix socket, bounded in bytes and never waited for.

An exchange stays in the buffer until its Fate has come back. What a recorder had in its hands when
it died is handed over again to the next, with care: that one says when it begins to read each, and
what two recorders were reading when they died is lost as `poison`.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import cast

import msgspec

from monitor.errors import ParseError
from monitor.framing import Accounted, Handover, Holdings, Meeting, Reading, Told, Unpacker, pack
from monitor.proxy.copies import Budget
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger, Left
from monitor.types import Exchange, Fate

BATCH_DELAY = 0.05
"""Seconds that an exchange may wait for others: waking the recorder, and being woken by its answer,
costs more than all else about an exchange."""
BATCH_BYTES = 262144
"""… unless so many bytes wait, or an eighth of what the buffer holds."""
BATCH = 256
RETRY_FIRST, RETRY_LAST = 0.05, 1.0
OVERHEAD = 640
"""Bytes that a held exchange costs beside its messages: objects, id, three table entries."""
ARRIVAL = 112
"""Bytes of one entry of `chunks`."""


_Held = tuple[Exchange, int]  # and the memory it takes


def _unpacker() -> Unpacker[Told]:
    return Unpacker(cast("type[Told]", Told))


class Handoff:
    """The proxy's end of the socket to one recorder.

    `keep` writes down what a successor must know (`left`): before anything is handed over, so that
    the successor knows of every exchange that a recorder may have. `clock` gives Unix time.
    """

    def __init__(
        self,
        path: str,
        budget: Budget,
        ledger: Ledger,
        ids: Ids,
        *,
        keep: Callable[[Left], None],
        clock: Callable[[], float],
    ) -> None:
        self._path = path
        self._budget = budget
        self._ledger = ledger
        self._ids = ids
        self._keep = keep
        self._clock = clock
        self._heard = self._next_heard = clock()
        self._has_news = False
        self._loop = asyncio.get_running_loop()
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self._buffer: dict[str, _Held] = {}
        self._unsent: deque[_Held] = deque()  # nobody has had them: the newest of the buffer
        self._unsent_bytes = 0
        self._hurry = min(BATCH_BYTES, budget.bound // 8)
        self._again: deque[str] = deque()
        self._suspects: deque[str] = deque()  # a recorder had them when it died
        self._reading = ""  # the suspect that the recorder reads
        self._struck = ""  # a recorder has died while it read this one
        self._survived: set[str] = set()  # suspects that a recorder has read
        self._batch = bytearray()
        self._sent = 0  # bytes of the batch
        self._socket: socket.socket | None = None
        self._has_met = False
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
        self._unsent.append(held)
        unsent = self._unsent_bytes = self._unsent_bytes + size
        if self._socket is None:
            return
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
        self._has_met = False
        self._unpacker = _unpacker()
        self._loop.add_reader(connection.fileno(), self._receive)

    def _disconnect(self) -> None:
        """The connection has ended: whoever had something in hand is suspected to have ended it."""
        connection, self._socket = self._socket, None
        if connection is None:
            return
        self._loop.remove_reader(connection.fileno())
        if self._writing:
            self._loop.remove_writer(connection.fileno())
            self._writing = False
        connection.close()
        self._suspect()
        self._batch = bytearray()
        self._sent = 0
        if not self._closed:
            self._loop.call_later(self._retry, self._connect)

    def _suspect(self) -> None:
        read, self._reading = self._reading, ""
        if read in self._buffer:
            if read == self._struck:
                _, size = self._buffer.pop(read)
                self._budget.used -= size
                self._ledger.lose_held(read, "poison")
                read = ""
            self._struck = read
        self._survived.intersection_update(self._buffer)
        sent = list(islice(self._buffer, len(self._buffer) - len(self._unsent)))
        self._suspects = deque(id_ for id_ in sent if id_ not in self._survived)
        if self._struck in self._buffer:
            self._suspects.remove(self._struck)
            self._suspects.appendleft(self._struck)
        self._again = deque(id_ for id_ in sent if id_ in self._survived)

    def _flush(self) -> None:
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        connection = self._socket
        if connection is None or not self._has_met:
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
            self._hear()  # its last words
            self._disconnect()
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(connection.fileno())

    def _fill(self) -> bool:
        """Make the next batch: suspects, then what else an earlier recorder had, then the new."""
        care, again = bool(self._suspects), bool(self._suspects or self._again)
        old = self._suspects if care else self._again
        exchanges: list[Exchange] = []
        size = 0
        while old if again else self._unsent:
            held = self._buffer.get(old.popleft()) if again else self._unsent.popleft()
            if held is None:
                continue  # its Fate has come meanwhile
            exchanges.append(held[0])
            size += held[1]
            if size > BATCH_BYTES or len(exchanges) >= BATCH:
                break
        if not again:
            self._unsent_bytes -= size
        self._sent = 0
        if not exchanges:
            self._batch.clear()
            return bool(self._again or self._unsent)
        self._pack(Handover(exchanges, again, care))
        return True

    def _pack(self, handover: Handover) -> None:
        self._keep(self.left())
        batch = self._batch
        if len(batch) > 2 * BATCH_BYTES:
            batch = self._batch = bytearray()
        self._encode_into(handover, batch, 4)
        batch[:4] = (len(batch) - 4).to_bytes(4, "big")

    def _receive(self) -> bool:
        """Hear what the recorder says; whether that was anything."""
        connection = self._socket
        if connection is None:
            return False
        try:
            data = connection.recv(65536)
            told = self._unpacker.feed(data)
        except BlockingIOError:
            return False
        except (OSError, ParseError):
            data = b""
        if not data:
            self._disconnect()
            return False
        self._has_news = True
        take, settle = self._buffer.pop, self._ledger.settle
        pending = self._ledger.open
        for batch in told:
            if not isinstance(batch, list):
                self._hear_news(batch)
                continue
            for fate in batch:
                held = take(fate.id, None)
                if held is None or fate.state == "spooled":
                    self._settle_spooled(fate, held)
                else:
                    self._budget.used -= held[1]
                    settle(fate)
        if self._ledger.open < pending:
            self._keep(self.left())  # they are told once, and then forgotten
        return True

    def _hear_news(self, news: Holdings | Accounted | Reading) -> None:
        if isinstance(news, Holdings):
            self._ledger.inherit(news, self._ids.process, self._clock())
            self._keep(self.left())
            meeting = Meeting(self._ids.process, self._ledger.dead())
            self._batch = bytearray(pack(Handover([], meeting=meeting)))
            self._has_met = True
            self._flush()
        elif isinstance(news, Accounted):
            self._ledger.account(news)
        else:
            self._survived.add(self._reading)
            if self._struck == self._reading:
                self._struck = ""
            self._reading = news.id

    def _hear(self) -> None:
        while self._receive():
            pass

    def _settle_spooled(self, fate: Fate, held: _Held | None) -> None:
        number = self._ids.number(fate.id)
        if number is None:
            self._ledger.settle_other(fate)
        elif held is None:
            self._ledger.settle_spooled(fate, number)
        else:
            self._budget.used -= held[1]
            self._ledger.settle(fate, number)

    # --- scrapes and the end -------------------------------------------------------------------

    def left(self) -> Left:
        """What a successor would need now."""
        sent = list(islice(self._buffer, len(self._buffer) - len(self._unsent)))
        since = self._heard if self._ledger.spooled else self._clock()
        if sent:
            oldest, _ = self._buffer[sent[0]]
            since = min(since, oldest.started + oldest.duration)
        return self._ledger.left(self._ids.process, since, sent, len(self._unsent))

    def keep(self) -> None:
        """Write down what a successor must know, should this process be killed."""
        now = self._clock()
        self._hear()
        if self._has_news:
            # What is appended and not told yet was appended after what had been heard of before.
            self._heard, self._next_heard = self._next_heard, now
            self._has_news = False
        self._keep(self.left())

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
        self._unsent.clear()
        self._disconnect()

    def shrink(self) -> None:
        """Give the tables' memory back after an outage."""
        if not self._buffer:
            self._buffer = {}
