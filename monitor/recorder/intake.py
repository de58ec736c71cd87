"""The recorder's end of the socket: handed over exchanges in, Fates out, one proxy after another.

Reading and writing do not know of each other: what a proxy that died had written is read to its
end, and what it could not be told is told to its successor. No Fate is told before a proxy has
written down what it heard when they met.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from monitor.errors import ParseError
from monitor.framing import Accounted, Handover, Holdings, Meeting, Reading, Unpacker, pack
from monitor.tasks import own
from monitor.types import Fate

READ_BYTES = 262144
ACCEPT_AGAIN = 0.2
"""Seconds until an accept is tried again that failed."""


class Intake:
    """Listens on `path` and gives `take` what comes."""

    def __init__(self, path: Path, take: Callable[[list[Handover]], Awaitable[None]]) -> None:
        self._path = path
        self._take = take
        self._holdings = Holdings([], 0)
        self._tell_met: Callable[[Meeting], None] = lambda _: None
        self._connection: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._sending = asyncio.Lock()
        self._somebody = asyncio.Event()
        self._closing = False
        self._fates: list[Fate] = []
        self._accepting: asyncio.Task[None] | None = None
        self._readers: set[asyncio.Task[None]] = set()

    def listen(self, holdings: Holdings, met: Callable[[Meeting], None]) -> None:
        """From now on. `holdings` is what the first proxy hears; `met` is given the answer of each,
        once all that those before it had written has been taken."""
        self._holdings, self._tell_met = holdings, met
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(8)
        self._listener.setblocking(False)
        self._accepting = own(self._accept(self._listener), "accepting proxies")

    def stop(self) -> None:
        """Read no more. The proxy that is there still has its Fates; no other will come."""
        self._closing = True
        self._somebody.set()
        for task in (self._accepting, *self._readers):
            if task is not None:
                task.cancel()
        if self._listener is not None:
            self._listener.close()

    def close(self) -> None:
        """Close the connection: nothing is acknowledged any more."""
        if self._connection is not None:
            self._connection.close()

    async def attended(self) -> bool:
        """Wait for a proxy; False when none will come."""
        while self._connection is None:
            if self._closing:
                return False
            self._somebody.clear()
            await self._somebody.wait()
        return True

    async def reply(self, fates: list[Fate]) -> None:
        """Tell a proxy, this one or the next; the Fates have left this process when this returns,
        unless no proxy will come."""
        self._fates += fates
        await self._flush()

    async def tell(self, news: Accounted | Reading) -> bool:
        """Tell the proxy that is there, after all Fates; whether it has left this process."""
        await self._flush()
        async with self._sending:
            connection = self._connection
            return connection is not None and await self._send(connection, news)

    async def _flush(self) -> None:
        while self._fates and await self.attended():
            async with self._sending:
                if self._connection is None or not self._fates:
                    continue
                fates, self._fates = self._fates, []
                if not await self._send(self._connection, fates):
                    self._fates = fates + self._fates

    async def _send(
        self, connection: socket.socket, message: list[Fate] | Holdings | Accounted | Reading
    ) -> bool:
        try:
            await asyncio.get_running_loop().sock_sendall(connection, pack(message))
        except OSError:
            if self._connection is connection:
                self._connection = None
            if self._closing:  # nobody reads it any more
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
            before = set(self._readers)
            reader = own(self._read(connection, before), "reading from a proxy")
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)

    async def _read(self, connection: socket.socket, before: set[asyncio.Task[None]]) -> None:
        loop = asyncio.get_running_loop()
        unpacker = Unpacker(Handover)
        meeting: asyncio.Task[None] | None = None
        try:
            await self._send(connection, self._holdings)
            while data := await loop.sock_recv(connection, READ_BYTES):
                handovers = unpacker.feed(data)
                for one in handovers:
                    if one.meeting is not None:
                        self._holdings = Holdings([], 0)  # it is written down, also for the next
                        self._connection = connection
                        self._somebody.set()
                        meeting = own(self._meet(one.meeting, before), "meeting a proxy")
                await self._take(handovers)
        except (OSError, ParseError):
            pass
        finally:
            if meeting is not None:
                meeting.cancel()
            if self._connection is not connection:
                connection.close()
            elif not self._closing:  # else what is queued may still have its Fates
                self._connection = None
                connection.close()

    async def _meet(self, meeting: Meeting, before: set[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.wait(before)
        self._tell_met(meeting)
