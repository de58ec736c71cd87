"""What is known of a variant → its verdict."""

from __future__ import annotations

import math

import pytest

from monitor.analysis.experiments.arms import Judged
from monitor.analysis.experiments.declared import Metric
from monitor.analysis.experiments.verdicts import of_decision, of_guardrail
from monitor.sequential.confidence_sequences import Interval

SHARE = Metric("converted", "event", "converted")
SLOW = Metric("slow", "latency", 2.0, less_is_better=True)
MEAN = Metric("paid", "event", "paid", is_mean=True)
GUARD = Metric("errors", "outcome", "x", guardrail=True, margin=0.02, less_is_better=True)
BILL = Metric("bill", "cost", is_mean=True, guardrail=True, margin=0.02, less_is_better=True)


@pytest.mark.parametrize(
    ("metric", "lower", "upper", "verdict"),
    [
        (SHARE, 0.0, 0.05, "better"),
        (SHARE, -0.05, 0.0, "worse"),
        (SLOW, 0.0, 0.05, "worse"),
        (SLOW, -0.05, 0.0, "better"),
        (SHARE, -0.01, 0.01, "no_difference"),
        (SHARE, -0.01, 0.02, "keep_going"),
        (SHARE, 1.0, -1.0, "keep_going"),
        (MEAN, 0.0, 3.0, "keep_going"),
        (MEAN, 0.1, 3.0, "better"),
        (MEAN, -math.inf, math.inf, "keep_going"),
    ],
)
def test_a_decision(metric: Metric, lower: float, upper: float, verdict: str) -> None:
    """By where the interval lies; less may be better."""
    assert of_decision(metric, Judged(Interval(0.0, lower, upper)), 0.01) == verdict


@pytest.mark.parametrize(
    ("metric", "judged", "verdict"),
    [
        (GUARD, Judged(Interval(0, -1, 1), harm=4.0, safe=0.0), "worse"),
        (GUARD, Judged(Interval(0, -1, 1), harm=0.0, safe=4.0), "no_difference"),
        (GUARD, Judged(Interval(0, 0.001, 1), harm=0.0, safe=0.0), "keep_going"),
        (BILL, Judged(Interval(0.05, 0.03, 0.07)), "worse"),
        (BILL, Judged(Interval(0.05, 0.01, 0.07)), "keep_going"),
        (BILL, Judged(Interval(0.0, -0.01, 0.01)), "no_difference"),
    ],
)
def test_a_guardrail(metric: Metric, judged: Judged, verdict: str) -> None:
    """It is worse only beyond its margin."""
    assert of_guardrail(metric, judged, 3.0) == verdict
