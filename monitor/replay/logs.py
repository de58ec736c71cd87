"""Other people's logs → Rows, many at once: all cores make Records of them and look at these."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec

from monitor.analysis.observed import Looked, Wanted, look_at
from monitor.damage import Damage
from monitor.logged import Logged
from monitor.replay.order import Entry, in_order
from monitor.replay.record_files import Reader, looks_elsewhere
from monitor.replay.recording import Recording, likeness
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.types import Record

PIECE, ROWS = 1 << 19, 512
"""Bytes of bodies, and rows, that are looked at together, about."""

FEW = 64
"""Rows that are looked at before processes are started."""

WORTH = 1 << 20
"""Bytes of files from which on it is worth while to start processes."""

Make = Callable[[], Recording]
"""What gives the Recording; it can be sent to another process."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode


@dataclass(frozen=True)
class Log:
    """Files of somebody's log, and what reads them."""

    paths: Sequence[Path]
    exchanges: Callable[[Sequence[Path], Damage], Iterator[Logged]]
    damage: Damage

    @property
    def name(self) -> str:
        """The first file, for a person."""
        return str(self.paths[0])

    def read(self) -> Iterator[Logged]:
        """What they say, from the beginning."""
        return self.exchanges(self.paths, self.damage)


@dataclass(frozen=True)
class Looker:
    """Makes Records of entries and looks at these; it can be sent to another process."""

    make: Make
    wanted: Wanted

    def __call__(self, piece: bytes) -> Looked | None:
        """What is seen in encoded entries; None where something in them is unusual."""
        return self.look(_decode(piece))

    def look(self, entries: list[Entry]) -> Looked | None:
        """What is seen in entries; None where something in them is unusual."""
        failed = self.make().failed
        failed.clear()
        looked = look_at(self.records(entries), len(entries), self.wanted)
        return looked and looked._replace(failed=dict(failed))

    def records(self, entries: Iterable[Entry]) -> Iterator[Record]:
        """The Records of entries, as far as they are wanted."""
        by, has_texts = frozenset(self.wanted.dimensions), bool(self.wanted.features)
        return self.make().glimpses(entries, by, has_texts=has_texts)


TOLD = ("durations", "sizes")
"""What a log may say of an exchange of which it has no body."""


def note(said: Logged, told: set[str]) -> None:
    """Add to `told` which of `TOLD` a log says of an exchange."""
    if said.duration is not None:
        told.add("durations")
    if said.response_size is not None:
        told.add("sizes")


def records(log: Log, make: Make, told: set[str]) -> Iterator[Record]:
    """The Records of a log in order of time, with all that they may hold; see `note`."""
    recording = make()
    recording.failed.clear()
    for entry in in_order(log.read, log.name):
        note(entry.said, told)
        yield recording.record(entry.said, entry.number)
    log.damage.failed(log.name, -math.inf, math.inf, recording.failed)


def read(log: Log, make: Make, reader: Reader) -> Iterator[Row | Block]:
    """The rows of a log in order of time. What is out of the range of `reader` is counted and not
    looked at."""
    looker, failed = Looker(make, reader.wanted), Counter[tuple[str, str]]()
    for entries, looked in _looks(_pieces(log, reader), log, looker):
        block = None if looked is None else reader.block(looked)
        if looked is None or block is None:
            make().failed.clear()
            yield from reader.observe(looker.records(entries))
            failed.update(make().failed)
            continue
        failed.update(looked.failed)
        if len(block):
            yield block
    log.damage.failed(log.name, reader.wanted.start, reader.wanted.end, failed)


def _pieces(log: Log, reader: Reader) -> Iterator[list[Entry]]:
    piece: list[Entry] = []
    size = 0
    start, end = reader.wanted.start, reader.wanted.end
    for entry in in_order(log.read, log.name):
        reader.records += 1
        said = entry.said
        if len(reader.told) < len(TOLD):
            note(said, reader.told)
        if not start <= entry.at < end:
            continue
        piece.append(entry)
        size += len(said.request) + len(said.response)
        if size >= PIECE or len(piece) >= ROWS:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _looks(
    pieces: Iterable[list[Entry]], log: Log, looker: Looker
) -> Iterator[tuple[list[Entry], Looked | None]]:
    cores = len(os.sched_getaffinity(0))
    pieces = iter(pieces)
    first = next(pieces, [])
    # Rows without bodies are looked at for less than it costs to send them.
    is_little = all(likeness(entry.said) is not None for entry in first)
    if cores == 1 or is_little or sum(path.stat().st_size for path in log.paths) < WORTH:
        for piece in chain([first] if first else [], pieces):
            yield piece, looker.look(piece)
        return
    # What is compiled for the first texts is then there for all processes.
    yield first[:FEW], looker.look(first[:FEW])
    pieces = chain([first[FEW:]] if first[FEW:] else [], pieces)
    for task, looked in looks_elsewhere(map(_encode, pieces), looker, cores):
        assert isinstance(task, bytes)  # noqa: S101  for the type checker
        yield _decode(task) if looked is None else [], looked
