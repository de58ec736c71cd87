"""Agreement of two people who read the same: measured, and an alarm when it falls."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

import pytest

from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Outcome, Quality
from monitor.review.agreement import agreement
from monitor.rows import Row, Truth

PANE = 100.0
Pair = tuple[bool, bool]


def pairs(seed: int, count: int, bad: float, right: float) -> Iterator[Pair]:
    """Two people who see bad ones as bad, and good ones as good, with this probability each."""
    chance = random.Random(seed)
    for _ in range(count):
        is_good = chance.random() >= bad
        first, second = (is_good == (chance.random() < right) for _ in range(2))
        yield first, second


def fold() -> Analysis[Outcome]:
    return outcomes_of(OutcomeRules(pane=PANE, lateness=0.0))


def fed(one: Analysis[Outcome], told: Iterable[Pair]) -> Analysis[Outcome]:
    for number, verdicts in enumerate(told):
        one.add_row(Row(10.0 * number, {"population": "a"}, [], truth=Truth(verdicts=verdicts)))
    return one


def found(one: Analysis[Outcome]) -> dict[str, Quality]:
    said = (each for monitor in one.monitors for each in monitor.findings())
    return {
        each.measure: each for each in said
        if isinstance(each, Quality) and each.measure.startswith("reader_agreement")
    }  # fmt: skip


def test_agreement_is_measured_as_the_queue_measures_it() -> None:
    """In all, about bad answers and about good ones, of the whole traffic, with intervals; nothing
    where nobody has read anything twice."""
    assert found(fed(fold(), [])) == {}
    both = list(pairs(1, 400, 0.2, 0.9))
    told = found(fed(fold(), both))
    beside = agreement(*(both.count(each) for each in
                         ((True, True), (True, False), (False, True), (False, False))))  # fmt: skip
    numbers = {measure: one.number for measure, one in told.items()}
    assert numbers == {
        "reader_agreement": pytest.approx(beside.raw),
        "reader_agreement_failed": pytest.approx(beside.on_failed),
        "reader_agreement_passed": pytest.approx(beside.on_passed),
    }
    assert told["reader_agreement"].labels == 400
    for one in told.values():
        assert (one.dimension, one.value) == ("all", "all")
        assert one.number is not None
        assert one.lower is not None
        assert one.upper is not None
        assert one.lower < one.number < one.upper


def test_an_alarm_says_that_agreement_has_fallen_and_since_when() -> None:
    """Beside the first hundred pairs; while it is as it was, or when it rises, it is none."""
    steady = found(fed(fold(), pairs(2, 2000, 0.2, 0.97)))
    assert {one.status for one in steady.values()} == {"ok"}
    fallen = fed(fold(), [*pairs(2, 1000, 0.2, 0.97), *pairs(3, 600, 0.2, 0.8)])
    one = found(fallen)["reader_agreement"]
    assert one.status == "alarm"
    assert one.since == pytest.approx(10_000, abs=1500)
    assert "drifted for the worse" in one.words
    risen = found(fed(fold(), [*pairs(2, 1000, 0.2, 0.8), *pairs(3, 1500, 0.2, 0.99)]))
    assert risen["reader_agreement"].improved
    assert {one.status for one in risen.values()} == {"ok"}


def test_about_bad_answers_it_may_fall_where_all_in_all_it_does_not() -> None:
    """Where 3 of 100 are bad, two who no longer know a bad one agree in all but a few."""
    careful = list(pairs(4, 6000, 0.03, 0.99))
    chance = random.Random(5)
    blind = [
        (chance.random() >= 0.03, True)
        if chance.random() < 0.5
        else (True, chance.random() >= 0.03)
        for _ in range(6000)
    ]
    told = found(fed(fold(), [*careful, *blind]))
    assert told["reader_agreement_failed"].status == "alarm"
    assert told["reader_agreement"].status == "ok"


def test_shards_and_restarts_change_nothing() -> None:
    """Counted apart and added up, or saved and restored in the middle: the same findings."""
    told = [*pairs(6, 500, 0.2, 0.97), *pairs(7, 400, 0.2, 0.75)]
    rows = [Row(10.0 * k, {}, [], truth=Truth(verdicts=one)) for k, one in enumerate(told)]
    whole = fed(fold(), told)
    state: dict[str, bytes] = {}
    killed = fold()
    for number, row in enumerate(rows):
        if number % 131 == 130:
            state |= killed.saved()
            killed = fold()
            kept = {name: entry for name, entry in state.items() if entry}
            killed.restore(kept, latest=math.inf, keeps=lambda _: True)
        killed.add_row(row)
    assert found(killed) == found(whole)
    parts = [fold(), fold()]
    for number, row in enumerate(rows[:8]):  # a pane: what was learned of it adds up
        parts[number % 2].add_row(row)
    parts[0].merge(parts[1])
    assert found(parts[0]) == found(fed(fold(), told[:8]))
