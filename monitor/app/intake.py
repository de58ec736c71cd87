"""The recorder's end of the socket: handed over exchanges in, Fates out, one proxy after another.

Reading and writing do not know of each other: what a proxy that died had written is read to its
end, and what it could not be told is told to its successor.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from monitor.app.tasks import own
from monitor.errors import ParseError
from monitor.framing import Handover, Holdings, Unpacker, pack
from monitor.recorder.delivery import Labels, fate_labels
from monitor.types import Fate

READ_BYTES = 262144
ACCEPT_AGAIN = 0.2
"""Seconds until an accept is tried again that failed."""
LAST_WORDS = 2.0
"""Seconds that a proxy waits until what its predecessor wrote has been read."""


class Intake:
    """Listens on `path` and gives `take` what comes.

    `holdings` makes, of the Fates that nobody has been told yet (counted by their labels) and of
    how many `appended` and `lost` the last proxy was told, what the next one must know.
    """

    def __init__(
        self,
        path: Path,
        take: Callable[[list[Handover]], Awaitable[None]],
        holdings: Callable[[Counter[Labels], tuple[int, int]], Holdings],
    ) -> None:
        self._path = path
        self._take = take
        self._holdings = holdings
        self._connection: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._sending = asyncio.Lock()
        self._met = asyncio.Event()
        self._closing = False
        self._fates: list[Fate] = []
        self._told: Counter[str] = Counter()
        self._accepting: asyncio.Task[None] | None = None
        self._readers: set[asyncio.Task[None]] = set()

    def listen(self) -> None:
        """From now on."""
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(8)
        self._listener.setblocking(False)
        self._accepting = own(self._accept(self._listener), "accepting proxies")

    def stop(self) -> None:
        """Read no more. The proxy that is there still has its Fates; no other will come."""
        self._closing = True
        self._met.set()
        for task in (self._accepting, *self._readers):
            if task is not None:
                task.cancel()
        if self._listener is not None:
            self._listener.close()

    def close(self) -> None:
        """Say no more."""
        if self._connection is not None:
            self._connection.close()

    async def attended(self) -> bool:
        """Wait for a proxy; False when none will come."""
        while self._connection is None:
            if self._closing:
                return False
            self._met.clear()
            await self._met.wait()
        return True

    async def reply(self, fates: list[Fate]) -> None:
        """Tell a proxy, this one or the next; the Fates have left this process when this returns,
        unless no proxy will come."""
        self._fates += fates
        await self._flush()

    async def emptied(self) -> None:
        """Tell the proxy that is there what is held now that the spool is empty; another would be
        told when it comes."""
        async with self._sending:
            if self._connection is not None:
                await self._send(self._connection, self._held((0, 0)))

    async def _flush(self) -> None:
        while self._fates and await self.attended():
            async with self._sending:
                if self._connection is None or not self._fates:
                    continue
                fates, self._fates = self._fates, []
                if await self._send(self._connection, fates):
                    self._told.update(fate.state for fate in fates)
                else:
                    self._fates = fates + self._fates

    async def _send(self, connection: socket.socket, message: list[Fate] | Holdings) -> bool:
        try:
            await asyncio.get_running_loop().sock_sendall(connection, pack(message))
        except OSError:
            if self._connection is connection:
                self._connection = None
            if self._closing:  # nobody reads it any more
                connection.close()
            return False
        return True

    def _held(self, told: tuple[int, int]) -> Holdings:
        untold = Counter(fate_labels(fate) for fate in self._fates if fate.state != "spooled")
        return self._holdings(untold, told)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:  # no file descriptor is left
                await asyncio.sleep(ACCEPT_AGAIN)
                continue
            connection.setblocking(False)
            before = set(self._readers)
            reader = own(self._read(connection, before), "reading from a proxy")
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)

    async def _read(self, connection: socket.socket, before: set[asyncio.Task[None]]) -> None:
        loop = asyncio.get_running_loop()
        unpacker = Unpacker(Handover)
        try:
            if before:
                await asyncio.wait(before, timeout=LAST_WORDS)
            await self._meet(connection)
            while data := await loop.sock_recv(connection, READ_BYTES):
                await self._take(unpacker.feed(data))
        except (OSError, ParseError):
            pass
        finally:
            if self._connection is not connection:
                connection.close()
            elif not self._closing:  # else what is queued may still have its Fates
                self._connection = None
                connection.close()

    async def _meet(self, connection: socket.socket) -> None:
        async with self._sending:
            told, self._told = self._told, Counter()
            if await self._send(connection, self._held((told["appended"], told["lost"]))):
                self._connection = connection
        self._met.set()
        await self._flush()
