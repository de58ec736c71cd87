"""Labels that do not come are told, and neither little traffic nor silence is taken for that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.fold import Analysis
from monitor.analysis.missing import MissingMonitor
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Missing
from monitor.metrics import BY_NAME
from monitor.rows import Row, Truth

DAY = 86400.0
RULES = OutcomeRules(pane=DAY / 4, lateness=10.0, overdue=30 * DAY)


def missing(fold: Analysis[Any]) -> dict[str, Missing]:
    (monitor,) = (one for one in fold.monitors if isinstance(one, MissingMonitor))
    return {one.monitor: one for one in monitor.findings()}


def told(fold: Analysis[Any]) -> list[str]:
    return [name for name, one in missing(fold).items() if one.overdue > 0]


def rows(
    days: Iterable[int], each: int, labelled: float, *, score: float | None = None
) -> Iterable[Row]:
    """So many Records on each day, of which a share has a label; all were predicted."""
    for day in days:
        for number in range(each):
            label = "1" if number < labelled * each else None
            at = (day + (number + 0.5) / each) * DAY
            yield Row(at, {}, [], truth=Truth("1", score, label))


def folded(some: Iterable[Row], rules: OutcomeRules = RULES) -> Analysis[Any]:
    fold = outcomes_of(rules)
    for row in some:
        fold.add_row(row)
    return fold


def test_it_is_told_when_labels_have_not_come_for_so_long() -> None:
    """A month of Records without a label is told, four weeks are not; labels end it."""
    assert told(folded(rows(range(28), 10, 0))) == []
    fold = folded(rows(range(33), 10, 0))
    assert told(fold) == ["quality"]
    found = missing(fold)["quality"]
    assert (found.labels, found.enough, found.since) == (0, 50, DAY / 4)
    assert 0 < found.overdue < 3 * DAY
    for row in rows(range(33, 41), 10, 1.0):
        fold.add_row(row)
    assert told(fold) == []


def test_labels_that_cease_are_missed_though_enough_had_come_once() -> None:
    """What was judged a year ago says nothing of today."""
    fold = folded(rows(range(100), 10, 1.0))
    assert told(fold) == []
    for row in rows(range(100, 140), 10, 0):
        fold.add_row(row)
    assert told(fold) == ["quality"]


@pytest.mark.parametrize(("each", "labelled"), [(1, 1.0), (1, 0.0), (3, 0.9), (100, 0.02)])
def test_little_traffic_and_slow_labels_are_no_alarm(each: int, labelled: float) -> None:
    """Neither Records that are too few to judge by, nor labels that are enough within a month."""
    assert told(folded(rows(range(99), each, labelled))) == []


def test_a_while_without_traffic_is_not_time_without_labels() -> None:
    """Nobody was asked for half a year; then a busy day of which the labels are still to come."""
    fold = folded(rows(range(20), 10, 1.0))
    for row in rows((200, 201), 500, 0):
        fold.add_row(row)
    assert told(fold) == []


def test_of_a_sample_more_records_are_waited_for() -> None:
    """Where 1 of 16 is read, 50 labels take 800 Records: from twice as many on it is told."""
    rules = OutcomeRules(pane=DAY / 4, lateness=10.0, overdue=30 * DAY, labelled=1 / 16)
    assert told(folded(rows(range(35), 40, 0), rules)) == []
    assert told(folded(rows(range(45), 40, 0), rules)) == ["quality"]
    assert told(folded(rows(range(99), 48, 1 / 16), rules)) == []


def test_each_monitor_misses_what_it_needs() -> None:
    """Calibration is asked where there is a score, coverage where there is a set; what became known
    otherwise is an outcome, and no label."""
    assert told(folded(rows(range(40), 10, 0, score=0.5))) == ["quality", "calibration"]
    events = (
        Row(row.at, {}, [], truth=Truth("1", 0.5, events={"order": 1.0}, interval=(0.0, 1.0)))
        for row in rows(range(40), 10, 0)
    )
    assert told(folded(events)) == ["calibration", "coverage"]
    grouped = OutcomeRules(pane=DAY / 4, overdue=30 * DAY, fair=("sex",), fair_minimum=100)
    nobody = rows(range(40), 10, 1.0)
    assert told(folded(nobody, grouped)) == ["fairness"]
    said = (
        Row(row.at, {}, [], truth=Truth("1", label="1", attributes={"sex": "f"}))
        for row in rows(range(40), 10, 1.0)
    )
    assert told(folded(said, grouped)) == []


def test_an_experiment_misses_what_it_measures_and_nobody_tells() -> None:
    """Of exchanges of its arms alone; one that measures events misses none, since what is not told
    has not happened."""

    def found(arm: str, labelled: float) -> list[str]:
        rated = Experiment("tone", "variant", "a", (Metric("right", "label"),))
        clicked = Experiment("button", "variant", "a", (Metric("clicks", "event", "click"),))
        fold = outcomes_of(RULES, experiments=[rated, clicked])
        for row in rows(range(40), 10, labelled):
            fold.add_row(Row(row.at, {"variant": arm}, [], truth=row.truth))
        return told(fold)

    assert found("a", 0.0) == ["quality", "experiment tone"]
    assert found("a", 1.0) == []
    assert found("none", 0.0) == found("other", 0.0) == ["quality"]


def test_without_the_setting_nothing_is_missed() -> None:
    """The monitor is not there."""
    fold = outcomes_of(OutcomeRules(pane=DAY))
    assert not any(isinstance(one, MissingMonitor) for one in fold.monitors)


def test_restored_or_in_shards_it_says_the_same() -> None:
    """Restarts at every third day lose nothing; open panes of two shards add up."""
    some = list(rows(range(40), 10, 0.02, score=0.5))
    whole = folded(some)
    again = outcomes_of(RULES)
    kept: dict[str, bytes] = {}
    for number, row in enumerate(some):
        again.add_row(row)
        if number % 37 == 0:
            kept |= again.saved()
            again = outcomes_of(RULES)
            again.restore({name: entry for name, entry in kept.items() if entry})
    assert missing(again) == missing(whole)
    one, two = folded(some[:1]), folded(some[1:2])
    one.merge(two)
    for row in some[2:]:
        one.add_row(row)
    assert missing(one) == missing(whole)


def test_the_metric_is_of_the_catalogue() -> None:
    """One sample for each monitor, with the labels declared."""
    fold = folded(rows(range(40), 10, 0))
    (monitor,) = (one for one in fold.monitors if isinstance(one, MissingMonitor))
    samples = {one.labels["monitor"]: one for one in monitor.measurements("bot")}
    assert samples.keys() == {"quality", "calibration", "coverage"}
    assert samples["quality"].value > 0 == samples["coverage"].value
    metric = BY_NAME[samples["quality"].name]
    assert set(samples["quality"].labels) == {"endpoint", *metric.labels}
