"""Two logs that take the same course are the same, in whatever order their rows stand; what changes in one alone is drift."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitor.assembly.analysis import rules_of
from monitor.assembly.sanitizer import Sanitizer
from monitor.replay import judge
from monitor.replay.comparison import Comparison
from monitor.replay.datasets import Dataset
from monitor.replay.document import Replay
from monitor.replay.files import ReadOptions
from monitor.replay.plan import Plan, Variant
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.tables.columns import Columns
from monitor.types import Observation

PLAN = Plan(["now"], "e", 1, (), rules_of(Settings()), 500, reference="before")
OPTIONS = ReadOptions((), Columns(), sanitizer=Sanitizer(Settings()))

Course = Callable[[float, random.Random], float]

COURSES: dict[str, Course] = {
    "grows": lambda at, chance: 4 * at + chance.gauss(0, 1),
    "grows a little": lambda at, chance: at + chance.gauss(0, 1),
    "sorted": lambda at, _: math.floor(40 * at),
    "newest first": lambda at, chance: -2 * at + chance.gauss(0, 1),
    "periods": lambda at, chance: math.sin(14 * math.pi * at) + chance.gauss(0, 1),
    "long periods": lambda at, chance: math.sin(4 * math.pi * at) + chance.gauss(0, 1),
    "a step": lambda at, chance: (at > 0.5) * 0.6 + chance.gauss(0, 1),
    "none": lambda _, chance: chance.gauss(0, 1),
}
"""What values do from the beginning (0) to the end (1) of a log."""

SEEDS, SIZE = 6, 700


def dataset(values: list[float]) -> Dataset:
    rows = [
        Row(float(at), {}, [Observation("x", "numeric", value)]) for at, value in enumerate(values)
    ]

    def nothing(_: Any) -> Iterator[Any]:
        return iter(())

    return Dataset("log", False, (), (), lambda _: iter(rows), nothing, lambda _: False, nothing)


def values(course: Course, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [course(number / SIZE, chance) for number in range(SIZE)]


def judged(before: list[float], now: list[float], plan: Plan = PLAN) -> Replay:
    both = Comparison(dataset(now), dataset(before), None, OPTIONS, OPTIONS)
    return judge.judge(plan, both, lambda rows, _what, _total=0: iter(rows))


@pytest.mark.parametrize("name", COURSES)
def test_a_course_that_both_sides_take_is_no_drift(name: str) -> None:
    """In no more of the logs than chance explains: drift.alpha is 5 %, so 1 of 6 is rare enough."""
    course = COURSES[name]
    found = [judged(values(course, seed), values(course, seed + 99)) for seed in range(SEEDS)]
    assert sum(one.verdict == "drift" for one in found) <= 1, [one.remarks for one in found]


@pytest.mark.parametrize("name", ["grows", "sorted"])
def test_it_is_said_where_the_wholes_are_compared(name: str) -> None:
    """Such a log would be called drift as it comes; other settings say the same as the first."""
    course, several = COURSES[name], (Variant(0.05, 0.05, 0.02), Variant(0.2, 0.2, 0.02))
    plan = dataclasses.replace(PLAN, variants=several)
    found = judged(values(course, 1), values(course, 2), plan)
    (only,) = found.features
    assert (only.status, only.samples) == ("ok", SIZE)
    assert found.remarks[0].startswith("x: the reference changes in its own course")
    assert found.what_if is not None
    assert [one.verdict for one in found.what_if] == ["ok", "ok"]


@pytest.mark.parametrize("name", ["grows", "periods", "a step", "none"])
def test_a_shift_of_one_side_is_drift_in_any_course(name: str) -> None:
    course = COURSES[name]
    found = judged(values(course, 1), [value + 1 for value in values(course, 2)])
    assert found.verdict == "drift"


def test_what_changes_late_is_drift_where_the_reference_has_no_course() -> None:
    """Although it is little of the whole: evidence is as live, and says since when."""
    usual, now = values(COURSES["none"], 1), values(COURSES["none"], 2)
    found = judged(usual, [value + (number >= 630) for number, value in enumerate(now)])
    (only,) = found.features
    assert only.status == "drift"
    assert only.since is not None
    assert 300 <= only.since <= 660
    assert found.remarks == []


def waves(length: int, begin: int, seed: int) -> list[float]:
    """Rows of waves of 450 rows, beside chance."""
    chance = random.Random(seed)
    rows = range(begin, begin + length)
    return [0.3 * math.sin(2 * math.pi * at / 450) + chance.gauss(0, 1) for at in rows]


def test_a_reference_too_short_for_its_course_is_said() -> None:
    """What came takes the course on, the wholes are alike: it is drift, and told why it may be none."""
    found = judged(waves(300, 0, 1), waves(3000, 300, 101))
    assert found.verdict == "drift"
    (remark,) = found.remarks
    assert remark.startswith("x: a part of what came differs, the whole does not;")
    assert "300 rows cannot show beside 3,000: give a longer one" in remark


def test_a_change_of_the_whole_needs_no_such_remark() -> None:
    """However short the reference is."""
    usual, now = waves(300, 0, 1), waves(3000, 300, 101)
    found = judged(usual, [value + 1 for value in now])
    assert (found.verdict, found.remarks) == ("drift", [])
