"""What is known of a variant → its verdict."""

from __future__ import annotations

import math

from monitor.analysis.experiments.arms import Judged
from monitor.analysis.experiments.declared import Metric
from monitor.findings import Verdict
from monitor.sequential.confidence_sequences import Interval

ALPHA = 0.05
"""The probability that a decision metric, or any guardrail, ever has a wrong verdict."""


def of_guardrail(metric: Metric, judged: Judged, bar: float) -> Verdict:
    """Return `worse` where it is certain that the variant is worse by more than the margin, and
    `no_difference` where it is certain that it is not; `bar` is the evidence that is certain."""
    if metric.is_mean or judged.asymptotic:
        better = gain(judged.effect, metric)
        worse, fine = better.upper < -metric.margin, better.lower > -metric.margin
    else:
        worse, fine = judged.harm >= bar, judged.safe >= -math.log(ALPHA)
    return "worse" if worse else "no_difference" if fine else "keep_going"


def of_decision(metric: Metric, judged: Judged, minimum_effect: float) -> Verdict:
    """`better` or `worse` where the interval leaves out 0, `no_difference` where it leaves out all
    that matters.

    >>> converted = Metric("converted", "event", "converted")
    >>> of_decision(converted, Judged(Interval(0.03, 0.01, 0.05)), 0.01)
    'better'
    >>> of_decision(converted, Judged(Interval(0.0, -0.01, 0.01)), 0.01)
    'no_difference'
    """
    better = gain(judged.effect, metric)
    if better.lower > better.upper:  # each difference was refuted: the effect itself has changed
        return "keep_going"
    # The ends of an exact interval are differences that are refuted themselves.
    is_exact = not (metric.is_mean or judged.asymptotic)
    if better.lower > 0 or (better.lower == 0 and is_exact):
        return "better"
    if better.upper < 0 or (better.upper == 0 and is_exact):
        return "worse"
    small = -minimum_effect <= better.lower and better.upper <= minimum_effect
    return "no_difference" if small else "keep_going"


def gain(effect: Interval, metric: Metric) -> Interval:
    """An effect as an improvement: above 0 the variant is better.

    >>> gain(Interval(0.2, 0.1, 0.4), Metric("slow", "latency", 2.0, less_is_better=True))
    Interval(number=-0.2, lower=-0.4, upper=-0.1)
    """
    if not metric.less_is_better:
        return effect
    return Interval(-effect.number, -effect.upper, -effect.lower)
