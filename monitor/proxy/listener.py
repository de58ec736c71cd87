"""The listening socket → splices: accepts, limits, times out and drains connections."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from time import monotonic

from monitor.proxy import tls
from monitor.proxy.deferral import AT_ONCE, AtOnce, Deferral
from monitor.proxy.hangups import Hangups
from monitor.proxy.observer import Observer
from monitor.proxy.side import Side
from monitor.proxy.splice import Limits, Splice
from monitor.tasks import until_beat
from monitor.types import Outcome

BACKLOG = 1024
QUIET = 0.1
"""Seconds without an exchange after which a kept-alive connection is idle in a drain."""
HANDSHAKE = 30.0
HEAD = 60.0
"""Seconds that a client may take to its first byte, and from a head's first byte to its last."""
SILENCE = 3600.0
"""Seconds without a byte either way after which a connection ends, or `idle_timeout` if longer."""
LOOPED = 1.0
"""Seconds without a dial after one that led back here: its other end would dial as well."""
STARVED = 1.0
"""Seconds until the next try after an accept found no file descriptor."""

UNREACHED = 60.0
"""Seconds between two lines that say that the endpoint cannot be reached, or that it ends
connections by TLS, whatever it does."""

Dial = Callable[[Side], Awaitable[object]]
"""Connects the upstream side; raises OSError if it cannot."""


async def _dial_at_once(splice: Splice) -> None:
    """Dial as soon as the client has connected."""


