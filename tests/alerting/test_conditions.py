"""Findings become conditions with the severities of the rules, in words."""

from __future__ import annotations

import msgspec

from monitor.alerting.conditions import MOST, Condition, of_drift, of_outcomes, standing_of
from monitor.findings import (
    Calibration,
    Coverage,
    ExperimentEffect,
    Fairness,
    Finding,
    Missing,
    Quality,
    Slice,
    SliceCondition,
)


def finding(status: str, psi: float = 0.5, value: str = "all") -> Finding:
    return Finding(
        feature="tokens", dimension="all" if value == "all" else "population", value=value,
        samples=9, reference_samples=9, scores={"psi": psi}, log_evidence=9.0,
        status=status, since=7.0, words="tokens drifted: PSI 0.5",  # type: ignore[arg-type]
    )  # fmt: skip


def test_only_drift_is_told_and_large_drift_is_critical() -> None:
    """From a PSI of 0.1, as in the rules."""
    found = list(
        of_drift(
            [finding("drift"), finding("drift", 0.09, "b"), finding("ok"), finding("insufficient")]
        )
    )
    assert [(one.severity, one.labels["value"], one.since) for one in found] == [
        ("critical", "all", 7.0), ("warning", "b", 7.0),
    ]  # fmt: skip


def test_labels_that_are_overdue_are_a_warning_and_others_are_none() -> None:
    """It says which monitor waits for how many, and since when."""
    late = Missing("calibration", 3600.0, due=400, labels=3, enough=50, since=8.0)
    in_time = Missing("quality", 0.0, due=400, labels=3, enough=50, since=8.0)
    (told,) = of_outcomes("missing", [late, in_time])
    assert (told.alert, told.severity, told.since) == ("MonitorOutcomesMissing", "warning", 8.0)
    assert told.labels == {"monitor": "calibration"}
    assert told.words == (
        "calibration cannot be judged: of 400 records that were due 3 have what it needs, "
        "50 would be enough"
    )


def test_alarms_of_outcomes_say_what_and_where() -> None:
    """Quality of the whole traffic is critical, everything else a warning; what is ok is none."""
    quality = Quality(
        "all", "all", "accuracy", 0.8, 0.7, 0.9, 100, status="alarm", words="accuracy fell"
    )
    segment = Quality("population", "b", "accuracy", 0.8, 0.7, 0.9, 100, status="alarm")
    well = Quality("population", "c", "accuracy", 0.8, 0.7, 0.9, 100, status="ok")
    told = msgspec.structs.replace(segment, words="accuracy in population b fell")
    found = list(of_outcomes("quality", [quality, segment, well, told]))
    assert [(one.severity, one.words) for one in found] == [
        ("critical", "accuracy fell"),
        ("warning", "population b: accuracy has changed, over 100 labels"),
        ("warning", "accuracy in population b fell"),
    ]
    calibration = Calibration(
        "all", "all", ece=0.08, brier=0.2, temperature=1.4, ece_after=0.01, bins=[], log_evidence=9.0,
        status="alarm", labels=500, since=3.0, reliability=0.0, resolution=0.0, uncertainty=0.0, squared_error=None,
    )  # fmt: skip
    coverage = Coverage("all", "all", 0.82, 0.9, 1.5, 9.0, "alarm", 300, 4.0)
    fairness = Fairness("population", "b", "error_rate", 0.21, 0.1, 0.3, 9.0, "alarm")
    (scores,) = of_outcomes("calibration", [calibration])
    (sets,) = of_outcomes("coverage", [coverage])
    (gap,) = of_outcomes("fairness", [fairness])
    assert (scores.labels["measure"], scores.since, scores.severity) == ("ece", 3.0, "warning")
    assert scores.words == (  # the average is of all labels, and may be less than is tolerated
        "some scores are off by more than is tolerated since 1970-01-01 00:00:03 UTC; over all 500 "
        "labels scores are off by 0.08 on average (ECE)"
    )
    assert sets.words == "sets and intervals hold 0.82 of 300 labels, 0.9 was promised"
    assert gap.words == "population b: error_rate is +0.21 beside the rest"


def test_readers_who_agree_less_are_an_alarm_of_their_own() -> None:
    """It is of the people, and not of the model: a warning under its own name."""
    fallen = Quality("all", "all", "reader_agreement_failed", 0.4, 0.3, 0.5, 90, status="alarm")
    (told,) = of_outcomes("quality", [fallen])
    assert (told.alert, told.severity) == ("MonitorReviewersDisagree", "warning")
    assert told.labels["measure"] == "reader_agreement_failed"


def test_a_slice_is_told_by_what_its_rows_have_in_common() -> None:
    """Its labels are those of a cross of dimensions."""
    common = [SliceCondition("population", "b"), SliceCondition("prediction", "1")]
    bad = Slice(
        common, "error", 300, 0.4, 0.1, 0.3, 0.2, 0.4, 9.0, "alarm", "b with 1 errs", since=4.0
    )
    (told,) = of_outcomes("slices", [bad, msgspec.structs.replace(bad, status="ok")])
    assert told.labels == {
        "monitor": "slices", "measure": "error", "dimension": "population|prediction", "value": "b|1",
    }  # fmt: skip
    assert (told.severity, told.words, told.since) == ("warning", "b with 1 errs", 4.0)


def test_verdicts_of_experiments_are_told() -> None:
    """Worse and invalid are warnings; what is still open is none."""

    def effect(verdict: str) -> ExperimentEffect:
        return ExperimentEffect("prompt", "b", "converted", 0.02, 0.01, 0.03, verdict, 900)  # type: ignore[arg-type]

    verdicts = ("worse", "invalid", "better", "no_difference", "keep_going")
    found = list(of_outcomes("experiments", [effect(one) for one in verdicts]))
    assert [one.severity for one in found] == ["warning", "warning", "info", "info"]
    assert found[2].words == (
        "prompt: b is better in converted: +0.02 (+0.01 to +0.03) over 900 exchanges"
    )


def test_a_list_at_its_bound_keeps_what_stood_before() -> None:
    """Else alerts would begin and end at its edge."""
    found = [
        Condition("MonitorDrift", "warning", {"value": f"{number:05}"}, "w")
        for number in range(MOST + 50)
    ]
    first, left_out = standing_of(found, set())
    assert (len(first), left_out) == (MOST, 50)
    late = [Condition("MonitorDrift", "critical", {"value": "late"}, "w"), *reversed(found)]
    again, _ = standing_of(late, {one.identity for one in first})
    assert {one.identity for one in again} == {one.identity for one in first}
