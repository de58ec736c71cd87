"""Clients that nothing is read from just now → which of them have reset the connection.

A loop learns of a reset by reading. Nothing is read from a client that has half-closed, nor from
one whose endpoint is slow to take what it sends: without this, an endpoint would work for nobody
until it wrote. Linux only (epoll); elsewhere the next write finds out.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import Callable


class Hangups:
    """Watches sockets by their descriptors; `close` it at the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._poll = select.epoll() if hasattr(select, "epoll") else None
        self._tell: dict[int, Callable[[], None]] = {}
        if self._poll is not None:
            loop.add_reader(self._poll.fileno(), self._look)

    def watch(self, descriptor: int, tell: Callable[[], None]) -> None:
        """Call `tell`, once, when the peer resets; `forget` it when the socket closes."""
        if self._poll is not None:
            with contextlib.suppress(OSError):  # closed under way
                self._poll.register(descriptor, 0)  # errors are always told
                self._tell[descriptor] = tell

    def forget(self, descriptor: int, tell: Callable[[], None]) -> None:
        """The socket is closed, or nobody minds any more; another may have its number by now."""
        if self._poll is not None and self._tell.get(descriptor) == tell:
            del self._tell[descriptor]
            with contextlib.suppress(OSError, ValueError):
                self._poll.unregister(descriptor)

    def close(self) -> None:
        """Watch nothing any more."""
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
            if tell is not None and events & select.EPOLLERR:  # not: closed on both sides
                tell()
