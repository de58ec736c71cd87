"""The recorder's end of the socket: exchanges in, Receipts out, one proxy after another.

Reading and writing are independent. What a dead proxy had written is read to its end, and Receipts
that could not be sent to it go to its successor. A proxy gets Receipts only after it has saved the
RecorderState and answered with its ProxyState.

What comes is received at once, so that it does not die with the proxy, and gathered for a moment
before it is taken: to begin with cold caches costs more than several exchanges. The proxy keeps all
of it until its Receipts come, so nothing is lost if this process dies meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from monitor.errors import ParseError
from monitor.framing import (
    Batch,
    Processing,
    ProxyState,
    Reconciliation,
    RecorderState,
    Unpacker,
    pack,
)
from monitor.tasks import own
from monitor.types import Receipt

READ_BYTES = 262144
GATHER = 0.25
"""Seconds from one taking to the next, at most. What comes after a longer silence is not held up,
nor what somebody waits for, what an earlier recorder had, or `plenty` of bytes."""
ACCEPT_AGAIN = 0.2
"""Seconds until a failed accept is tried again."""


class Intake:
    """Listens on `path` and passes the batches that come to `take`: `plenty` of bytes, or what came
    in `GATHER`."""

    def __init__(
        self, path: Path, take: Callable[[list[Batch]], Awaitable[None]], plenty: int = 1
    ) -> None:
        self._path = path
        self._take = take
        self._plenty = plenty
        self._state = RecorderState([], 0)
        self._introduced: Callable[[ProxyState], None] = lambda _: None
        self._connection: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._sending = asyncio.Lock()
        self._arrived = asyncio.Event()
        self._closing = False
        self._receipts: list[Receipt] = []
        self._accepting: asyncio.Task[None] | None = None
        self._readers: set[asyncio.Task[None]] = set()

    def listen(self, state: RecorderState, introduced: Callable[[ProxyState], None]) -> None:
        """Accept proxies from now on.

        `state` goes to each proxy until one has answered; later ones get an empty one. `introduced`
        is called with the ProxyState of each, once all that its predecessors wrote has been taken.
        """
        self._state, self._introduced = state, introduced
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(8)
        self._listener.setblocking(False)
        self._accepting = own(self._accept(self._listener), "accepting proxies")

    def stop(self) -> None:
        """Read no more and accept no other proxy. The connected one still gets its Receipts."""
        self._closing = True
        self._arrived.set()
        for task in (self._accepting, *self._readers):
            if task is not None:
                task.cancel()
        if self._listener is not None:
            self._listener.close()

    def close(self) -> None:
        """Close the connection to the proxy."""
        if self._connection is not None:
            self._connection.close()

    async def connected(self) -> bool:
        """Wait for a proxy. Return False if none will come."""
        while self._connection is None:
            if self._closing:
                return False
            self._arrived.clear()
            await self._arrived.wait()
        return True

    async def acknowledge(self, receipts: list[Receipt]) -> None:
        """Send Receipts to this proxy or the next. Return once they have left this process, or when
        no proxy will come."""
        self._receipts += receipts
        await self._flush()

    async def notify(self, message: Reconciliation | Processing) -> bool:
        """Send a message to the connected proxy after all Receipts; return whether it was sent."""
        await self._flush()
        async with self._sending:
            connection = self._connection
            return connection is not None and await self._send(connection, message)

    async def _flush(self) -> None:
        while self._receipts and await self.connected():
            async with self._sending:
                if self._connection is None or not self._receipts:
                    continue
                receipts, self._receipts = self._receipts, []
                if not await self._send(self._connection, receipts):
                    self._receipts = receipts + self._receipts

    async def _send(
        self,
        connection: socket.socket,
        message: list[Receipt] | RecorderState | Reconciliation | Processing,
    ) -> bool:
        try:
            await asyncio.get_running_loop().sock_sendall(connection, pack(message))
        except OSError:
            if self._connection is connection:
                self._connection = None
            if self._closing:  # nothing reads it any more
                connection.close()
            return False
        return True

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:  # no file descriptor is left
                await asyncio.sleep(ACCEPT_AGAIN)
                continue
            connection.setblocking(False)
            earlier = set(self._readers)
            reader = own(self._read(connection, earlier), "reading from a proxy")
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)

    async def _read(self, connection: socket.socket, earlier: set[asyncio.Task[None]]) -> None:
        introducing: asyncio.Task[None] | None = None
        try:
            await self._send(connection, self._state)
            async for batches in self._gathered(connection):
                for batch in batches:
                    if batch.state is not None:
                        # The proxy has saved it, also for its successor.
                        self._state = RecorderState([], 0)
                        self._connection = connection
                        self._arrived.set()
                        introducing = own(
                            self._introduce(batch.state, earlier), "introducing a proxy"
                        )
                await self._take(batches)
        except (OSError, ParseError):
            pass
        finally:
            if introducing is not None:
                introducing.cancel()
            if self._connection is not connection:
                connection.close()
            elif not self._closing:  # else what is queued still gets its Receipts
                self._connection = None
                connection.close()

    async def _gathered(self, connection: socket.socket) -> AsyncIterator[list[Batch]]:
        """Yield what is to be taken together, until the proxy has closed the connection or died."""
        loop, unpacker = asyncio.get_running_loop(), Unpacker(Batch)
        batches: list[Batch] = []
        size, due = 0, loop.time()
        while True:
            data = _received(connection)
            if data is None and not batches:
                await _readable(connection)
                continue
            left = due - loop.time()
            if data is None and left > 0:
                await _readable(connection, left)
                continue
            if data:
                new = unpacker.feed(data)
                batches += new
                size += len(data)
                if left > 0 and size < self._plenty and not any(map(_is_urgent, new)):
                    continue
            if batches:
                yield batches
            if data == b"":
                return
            batches, size, due = [], 0, loop.time() + GATHER

    async def _introduce(self, proxy: ProxyState, earlier: set[asyncio.Task[None]]) -> None:
        if earlier:
            await asyncio.wait(earlier)
        self._introduced(proxy)


def _is_urgent(batch: Batch) -> bool:
    return batch.awaited or batch.redelivered or batch.state is not None


def _received(connection: socket.socket) -> bytes | None:
    """What has come, None if nothing has; empty at the end of all."""
    try:
        return connection.recv(READ_BYTES)
    except BlockingIOError:
        return None
    except OSError:  # the proxy died with Receipts unread
        return b""


async def _readable(connection: socket.socket, patience: float | None = None) -> None:
    """Wait until something has come, at most `patience` seconds."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not ready.done():
            ready.set_result(None)

    timer = None if patience is None else loop.call_later(patience, settle)
    loop.add_reader(connection, settle)
    try:
        await ready
    finally:
        loop.remove_reader(connection)
        if timer is not None:
            timer.cancel()
