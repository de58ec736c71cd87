"""The supervisor's side of the control socket: who is there, who is ready, what they measure."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from monitor.app.child import Message
from monitor.errors import ParseError
from monitor.framing import Unpacker, pack
from monitor.metrics import CATALOGUE
from monitor.types import Measurement

ANSWER_TIMEOUT = 4.0
"""Seconds that a scrape waits for one child; a frozen one is reported as it last answered."""

_LEDGER = {
    "monitor_exchanges_total",
    "monitor_records_appended_total",
    "monitor_exchanges_lost_total",
    "monitor_records_pending",
}
_SUFFIXES = {"counter": ("",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ()}
_COUNTED = {
    metric.name + suffix
    for metric in CATALOGUE
    if metric.name not in _LEDGER
    for suffix in _SUFFIXES[metric.kind]
}

Name = tuple[str, int]


@dataclass
class Peer:
    """A connected child. `last` holds its latest answer to each kind of question."""

    writer: asyncio.StreamWriter
    ready: bool = False
    is_gone: bool = False
    asked: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    last: dict[str, Message] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)


class Control:
    """Listens on `control.sock` and keeps one Peer per child.

    What the counters of a child that is gone said last is added to those of the others: no sum over
    several children goes back when one of them starts anew. The ledger alone is kept from one proxy
    to the next (app.estate); here it is shown as it was last until the next one shows it.
    """

    def __init__(self) -> None:
        self._peers: dict[Name, Peer] = {}
        self._gone: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self._ledgers: dict[Name, list[Measurement]] = {}  # of proxies that are gone
        self._server: asyncio.Server | None = None
        self._once_ready: set[Name] = set()
        self._serving: set[asyncio.Future[None]] = set()

    async def listen(self, path: Path) -> None:
        """Accept children; the socket is as private as the directory it stands in."""
        self._server = await asyncio.start_unix_server(self._accept, path)

    async def close(self) -> None:
        """Forget all children; they see the end of the connection and stop."""
        for peer in self._peers.values():
            peer.writer.close()
        if self._server:
            self._server.close()
        await asyncio.gather(*self._serving)

    def is_ready(self, role: str) -> bool:
        """Whether at least one child of this role does its work."""
        return any(peer.ready for (name, _), peer in self._peers.items() if name == role)

    def was_ready(self, role: str, index: int) -> bool:
        """Whether this child has ever done its work."""
        return (role, index) in self._once_ready

    async def measurements(self) -> list[Measurement]:
        """What all children measure now; children are asked side by side."""
        answers = await self._ask("metrics")
        samples = [
            Measurement(name, dict(labels), value) for (name, labels), value in self._gone.items()
        ]
        for answer in answers:
            if any(sample.name in _LEDGER for sample in answer.measurements):
                self._ledgers.pop((answer.role, answer.index), None)
            samples += answer.measurements
        for ledger in self._ledgers.values():
            samples += ledger
        return samples

    async def findings(self) -> bytes:
        """The analyzer's findings as a JSON document; an empty one when there is no analyzer."""
        answers = await self._ask("findings")
        return next((answer.document for answer in answers if answer.document), b"{}")

    async def _ask(self, kind: str) -> list[Message]:
        peers = list(self._peers.values())
        await asyncio.gather(*(self._ask_one(peer, kind) for peer in peers))
        return [peer.last[kind] for peer in peers if kind in peer.last and not peer.is_gone]

    async def _ask_one(self, peer: Peer, kind: str) -> None:
        # A frozen child reads nothing: while a question stands open, wait for its answer only.
        if peer.asked.get(kind, 0) == peer.answered.get(kind, 0):
            peer.asked[kind] = peer.asked.get(kind, 0) + 1
            peer.writer.write(pack(Message(kind)))
        number = peer.asked[kind]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_TIMEOUT), peer.news:
                await peer.news.wait_for(
                    lambda: peer.is_gone or peer.answered.get(kind, 0) >= number
                )

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unpacker = Unpacker(Message)
        peer = Peer(writer)
        name: Name | None = None
        try:
            while data := await reader.read(1 << 20):
                for message in unpacker.feed(data):
                    if message.kind == "hello":
                        name = (message.role, message.index)
                        self._peers[name] = peer
                    elif message.kind == "ready":
                        peer.ready = True
                        self._once_ready.add((message.role, message.index))
                    else:
                        await self._note(peer, message)
        except (ConnectionError, ParseError):
            pass
        finally:
            peer.is_gone = True
            if name is not None:
                self._keep(name, peer)
                if self._peers.get(name) is peer:
                    del self._peers[name]
            async with peer.news:
                peer.news.notify_all()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _keep(self, name: Name, peer: Peer) -> None:
        answer = peer.last.get("metrics")
        if answer is None:
            return
        for sample in answer.measurements:
            # The analyzer's counts are in its checkpoint, and its successor goes on from there.
            if sample.name in _COUNTED and name[0] != "analyzer":
                key = sample.name, tuple(sample.labels.items())
                self._gone[key] = self._gone.get(key, 0) + sample.value
        ledger = [sample for sample in answer.measurements if sample.name in _LEDGER]
        if ledger:
            self._ledgers[name] = ledger

    async def _note(self, peer: Peer, answer: Message) -> None:
        async with peer.news:
            peer.last[answer.kind] = answer
            peer.answered[answer.kind] = peer.answered.get(answer.kind, 0) + 1
            peer.news.notify_all()
