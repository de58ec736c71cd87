"""Finished Exchanges → the recorder's Unix socket, bounded in bytes and never waited for.

An exchange stays in the buffer until its Receipt has come. What a recorder had when it died goes to
the next one again, as suspects: that recorder says before it reads each of them (Processing). An
exchange that two recorders were reading when they died is lost, `poison`.
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
from monitor.framing import (
    Batch,
    Processing,
    ProxyState,
    Reconciliation,
    RecorderMessage,
    RecorderState,
    Unpacker,
    pack,
)
from monitor.proxy.copies import Budget
from monitor.proxy.deferral import TURN as PIECES_A_TURN
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger, LedgerSnapshot
from monitor.tasks import until_beat
from monitor.types import Exchange, Receipt

BEAT = 0.125
"""Seconds from one hand-off to the next, so the most that an exchange waits for others: to wake up
this process and the recorder costs more than all else about an exchange."""
BATCH_BYTES = 262144
"""It waits no longer once so many bytes wait, or an eighth of what the buffer may hold."""
BATCH, FRAME_BYTES = 256, 131072
"""The most of one Batch. The traffic goes between two: to encode and send one takes 0.2 ms."""
TURN = 500
"""Exchanges that are labelled at a stretch: 0.2 ms."""
RETRY_FIRST, RETRY_LAST = 0.05, 1.0
SOCKET_BYTES = 1 << 20
"""What the system is asked to keep for a recorder that is at work; Linux grants 416 KiB by default.
Whatever it does not take costs another wake-up."""
OVERHEAD = 640
"""Bytes that a buffered exchange takes beside its messages: objects, id, three table entries."""
ARRIVAL = 112
"""Bytes of one entry of `chunks`."""


_Held = tuple[Exchange, int]  # and the memory it takes


def _unpacker() -> Unpacker[RecorderMessage]:
    return Unpacker(cast("type[RecorderMessage]", RecorderMessage))


class Handoff:
    """The proxy's end of the socket to one recorder.

    `save` saves a LedgerSnapshot for a successor. It is called before anything is sent, so that the
    successor knows every exchange that a recorder may have. `clock` gives Unix time. `gather`
    shows observers pieces that wait, all (0) or as many, and returns whether some are left.
    """

    def __init__(
        self,
        path: str,
        budget: Budget,
        ledger: Ledger,
        ids: Ids,
        *,
        save: Callable[[LedgerSnapshot], None],
        clock: Callable[[], float],
        gather: Callable[[int], bool] = lambda most: False,
    ) -> None:
        self._path = path
        self._budget = budget
        self._ledger = ledger
        self._ids = ids
        self._save = save
        self._clock = clock
        self._gather = gather
        self._acknowledged_at = self._next_acknowledged_at = clock()
        self._has_receipts = False
        self._loop = asyncio.get_running_loop()
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self._buffer: dict[str, _Held] = {}
        self._unsent: deque[_Held] = deque()  # the newest of the buffer, sent to no recorder yet
        self._unsent_bytes = 0
        self._flush_bytes = min(BATCH_BYTES, budget.bound // 8)
        self._redeliver: deque[str] = deque()
        self._suspects: deque[str] = deque()  # ids; a recorder had them when it died
        self._processing = ""  # id of the suspect that the recorder reads
        self._prime_suspect = ""  # id; one recorder died while it read this
        self._cleared: set[str] = set()  # ids of suspects that a recorder has read and survived
        self._frame = bytearray()
        self._sent = 0  # bytes of the frame
        self._socket: socket.socket | None = None
        self._introduced = False
        self._unpacker = _unpacker()
        self._scheduled: asyncio.TimerHandle | None = None
        self._writing = False
        self._awaited = False  # somebody waits for Receipts, and the recorder has not been told
        self._retry = RETRY_FIRST
        self._closed = False
        self._connect()

    # --- from the observers --------------------------------------------------------------------

    def expect(self) -> None:
        """Gather and send at the next multiple of `BEAT`, when others wake up too."""
        if self._scheduled is None:
            self._scheduled = self._loop.call_later(until_beat(self._loop.time(), BEAT), self._tick)

    def offer(self, exchange: Exchange) -> None:
        """Buffer a finished exchange, or count it as lost if the buffer has no room."""
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
            self.expect()
        elif unsent - size < self._flush_bytes <= unsent:
            self._loop.call_soon(self._flush)

    # --- the socket ----------------------------------------------------------------------------

    def _connect(self) -> None:
        if self._closed:
            return
        connection = None
        try:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
            connection.connect(self._path)
        except OSError:  # no recorder yet, one that is too busy to accept, no descriptor left
            if connection is not None:
                connection.close()
            self._loop.call_later(self._retry, self._connect)
            self._retry = min(2 * self._retry, RETRY_LAST)
            return
        self._retry = RETRY_FIRST
        self._socket = connection
        self._introduced = False
        self._unpacker = _unpacker()
        self._loop.add_reader(connection.fileno(), self._receive)

    def _disconnect(self) -> None:
        """Close the connection: any exchange that the recorder had may have ended it."""
        connection, self._socket = self._socket, None
        if connection is None:
            return
        self._loop.remove_reader(connection.fileno())
        if self._writing:
            self._loop.remove_writer(connection.fileno())
            self._writing = False
        connection.close()
        self._mark_suspects()
        self._frame = bytearray()
        self._sent = 0
        if not self._closed:
            self._loop.call_later(self._retry, self._connect)

    def _mark_suspects(self) -> None:
        read, self._processing = self._processing, ""
        if read in self._buffer:
            if read == self._prime_suspect:
                _, size = self._buffer.pop(read)
                self._budget.used -= size
                self._ledger.lose_held(read, "poison")
                read = ""
            self._prime_suspect = read
        self._cleared.intersection_update(self._buffer)
        sent = list(islice(self._buffer, len(self._buffer) - len(self._unsent)))
        self._suspects = deque(id_ for id_ in sent if id_ not in self._cleared)
        if self._prime_suspect in self._buffer:
            self._suspects.remove(self._prime_suspect)
            self._suspects.appendleft(self._prime_suspect)
        self._redeliver = deque(id_ for id_ in sent if id_ in self._cleared)

    def _tick(self) -> None:
        if self._gather(PIECES_A_TURN):
            self._loop.call_soon(self._tick)
            return
        self._scheduled = None
        if not self._writing:
            self._flush()

    def _flush(self) -> None:
        connection = self._socket
        if connection is None or not self._introduced:
            return
        try:
            while self._sent < len(self._frame) or self._fill():
                self._sent += connection.send(memoryview(self._frame)[self._sent :])
                if self._sent == len(self._frame) and self._unsent:
                    self._loop.call_soon(self._flush)
                    break
        except BlockingIOError:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(connection.fileno(), self._flush)
            return
        except OSError:
            self._receive_all()  # what it sent before it ended
            self._disconnect()
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(connection.fileno())

    def _hurry(self) -> None:
        """Send what waits, and let the recorder know that somebody waits for the Receipts."""
        self._gather(0)
        self._awaited = bool(self._buffer)
        self._flush()

    def _fill(self) -> bool:
        """Encode the next batch: suspects, then other redelivered exchanges, then new ones. Return
        False if there is none."""
        suspect, redelivered = bool(self._suspects), bool(self._suspects or self._redeliver)
        old = self._suspects if suspect else self._redeliver
        exchanges: list[Exchange] = []
        size = 0
        while old if redelivered else self._unsent:
            held = self._buffer.get(old.popleft()) if redelivered else self._unsent.popleft()
            if held is None:
                continue  # its Receipt has come meanwhile
            exchanges.append(held[0])
            size += held[1]
            if size > FRAME_BYTES or len(exchanges) >= BATCH:
                break
        if not redelivered:
            self._unsent_bytes -= size
        self._sent = 0
        more = bool(self._suspects or self._redeliver or self._unsent)
        if not exchanges and (more or not self._awaited):
            self._frame.clear()
            return more
        awaited = self._awaited and not more
        self._encode(Batch(exchanges, redelivered, suspect, awaited=awaited))
        self._awaited = self._awaited and more
        return True

    def _encode(self, batch: Batch) -> None:
        self._save(self.snapshot())
        frame = self._frame
        if len(frame) > 2 * BATCH_BYTES:
            frame = self._frame = bytearray()
        self._encode_into(batch, frame, 4)
        frame[:4] = (len(frame) - 4).to_bytes(4, "big")

    def _receive(self) -> bool:
        """Handle one read from the recorder; return False if nothing came or it has ended."""
        connection = self._socket
        if connection is None:
            return False
        try:
            data = connection.recv(65536)
            messages = self._unpacker.feed(data)
        except BlockingIOError:
            return False
        except (OSError, ParseError):
            data = b""
        if not data:
            self._disconnect()
            return False
        self._has_receipts = True
        take, settle = self._buffer.pop, self._ledger.settle
        pending = self._ledger.outstanding
        for message in messages:
            if not isinstance(message, list):
                self._handle(message)
                continue
            for receipt in message:
                held = take(receipt.id, None)
                if held is None or receipt.state == "spooled":
                    self._settle_spooled(receipt, held)
                else:
                    self._budget.used -= held[1]
                    settle(receipt)
        if self._ledger.outstanding < pending:
            self._save(self.snapshot())  # the recorder sends such a Receipt only once
        return True

    def _handle(self, message: RecorderState | Reconciliation | Processing) -> None:
        if isinstance(message, RecorderState):
            self._ledger.adopt_spool(message, self._ids.process, self._clock())
            self._save(self.snapshot())
            state = ProxyState(self._ids.process, self._ledger.reconcile_since())
            self._frame = bytearray(pack(Batch([], state=state)))
            self._introduced = True
            self._flush()
        elif isinstance(message, Reconciliation):
            self._ledger.reconcile(message)
        else:
            self._cleared.add(self._processing)
            if self._prime_suspect == self._processing:
                self._prime_suspect = ""
            self._processing = message.id

    def _receive_all(self) -> None:
        while self._receive():
            pass

    def _settle_spooled(self, receipt: Receipt, held: _Held | None) -> None:
        number = self._ids.number(receipt.id)
        if number is None:
            self._ledger.settle_predecessor(receipt)
        elif held is None:
            self._ledger.settle_spooled(receipt, number)
        else:
            self._budget.used -= held[1]
            self._ledger.settle(receipt, number)

    # --- scrapes and the end -------------------------------------------------------------------

    def snapshot(self) -> LedgerSnapshot:
        """Return what a successor would need now."""
        sent = list(islice(self._buffer, len(self._buffer) - len(self._unsent)))
        since = self._acknowledged_at if self._ledger.spooled else self._clock()
        if sent:
            oldest, _ = self._buffer[sent[0]]
            since = min(since, oldest.started + oldest.duration)
        return self._ledger.snapshot(self._ids.process, since, sent, len(self._unsent))

    def save_snapshot(self) -> None:
        """Save what a successor needs if this process is killed."""
        now = self._clock()
        self._receive_all()
        if self._has_receipts:
            # Receipts come in order: what was appended before the last read but one is counted.
            self._acknowledged_at, self._next_acknowledged_at = self._next_acknowledged_at, now
            self._has_receipts = False
        self._save(self.snapshot())

    async def label(self, patience: float) -> None:
        """Wait up to `patience` seconds for the labels of all exchanges that have arrived by now;
        count those without under `unknown`. Clocks do not matter here: arrival decides."""
        self._gather(0)
        ledger = self._ledger
        end = self._loop.time() + patience
        waiting, first = ledger.unlabelled(), 0
        if waiting:
            self._hurry()
        while first < len(waiting) and self._loop.time() < end:
            if ledger.is_labelled(waiting[first]):
                first += 1
            else:
                await asyncio.sleep(0.005)
        for start in range(first, len(waiting), TURN):
            ledger.label_unknown(waiting[start : start + TURN])
            await asyncio.sleep(0)  # an outage leaves many, and the traffic goes first

    async def drain(self, patience: float) -> int:
        """Flush and wait up to `patience` seconds for Receipts; count the rest lost, `shutdown`.
        Return how many these are."""
        end = self._loop.time() + patience
        self._hurry()
        while self._buffer and self._loop.time() < end:  # noqa: ASYNC110  the hot path sets no event
            await asyncio.sleep(0.01)
        self._closed = True
        lost = len(self._buffer)
        for id_, (_, size) in self._buffer.items():
            self._budget.used -= size
            self._ledger.lose_held(id_, "shutdown")
        self._buffer.clear()
        self._unsent.clear()
        self._disconnect()
        return lost

    def shrink(self) -> None:
        """Give the memory of the table back that it has grown by in an outage."""
        self._buffer = dict(self._buffer)
