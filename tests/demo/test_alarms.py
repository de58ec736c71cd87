"""What monitors say becomes alarms of one form, and nothing else does."""

from __future__ import annotations

import msgspec

from monitor.demo.alarms import ALLOCATION, Alarm, alarms, missing
from monitor.demo.page import Page
from monitor.demo.scenario import Signal
from monitor.findings import (
    Calibration,
    Coverage,
    Drift,
    ExperimentEffect,
    Fairness,
    Finding,
    Outcomes,
    Quality,
    Slice,
    SliceCondition,
)

DRIFT = Finding("duration", "all", "all", 9, 9, {}, 1.0, "drift", words="longer")
QUALITY = Quality("site", "east", "accuracy", 0.7, 0.6, 0.8, 90, "alarm", words="fell")
CALIBRATION = Calibration(
    "site", "east", 0.2, 0.1, 2.5, 0.0, [], 9.0, "alarm", 90, None, 0.0, 0.0, 0.0, None
)
COVERAGE = Coverage("all", "all", 0.7, 0.9, None, 9.0, "alarm", 90, None)
FAIRNESS = Fairness("sex", "f", "error_rate", 0.2, 0.1, 0.3, 9.0, "alarm")
SLICE = Slice(
    [SliceCondition("site", "east")], "error", 90, 0.4, 0.1, 0.3, 0.2, 0.4, 9.0, "alarm", "worse"
)


def effect(verdict: str) -> ExperimentEffect:
    found = {"name": "prompt", "variant": "b", "metric": "sold", "effect": 0.1, "lower": 0.0,
             "upper": 0.2, "verdict": verdict, "samples": 90, "reason": "unlike"}  # fmt: skip
    return msgspec.convert(found, ExperimentEffect)


def places(outcomes: Outcomes, drift: Drift | None = None, page: Page | None = None) -> list[Alarm]:
    return alarms(
        drift or Drift(), outcomes, page or Page({}),
        arms={"prompt": "variant"}, objectives={"latency": 0.9},
    )  # fmt: skip


def test_what_every_monitor_believes_is_an_alarm() -> None:
    """In its segment, by its measure."""
    found = Outcomes(
        True, [QUALITY], calibration=[CALIBRATION], coverage=[COVERAGE], fairness=[FAIRNESS],
        slices=[SLICE], experiments=[effect("worse"), effect("better"), effect("invalid")],
    )  # fmt: skip
    assert [(one.monitor, *one.place) for one in places(found, Drift(features=[DRIFT]))] == [
        ("drift", "duration", "all", "all"),
        ("quality", "accuracy", "site", "east"),
        ("calibration", "ece", "site", "east"),
        ("coverage", "coverage", "all", "all"),
        ("fairness", "error_rate", "sex", "f"),
        ("slices", "error", "site", "east"),
        ("experiments", "sold", "variant", "b"),
        ("experiments", "sold", "variant", "b"),
        ("experiments", ALLOCATION, "variant", "b"),
    ]
    assert [one.is_good for one in places(found)][-3:] == [False, True, False]


def test_what_is_not_believed_is_none() -> None:
    """Nor what is too little, nor an experiment that goes on."""
    replace = msgspec.structs.replace
    found = Outcomes(
        True, [replace(QUALITY, status=None)],
        calibration=[replace(CALIBRATION, status="insufficient")], coverage=[replace(COVERAGE, status="ok")],
        fairness=[replace(FAIRNESS, status="ok")], slices=[replace(SLICE, status="ok")],
        experiments=[effect("keep_going"), effect("no_difference")],
    )  # fmt: skip
    assert places(found, Drift(features=[replace(DRIFT, status="ok")])) == []


def test_an_objective_is_missed_where_its_budget_is_spent_too_fast() -> None:
    """Twice as fast as allowed, and not by a few exchanges."""

    def seen(missed: float, of: float) -> list[Alarm]:
        where = {"dimension": "site", "value": "east"}
        samples = {
            "monitor_segment_objective_missed_total": [({**where, "objective": "latency"}, missed)],
            "monitor_segment_exchanges_total": [({**where, "outcome": "ok"}, of)],
        }
        return places(Outcomes(), page=Page(samples))

    assert [one.place for one in seen(20, 100)] == [("latency objective", "site", "east")]
    assert seen(19, 90) == seen(20, 101) == seen(0, 0) == []


def test_a_signal_is_missing_until_its_place_alarms() -> None:
    """The same measure elsewhere is not it."""
    here = Signal("accuracy", "site", "east", "")
    there = Signal("accuracy", "site", "west", "")
    assert missing([here, there], places(Outcomes(True, [QUALITY]))) == [there]
