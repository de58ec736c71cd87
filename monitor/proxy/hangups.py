"""Clients that the proxy does not read from just now → which of them have reset the connection.

An event loop learns of a reset by reading. But the proxy does not read from a client that has
half-closed, or whose endpoint is slow to take what it sends. Without this watch, the endpoint would
work on for a client that is gone. Linux only (epoll); elsewhere the next write finds out.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import Callable


class Hangups:
    """Watches sockets by descriptor; call `close` at the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._poll = select.epoll() if hasattr(select, "epoll") else None
        self._tell: dict[int, Callable[[], None]] = {}
        if self._poll is not None:
            loop.add_reader(self._poll.fileno(), self._look)

    def watch(self, descriptor: int, tell: Callable[[], None]) -> None:
        """Call `tell` once if the peer resets. Call `forget` when the socket closes."""
        if self._poll is not None:
            with contextlib.suppress(OSError):  # the socket was closed meanwhile
                self._poll.register(descriptor, 0)  # epoll always reports errors
                self._tell[descriptor] = tell

    def forget(self, descriptor: int, tell: Callable[[], None]) -> None:
        """Stop watching a socket. Another one may have its descriptor by now; that one stays."""
        if self._poll is not None and self._tell.get(descriptor) == tell:
            del self._tell[descriptor]
            with contextlib.suppress(OSError, ValueError):
                self._poll.unregister(descriptor)

    def close(self) -> None:
        """Stop watching all sockets."""
        if self._poll is not None:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()
            self._poll = None

    def _look(self) -> None:
        if self._poll is None:
            return
        for descriptor, events in self._poll.poll(0):
            tell = self._tell.pop(descriptor, None)
            with contextlib.suppress(OSError):
                self._poll.unregister(descriptor)
            if tell is not None and events & select.EPOLLERR:  # an error, not a close of both sides
                tell()
