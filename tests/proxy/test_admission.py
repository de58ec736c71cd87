"""A buffer that fills: which exchanges are copied is left to chance, and those that are not are counted as they end."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from monitor.proxy.copies import EARLY, Budget
from monitor.types import Outcome
from tests.chances import seeded
from tests.proxy import test_http2
from tests.proxy.corpus import CASES, GET, OK, Case
from tests.proxy.test_corpus import Seen, brief, cut
from tests.proxy.test_http2 import CONVERSATIONS, recorded

ROOM = 1 << 30
PLAIN = [case for case in CASES if not any(b"ebsocket" in data for _, data in case.turns)]
"""A WebSocket that is not copied is a tunnel."""


def play(case: Case, chance: random.Random, seen: Seen) -> None:
    """As test_corpus does, in any pieces."""
    observer: Any = None

    def opaque(reason: str) -> None:
        seen.opaque.append(reason)

    observer = seen.build(opaque)
    at = 0.0
    for direction, data in case.turns:
        if direction.endswith("."):
            (observer.downstream_eof if direction == ">." else observer.upstream_eof)(at)
            continue
        for piece in cut(data, chance):
            at += 1.0
            (observer.downstream if direction == ">" else observer.upstream)(piece, at)
    observer.closed(at + 1.0, None)


def filled(share: float, draw: Any) -> Seen:
    """An observer's surroundings with so much of the buffer in use."""
    seen = Seen()
    seen.budget = Budget(ROOM, draw)
    seen.budget.used = int(share * ROOM)
    return seen


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
@seeded(5)
def test_what_is_not_copied_ends_and_counts_as_it_would_have(
    case: Case, chance: random.Random
) -> None:
    """Whatever is said on the connection: the same outcomes, the same reasons to turn opaque, no memory left."""
    seen = filled(0.99, lambda: 0.0)
    play(case, chance, seen)
    assert seen.exchanges == []
    assert {reason for _, reason in seen.lost} <= {"buffer_full"}
    ended = [record[3] for record in case.records] + ["ok"] * case.lost
    assert Counter(outcome.value for outcome, _ in seen.lost) == Counter(ended)
    assert seen.opaque == ([case.opaque] if case.opaque else [])
    assert seen.budget.used == int(0.99 * ROOM)


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
@seeded(5)
def test_what_chance_leaves_is_whole(case: Case, chance: random.Random) -> None:
    """Between exchanges that are not copied others are, and nothing of one is in another."""
    seen = filled(0.9, chance.random)
    play(case, chance, seen)
    records = iter(case.records)
    assert all(any(brief(one) == record for record in records) for one in seen.exchanges)
    assert len(seen.exchanges) + len(seen.lost) == len(case.records) + case.lost
    assert seen.budget.used == int(0.9 * ROOM)


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.__name__)
def test_streams_of_http2_that_are_not_copied_end_as_they_would_have(conversation: Any) -> None:
    """One by one, with the same outcomes."""
    steps = recorded(conversation)
    usual = test_http2.Seen().play(steps)
    seen = test_http2.Seen()
    seen.observer._budget = Budget(ROOM, lambda: 0.0)
    seen.observer._budget.used = int(0.99 * ROOM)
    seen.play(steps)
    assert not seen.exchanges
    assert seen.observer._budget.used == int(0.99 * ROOM)
    assert [one for one, _ in seen.lost] == [one.outcome for one in usual.exchanges]
    assert seen.opaque == usual.opaque


def test_nothing_is_left_to_chance_while_there_is_room() -> None:
    """And nothing is copied once there is none."""
    budget = Budget(1000, lambda: 0.0)
    budget.used = int(EARLY * 1000)
    assert budget.admits()
    budget = Budget(1000, lambda: 1.0)
    budget.used = 999
    assert budget.admits()
    budget.used = 1000
    assert not budget.admits()


@pytest.mark.parametrize("used", [0.8, 0.85, 0.9, 0.95, 0.999])
def test_the_fuller_the_buffer_the_fewer_are_copied(used: float) -> None:
    """In proportion to what is left of it beyond EARLY."""
    budget = Budget(ROOM, random.Random(3).random)
    budget.used = int(used * ROOM)
    kept = sum(budget.admits() for _ in range(20_000)) / 20_000
    assert abs(kept - (1 - used) / (1 - EARLY)) < 0.02


def test_losses_are_spread_evenly_though_receipts_come_in_batches() -> None:
    """Five times as much as the recorder takes, which takes 256 at a time: of any hundred exchanges about twenty are
    kept. Were none refused early, there would be 256 that are kept, and then a thousand that are not."""
    budget = Budget(4 << 20, random.Random(5).random)
    held: list[int] = []
    seen = Seen()
    seen.budget = budget
    observer = seen.build(lambda reason: None)
    kept: list[int] = []
    for number in range(40_000):
        observer.downstream(GET + b"", float(number))
        observer.upstream(OK + b"", number + 0.5)
        if seen.exchanges:
            seen.exchanges.clear()
            held.append(1000)
            budget.used += 1000
            kept.append(number)
        if number % (5 * 256) == 0:
            budget.used -= sum(held[:256])
            del held[:256]
    late = [number for number in kept if number >= 20_000]
    shares = [sum(at <= number < at + 100 for number in late) for at in range(20_000, 40_000, 100)]
    assert 15 < sum(shares) / len(shares) < 25
    assert max(shares) < 60
    assert sum(share == 0 for share in shares) < 0.02 * len(shares)
    assert set(seen.lost) == {(Outcome.OK, "buffer_full")}
    assert len(seen.lost) + len(kept) == 40_000
