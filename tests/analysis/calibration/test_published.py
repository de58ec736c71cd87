"""Published scores with their labels: how wrong they are, and that chance does not explain it.

The two sets are modeldata's (R, MIT): `two_class_example`, and the top label of `hpc_cv`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.analysis.calibration.monitor import CalibrationMonitor
from monitor.analysis.fold import Analysis
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Calibration
from monitor.rows import Row, Truth

DATA = Path(__file__).parents[1] / "data"


def two_classes() -> Iterator[Truth]:
    with (DATA / "two_class_example.csv").open() as file:
        for row in csv.DictReader(file):
            yield Truth(score=float(row["score"]), label=row["label"])


def four_classes() -> Iterator[Truth]:
    with (DATA / "hpc_cv.csv").open() as file:
        for row in csv.DictReader(file):
            label = row.pop("observed")
            yield Truth(score={name: float(value) for name, value in row.items()}, label=label)


def judged(truths: Iterator[Truth], tolerance: float, bins: int) -> Calibration:
    fold: Analysis[Calibration] = Analysis(
        (),
        (CalibrationMonitor(OutcomeRules(tolerance=tolerance, bins=bins), 0.05),),
        pane=None,
        lateness=0.0,
    )
    for number, truth in enumerate(truths):
        fold.add_row(Row(float(number), {}, [], truth=truth))
    return fold.findings()[0]


def plain(found: Calibration) -> float:
    """The ECE as it is usually told, chance and all."""
    wrong = sum(b.labels * abs(b.share - b.score) for b in found.bins if b.labels)
    return float(wrong) / found.labels


def test_five_hundred_scores_are_off_but_not_for_certain() -> None:
    """An ECE of .062 in ten bins, half of it chance; ln E is 3 without a tolerance."""
    found = judged(two_classes(), 0.0, 10)
    assert found.labels == 500
    assert plain(found) == pytest.approx(0.062, abs=0.001)
    assert found.ece == pytest.approx(0.0305, abs=0.002)
    assert found.log_evidence == pytest.approx(3.1, abs=0.6)
    assert found.temperature == pytest.approx(1.36, abs=0.03)
    tolerated = judged(two_classes(), 0.02, 15)
    assert (tolerated.status, tolerated.log_evidence < 0) == ("ok", True)


def test_a_classifier_that_is_too_sure_is_certain() -> None:
    """It claims .773 and is right in .709; divided by the temperature its error is gone."""
    found = judged(four_classes(), 0.02, 15)
    claimed = sum(b.labels * b.score for b in found.bins if b.labels) / found.labels
    right = sum(b.labels * b.share for b in found.bins if b.labels) / found.labels
    assert claimed == pytest.approx(0.773, abs=0.001)
    assert right == pytest.approx(0.709, abs=0.001)
    assert found.status == "alarm"
    assert found.log_evidence > 15
    assert judged(four_classes(), 0.0, 15).log_evidence > 45
    assert found.temperature == pytest.approx(1.5, abs=0.05)
    assert abs(found.ece_after) < 0.012 < found.ece
