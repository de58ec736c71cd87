"""Counts with noise: what one exchange could tell is bounded, and looking often tells no more."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from collections.abc import Callable

import pytest

from monitor.assembly.build import noisy_counts
from monitor.recorder.noisy_counts import OTHER, NoisyCounts, threshold
from monitor.settings.schema import Differential, Privacy, Settings
from monitor.types import Outcome


def laplace(seed: int) -> Callable[[float], int]:
    """Discrete Laplace, as the difference of two geometric draws; to test with, not to protect."""
    rng = random.Random(seed)

    def draw(scale: float) -> int:
        return int(rng.expovariate(1 / scale)) - int(rng.expovariate(1 / scale))

    return draw


def made(draw: Callable[[float], int] = lambda _: 0, epsilon: float = 2.0) -> NoisyCounts:
    return NoisyCounts(
        ["population", "template"], epsilon=epsilon, delta=1e-6, period=60.0, draw=draw, began=0.0
    )


def count(some: NoisyCounts, value: str, times: int) -> None:
    for _ in range(times):
        some.add("population", value, "ok")


def told(some: NoisyCounts, now: float) -> dict[str, int]:
    """What the ok exchanges by population rise by."""
    return {
        value: rise
        for (dimension, value, outcome), rise in some.release(now)
        if dimension == "population" and outcome == "ok"
    }


def test_nothing_is_told_before_the_period_is_over_and_then_once() -> None:
    """Scrapes within a period see the same numbers, and no chance is drawn for them."""
    draws = 0

    def draw(_: float) -> int:
        nonlocal draws
        draws += 1
        return 0

    some = made(draw)
    count(some, "none", 5)
    for now in (0.0, 1.0, 59.9):
        assert some.release(now) == []
    assert draws == 0
    assert told(some, 60.0) == {"none": 5, OTHER: 0}
    cells = 2 * 2 * len(Outcome)
    assert draws == cells, "every cell has noise, counted or not"
    for now in (60.0, 61.0, 119.0):
        assert some.release(now) == []
    assert draws == cells


def test_a_value_is_named_after_a_period_that_shows_many_of_it() -> None:
    """Before, and where it is rare, it is other; once named it stays."""
    some = made()
    count(some, "vip", some.threshold)
    count(some, "rare", some.threshold - 1)
    assert told(some, 60.0) == {"none": 0, OTHER: 2 * some.threshold - 1}
    count(some, "vip", 1)
    count(some, "rare", 1)
    assert told(some, 120.0) == {"none": 0, OTHER: 1, "vip": 1}
    assert told(some, 180.0) == {"none": 0, OTHER: 0, "vip": 0}


def test_one_exchange_alone_names_a_value_with_the_stated_probability_at_most() -> None:
    """The threshold is the first where the tail of the noise is no more than delta."""
    for scale, delta in ((1.0, 0.01), (8.0, 1e-3), (12.0, 1e-6)):
        tail = [math.exp(-k / scale) / (1 + math.exp(-1 / scale)) for k in range(1000)]
        least = threshold(scale, delta) - 1
        assert tail[least] <= delta < tail[least - 1]


def test_noise_is_that_of_the_epsilon_stated() -> None:
    """An exchange that moves takes one from a cell of each dimension and gives one to another;
    half of the budget is for the counts."""
    assert made(epsilon=2.0).scale == 2 * 2 / 1.0
    assert made(epsilon=0.5).scale == 2 * 2 / 0.25


def test_counters_never_fall_and_follow_the_counts() -> None:
    """The noise of many periods adds up as the square root of their number."""
    some = made(laplace(1), epsilon=4.0)
    total = 0
    for period in range(1, 201):
        count(some, "none", 50)
        rise = told(some, 60.0 * period)["none"]
        assert rise >= 0
        total += rise
    assert 0 < abs(total - 200 * 50) < 5 * some.scale * math.sqrt(2 * 200)


def test_as_many_values_as_a_dimension_has_labels_are_named() -> None:
    """The most frequent ones; the others stay other."""
    some = made()
    for number in range(80):
        count(some, f"p{number:02}", some.threshold + number)
    some.release(60.0)
    named = set(told(some, 120.0))
    assert len(named) == 52
    assert "p79" in named
    assert "p00" not in named


def test_with_more_values_than_are_kept_apart_none_is_named() -> None:
    """Memory is bounded, whatever clients send."""
    some = made()
    for number in range(10_050):
        some.add("population", f"p{number}", "ok")
    count(some, "p1", some.threshold)
    some.release(60.0)
    assert set(told(some, 120.0)) == {"none", OTHER}


def test_the_noise_of_opendp_has_the_distribution_that_is_stated() -> None:
    """Discrete Laplace of the scale that the settings ask for: its mean, spread and shares."""
    assert noisy_counts(Settings()) is None
    some = noisy_counts(Settings(privacy=Privacy(differential=Differential(epsilon=3.0))))
    assert some is not None
    scale = some.scale
    assert scale == 2 * 3 / 1.5, "three dimensions by default"
    draws = [some._draw(scale) for _ in range(4000)]
    p = math.exp(-1 / scale)
    variance = 2 * p / (1 - p) ** 2
    assert abs(statistics.fmean(draws)) < 5 * math.sqrt(variance / len(draws))
    assert statistics.pvariance(draws) == pytest.approx(variance, rel=0.2)
    shares = Counter(draws)
    for value in (-4, -1, 0, 1, 4):
        expected = (1 - p) / (1 + p) * p ** abs(value) * len(draws)
        assert abs(shares[value] - expected) < 5 * math.sqrt(expected)


def test_what_an_observer_learns_of_one_exchange_is_bounded() -> None:
    """Two logs that differ in the segment of one exchange: every answer is at most e^ε times
    likelier for one than for the other, and not equally likely, or nothing would be measured."""
    epsilon, runs = 1.0, 6000

    def answers(value: str) -> Counter[tuple[bool, bool]]:
        found: Counter[tuple[bool, bool]] = Counter()
        for seed in range(runs):
            some = NoisyCounts(
                ["d"], epsilon=epsilon, delta=1e-6, period=1.0, draw=laplace(seed), began=0.0
            )
            some.add("d", value, "ok")
            rises = dict(some.release(1.0))
            found[rises["d", "none", "ok"] > 0, rises["d", OTHER, "ok"] > 0] += 1
        return found

    one, other = answers("none"), answers("elsewhere")
    assert len(one) == 4
    for answer in one:
        ratio = one[answer] / other[answer]
        assert math.exp(-epsilon) < ratio < math.exp(epsilon)
    assert one[True, False] > 1.05 * other[True, False]
