"""Reviews drawn with known probabilities: fair whatever was expected, and right in the mean."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from monitor.sequential.confidence_sequences import ratio, together
from monitor.sequential.weighted import Item, effective, log_evidence, moments

KINDS = [
    Item(level, expected, loss)
    for level, expected in ((0, 0.5), (2, 0.25), (3, 0.0))
    for loss in (None, False, True)
]


@pytest.mark.parametrize("rates", [(0.3, 0.2, 0.1), (0.0, 0.6, 0.0), (1.0, 0.0, 0.0)])
def test_the_mean_is_one_where_losses_have_the_bound(rates: tuple[float, ...]) -> None:
    """Over all that may become of two items, each in one of three cells with its own probability of
    review, expectation and true rate: whatever was expected."""
    cells = [(0, 0.5), (2, 0.25), (3, 0.0)]
    bound = sum(rates) / 3
    chances: dict[Item, float] = dict.fromkeys(KINDS, 0.0)
    for (level, expected), rate in zip(cells, rates, strict=True):
        reviewed = 2.0**-level
        chances[Item(level, expected, None)] += (1 - reviewed) / 3
        chances[Item(level, expected, True)] += reviewed * rate / 3
        chances[Item(level, expected, False)] += reviewed * (1 - rate) / 3
    assert math.fsum(chances.values()) == pytest.approx(1.0)
    mean = 0.0
    for pair in itertools.product(KINDS, repeat=2):
        counts = dict.fromkeys(KINDS, 0) | Counter(pair)
        mean += math.exp(log_evidence(counts, bound)) * chances[pair[0]] * chances[pair[1]]
    assert mean == pytest.approx(1.0, abs=1e-9)


def sampled(chance: np.random.Generator, items: int) -> Counter[Item]:
    """Bad ones are suspected, and reviewed eight times as often."""
    bad = chance.random(items) < np.where(chance.random(items) < 0.2, 0.3, 0.025)
    suspect = chance.random(items) < np.where(bad, 0.7, 0.1)
    level = np.where(suspect, 2, 5)
    seen = chance.random(items) < 2.0**-level
    return Counter(
        Item(int(one), 0.3 if odd else 0.04, bool(loss) if read else None)
        for one, odd, loss, read in zip(level, suspect, bad, seen, strict=True)
    )


def test_the_weighted_mean_is_that_of_all_items() -> None:
    """Reviews of suspects alone would say three times as much; parts of it add up."""
    chance = np.random.default_rng(1)
    parts = [sampled(chance, 20_000) for _ in range(4)]
    total = together(moments(part.items()) for part in parts)
    naive = [Counter(), Counter()]
    for part in parts:
        for item, count in part.items():
            if item.loss is not None:
                naive[item.loss][True] += count
    found = ratio(total, 80_000, 0.05)
    assert found.lower <= 0.08 <= found.upper
    assert abs(found.number - 0.08) < 0.015
    assert naive[1][True] / (naive[0][True] + naive[1][True]) > 0.15
    assert 100 < effective(total) < 80_000
    assert moments(sum(parts, Counter()).items()) == total


def test_more_losses_than_the_bound_are_found() -> None:
    """And none where there are no more."""
    total = sum((sampled(np.random.default_rng(seed), 20_000) for seed in range(4)), Counter())
    assert log_evidence(total, 0.04) > math.log(20)
    assert log_evidence(total, 0.09) < math.log(20)
    assert log_evidence({}, 0.1) == pytest.approx(0.0)
    assert effective(moments([])) == 0.0
