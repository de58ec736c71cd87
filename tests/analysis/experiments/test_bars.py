"""From when on an answer is slow, by what the control's first exchanges took."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from monitor.analysis.experiments.bars import LEAST, QUANTILES, Bars
from monitor.analysis.experiments.declared import Metric
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.rows import Row, Truth
from tests.analysis.experiments.test_monitor import experiment

SLOW = Metric("slow", "latency", "p90", less_is_better=True)


@given(some.lists(some.floats(), min_size=1, max_size=20))
def test_a_bar_is_finite_whatever_comes(durations: list[float]) -> None:
    """Also of equal, of infinite and of no durations; afterwards nothing is kept."""
    bars = Bars()
    for duration in [*durations * (4000 // len(durations)), None]:
        bars.count(duration)
    bars.set(QUANTILES)
    assert all(0 <= bar < 1e10 for bar in bars.known.values())
    assert list(bars.known.values()) == sorted(bars.known.values())
    assert not (bars.is_set(QUANTILES) and bars.first)


@pytest.mark.parametrize("name", QUANTILES)
def test_a_bar_lies_at_its_quantile(name: str) -> None:
    """Within the width of a step; before there are enough there is none."""
    rng, bars = random.Random(1), Bars()
    drawn = [rng.lognormvariate(0, 1) for _ in range(20_000)]
    for duration in drawn[: LEAST - 1]:
        bars.count(duration)
    bars.set([name])
    assert bars.known == {}
    for duration in drawn[LEAST - 1 :]:
        bars.count(duration)
    bars.set([name])
    exact = sorted(drawn)[round(QUANTILES[name] * len(drawn))]
    assert exact * 0.99 <= bars.known[name] <= exact * 1.03


def exchanges(count: int, factor: float) -> list[Row]:
    """Durations of the control, and of another arm that takes `factor` times as long."""
    rng = random.Random(2)
    found = []
    for number in range(count):
        arm = rng.choice("ab")
        took = rng.lognormvariate(0, 0.5) * (factor if arm == "b" else 1.0)
        found.append(Row(float(number), {"variant": arm}, [], truth=Truth(duration=took)))
    return found


def watched(pane: float | None, *, broken: bool = False) -> ExperimentsMonitor:
    def begun() -> ExperimentsMonitor:
        return ExperimentsMonitor([experiment(metrics=(SLOW,))], positive="1", pane=pane)

    monitor, kept = begun(), {}
    for number, row in enumerate(exchanges(6000, 1.3)):
        if number and number % 200 == 0 and pane is not None:
            monitor.close(number // 200 - 1, float)
        monitor.add(row, number // 200, row.at)
        if broken and number % 250 == 0:
            kept |= monitor.state()
            monitor = begun()
            monitor.restore(kept, newest=0.0, place=lambda p: p, keeps=lambda _: True)
    return monitor


@pytest.mark.parametrize("pane", [None, 60.0])
def test_a_slower_arm_has_more_beyond_the_controls_quantile(pane: float | None) -> None:
    """A tenth of the control's later exchanges lies beyond; what set the bar counts for nothing."""
    (found,) = watched(pane).findings()
    assert found.verdict == "worse"
    assert found.effect == pytest.approx(0.13, abs=0.04)
    assert 2500 < found.samples < 2900
    assert found.reason == ""
    assert watched(pane, broken=True).findings() == [found]


def test_shards_set_the_bar_that_one_pass_sets() -> None:
    """What was counted apart, before a pane was closed, adds up."""
    rows = exchanges(2000, 1.3)
    parts = [
        ExperimentsMonitor([experiment(metrics=(SLOW,))], positive="1", pane=60.0) for _ in range(3)
    ]
    for number, row in enumerate(rows):
        for one in (parts[0], parts[1 + number % 2]):
            one.add(row, 0, row.at)
    parts[1].merge(parts[2])
    for one in parts[:2]:
        one.close(0, float)
        for row in exchanges(500, 1.3):
            one.add(row, 1, row.at)
    assert parts[0].findings() == parts[1].findings()


def test_too_few_are_said() -> None:
    """Until there is a bar nothing has a value, and a reader is told why."""
    monitor = ExperimentsMonitor([experiment(metrics=(SLOW,))], positive="1", pane=60.0)
    for row in exchanges(100, 1.0):
        monitor.add(row, 0, row.at)
    (found,) = monitor.findings()
    assert found.samples == 0
    assert "too few to say what is slow" in found.reason
