"""One of the two connections of a splice: what it reads goes to the other at once, then to the
observer.

A slow peer stops the reading from the other one. A half-close and a reset are passed on as such.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol, cast

from monitor.proxy.deferral import AT_ONCE

FAILED = "observer_failed"
"""Why a connection is opaque whose observer has raised."""
_RESET = struct.pack("ii", 1, 0)

Forward = Callable[[bytes], None]
Observe = Callable[[bytes, float], None]
Defer = Callable[["Side", bytes, float], bool]


def ignore(data: bytes, at: float) -> None:
    """Observe nothing: the connection is opaque."""


def discard(data: bytes) -> None:
    """Drop bytes whose receiver is gone."""


class Pair(Protocol):
    """The splice, as a side knows it."""

    downstream: Side
    upstream: Side

    def speaks(self) -> str:
        """Return the client's protocol: `h2` or `http/1.1`."""

    def hold(self, data: bytes) -> None:
        """Keep what the client sends until the upstream connection is made."""

    def made(self, side: Side) -> None:
        """Note that a connection is made."""

    def opaque(self, reason: str) -> None:
        """Stop observing; the bytes keep flowing."""

    def ended(self, side: Side) -> None:
        """Handle that a side sends no more."""

    def lost(self, side: Side, exc: Exception | None) -> None:
        """Handle that one connection is gone."""

    def watch(self) -> None:
        """Watch for a reset of the client while nothing is read from it."""

    def busy(self) -> bool:
        """Return True while an exchange is under way, as far as the observer knows."""


class Side(asyncio.Protocol):
    """One of the two connections: reads from its own socket, writes to the other side's."""

    __slots__ = (
        "at", "defer", "ended", "forward", "full", "left", "made", "observe", "other", "splice",
        "transport",
    )  # fmt: skip

    def __init__(self, splice: Pair) -> None:
        self.splice = splice
        self.transport: asyncio.Transport | None = None
        self.forward: Forward = splice.hold
        self.observe: Observe = ignore
        self.defer: Defer = AT_ONCE.keep
        self.other: Side = self
        self.at = self.made = monotonic()
        self.ended = False
        self.full = False  # its receiver is slow
        self.left = 0  # bytes that waited for it at the last tick

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self.transport = cast(asyncio.Transport, transport)
        self.at = self.made = monotonic()
        self.splice.made(self)

    def data_received(self, data: bytes) -> None:
        """The hot path: forward, then observe."""
        at = self.at = monotonic()
        self.forward(data)
        if not self.defer(self, data, at):
            self.show(data, at)

    def show(self, data: bytes, at: float) -> None:
        """Show the observer a piece that was forwarded."""
        try:
            self.observe(data, at)
        except Exception:  # noqa: BLE001  an observer never harms the traffic
            self.splice.opaque(FAILED)

    def eof_received(self) -> bool:
        """See asyncio.Protocol; True keeps our own direction open."""
        self.ended = True
        self.splice.ended(self)
        if self is self.splice.downstream:
            self.splice.watch()
        return self.can_half_close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self.transport is not None:
            self.transport = None
            self.other.forward = discard
            self.splice.lost(self, exc)

    def pause_writing(self) -> None:
        """Stop reading from the other side: this side's peer is slow."""
        self.full = True
        other = self.other.transport
        if other is not None and not other.is_closing():
            other.pause_reading()
            if self is self.splice.upstream:
                self.splice.watch()

    def resume_writing(self) -> None:
        """Read from the other side again: this side's peer keeps up."""
        self.full = False
        other = self.other.transport
        if other is not None and not other.is_closing() and not self.other.ended:
            other.resume_reading()

    def progress(self, now: float) -> int:
        """Return how many bytes wait for this side's peer; one that takes some is not silent."""
        if self.transport is None:
            return 0
        left = self.transport.get_write_buffer_size()
        if left != self.left:
            self.left = left
            self.at = now
        return left

    def can_half_close(self) -> bool:
        """Return False over TLS, where a side that ends can read nothing more."""
        return self.transport is not None and self.transport.can_write_eof()

    def write_eof(self) -> None:
        """Pass on that the other side has ended."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if transport.can_write_eof():
            transport.write_eof()
        elif self is self.splice.downstream or not self.splice.busy():
            transport.close()

    def close(self) -> None:
        """Close once what was written has gone."""
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        """Close with a reset, so that the peer does not take it for a clean end."""
        transport = self.transport
        if transport is None:
            return
        raw: Any = transport.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
