"""Entries of the stream → what an analyzer counts: one by one, or many at once where others have
looked at them already. Both come to the same, bit for bit."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import starmap
from typing import NamedTuple

import numpy as np

from monitor.analysis.fold import Analysis
from monitor.analysis.lineage import Lineage
from monitor.analyzer.attempts import Attempts
from monitor.analyzer.looks import Looking, Strip, block_of, interleaved
from monitor.analyzer.outcomes import Outcomes
from monitor.analyzer.set_aside import SetAside
from monitor.findings import Finding
from monitor.interfaces import Feature
from monitor.review.reviewer import Reviewer
from monitor.rows import Row
from monitor.streams.entries import Entry, mark_of
from monitor.tables.blocks import Block
from monitor.turns import give_way
from monitor.types import Record

AT_ONCE = 20_000
"""Observations that are kept to be counted together, at most, about."""


class Folding(NamedTuple):
    """What is told of each Record."""

    analysis: Analysis[Finding]
    lineage: Lineage
    outcomes: Outcomes
    reviewer: Reviewer | None
    attempts: Attempts
    set_aside: SetAside

    @property
    def needs_records(self) -> bool:
        """Whether somebody wants to see each Record, beside what features see of it."""
        return self.outcomes.is_on or self.reviewer is not None

    async def one_by_one(self, entries: list[Entry], now: float) -> None:
        """Fold entries in order, at Unix time `now`; they are freed as they are folded."""
        due = deque(entries)
        entries.clear()
        rows: list[Row] = []
        observations = 0
        while due:
            give_way()
            entry = due.popleft()
            if (record := await self._read(entry, now)) is not None:
                with self._failing(entry):
                    self.lineage.add(record)
                    rows.append(row := self.analysis.row(record))
                    observations += len(row.observations)
                    if self.outcomes.is_on:
                        self.outcomes.add(record)
                if self.reviewer is not None:
                    self.reviewer.look(record, entry)
            if not due or observations >= AT_ONCE or self.attempts.is_marked:
                with self._failing(entry):
                    self.analysis.add_rows(rows)
                rows, observations = [], 0

    async def together(
        self,
        entries: Sequence[Entry],
        strips: Mapping[str, Strip],
        features: Sequence[Feature],
        now: float,
    ) -> int:
        """Fold entries in order, at Unix time `now`, some of which others have looked at, with the
        same features; return how many these are."""
        taken = _taken(strips, entries)
        looked = sum(taken.values())
        told = _told(strips, taken)
        order: list[int] = []
        ours: list[Entry] = []
        looking = Looking(features)
        is_usual = True
        for entry in entries:
            give_way()
            seen = next(told[entry.key], None) if entry.key in told else None
            if seen is None:
                record = await self._read(entry, now)
                if record is None:
                    continue
                with self._failing(entry):
                    self.lineage.add(record)
                    order.append(looked + len(ours))
                    ours.append(entry)
                is_usual = is_usual and _tried(looking, record)
            else:
                with self._failing(entry):
                    if seen.facts is not None:
                        self.lineage.add_facts(seen.facts, seen.at)
                    order.append(seen.place)
                record = entry.record(now) if entry.fields else None
            if record is not None and self.needs_records:
                with self._failing(entry):
                    if self.outcomes.is_on:
                        self.outcomes.add(record)
                if self.reviewer is not None:
                    self.reviewer.look(record, entry)
        if not order:
            return 0
        blocks = _blocks(strips, taken)
        if is_usual and ours and (look := looking.done("", "0-0", (), ())) is not None:
            blocks.append(block_of(look))
            ours = []
        whole = None if ours else interleaved(blocks, np.array(order, dtype=np.intp))
        with self._failing(entries[-1]):
            if whole is not None:
                self.analysis.add_block(whole)
            else:
                rows = self._rows(blocks, ours, now)
                self.analysis.add_rows([row for place in order if (row := rows[place])])
        return looked

    def _rows(self, blocks: Sequence[Block], ours: Sequence[Entry], now: float) -> list[Row | None]:
        """The rows of blocks, and of entries that nobody has looked at; None where one fails."""
        rows: list[Row | None] = [row for block in blocks for row in block.rows()]
        for entry in ours:
            give_way()
            rows.append(None)
            with self._failing(entry):
                record = entry.record(now)
                rows[-1] = None if record is None else self.analysis.row(record)
        return rows

    async def _read(self, entry: Entry, now: float) -> Record | None:
        """The Record of an entry, if it is one, and may be tried."""
        if not await self.attempts.may_try(entry):
            self.set_aside.note("poison", entry)
        elif (record := self.set_aside.record(entry, now)) is None:
            self.set_aside.note("unreadable", entry)
        else:
            return record
        return None

    @contextlib.contextmanager
    def _failing(self, entry: Entry) -> Iterator[None]:
        """Set an entry aside where what is done with it raises: it must not end all."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  see above
            self.set_aside.note("failed", entry, error)


def is_sound(strips: Mapping[str, Strip], entries: Sequence[Entry]) -> bool:
    """Whether what was seen of entries can be used: tried before anything is counted, for whoever
    can write to the store may have made it up."""
    try:
        taken = _taken(strips, entries)
        blocks = _blocks(strips, taken)
        if blocks and interleaved(blocks, np.arange(sum(map(len, blocks)))) is None:
            for block in blocks:
                deque(block.rows(), maxlen=0)
        for told in _told(strips, taken).values():
            deque(told, maxlen=0)
    except Exception:  # noqa: BLE001  whatever that leads to
        return False
    return True


def _blocks(strips: Mapping[str, Strip], taken: Mapping[str, int]) -> list[Block]:
    """What was seen of the first entries of shards."""
    return [block for key in taken for block in strips[key].blocks(taken[key])]


class _Told(NamedTuple):
    """What was seen of an entry: the place of its row, when it ended, what it says of what served
    it, None where it was not accepted."""

    place: int
    at: float
    facts: dict[str, str] | None


def _told(strips: Mapping[str, Strip], taken: Mapping[str, int]) -> dict[str, Iterator[_Told]]:
    """What was seen of the first entries of shards, by the key of each."""
    found: dict[str, Iterator[_Told]] = {}
    first = 0
    for key, count in taken.items():
        said = zip(range(first, first + count), *strips[key].said(count), strict=True)
        found[key] = starmap(_Told, said)
        first += count
    return found


def _taken(strips: Mapping[str, Strip], entries: Sequence[Entry]) -> dict[str, int]:
    """How many of the entries of each shard, the first ones, are those that a strip tells of."""
    seen = {key: zip(strip.ids, strip.marks, strict=True) for key, strip in strips.items()}
    taken = dict.fromkeys(strips, 0)
    for entry in entries:
        if entry.key in seen:
            id_, mark = next(seen[entry.key], (b"", b""))
            if id_ == entry.id.encode() and (not entry.fields or mark_of(entry.fields) == mark):
                taken[entry.key] += 1
            else:
                del seen[entry.key]
    return taken


def _tried(looking: Looking, record: Record) -> bool:
    """Look at a Record; whether that went well. Else each is looked at alone, which says of which
    it does not."""
    try:
        looking.add(record)
    except Exception:  # noqa: BLE001  it will be raised again, and said
        return False
    return True
