"""Slices are found where there are any, seldom where there are none, the same however counted."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest

from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.slices.monitor import SlicesMonitor, ranked
from monitor.findings import Slice
from monitor.rows import Row, Truth
from tests.analysis.slices.rows import traffic

ALPHA = 0.05
WHERE = {"d0": "v1", "d1": "v2"}


def monitor(pane: float | None = None, **rules: Any) -> SlicesMonitor:
    return SlicesMonitor(OutcomeRules(**({"pane": pane, "sliced": ("error",)} | rules)), ALPHA)


def fold(one: SlicesMonitor, pane: float | None = None) -> Analysis[Slice]:
    return Analysis((), [one], pane=pane, lateness=0.0)


def fed(rows: Iterable[Row], pane: float | None = None, **rules: Any) -> list[Slice]:
    one = monitor(pane, **rules)
    analysis = fold(one, pane)
    for row in rows:
        analysis.add_row(row)
    analysis.close()
    return one.findings()


def conditions(found: Slice) -> dict[str, str]:
    return {one.dimension: one.value for one in found.conditions}


def alarms(found: Iterable[Slice]) -> list[Slice]:
    return [one for one in found if one.status == "alarm"]


@pytest.mark.parametrize("pane", [None, 200.0])
def test_a_crossed_slice_is_found_and_nothing_else(pane: float | None) -> None:
    """Both conditions together, once, in words and with records to look at."""
    (found,) = alarms(fed(traffic(1, 6000, worse=0.4, where=WHERE), pane))
    assert conditions(found) == WHERE
    assert found.share == pytest.approx(0.4, abs=0.1)
    assert found.elsewhere == pytest.approx(0.1, abs=0.02)
    assert found.lower is not None
    assert found.lower > 0.05
    assert found.words.endswith("elsewhere")
    assert len(found.examples) == 3
    wrong = {row.truth.id for row in traffic(1, 6000, worse=0.4, where=WHERE)
             if row.truth is not None and row.truth.label == "0"
             and WHERE.items() <= row.segments.items()}  # fmt: skip
    assert set(found.examples) <= wrong


def test_three_conditions_are_found() -> None:
    """Although no pair of them is much worse than the rest."""
    where = {**WHERE, "d2": "v3"}
    found = alarms(fed(traffic(2, 10_000, worse=0.6, where=where)))
    assert where in map(conditions, found)


def test_without_a_worse_slice_none_is_named() -> None:
    """Not in one of ten runs, of which each looks at more than 2,000 slices; the benchmark has
    more."""
    for seed in range(10):
        assert not alarms(fed(traffic(seed, 3000), slice_tolerance=0.0))


def test_the_first_slice_is_the_one_with_most_evidence() -> None:
    """Of those that are believed; all others come behind, and equal ones by their words."""
    shown: list[tuple[Any, float, str]] = [
        ("alarm", 9.0, "a"), ("alarm", 5.0, "a"), ("alarm", 5.0, "b"), ("ok", 99.0, "a"),
        ("insufficient", 99.0, "a"),
    ]  # fmt: skip
    told = [
        Slice([], "error", 9, 0.1, 0.1, 0.2, None, None, evidence, status, words)
        for status, evidence, words in shown
    ]
    assert ranked(told[::-1]) == told


def test_a_season_is_no_slice() -> None:
    """Errors are more frequent when more of the traffic is of one site: each pane alone tells that
    the site is as good as the others then."""
    rng, rows = random.Random(4), []
    for number in range(12_000):
        late = number >= 6000
        site = "ams" if rng.random() < (0.8 if late else 0.1) else "fra"
        wrong = rng.random() < (0.3 if late else 0.05)
        truth = Truth(prediction="1", label="0" if wrong else "1", id=str(number))
        rows.append(Row(float(number), {"site": site}, [], truth=truth))
    assert not alarms(fed(rows, 200.0, slice_tolerance=0.0))


def test_what_ends_is_forgotten() -> None:
    """A slice that is as good as the others again is no alarm any more."""
    rows = list(traffic(5, 6000, worse=0.5, where=WHERE))
    later = [Row(row.at + 6000, row.segments, [], truth=row.truth) for row in traffic(6, 9_000)]
    one = monitor(100.0)
    analysis = fold(one, 100.0)
    for row in rows:
        analysis.add_row(row)
    assert alarms(one.findings())
    for row in later:
        analysis.add_row(row)
    assert not alarms(one.findings())


@pytest.mark.parametrize("measure", ["latency", "cost", "checks", "calibration"])
def test_each_measure_finds_its_slice(measure: str) -> None:
    """Slow, dear, failing, too sure."""
    rng, rows = random.Random(7), []
    for number in range(8_000):
        site, kind = rng.choice("abcd"), rng.choice("xyz")
        bad = rng.random() < (0.7 if (site, kind) == ("a", "x") else 0.05)
        truth = Truth(
            duration=9.0 if measure == "latency" and bad else rng.uniform(0.1, 1.0),
            cost=9.0 if measure == "cost" and bad else rng.uniform(0.1, 1.0),
            passed=not (measure == "checks" and bad),
            score=0.9, label="0" if (bad if measure == "calibration" else rng.random() < 0.1)
            else "1", prediction="1", id=str(number),
        )  # fmt: skip
        rows.append(Row(float(number), {"site": site, "kind": kind}, [], truth=truth))
    wanted = ("latency", "cost", "checks", "calibration")
    found = alarms(fed(rows, 500.0, sliced=wanted))
    assert {one.measure for one in found} == {measure}
    assert conditions(found[0]) == {"site": "a", "kind": "x"}


@pytest.mark.parametrize("measure", ["error", "latency", "cost"])
@pytest.mark.parametrize("pane", [None, 300.0])
def test_a_measure_of_numbers_needs_no_other(measure: str, pane: float | None) -> None:
    """Its bar is set although until then nothing is said of any row."""
    rng, rows = random.Random(8), []
    for number in range(5000):
        site, kind = rng.choice("abc"), rng.choice("xy")
        bad = rng.random() < (0.6 if (site, kind) == ("a", "x") else 0.03)
        size = 9.0 if bad else rng.uniform(0.1, 1.0)
        truth = Truth(prediction=50.0, label=50.0 + size, duration=size, cost=size, id=str(number))
        rows.append(Row(float(number), {"site": site, "kind": kind}, [], truth=truth))
    found = alarms(fed(rows, pane, sliced=(measure,)))
    assert [conditions(one) for one in found] == [{"site": "a", "kind": "x"}]


@pytest.mark.parametrize("pane", [None, 100.0])
def test_a_restart_changes_nothing(pane: float | None) -> None:
    """Bit for bit, in the middle of a pane too."""
    rows = list(traffic(8, 4000, worse=0.4, where=WHERE))
    whole, part = monitor(pane), monitor(pane)
    one, other = fold(whole, pane), fold(part, pane)
    state: dict[str, bytes] = {}
    for number, row in enumerate(rows):
        one.add_row(row)
        other.add_row(row)
        if number % 777 == 0:
            state |= other.saved()
            part = monitor(pane)
            other = fold(part, pane)
            other.restore(state)
    assert whole.findings() == part.findings()
    assert whole.state()["slices"] == part.state()["slices"]


def test_shards_of_an_open_pane_add_up() -> None:
    """To what one would have counted."""
    rows = list(traffic(9, 3000, worse=0.4, where=WHERE))
    whole, shards = monitor(1e9), [monitor(1e9) for _ in range(3)]
    for number, row in enumerate(rows):
        whole.add(row, 0, row.at)
        shards[number % 3].add(row, 0, row.at)
    for other in shards[1:]:
        shards[0].merge(other)
    for one in (whole, shards[0]):
        one.close(0, lambda _: 1.0)
        for row in traffic(10, 3000, worse=0.4, where=WHERE):
            one.add(row, 1 + int(row.at // 100), row.at)
            one.close(int(row.at // 100), float)
    assert whole.findings() == shards[0].findings()
    assert alarms(whole.findings())


def test_shards_that_closed_a_block_are_refused() -> None:
    """What is searched in it has no sum."""
    one, other = monitor(None), monitor(None)
    for row in traffic(9, 200, worse=0.4, where=WHERE):
        other.add(row, 0, row.at)
    with pytest.raises(ValueError, match="before a pane is closed"):
        one.merge(other)
    assert one.findings() == []


def strangers(count: int) -> Iterator[Row]:
    for number in range(count):
        yield Row(
            float(number), {"who": f"w{number}", "site": "a\n" * 300}, [],
            truth=Truth(prediction="1", label="1", id=str(number)),
        )  # fmt: skip


def test_what_strangers_send_is_bounded() -> None:
    """Names beyond their number are in no slice, and are counted."""
    one = monitor(1e9)
    for row in strangers(5000):
        one.add(row, 0, row.at)
    assert one.overflow > 0
    samples = list(one.measurements("e"))
    assert samples[-1].name == "monitor_series_overflow_total"
    assert {sample.name for sample in samples[:-1]} == {"monitor_slices"}
    assert sum(map(len, one.state().values())) < 1 << 20


def test_other_measures_begin_anew() -> None:
    """Counts of other questions are of no use; so are those of a dimension with another source."""
    one = monitor()
    for row in traffic(1, 1000):
        one.add(row, 0, row.at)
    state = one.state()
    for keeps, rules in ((True, {"sliced": ("cost",)}), (False, {})):
        other = monitor(**rules)
        other.restore(state, newest=0.0, place=lambda pane: pane, keeps=lambda _, k=keeps: k)
        assert msgspec.msgpack.decode(other.state()["slices"])[1] == []


def test_slices_take_of_the_budget_only_where_they_are_searched_for() -> None:
    """The monitor is not there otherwise, and the others have what they had."""
    names = [one.name for one in outcomes_of(OutcomeRules()).monitors]
    assert "slices" not in names
    with_slices = outcomes_of(OutcomeRules(sliced=("error",)))
    assert [one.name for one in with_slices.monitors] == [*names, "slices"]