class Listener:
    """Owns the listening socket and all its splices.

    `limit` is the most connections at a time. More wait in the backlog; they are refused after
    `connect_timeout` seconds. `before_dial` may wait for the client's first bytes. `log` gets one
    line for each failure that is not the network's, and one when the endpoint cannot be reached and
    one when it can again. `deferral` may keep pieces for the observers. Timeouts are in seconds, 0
    for none.
    """

    def __init__(
        self,
        sock: socket.socket,
        dial: Dial,
        observer: Callable[[Splice], Observer],
        *,
        limit: int,
        connect_timeout: float,
        idle_timeout: float,
        head_timeout: float = HEAD,
        silence_timeout: float = SILENCE,
        tls: Callable[[], Awaitable[ssl.SSLContext | None]] | None = None,
        before_dial: Callable[[Splice], Awaitable[object]] = _dial_at_once,
        log: Callable[[str], None] = lambda text: None,
        deferral: AtOnce | Deferral = AT_ONCE,
    ) -> None:
        self._socket = sock
        self._deferral = deferral
        self._dial = dial
        self._observer = observer
        self._limit = limit
        self._connect_timeout = connect_timeout
        quiet = max(idle_timeout, silence_timeout) if idle_timeout else 0.0
        self._limits = Limits(idle_timeout, head_timeout, quiet)
        self._tls = tls
        self._before_dial = before_dial
        self._loop = asyncio.get_running_loop()
        self._hangups = Hangups(self._loop)
        self._splices: set[Splice] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = log
        self._failures: set[str] = set()
        self._unreached = False
        self._unreached_at = self._broken_at = -UNREACHED
        self._full_since = 0.0
        self._starved_since = 0.0
        self._looped_until = 0.0
        self._accepting = False
        self._draining = False
        self.accepted = 0
        self.refused = 0
        self.opaque: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._splices)

    def open(self) -> None:
        """Accept connections from now on."""
        self._socket.setblocking(False)
        self._socket.listen(BACKLOG)
        self._accept_more()
        limits = (self._connect_timeout, *self._limits)
        self._period = min(1.0, *(limit / 4 or 1.0 for limit in limits))
        self._tick_later()

    def count_opaque(self, reason: str) -> None:
        """Count a connection that turned opaque."""
        self.opaque[reason] = self.opaque.get(reason, 0) + 1

    # --- accepting -------------------------------------------------------------------------------

    def _accept_more(self) -> None:
        if not self._accepting and not self._draining:
            self._accepting = True
            self._loop.add_reader(self._socket.fileno(), self._accept)

    def _accept_no_more(self) -> None:
        if self._accepting:
            self._accepting = False
            self._loop.remove_reader(self._socket.fileno())

    def _accept(self) -> None:
        while True:
            if len(self._splices) >= self._limit:
                self._full_since = monotonic()
                self._accept_no_more()
                return
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    self._log_once(f"{error.strerror}: clients wait to be connected")
                    self._starved_since = monotonic()
                    self._accept_no_more()
                return
            # A socket of both families puts that before IPv4 (RFC 4291, section 2.5.5.2).
            self._serve(connection, str(peer[0]).removeprefix("::ffff:"))

    def _serve(self, connection: socket.socket, peer: str) -> None:
        self.accepted += 1
        splice = Splice(
            self._on_closed, self.count_opaque, self._hangups, self._is_us, self._deferral
        )
        splice.peer = peer
        splice.observe(self._observer(splice))
        self._splices.add(splice)
        task = splice.task = self._loop.create_task(self._connect(splice, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, splice: Splice, connection: socket.socket) -> None:
        try:
            context = await self._tls() if self._tls is not None else None
            await self._loop.connect_accepted_socket(
                lambda: splice.downstream,
                connection,
                ssl=context,
                ssl_handshake_timeout=min(HANDSHAKE, self._limits.head) if context else None,
            )
        except OSError:
            connection.close()
            self._on_closed(splice)
            return
        try:
            async with asyncio.timeout(self._limits.head):
                await self._before_dial(splice)
        except TimeoutError:
            splice.abort(None)
            return
        if monotonic() < self._looped_until:
            splice.refused(Outcome.UPSTREAM_REFUSED)
            return
        try:
            async with asyncio.timeout(self._connect_timeout or None):
                await self._dial(splice.upstream)
        except TimeoutError:
            self._cannot_reach("no answer within `timeouts.connect`; clients get 504")
            splice.refused(Outcome.UPSTREAM_TIMEOUT)
        except OSError as error:
            if not isinstance(error, ssl.SSLError):  # whoever dials tells what is wrong with TLS
                why = (error.strerror or str(error)).lower()[:200]
                self._cannot_reach(f"{why}; clients get 502")
            splice.refused(Outcome.UPSTREAM_REFUSED)
        except Exception as error:  # noqa: BLE001  an impossible host name or port
            splice.refused(Outcome.UPSTREAM_REFUSED)
            self._log_once(
                f"the upstream cannot be used: {type(error).__name__}: {error}; clients get 502"
            )

        else:
            if self._unreached:
                self._unreached = False
                self._log("the endpoint is reached again")
            if splice.loops:
                self._looped_until = monotonic() + LOOPED
                splice.refused(Outcome.UPSTREAM_REFUSED)
                self._log_once(
                    "upstream: is the address that this proxy listens on; clients get 502"
                )

    def _is_us(self, transport: asyncio.Transport) -> bool:
        """Return True if the other end of a connection is this proxy or another worker of it.

        A loop through another machine looks like any endpoint; `limits.connections` ends it.
        """
        host, port = self._socket.getsockname()[:2]
        there = transport.get_extra_info("peername")
        if there is None or there[1] != port:  # None: the other end has reset it already
            return False
        # A socket bound to all addresses is reached at the address that the connection comes from.
        here = transport.get_extra_info("sockname")
        return bool(there[0] == (here[0] if ip_address(host).is_unspecified else host))

    def _cannot_reach(self, why: str) -> None:
        now = monotonic()
        if not self._unreached and now - self._unreached_at >= UNREACHED:
            self._unreached, self._unreached_at = True, now
            self._log(f"the endpoint cannot be reached: {why}")

    def _log_once(self, text: str) -> None:
        if text not in self._failures and len(self._failures) < 10:
            self._failures.add(text)
            self._log(text)

    def _broken(self, error: ssl.SSLError) -> None:
        """Say why the endpoint ended a connection. With TLS 1.3 it tells only behind the handshake
        that it does not accept a client's certificate."""
        if (now := monotonic()) - self._broken_at >= UNREACHED:
            self._broken_at = now
            self._log(f"upstream: TLS: the endpoint ended a connection: {tls.words(error)}")

    def _on_closed(self, splice: Splice) -> None:
        self._splices.discard(splice)
        error = splice.broken_by
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            self._broken(error)
        if self._full_since and len(self._splices) < self._limit:
            self._full_since = 0.0
            self._accept_more()

    def _refuse_waiting(self) -> None:
        """Refuse all connections in the backlog: they have waited long enough. All are accepted
        before one is closed, so that a client that retries at once is not refused again."""
        waiting = []
        with contextlib.suppress(OSError):
            while True:
                waiting.append(self._socket.accept()[0])
        for connection in waiting:
            connection.close()
        if waiting:
            self._log_once(
                f"{self._limit} connections are open, the most that `limits.connections` or the "
                "limit on file descriptors (ulimit -n) allow; more are refused"
            )
        self.refused += len(waiting)

    def _tick_later(self) -> None:
        self._loop.call_later(until_beat(self._loop.time(), self._period), self._tick)

    def _tick(self) -> None:
        self._tick_later()
        now = monotonic()
        for splice in list(self._splices):
            splice.tick(now, self._limits)
        if self._full_since and now - self._full_since > self._connect_timeout:
            self._full_since = now
            self._refuse_waiting()
        if self._starved_since and now - self._starved_since > STARVED:
            self._starved_since = 0.0
            self._accept_more()

    # --- the end ---------------------------------------------------------------------------------

    async def drain(self, delay: float, timeout: float) -> None:  # noqa: ASYNC109
        """Accept for `delay` more seconds, then give exchanges `timeout` seconds to end.

        Kept-alive connections are closed between exchanges: in the first half of `timeout` only
        quiet ones, in the second half any. At the end the others are reset.
        """
        await asyncio.sleep(delay)
        if self._accepting:
            self._accept()
            self._accept_no_more()
        self._draining = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # from here on the port refuses connections
        start = monotonic()
        while self._splices and (now := monotonic()) - start < timeout:
            quiet = QUIET if now - start < timeout / 2 else 0.0
            for splice in list(self._splices):
                if splice.idle(now, quiet):
                    splice.close()
            await asyncio.sleep(0.02)
        for splice in list(self._splices):
            splice.abort(None)
        await asyncio.sleep(0)
        self._hangups.close()
