"""The supervisor's side of the control socket: which children are ready and which still answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from monitor.errors import ParseError
from monitor.framing import Unpacker, pack
from monitor.supervision.child import ControlMessage, Status
from monitor.supervision.unix_server import UnixServer

UNREAD_BYTES = 1 << 16
"""Bytes that may wait for a child that does not read; until it does it gets nothing more."""


@dataclass
class Peer:
    """A connected child; `silent` counts the pings since its last answer."""

    writer: asyncio.StreamWriter
    ready: bool = False
    silent: int = 0


class Control:
    """Listens on `control.sock` and keeps one Peer per child. `status` answers a child's question,
    `told` hears that one is ready.

    A child whose connection ends stops by itself, because it has no supervisor any more.
    """

    def __init__(self, status: Callable[[], Status], told: Callable[[], None]) -> None:
        self._status = status
        self._told = told
        self._peers: dict[tuple[str, int], Peer] = {}
        self._listening: UnixServer | None = None
        self._once_ready: set[tuple[str, int]] = set()

    def listen(self, path: Path) -> None:
        """Accept children; the directory of the socket keeps it private."""
        self._listening = UnixServer(path, self._serve)

    async def close(self) -> None:
        """Close all connections; the children see that and stop."""
        if self._listening:
            await self._listening.close()

    def is_ready(self, role: str, but: Collection[int] = ()) -> bool:
        """Return whether at least one child of this role is ready, `but` some of them."""
        return any(
            peer.ready and index not in but
            for (name, index), peer in self._peers.items()
            if name == role
        )

    def was_ready(self, role: str, index: int) -> bool:
        """Return whether this child has ever been ready."""
        return (role, index) in self._once_ready

    def silence(self, role: str, index: int) -> int:
        """Ping a child; return how many pings it has not answered so far.

        Returns 0 for a child that is not ready: it may still be starting.
        """
        peer = self._peers.get((role, index))
        if peer is None or not peer.ready:
            return 0
        silent = peer.silent
        peer.silent += 1
        self._say(peer, ControlMessage("alive"))
        return silent

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = Unpacker(ControlMessage)
        peer = Peer(writer)
        name: tuple[str, int] | None = None
        try:
            while data := await reader.read(65536):
                for message in unpacker.feed(data):
                    if message.kind == "hello":
                        name = (message.role, message.index)
                        self._peers[name] = peer
                    elif message.kind == "ready":
                        peer.ready = True
                        self._once_ready.add((message.role, message.index))
                        self._told()
                    elif message.kind == "alive":
                        peer.silent = 0
                    elif message.kind == "status":
                        document = msgspec.json.encode(self._status())
                        self._say(peer, ControlMessage("status", document=document))
        except (OSError, ParseError):
            pass
        finally:
            if name is not None and self._peers.get(name) is peer:
                del self._peers[name]

    @staticmethod
    def _say(peer: Peer, message: ControlMessage) -> None:
        if peer.writer.transport.get_write_buffer_size() < UNREAD_BYTES:
            peer.writer.write(pack(message))
