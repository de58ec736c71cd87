"""Judgement: one error budget, and `ok` only where a change would have shown."""

from __future__ import annotations

import math
import random

import pytest

from monitor.analysis.drift.judgement import Rules, effect, read, status_of, thresholds
from monitor.analysis.drift.reference import Learner
from monitor.analysis.drift.watch import Watch
from monitor.distances import LIVE, psi
from monitor.types import Window

RULES = Rules(psi.MEASURE, LIVE)


def watch(samples: int, categories: int) -> Watch:
    chance = random.Random(categories)
    learner = Learner()
    for _ in range(samples):
        learner.add(f"c{chance.randrange(categories)}")
    made = Watch(("x", "all", "all"), None)
    made.stand_on(learner.reference(), 0.0)
    return made


def test_the_budget_is_shared_and_no_more() -> None:
    """Equal parts for the features; of each a quarter for the whole, the rest for the dimensions."""
    keys = [("x", "all", "all"), ("y", "all", "all")]
    keys += [("x", "population", name) for name in "abc"] + [("x", "template", "t")]
    limits = thresholds(dict.fromkeys(keys, 0.0), RULES)
    shares = {key: math.exp(-limit) / RULES.alpha for key, limit in limits.items()}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["x", "all", "all"] == pytest.approx(1 / 8)
    assert shares["x", "population", "a"] == pytest.approx(1 / 2 * 3 / 8 / 3)
    assert shares["x", "template", "t"] == pytest.approx(1 / 2 * 3 / 8)
    assert shares["y", "all", "all"] == pytest.approx(1 / 2)


def test_what_is_believed_makes_it_easier_for_the_next() -> None:
    """Among the features that changed, and among the segments of one; never for the quiet ones."""
    keys = [(name, "population", place) for name in "xyz" for place in "ab"]
    quiet = thresholds(dict.fromkeys(keys, 0.0), RULES)
    found = thresholds(dict.fromkeys(keys, 0.0) | dict.fromkeys(keys[:2], 50.0), RULES)
    assert found["x", "population", "b"] == pytest.approx(
        quiet["x", "population", "b"] - math.log(2)
    )
    assert found["y", "population", "a"] == pytest.approx(quiet["y", "population", "a"])
    two = thresholds(
        dict.fromkeys(keys, 0.0) | {keys[0]: 50.0, keys[2]: 50.0}, RULES
    )  # x and y changed in a
    assert two["y", "population", "b"] == pytest.approx(quiet["y", "population", "b"] - math.log(2))


def test_under_no_change_anywhere_any_alarm_is_as_rare_as_said() -> None:
    """Whatever depends on whatever: a fair bet for each watch, and all of them together."""
    chance = random.Random(4)
    keys = [(f"f{i}", *where) for i in range(4) for where in (("all", "all"), ("p", "a"))]
    runs, alarms = 4000, 0
    for _ in range(runs):
        # E is 1/u of a uniform u, cut to have mean 1 at most: the heaviest tail there is.
        logs = {key: -math.log(max(chance.random(), 1e-9)) - math.log(21) for key in keys}
        limits = thresholds(logs, RULES)
        alarms += any(logs[key] >= limits[key] for key in keys)
    assert alarms / runs <= RULES.alpha


def test_alone_the_whole_has_all_of_it() -> None:
    """Without segments nothing is set aside for them; without watches there is nothing to share."""
    assert thresholds({("x", "all", "all"): 0.0}, RULES) == {
        ("x", "all", "all"): pytest.approx(math.log(20))
    }
    assert thresholds({}, RULES) == {}


@pytest.mark.parametrize(
    ("reference", "categories", "samples", "status"),
    [
        (1000, 5, 29, "insufficient"),
        (1000, 5, 100, "ok"),
        (20, 5, 1000, "insufficient"),
        (1000, 60, 100, "insufficient"),
        (1000, 60, 1000, "ok"),
        (1000, 1, 40, "ok"),
    ],
)
def test_ok_needs_enough_for_a_change_to_show(
    reference: int, categories: int, samples: int, status: str
) -> None:
    """The more bins, the more values; never fewer than thirty."""
    assert status_of(watch(reference, categories).usual, samples) == status


def test_without_a_reference_nothing_is_ok() -> None:
    """However many values come."""
    assert status_of(Window((0, 0, 0)), 10_000) == "insufficient"


def test_too_few_values_have_no_effect() -> None:
    """Neither large nor small: unknown."""
    made = watch(1000, 5)
    made.count("never seen", 0, 0.0)
    assert effect(made, made.live(), RULES) == -1.0


def test_closed_readings_do_not_see_open_panes() -> None:
    """What is settled does not depend on what has come since."""
    made = watch(1000, 5)
    for _ in range(500):
        made.count("never seen", 0, 0.0)
    read([made], RULES, closed=True)
    assert made.statistics
    assert made.statistics.log_evidence == pytest.approx(0.0)
    made.statistics = None
    read([made], RULES)
    assert made.statistics.log_evidence > 100
