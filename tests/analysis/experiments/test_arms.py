"""A control and a variant: effects, intervals, evidence; the same after restarts and by shards."""

from __future__ import annotations

import random

import msgspec
import pytest

from monitor.analysis.experiments.arms import Arms
from monitor.analysis.experiments.declared import Experiment, Metric

SHARE = Metric("converted", "event", "converted")
MEAN = Metric("revenue", "event", "paid", is_mean=True, bounds=(0.0, 500.0))
ERRORS = Metric("errors", "outcome", "x", guardrail=True, margin=0.02, less_is_better=True)
RIGHT = Metric("right", "label", guardrail=True, margin=0.05)


def experiment(metric: Metric) -> Experiment:
    return Experiment("e", "variant", "a", (metric,), minimum_effect=0.02)


def filled(metric: Metric, seed: int, count: int, control: float, variant: float) -> Arms:
    """Values of exchanges in panes of 200."""
    rng = random.Random(seed)
    arms = Arms(experiment(metric), metric)
    for number in range(count):
        is_control = rng.random() < 0.5
        hit = rng.random() < (control if is_control else variant)
        value = float(hit) if not metric.is_mean else hit * rng.lognormvariate(3, 1)
        arms.add(number // 200, min(value, 500.0), is_control=is_control)
        if number % 200 == 199:
            arms.close(number // 200)
    return arms


def test_an_effect_of_shares_is_found_with_its_interval() -> None:
    """The variant minus the control."""
    found = filled(SHARE, 1, 12_000, 0.10, 0.14).judged(0.05)
    assert found is not None
    number, lower, upper = found.effect
    assert number == pytest.approx(0.04, abs=0.015)
    assert 0 <= lower < 0.04 < upper


def test_an_effect_of_means_is_told_from_some_hundred_exchanges_on() -> None:
    """Before that there is an estimate without an interval."""
    few = filled(MEAN, 1, 400, 0.5, 0.5).judged(0.05)
    assert few is not None
    assert few.effect.lower == float("-inf")
    many = filled(MEAN, 1, 12_000, 0.2, 0.4).judged(0.05)
    assert many is not None
    assert 0 < many.effect.lower < 6 < many.effect.upper < 12


def test_while_an_arm_is_empty_nothing_is_known() -> None:
    """Neither of the control alone."""
    arms = Arms(experiment(SHARE), SHARE)
    assert arms.judged(0.05) is None
    arms.add(0, 1.0, is_control=True)
    assert arms.judged(0.05) is None
    assert arms.samples == 0


@pytest.mark.parametrize(
    ("metric", "worse", "fine"),
    [(ERRORS, (0.05, 0.12), (0.05, 0.05)), (RIGHT, (0.8, 0.68), (0.8, 0.8))],
)
def test_a_guardrail_knows_which_way_is_worse(
    metric: Metric, worse: tuple[float, float], fine: tuple[float, float]
) -> None:
    """Harm is certain where it is worse by more than the margin, and safety where it is not."""
    harmed = filled(metric, 2, 8000, *worse).judged(0.05)
    safe = filled(metric, 2, 12_000, *fine).judged(0.05)
    assert harmed is not None
    assert safe is not None
    assert harmed.harm > 3 > harmed.safe
    assert safe.safe > 3 > safe.harm


@pytest.mark.parametrize("metric", [SHARE, MEAN, ERRORS])
def test_a_restart_changes_nothing(metric: Metric) -> None:
    """To the same bytes, and the same numbers."""
    arms = filled(metric, 3, 3100, 0.2, 0.3)
    again = Arms(experiment(metric), metric)
    again.restore(arms.saved(), lambda pane: pane)
    assert again.saved() == arms.saved()
    for one in (arms, again):
        one.close(99)
    assert again.judged(0.05) == arms.judged(0.05)


@pytest.mark.parametrize("metric", [SHARE, MEAN])
def test_shards_add_up_before_a_pane_is_closed(metric: Metric) -> None:
    """In whatever parts they came."""
    rng = random.Random(4)
    whole, one, other = (Arms(experiment(metric), metric) for _ in range(3))
    for number in range(2000):
        value, is_control = float(rng.random() < 0.3), rng.random() < 0.5
        for each in (whole, one if number % 3 else other):
            each.add(number // 400, value, is_control=is_control)
    one.merge(other)
    for each in (whole, one):
        each.close(99)
    assert one.judged(0.05) == whole.judged(0.05)


@pytest.mark.parametrize("entry", [b"", b"{}", b"[1]", b"[[[0,0,0,0]],[],[],[]]"])
def test_a_damaged_entry_is_an_error_of_its_own(entry: bytes) -> None:
    """As of every monitor."""
    with pytest.raises(msgspec.DecodeError):
        Arms(experiment(SHARE), SHARE).restore(entry, lambda pane: pane)


def test_counts_under_another_effect_begin_their_bets_anew() -> None:
    """The exchanges stay."""
    arms = filled(SHARE, 5, 4000, 0.2, 0.3)
    other = Arms(Experiment("e", "variant", "a", (SHARE,), minimum_effect=0.5), SHARE)
    other.restore(arms.saved(), lambda pane: pane)
    assert other.samples == arms.samples
    found = other.judged(0.05)
    assert found is not None
    assert (found.effect.lower, found.effect.upper) == (-1.0, 1.0)
