"""A Unix socket that accepts, also after there were no descriptors for a while.

asyncio's own servers answer a lack of descriptors with a hundred lines a second and more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from monitor import logs
from monitor.tasks import own

PAUSE = 0.2
"""Seconds until the next try to accept."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class UnixServer:
    """Gives every connection on `path` to `serve`, each in a task of its own."""

    def __init__(self, path: Path, serve: Serve) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._serve = serve
        self._serving: set[asyncio.Task[None]] = set()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen(100)
        self._socket.setblocking(False)
        self._accepting = own(self._accept(), f"accepting on {path.name}")

    async def close(self) -> None:
        """Accept no more, and end what is served."""
        tasks = [self._accepting, *self._serving]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._socket.close()

    async def _accept(self) -> None:
        loop, complained = asyncio.get_running_loop(), False
        while True:
            try:
                connection, _ = await loop.sock_accept(self._socket)
                reader, writer = await asyncio.open_unix_connection(sock=connection)
            except Exception as error:  # noqa: BLE001  it goes on accepting, whatever it was
                if not complained:
                    reason = error.strerror if isinstance(error, OSError) else logs.place(error)
                    logs.warning(
                        f"{self._path.name}: cannot accept a connection: {reason}; trying again"
                    )
                complained = True
                await asyncio.sleep(PAUSE)
                continue
            complained = False
            task = own(self._one(reader, writer), f"a connection on {self._path.name}")
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()
