"""Attribution: a drift of the whole is traced to the segments that moved."""

from __future__ import annotations

import random

from monitor.attribution import drivers
from monitor.drift import LIVE, psi
from monitor.judgement import Rules, read
from monitor.reference import Learner
from monitor.watch import Watch

RULES = Rules(psi.MEASURE, LIVE)


def watch(dimension: str, value: str, count: int, shift: float) -> Watch:
    chance = random.Random(f"{dimension}{value}")
    made = Watch(("x", dimension, value), Learner(500))
    for number in range(500 + count):
        made.count(chance.gauss(shift if number >= 500 else 0.0, 1), 0, 0.0)
    return made


def test_who_moved_is_named_with_their_part() -> None:
    """By how far and how many; who stayed, or is alone in a dimension, is not."""
    segments = [
        watch("population", "a", 1000, 0.0),
        watch("population", "b", 600, 1.0),
        watch("population", "c", 200, 1.0),
        watch("population", "d", 5, 3.0),
        watch("template", "only", 1000, 1.0),
        Watch(("x", "population", "learning"), Learner(500)),
    ]
    read(segments, RULES)
    found = drivers(segments, 0.0, RULES)
    assert [(one.dimension, one.value) for one in found] == [
        ("population", "b"),
        ("population", "c"),
    ]
    assert 0.6 < found[0].share < 0.9
    assert drivers([], 0.0, RULES) == []


def test_where_all_moved_alike_nobody_drove() -> None:
    """Half of a change that comes from half of the traffic says nothing about that half."""
    segments = [watch("population", name, 1000, 1.0) for name in "abc"]
    read(segments, RULES)
    assert drivers(segments, 0.0, RULES) == []


def test_variants_that_are_compared_with_each_other_drive_nothing() -> None:
    """That b differs from the champion does not say that either of them changed."""
    champion = watch("variant", "champion", 1000, 1.0)
    other = Watch(("x", "variant", "b"), None, peer=champion)
    for number in range(1000):
        other.count(float(number % 3), 0, 0.0)
    read([champion, other], RULES)
    assert drivers([champion, other], 0.0, RULES) == []
