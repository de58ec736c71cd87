"""The monitor of calibration: quiet with right scores, certain of wrong ones, wherever they are."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from monitor.analysis.calibration.monitor import CalibrationMonitor
from monitor.analysis.fold import Analysis
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Calibration
from monitor.metrics import BY_NAME
from monitor.rows import Row, Truth

RULES = OutcomeRules(pane=100.0, lateness=10.0)


def hosted(rules: OutcomeRules = RULES, alpha: float = 0.05) -> Analysis[Calibration]:
    monitor = CalibrationMonitor(rules, alpha)
    return Analysis((), (monitor,), pane=rules.pane, lateness=rules.lateness)


def row(number: int, hot: dict[str, float] | None = None, **more: Any) -> Row:
    """A score whose logits are `hot` times what they should be in a plan, with its label."""
    chance = random.Random(number)
    logit, plan = chance.gauss(0, 1.5), chance.choice(["free", "paid"])
    label = "yes" if chance.random() < 1 / (1 + math.exp(-logit)) else "no"
    score = 1 / (1 + math.exp(-logit * (hot or {}).get(plan, 1.0)))
    truth = Truth(score=score, label=label)
    return Row(float(number), {"plan": plan}, [], truth=msgspec.structs.replace(truth, **more))


def rows(first: int, last: int, hot: dict[str, float] | None = None) -> Iterator[Row]:
    return (row(number, hot) for number in range(first, last))


YES = OutcomeRules(pane=100.0, lateness=10.0, positive="yes")


def folded(analysis: Analysis[Calibration], some: Iterator[Row]) -> Analysis[Calibration]:
    for one in some:
        analysis.add_row(one)
    return analysis


def statuses(analysis: Analysis[Calibration]) -> dict[str, str]:
    return {one.value: one.status for one in analysis.findings()}


def test_right_scores_are_ok() -> None:
    """Of all traffic and of its segments, the whole first."""
    found = folded(hosted(YES), rows(0, 3000)).findings()
    assert [(one.dimension, one.status) for one in found] == [
        ("all", "ok"),
        ("plan", "ok"),
        ("plan", "ok"),
    ]
    assert found[0].labels == 3000 == sum(one.labels for one in found[1:])
    assert all(abs(one.ece) < 0.02 for one in found)
    assert found[0].since is None


def test_a_segment_with_wrong_scores_is_certain() -> None:
    """Only it: the temperature says what to do."""
    found = folded(hosted(YES), rows(0, 4000, {"paid": 2.5}))
    assert statuses(found)["paid"] == "alarm"
    assert statuses(found)["free"] == "ok"
    paid = next(one for one in found.findings() if one.value == "paid")
    assert paid.temperature == pytest.approx(2.5, rel=0.15)
    assert abs(paid.ece_after) < 0.02 < paid.ece


def test_too_few_labels_are_insufficient() -> None:
    """However wrong; and without a score or a label a row counts for nothing."""
    fold = hosted(YES)
    for number in range(49):
        fold.add_row(row(number, score=0.999, label="no"))
        fold.add_row(row(number, score=None))
        fold.add_row(row(number, label=None))
        fold.add_row(row(number, score=7.0))
    found = fold.findings()
    assert (found[0].labels, found[0].status) == (49, "insufficient")
    fold.add_row(row(50, score=0.999, label="no"))
    assert fold.findings()[0].status == "alarm"


def test_a_change_begins_and_ends() -> None:
    """Right for long, wrong for a while, right again: the alarm knows when it began, and is over."""
    fold = folded(hosted(YES), rows(0, 6000))
    assert statuses(fold)["all"] == "ok"
    wrong = {"free": 3.0, "paid": 3.0}
    folded(fold, rows(6000, 7500, wrong))
    found = fold.findings()[0]
    assert found.status == "alarm"
    assert found.since == pytest.approx(6000, abs=600)
    folded(fold, rows(7500, 9500))
    assert statuses(fold)["all"] == "ok"
    again = fold.findings()[0]
    assert again.labels < 3000
    folded(fold, rows(9500, 10500, wrong))
    assert statuses(fold)["all"] == "alarm"


def test_a_restart_goes_on_bit_for_bit() -> None:
    """From changes alone, in the middle of panes, before and after an alarm."""
    straight, broken, kept = hosted(YES), hosted(YES), {}
    hot = {"paid": 3.0}
    for start in range(0, 5000, 630):
        some = list(rows(start, start + 630, hot if start > 2000 else None))
        folded(straight, iter(some))
        folded(broken, iter(some))
        kept |= broken.saved()
        broken = hosted(YES)
        broken.restore(kept)
        assert broken.findings() == straight.findings()
    assert statuses(straight)["paid"] == "alarm"
    assert list(broken.monitors[0].measurements("e")) == list(
        straight.monitors[0].measurements("e")
    )


def test_shards_add_up_bit_for_bit() -> None:
    """Counted apart in any number of shards, merged, and closed: what one pass counts."""
    rules = OutcomeRules(pane=100.0, lateness=1e9, positive="yes")
    whole = folded(hosted(rules), rows(0, 3000, {"paid": 2.0}))
    for shards in (2, 5):
        parts = [hosted(rules) for _ in range(shards)]
        for one in rows(0, 3000, {"paid": 2.0}):
            parts[int(one.at) % shards].add_row(one)
        for part in parts[1:]:
            parts[0].merge(part)
        assert parts[0].findings() == whole.findings()
        parts[0].close()
    whole.close()
    assert parts[0].findings() == whole.findings()
    assert statuses(whole)["paid"] == "alarm"


def test_other_bins_or_another_class_begin_anew() -> None:
    """What was counted in other cells, or of another class, is of no use; the same go on."""
    kept = folded(hosted(YES), rows(0, 500)).saved()
    for rules in (
        OutcomeRules(pane=100.0, positive="yes", bins=10),
        OutcomeRules(pane=100.0, positive="no"),
    ):
        other = hosted(rules)
        other.restore(kept)
        assert other.findings() == []
    same = hosted(YES)
    same.restore(kept)
    assert same.findings()[0].labels == 500


def test_strangers_name_a_bounded_number_of_segments() -> None:
    """What has no place is counted, and the whole always has one."""
    fold = hosted(OutcomeRules(segments=10, positive="yes"))
    for number in range(300):
        one = row(number)
        fold.add_row(Row(one.at, {"user": f"u{number}"}, [], truth=one.truth))
    assert len(fold.findings()) == 10
    assert fold.findings()[0].labels == 300
    told = list(fold.monitors[0].measurements("e"))
    assert ("monitor_series_overflow_total", 291) in [(one.name, one.value) for one in told]


def test_measurements_are_those_of_the_catalogue() -> None:
    """With all labels, and one status of three."""
    fold = folded(hosted(YES), rows(0, 200))
    told = list(fold.monitors[0].measurements("e"))
    for one in told:
        assert set(one.labels) == {"endpoint", *BY_NAME[one.name].labels}, one
    names = {one.name for one in told}
    assert {"monitor_calibration_error", "monitor_calibration_temperature"} <= names
    assert sum(one.value for one in told if one.name == "monitor_outcome_status") == 3


def test_the_likeliest_of_many_classes_is_judged() -> None:
    """Top label: twice as sure as right is found."""
    fold = hosted(YES)
    for number in range(600):
        chance = random.Random(number)
        right = chance.random() < 0.6
        scores = {"a": 0.9, "b": 0.06, "c": 0.04}
        fold.add_row(
            Row(float(number), {}, [], truth=Truth(score=scores, label="a" if right else "b"))
        )
    found = fold.findings()[0]
    assert found.status == "alarm"
    assert found.ece == pytest.approx(0.3, abs=0.06)
