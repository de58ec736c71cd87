"""Feedback joined to records under faults: the ledger at every look, and the same rows whatever ends."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench_join import BEGAN, EVERY, name, record

from monitor.analysis.fold import Analysis
from monitor.analysis.join import stubs
from monitor.analysis.join.at_rest import due
from monitor.analysis.join.items import Item, item_of
from monitor.analysis.join.join import Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.feedback import Feedback
from monitor.findings import Outcome
from monitor.rows import Row
from monitor.types import Record

RECORDS, WAIT, SHARDS = 2_000, 4.0, 4
ORDERS = 20
"""Histories that are drawn."""

Event = tuple[float, Record | Item]


def history(seed: int) -> list[Event]:
    """Records and labels in the order in which they come: in time, too early, too late, twice, of
    nobody."""
    random, events = Random(seed), []
    for number in range(RECORDS):
        one = record(number)
        ended = one.started + one.duration
        events.append((ended + random.expovariate(20), one))
        for turn in range(random.randrange(3)):
            came = ended + random.choice([-1.0, 0.5, 3.0, WAIT, 2 * WAIT]) * random.random()
            which = name(number) if random.random() < 0.97 else f"nobody{number}"
            said = Feedback(
                id=which, label=str(random.randrange(2)), key=f"{number}/{turn}", pseudonymized="k"
            )
            item = item_of(said, came, f"{number}/{turn}")
            events += [(came, item)] * random.choice([1, 1, 1, 2])
    return sorted(events, key=lambda event: event[0])


def told(events: list[Event], seed: int, kills: int) -> tuple[list[Row], int, int]:
    """(rows, looks, looks at which the ledger was not right) of a process that is killed now and
    then, and goes on from its last checkpoint."""
    random = Random(seed)
    join, rows, at, said, looks, wrong = fresh(), list[Row](), 0, 0, 0, 0
    store: dict[str, bytes] = {}
    saved = 0, 0, 0
    while at < len(events):
        came, event = events[at]
        at += 1
        if isinstance(event, Record):
            rows += join.add(event)
        else:
            join.say(event)
            said += 1
        rows += join.advance(came)
        looks += 1
        wrong += join.ledger.said != said
        if random.random() < 0.02:
            store = {key: kept for key, kept in {**store, **join.state()}.items() if kept}
            saved = at, len(rows), said
        if kills and random.random() < 0.005:
            kills -= 1
            join = fresh()
            join.restore(store)
            at, rows, said = saved[0], rows[: saved[1]], saved[2]
    return rows + list(join.advance(float("inf"))), looks, wrong


def fresh() -> Join:
    """A join that remembers nothing."""
    return Join(PredictionReader(), wait=WAIT)


def faults(_: int) -> Iterator[str]:
    """Histories, each lived through, killed, and read at rest."""
    looks, wrong, differ, apart, kills = 0, 0, 0, 0, 8
    for seed in range(ORDERS):
        events = history(seed)
        straight, seen, bad = told(events, seed, 0)
        killed, more, worse = told(events, seed + 1000, kills)
        looks, wrong = looks + seen + more, wrong + bad + worse
        records = [event for _, event in events if isinstance(event, Record)]
        items = [event for _, event in events if isinstance(event, Item)]
        rested = list(due(fresh(), records, items))
        differ += straight != killed
        differ += straight != rested
        apart += answer(straight, 1) != answer(straight, SHARDS)
    yield "| what | result |"
    yield "|---|---|"
    yield f"| looks at the ledger, with early, late, doubled and nameless labels and {kills} kills | {looks:,} |"
    yield f"| looks at which said was not joined + duplicate + unmatched + waiting | {wrong} |"
    yield f"| histories, each lived, killed and read at rest; other rows | {2 * ORDERS}; {differ} |"
    yield f"| histories of which {SHARDS} shards found something else than one | {apart} |"
    packed = [
        stubs.encode(stubs.stub_of(record(number), PredictionReader(), 0)) for number in range(256)
    ]  # fmt: skip
    size = len(zlib.compress(msgspec.msgpack.encode(packed), 1)) / len(packed)
    yield f"| bytes of a record that waits, in a checkpoint; target 120 | {size:.0f} |"
    yield ""
    yield f"Records come {1 / EVERY:.0f} a second and are due after {WAIT:g} s. [JOIN.md](JOIN.md) has the same through a store."


def answer(rows: list[Row], shards: int) -> bytes:
    """What monitors say of rows that were counted in so many parts."""
    folds: list[Analysis[Outcome]] = [outcomes_of(OutcomeRules(learn=0)) for _ in range(shards)]
    for place, row in enumerate(rows):
        folds[place % shards].add_row(row)
    for fold in folds[1:]:
        folds[0].merge(fold)
    folds[0].close(BEGAN)
    return msgspec.json.encode(folds[0].findings())


SECTIONS: tuple[tuple[str, Callable[[int], Iterator[str]]], ...] = (
    ("The ledger of feedback under faults. Target: right at every look, the same rows", faults),
)
