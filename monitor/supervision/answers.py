"""Asks the children for their samples, and adds the last samples of children that have ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from monitor import logs
from monitor.errors import ParseError, SilentError
from monitor.framing import Unpacker, pack
from monitor.meters import add_up
from monitor.metrics import CATALOGUE
from monitor.supervision.child import QUESTIONS, ControlMessage, Status, question_socket
from monitor.tasks import own
from monitor.types import Measurement

ANSWER_TIMEOUT = 4.0
"""Seconds that a scrape waits for a child. A frozen one is reported with its last answer."""

OUTDATED = 5.0
"""Seconds after which what an analyzer said says nothing of now: one that is frozen may have been
replaced by another one elsewhere (`analysis.lease`), which tells the same numbers, and newer."""

LEDGER = {
    "monitor_exchanges_total",
    "monitor_records_appended_total",
    "monitor_exchanges_lost_total",
    "monitor_records_pending",
}
_SUFFIXES = {"counter": ("",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ()}
COUNTED = {
    metric.name + suffix
    for metric in CATALOGUE
    if metric.name not in LEDGER
    for suffix in _SUFFIXES[metric.kind]
}

Name = tuple[str, int]


class Remembered(msgspec.Struct):
    """What the next pages process needs: the sums of children that have ended, and the last answer
    of each child."""

    gone: list[Measurement]
    ledgers: list[ControlMessage]
    last: list[ControlMessage]


@dataclass
class Peer:
    """A connection to a child; by question, how often it was asked and has answered."""

    writer: asyncio.StreamWriter
    is_gone: bool = False
    asked: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)


class Answers:
    """Asks the children that the supervisor names, in parallel.

    The last counters of a child that has ended are added to those of the others, so no sum goes
    back when a child starts again. The ledger is different: a proxy's successor continues it
    (`ledger_snapshot`), so the last ledger of a dead proxy is shown only until its successor
    answers. All this is saved in the file `name` of `runtime` too, for the successor of this
    process. `but` are the roles that are not asked for samples: the asker's own, and those that
    say nothing it needs.
    """

    def __init__(self, runtime: Path, name: str = "answers", but: Collection[str] = ()) -> None:
        self._runtime = runtime
        self._file = runtime / name
        self._but = {"pages", *but}
        self._peers: dict[Name, Peer] = {}
        self._joining: dict[Name, asyncio.Lock] = {}
        self._last: dict[Name, ControlMessage] = {}
        self._counts: dict[Name, ControlMessage] = {}
        self._documents: dict[tuple[str, Name], bytes] = {}
        self._heard: dict[tuple[str, Name], float] = {}
        self._gone: list[Measurement] = []
        self._ledgers: dict[Name, list[Measurement]] = {}  # of proxies that have ended
        self._cannot_write = False
        self._recall()

    async def measurements(self, status: Status) -> list[Measurement]:
        """Return the samples of all children."""
        names = [name for name in self._children_to_ask(status) if name[0] not in self._but]
        await self._ask("metrics", names)
        told = (answer for name, answer in self._last.items() if self._is_of_now("metrics", name))
        samples = self._together(told)
        self._remember()
        return samples

    async def counts(self, status: Status) -> list[Measurement]:
        """Return the same without what the analyzer finds, which takes it long to tell."""
        names = [name for name in self._children_to_ask(status) if name[0] not in self._but]
        quick = [name for name in names if name[0] == "analyzer"]
        await asyncio.gather(
            self._ask("counts", quick),
            self._ask("metrics", [name for name in names if name not in quick]),
        )
        others = [answer for name, answer in self._last.items() if name[0] != "analyzer"]
        told = [
            self._counts[name]
            for name in quick
            if name in self._counts and self._is_of_now("counts", name)
        ]
        return self._together([*others, *told])

    def _together(self, answers: Iterable[ControlMessage]) -> list[Measurement]:
        samples = list(self._gone)
        for answer in answers:
            samples += answer.measurements
        for ledger in self._ledgers.values():
            samples += ledger
        return samples

    async def document(self, kind: str, status: Status) -> bytes:
        """Return the analyzer's JSON document of a kind: `findings` (of drift), or `outcomes`; an
        empty one without an analyzer, or of one that just starts.

        Raises SilentError where it was asked and does not answer: nothing found is another thing.
        """
        names = [name for name in self._children_to_ask(status) if name[0] == "analyzer"]
        await self._ask(kind, names)
        known = (self._documents.get((kind, name)) for name in names if self._is_of_now(kind, name))
        document = next((document for document in known if document), b"{}")
        if document == b"{}" and any(self._is_open(kind, name) for name in names):
            raise SilentError
        return document

    async def standing(self, status: Status) -> bytes:
        """Return what the analyzer says for the notifier; empty where none answers now."""
        for key in [key for key in self._documents if key[0] == "standing"]:
            del self._documents[key]  # an old one says nothing of now
        try:
            return (await self.document("standing", status)).removeprefix(b"{}")
        except SilentError:
            return b""

    def _is_of_now(self, kind: str, name: Name) -> bool:
        """Whether the last answer of a child to a question may still be told."""
        now = asyncio.get_running_loop().time()
        return name[0] != "analyzer" or now - self._heard.get((kind, name), now) < OUTDATED

    def _is_open(self, kind: str, name: Name) -> bool:
        """Whether a child has been asked and has not answered."""
        peer = self._peers.get(name)
        return bool(
            peer and not peer.is_gone and peer.asked.get(kind, 0) > peer.answered.get(kind, 0)
        )

    def close(self) -> None:
        """Close the connections to all children."""
        for peer in self._peers.values():
            peer.writer.close()

    def _children_to_ask(self, status: Status) -> list[Name]:
        """Return the children to ask; add the last answers of those that have ended to the sums."""
        pids = {(role, index): pid for role, index, pid, _ in status.children if role != "pages"}
        for name, answer in list(self._last.items()):
            if pids.get(name) != answer.pid and not _is_alive(answer.pid):
                self._bury(name, self._last.pop(name))
        return [name for name, pid in pids.items() if pid]

    def _bury(self, name: Name, answer: ControlMessage) -> None:
        # The analyzer's counts are in its checkpoint, the archiver's in the archive; their
        # successors continue them.
        if name[0] not in ("analyzer", "archiver"):
            counted = [sample for sample in answer.measurements if sample.name in COUNTED]
            counted += _dropped(answer.measurements)
            self._gone = add_up([*self._gone, *counted])
        ledger = [sample for sample in answer.measurements if sample.name in LEDGER]
        if ledger:
            self._ledgers[name] = ledger
        self._counts.pop(name, None)
        for kind in QUESTIONS:
            self._documents.pop((kind, name), None)

    async def _ask(self, kind: str, names: Iterable[Name]) -> None:
        await asyncio.gather(*(self._ask_one(kind, name) for name in names))

    async def _ask_one(self, kind: str, name: Name) -> None:
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(ANSWER_TIMEOUT):
                peer = await self._join(name)
                # A frozen child reads nothing: while a question is open, wait for its answer.
                if peer.asked.get(kind, 0) == peer.answered.get(kind, 0):
                    peer.asked[kind] = peer.asked.get(kind, 0) + 1
                    peer.writer.write(pack(ControlMessage(kind)))
                number = peer.asked[kind]
                async with peer.news:
                    await peer.news.wait_for(
                        lambda: peer.is_gone or peer.answered.get(kind, 0) >= number
                    )

    async def _join(self, name: Name) -> Peer:
        async with self._joining.setdefault(name, asyncio.Lock()):
            peer = self._peers.get(name)
            if peer is None or peer.is_gone:
                path = question_socket(self._runtime, *name)
                reader, writer = await asyncio.open_unix_connection(path)
                self._peers[name] = peer = Peer(writer)
                own(self._hear(name, peer, reader), f"answers of {name[0]} {name[1]}")
        return peer

    async def _hear(self, name: Name, peer: Peer, reader: asyncio.StreamReader) -> None:
        unpacker = Unpacker(ControlMessage)
        try:
            while data := await reader.read(1 << 20):
                for answer in unpacker.feed(data):
                    await self._note(name, peer, answer.unpacked())
        except (OSError, ParseError, msgspec.DecodeError):
            pass
        finally:
            peer.is_gone = True
            async with peer.news:
                peer.news.notify_all()
            peer.writer.close()

    async def _note(self, name: Name, peer: Peer, answer: ControlMessage) -> None:
        if answer.kind == "metrics":
            before = self._last.get(name)
            if before is not None and before.pid != answer.pid:
                self._bury(name, before)
            self._last[name] = answer
            if name in self._ledgers and any(one.name in LEDGER for one in answer.measurements):
                self._ledgers.pop(name, None)
        elif answer.kind == "counts":
            self._counts[name] = answer
        else:
            self._documents[answer.kind, name] = answer.document
        self._heard[answer.kind, name] = asyncio.get_running_loop().time()
        async with peer.news:
            peer.answered[answer.kind] = peer.answered.get(answer.kind, 0) + 1
            peer.news.notify_all()

    # --- for a successor ---------------------------------------------------------------------

    def _remember(self) -> None:
        kept = COUNTED | LEDGER
        remembered = Remembered(
            self._gone,
            [ControlMessage("metrics", *name, 0, ledger) for name, ledger in self._ledgers.items()],
            [
                msgspec.structs.replace(
                    answer,
                    measurements=[one for one in answer.measurements if one.name in kept],
                )
                for answer in self._last.values()
            ],
        )
        new = self._file.with_suffix(".new")
        try:
            new.write_bytes(msgspec.msgpack.encode(remembered))
            new.replace(self._file)
        except OSError as error:
            if not self._cannot_write:
                logs.warning(
                    f"{self._file} cannot be written: {error.strerror}; counters "
                    "may fall when this process is killed"
                )
            self._cannot_write = True
        else:
            self._cannot_write = False

    def _recall(self) -> None:
        try:
            found = msgspec.msgpack.decode(self._file.read_bytes(), type=Remembered)
        except (OSError, msgspec.DecodeError):
            return
        self._gone = found.gone
        self._ledgers = {(one.role, one.index): one.measurements for one in found.ledgers}
        self._last = {(one.role, one.index): one for one in found.last}


def _dropped(samples: Iterable[Measurement]) -> list[Measurement]:
    """What waited in a process that is gone, as the counter that it has become."""
    return [
        Measurement("monitor_spans_total", {**one.labels, "result": "dropped"}, one.value)
        for one in samples
        if one.name == "monitor_spans_waiting"
    ]


def _is_alive(pid: int) -> bool:
    """Return whether this process exists: the status may be older than its last answer."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True
