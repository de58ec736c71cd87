"""The monitor of coverage: what a calibration sample can promise, by segment, sets and intervals."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from monitor.analysis.coverage.monitor import CoverageMonitor, miss
from monitor.analysis.fold import Analysis
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Coverage
from monitor.metrics import BY_NAME
from monitor.types import Row, Truth

RULES = OutcomeRules(pane=100.0, lateness=10.0)


def hosted(rules: OutcomeRules = RULES) -> Analysis[Coverage]:
    return Analysis((), (CoverageMonitor(rules, 0.05),), pane=rules.pane, lateness=rules.lateness)


def row(number: int, missed: float) -> Row:
    """An interval, or every third a set, that misses with this probability."""
    chance = random.Random(number)
    out = chance.random() < missed
    if number % 3:
        truth = Truth(interval=(0.0, 2.0), label=3.0 if out else 1.0)
    else:
        truth = Truth(choices=["a", "b"], label="c" if out else "b")
    return Row(float(number), {"site": "ab"[number % 2]}, [], truth=truth)


def folded(fold: Analysis[Coverage], some: Iterator[Row]) -> Analysis[Coverage]:
    for one in some:
        fold.add_row(one)
    return fold


def test_kept_promises_are_ok_and_broken_ones_certain() -> None:
    """Misses of .10 are promised, .20 are found in a few hundred; sizes of sets are told."""
    kept = folded(hosted(), (row(number, 0.10) for number in range(4000))).findings()
    assert [one.status for one in kept] == ["ok"] * 3
    assert kept[0].coverage == pytest.approx(0.9, abs=0.02)
    assert (kept[0].target, kept[0].size, kept[0].labels) == (0.9, 2.0, 4000)
    broken = folded(hosted(), (row(number, 0.20) for number in range(600))).findings()[0]
    assert broken.status == "alarm"


def test_two_points_are_harmless_where_nothing_is_known() -> None:
    """Misses of .12 against .10, 20,000 records."""
    found = folded(hosted(), (row(number, 0.115) for number in range(20_000))).findings()
    assert {one.status for one in found} == {"ok"}


def test_too_careful_sets_are_found_as_well() -> None:
    """Misses of .03 where .10 are promised: sets are larger than they need be."""
    found = folded(hosted(), (row(number, 0.03) for number in range(3000))).findings()[0]
    assert found.status == "alarm"


@pytest.mark.parametrize("sample", [200, 2_000])
def test_a_calibration_sample_is_not_blamed_for_its_own_chance(sample: int) -> None:
    """The true coverage of 100 calibration samples differs; watched over 4,000 records each, few
    ever alarm."""
    chance = np.random.default_rng(sample)
    low = math.floor(0.1 * (sample + 1) + 1e-9)
    alarms = 0
    for _ in range(100):
        missed = chance.beta(low, sample + 1 - low)
        monitor = CoverageMonitor(OutcomeRules(calibrated_on=sample), 0.05)
        for pane in range(20):
            n = 200
            outside = int(chance.binomial(n, missed))
            added = [(0, n), (1, outside), (2, n * 2**30 // 10)]
            monitor._tallies.count([("all", "all")], pane, float(pane), added)
            monitor.close(pane, float)
            if monitor.findings()[0].status == "alarm":
                alarms += 1
                break
    assert alarms <= 9


def test_a_sample_that_breaks_its_promise_is_found() -> None:
    """Misses of .20 after 2,000 calibration scores at .10."""
    rules = OutcomeRules(pane=100.0, lateness=10.0, calibrated_on=2_000)
    found = folded(hosted(rules), (row(number, 0.2) for number in range(600))).findings()[0]
    assert found.status == "alarm"
    fine = folded(hosted(rules), (row(number, 0.1) for number in range(3000))).findings()[0]
    assert fine.status == "ok"


@pytest.mark.parametrize(
    ("truth", "found"),
    [
        (Truth(label=1.0, interval=(1.0, 2.0)), False),
        (Truth(label=2.0, interval=(1.0, 2.0)), False),
        (Truth(label="1.5", interval=(1.0, 2.0)), False),
        (Truth(label=2.1, interval=(1.0, math.inf)), False),
        (Truth(label=2.1, interval=(1.0, math.nan)), True),
        (Truth(label=1.5, interval=(2.0, 1.0)), True),
        (Truth(label="many", interval=(1.0, 2.0)), None),
        (Truth(label=math.nan, interval=(1.0, 2.0)), None),
        (Truth(label=10**400, interval=(1.0, 2.0)), True),
        (Truth(label=1.0, choices=["1", "2"]), False),
        (Truth(label="cat", choices=[]), True),
        (Truth(label="", choices=["a"]), None),
        (Truth(label=None, choices=["a"]), None),
        (Truth(label="a"), None),
    ],
)
def test_what_is_inside(truth: Truth, found: bool | None) -> None:
    """Ends belong to an interval; an empty set holds nothing; without a label nothing is said."""
    assert miss(truth) is found


def test_restart_and_shards_are_bit_for_bit() -> None:
    """Saved halfway, and counted in three shards."""
    some = [row(number, 0.15) for number in range(2000)]
    straight = folded(hosted(), iter(some))
    first = folded(hosted(), iter(some[:777]))
    again = hosted()
    again.restore(first.saved())
    assert folded(again, iter(some[777:])).findings() == straight.findings()
    late = OutcomeRules(pane=100.0, lateness=1e9)
    parts = [folded(hosted(late), iter(some[shard::3])) for shard in range(3)]
    parts[0].merge(parts[1])
    parts[0].merge(parts[2])
    parts[0].close()
    whole = folded(hosted(late), iter(some))
    whole.close()
    assert parts[0].findings() == whole.findings()


def test_measurements_are_those_of_the_catalogue() -> None:
    """The share inside, the evidence, and one status of three for each segment."""
    fold = folded(hosted(), (row(number, 0.1) for number in range(300)))
    told: list[Any] = list(fold.monitors[0].measurements("e"))
    for one in told:
        assert set(one.labels) == {"endpoint", *BY_NAME[one.name].labels}
    assert sum(one.value for one in told if one.name == "monitor_outcome_status") == 3
    ratio = next(one for one in told if one.name == "monitor_coverage_ratio")
    assert ratio.value == pytest.approx(0.9, abs=0.05)
