"""Entries folded one by one, and together with what others have seen of them: the same state."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import msgspec
import pytest

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.lineage import Lineage
from monitor.analysis.monitors import analysis_of
from monitor.analyzer.attempts import Attempts
from monitor.analyzer.folding import Folding
from monitor.analyzer.looks import Strip
from monitor.analyzer.set_aside import SetAside
from monitor.assembly.outcomes import outcomes_of
from monitor.distances import LIVE, psi
from monitor.features import FEATURES
from monitor.settings.schema import Settings
from monitor.streams.entries import Entry, mark_of, moment
from monitor.streams.shards import key_of
from monitor.types import Record, encode_record
from tests.analyzer.test_looks import piece, varied

NOW = 1.8e9


class Side:
    """What is counted."""

    def __init__(self, watches: int = 2000, *, joins: bool = False) -> None:
        async def write(_: Any) -> None:
            raise AssertionError

        rules = Rules(psi.MEASURE, LIVE, pane=60.0, lateness=5.0, watches=watches)
        self.set_aside = SetAside(lambda: 0.0)
        outcomes = outcomes_of(Settings(redis="redis://127.0.0.1:1/0"), lambda *_: None)
        outcomes.is_on = joins
        self.folding = Folding(
            analysis_of(FEATURES, rules, Baseline(learn=100)), Lineage(),
            outcomes, None, Attempts(write), self.set_aside,
        )  # fmt: skip

    def state(self) -> dict[str, bytes]:
        folding = self.folding
        counts = folding.analysis.saved() | folding.outcomes.saved() | self.set_aside.saved()
        return counts | {"lineage": folding.lineage.saved()}


def entries_of(
    chance: random.Random, shards: int, count: int, first: int
) -> list[tuple[Entry, Record | None]]:
    """Entries of shards in order, each as it stands there; some hold nothing, in one shard."""
    found = []
    for number in range(first, first + count):
        shard = chance.randrange(shards)
        record = None if shard == 0 and chance.random() < 0.1 else varied(number)
        document = b"{}" if record is None else encode_record(record)
        entry = Entry(
            key_of("e", shard),
            f"{1_700_000_060_000 + 1000 * number}-0",
            [b"v", b"1", b"record", document],
        )
        found.append((entry, record))
    return found


def strips_of(chance: random.Random, some: list[tuple[Entry, Record | None]]) -> dict[str, Strip]:
    """What others have seen of them: of some shards all, of some the beginning, of some nothing."""
    strips = {}
    for key in sorted({entry.key for entry, _ in some}):
        mine = [(entry, record) for entry, record in some if entry.key == key]
        seen = [
            record for _, record in mine[: chance.randrange(len(mine) + 1)] if record is not None
        ]
        if len(seen) == len(mine[: len(seen)]) and seen and key != key_of("e", 0):
            found = piece(seen)
            ids = [moment(entry.id.encode()) for entry, _ in mine[: len(seen)]]
            strips[key] = Strip("0-0")
            marks = [mark_of(entry.fields) for entry, _ in mine[: len(seen)]]
            strips[key].pieces.append(found._replace(after=(0, 0), ids=ids, marks=marks))
    return strips


@pytest.mark.parametrize("watches", [2000, 40])
@pytest.mark.parametrize("seed", range(4))
def test_together_is_one_by_one(seed: int, watches: int) -> None:
    """Whatever was looked at, known without its fields or read all the same, for the join of feedback too;
    also where places among the watches run out, for then it matters who comes first."""
    chance = random.Random(seed)
    joins = seed % 2 == 1
    alone, shared = Side(watches, joins=joins), Side(watches, joins=joins)

    async def story() -> int:
        looked = 0
        for turn in range(4):
            some = entries_of(chance, chance.randrange(1, 4), 150, 1000 * turn)
            strips = strips_of(chance, some)
            await alone.folding.one_by_one([entry for entry, _ in some], NOW)
            known = (
                {key: set(strip.ids) for key, strip in strips.items()}
                if turn % 2 and not joins
                else {}
            )
            entries = [
                msgspec.structs.replace(entry, fields=[])
                if entry.id.encode() in known.get(entry.key, ())
                else entry
                for entry, _ in some
            ]
            looked += await shared.folding.together(entries, strips, FEATURES, NOW)
            assert shared.state() == alone.state()
        return looked

    assert asyncio.run(story()) > 50, "nothing was tried"
    assert alone.folding.analysis.records > 550


def test_what_is_not_there_any_more_is_not_counted() -> None:
    """An entry that was erased after it had been looked at: nothing of that shard is used from there on."""
    some = entries_of(random.Random(1), 1, 60, 0)
    some = [(entry, record) for entry, record in some if record is not None]
    strip = Strip("0-0")
    found = piece([record for _, record in some if record is not None])
    ids = [moment(entry.id.encode()) for entry, _ in some]
    marks = [mark_of(entry.fields) for entry, _ in some]
    strip.pieces.append(found._replace(ids=ids, marks=marks))
    del some[20]
    alone, shared = Side(), Side()

    async def story() -> int:
        entries = [entry for entry, _ in some]
        await alone.folding.one_by_one(list(entries), NOW)
        return await shared.folding.together(entries, {key_of("e", 0): strip}, FEATURES, NOW)

    assert asyncio.run(story()) == 20
    assert shared.state() == alone.state()
