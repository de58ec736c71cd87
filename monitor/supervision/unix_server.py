"""A Unix socket server that survives a lack of file descriptors.

asyncio's own servers log a hundred lines a second and more when descriptors run out.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from monitor import logs
from monitor.tasks import own

PAUSE = 0.2
"""Seconds until a failed accept is tried again."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class UnixServer:
    """Calls `serve` for every connection on `path`, each in its own task."""

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
        """Stop accepting and end all connections."""
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
