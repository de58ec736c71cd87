"""The admin socket → connections of its HTTP server: TLS, deadlines, and places shared fairly."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from monitor.api.access import PATIENCE
from monitor.api.rates import neighbourhood
from monitor.tasks import own, rest

MOST = 256
"""Connections at a time. A further one takes the place of one that waits for its client."""
HANDSHAKE = 10.0
"""Seconds that a client may take for the handshake of TLS."""
HEAD = 20.0
"""Seconds that it may take for the head of a request, from the first on."""
EXCHANGE = PATIENCE + 30
"""Seconds for the rest of a request, and as many to read the answer."""
FAREWELL = 0.5
"""Seconds that a client with nothing to wait for may take for the end of TLS at a stop."""
STARVED = 1.0
"""Seconds until the next try after an accept found no file descriptor."""
DATE_EVERY = 1.0
"""Seconds between two looks at the clock for the header `date`, which tells seconds."""
AT_A_STRETCH = 32
"""Connections that are accepted before others have their turn."""


class _Patient:
    """A transport that takes what is written once it is closed, and drops it, as asyncio's do. That
    of uvloop raises, so a client that left in the middle of an answer looked like a defect."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """See asyncio.Transport."""
        if not self._transport.is_closing():
            self._transport.write(data)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which also ends when its client takes too long for anything."""

    def __init__(self, server: uvicorn.Server, gone: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(server.config, server.server_state, {}, loop)
        self._gone = gone
        self._deadline: asyncio.TimerHandle | None = None

    def is_waiting(self) -> bool:
        """Whether the client has still to send something before anything can be done for it."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def end(self) -> None:
        """Close at once, with whatever was not sent."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Close once the answer is complete. Clients that keep a connection seldom read from it, so
        none sees that TLS ends, and waiting for them would take as long as an open answer may."""
        super().shutdown()
        if self.cycle is None or self.cycle.response_complete:
            self._ends_in(FAREWELL)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, _Patient(transport))
        self._ends_in(HEAD)

    def on_message_begin(self) -> None:
        """Expect the rest of a head."""
        super().on_message_begin()
        if self.cycle is None or self.cycle.response_complete:
            self._ends_in(HEAD)

    def on_headers_complete(self) -> None:
        """Expect the body, and that the pages have answered by then."""
        super().on_headers_complete()
        self._ends_in(EXCHANGE)

    def on_response_complete(self) -> None:
        """Expect the client to read the answer; uvicorn closes sooner where it has."""
        super().on_response_complete()
        self._ends_in(EXCHANGE)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()
        self._gone()

    def _ends_in(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.end)


class _Place:
    """A connection of an address, from its accept to its end."""

    def __init__(self, address: str, accepted: socket.socket) -> None:
        self.address = address
        self._accepted = accepted
        self.connection: Connection | None = None

    def is_waiting(self) -> bool:
        return self.connection is None or self.connection.is_waiting()

    def end(self) -> None:
        if self.connection is not None:
            self.connection.end()
        else:  # the loop has it, or is about to: it finds the end of what the client sends
            with contextlib.suppress(OSError):
                self._accepted.shutdown(socket.SHUT_RDWR)


class Door:
    """Accepts the connections of a uvicorn server that has no socket of its own.

    Of at most `MOST` connections, one makes room for a newcomer: the oldest that waits for its
    client, of the address that has most. So who opens many, says nothing or begins a handshake and
    stops pushes out nobody but itself. Where no address has more than the newcomer's, the newcomer
    is refused. `context` gives the TLS context for a new connection; None is without TLS.
    """

    def __init__(
        self,
        listener: socket.socket,
        server: uvicorn.Server,
        context: Callable[[], ssl.SSLContext] | None,
    ) -> None:
        self._listener = listener
        self._server = server
        self._context = context
        self._places: dict[_Place, None] = {}
        self._is_open = False

    def __len__(self) -> int:
        return len(self._places)

    def open(self) -> None:
        """Accept connections from now on."""
        self._listener.setblocking(False)
        self._is_open = True
        self._accept_again()

    def close(self) -> None:
        """Accept no more, and end handshakes; the server ends its connections itself."""
        self._is_open = False
        asyncio.get_running_loop().remove_reader(self._listener.fileno())
        self._listener.close()
        for place in list(self._places):
            if place.connection is None:
                place.end()

    def _accept_again(self) -> None:
        if self._is_open:
            asyncio.get_running_loop().add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(AT_A_STRETCH):
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    loop = asyncio.get_running_loop()
                    loop.remove_reader(self._listener.fileno())
                    loop.call_later(STARVED, self._accept_again)
                return
            place = _Place(neighbourhood(str(peer[0])), connection)
            if len(self._places) >= MOST and not self._makes_room(place.address):
                connection.close()
                continue
            self._places[place] = None
            own(self._serve(place, connection), "a connection to the admin port")

    def _makes_room(self, address: str) -> bool:
        counts = Counter(place.address for place in self._places)
        waiting = [place for place in self._places if place.is_waiting()]
        if not waiting:
            return False
        place = max(waiting, key=lambda one: counts[one.address])  # the first of equals: the oldest
        if place.address != address and counts[place.address] <= counts[address]:
            return False
        self._leave(place)
        place.end()
        return True

    def _leave(self, place: _Place) -> None:
        self._places.pop(place, None)

    async def _serve(self, place: _Place, connection: socket.socket) -> None:
        def made() -> Connection:
            return Connection(self._server, lambda: self._leave(place))

        context = self._context() if self._context is not None else None
        try:
            _, protocol = await asyncio.get_running_loop().connect_accepted_socket(
                made, connection, ssl=context, ssl_handshake_timeout=HANDSHAKE if context else None
            )
        except OSError:  # no handshake, none in time, or no room for it
            connection.close()
            self._leave(place)
            return
        place.connection = protocol
        if not self._is_open:
            protocol.end()


class Server(uvicorn.Server):
    """Serves until `stopping`, and open answers for `patience` seconds then; with nobody to answer
    it wakes up each `DATE_EVERY`, and not ten times a second."""

    def __init__(self, app: Callable[..., Any], stopping: asyncio.Event, patience: int) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=patience,
        )
        super().__init__(config)
        self._stopping = stopping

    async def main_loop(self) -> None:
        """Keep the date until this is to stop."""
        while not self._stopping.is_set():
            await self.on_tick(0)
            await rest(self._stopping, DATE_EVERY)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to the process."""
        yield
