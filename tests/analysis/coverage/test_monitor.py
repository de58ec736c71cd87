"""The monitor of coverage: what a calibration sample can promise, by segment, sets and intervals."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from monitor.analysis.coverage.monitor import BOUNDED, CoverageMonitor, miss, width_of
from monitor.analysis.fold import Analysis
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Coverage
from monitor.metrics import BY_NAME
from monitor.rows import Row, Truth

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


@pytest.mark.parametrize(
    ("ends", "width", "unbounded", "empty"),
    [
        ((1.0, 3.5), 2.5, 0, 0),
        ((2.0, 2.0), 0.0, 0, 0),
        ((0.0, 5e-324), 5e-324, 0, 0),
        ((-9e99, 9e99), 1.8e100, 0, 0),
        ((-1e308, 1e308), None, 1, 0),
        ((1.0, math.inf), None, 1, 0),
        ((-math.inf, math.inf), None, 1, 0),
        ((math.inf, math.inf), None, 1, 0),
        ((3.0, 1.0), None, 0, 1),
        ((math.inf, -math.inf), None, 0, 1),
        ((math.nan, 1.0), None, 0, 1),
        ((math.nan, math.inf), None, 0, 1),
    ],
)
def test_how_wide_an_interval_is(
    ends: tuple[float, float], width: float | None, unbounded: int, empty: int
) -> None:
    """What has no width is counted apart, and without a label nothing is."""
    rows = [Row(1.0, {}, [], truth=Truth(interval=ends, label=label)) for label in (1.0, None, "x")]
    found = folded(hosted(), iter(rows)).findings()[0]
    assert (found.width, found.unbounded, found.empty, found.labels) == (width, unbounded, empty, 1)
    assert found.size is None


def test_widths_are_told_by_segment_and_are_not_those_of_sets() -> None:
    """Of 1e-9 on one site and 1e12 on the other; sets have a size."""
    rows = [
        Row(1.0, {"site": site}, [], truth=Truth(interval=(0.0, width), label=0.0))
        for site, width in (("a", 1e-9), ("b", 1e12), ("a", 3e-9))
    ]
    rows.append(Row(1.0, {"site": "a"}, [], truth=Truth(choices=["x", "y"], label="x")))
    found = {one.value: one for one in folded(hosted(), iter(rows)).findings()}
    assert (found["a"].width, found["b"].width) == (2e-9, 1e12)
    assert (found["a"].size, found["b"].size) == (2.0, None)
    assert found["all"].width == pytest.approx(1e12 / 3)


def widths(number: int) -> Row:
    """An interval of any width, some without one; that it misses changes once."""
    chance = random.Random(number)
    width = math.ldexp(chance.random(), chance.randrange(-60, 60))
    width = chance.choices([width, math.inf, -width, math.nan], [85, 10, 3, 2])[0]
    missed = chance.random() < (0.9 if 500 < number < 1000 else 0.05)
    label = -1.0 if missed else 0.0
    return Row(
        float(number),
        {"site": "ab"[number % 2]},
        [],
        truth=Truth(interval=(0.0, width), label=label),
    )


def test_widths_are_bit_for_bit_the_same_in_any_order_and_after_a_kill() -> None:
    """Shuffled within what may come late, in three shards, and saved after every 100th."""
    late = OutcomeRules(pane=100.0, lateness=1e9)
    some = [widths(number) for number in range(600)]
    whole = folded(hosted(late), iter(some)).findings()
    assert whole[0].width is not None
    assert min(whole[0].unbounded, whole[0].empty) > 20
    shuffled = random.Random(1).sample(some, len(some))
    assert folded(hosted(late), iter(shuffled)).findings() == whole
    parts = [folded(hosted(late), iter(shuffled[shard::3])) for shard in range(3)]
    parts[0].merge(parts[1])
    parts[0].merge(parts[2])
    assert parts[0].findings() == whole
    straight, state, killed = hosted(), {}, hosted()
    for number in range(3000):
        straight.add_row(widths(number))
        killed.add_row(widths(number))
        if number % 100 == 50:
            state |= killed.saved()
            killed = hosted()
            killed.restore({name: one for name, one in state.items() if one})
    assert killed.findings() == straight.findings()


def test_widths_begin_anew_with_the_coverage_beside_them() -> None:
    """When an alarm ends, counts of what was wrong are forgotten, and the widths of it."""
    found = folded(hosted(), map(widths, range(3000))).findings()[0]
    assert (found.status, found.labels < 2600) == ("ok", True)
    rows = map(widths, range(3000 - found.labels, 3000))
    kinds = [width_of(one.truth.interval) for one in rows if one.truth and one.truth.interval]
    known = [width for kind, width in kinds if kind == BOUNDED]
    assert found.width == pytest.approx(sum(known) / len(known), rel=1e-12)
    assert found.unbounded + found.empty + len(known) == found.labels


def test_an_older_checkpoint_keeps_its_counts_and_has_no_widths() -> None:
    """It had three entries for a segment; widths are told of what came since."""
    some = [row(number, 0.15) for number in range(1200)]
    straight = folded(hosted(), iter(some)).findings()
    state = folded(hosted(), iter(some[:777])).saved()
    for name, entry in state.items():
        if name.startswith("coverage/["):
            state[name] = msgspec.msgpack.encode(msgspec.msgpack.decode(entry, strict=False)[:3])
    again = hosted()
    again.restore(state)
    assert [one.width for one in again.findings()] == [None] * 3
    found = folded(again, iter(some[777:])).findings()
    assert found == straight
    assert found[0].width == 2.0


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
    """The share inside, sizes, the evidence, and one status of three for each segment."""
    fold = folded(hosted(), (row(number, 0.1) for number in range(300)))
    told: list[Any] = list(fold.monitors[0].measurements("e"))
    for one in told:
        assert set(one.labels) == {"endpoint", *BY_NAME[one.name].labels}
    assert sum(one.value for one in told if one.name == "monitor_outcome_status") == 3
    ratio = next(one for one in told if one.name == "monitor_coverage_ratio")
    assert ratio.value == pytest.approx(0.9, abs=0.05)
    for name in ("monitor_prediction_set_size", "monitor_prediction_interval_width"):
        assert [one.value for one in told if one.name == name] == [2.0] * 3
