"""Cells of scores, and the area under the curve that they give."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.quality.score_cells import TOP, area, cell

shares = st.floats(0, 1)


@given(one=shares, other=shares)
def test_cells_rise_with_the_score_and_are_bounded(one: float, other: float) -> None:
    """Whatever the scores: order is kept, and the two ends are cells of their own."""
    low, high = sorted((one, other))
    assert 0 <= cell(low) <= cell(high) <= TOP
    assert (cell(low) == 0) == (low == 0)


@given(score=st.floats(0, 0.5))
def test_cells_are_alike_at_both_ends(score: float) -> None:
    """A score near 1 is told apart as one as near to 0."""
    if 1 - (1 - score) == score and score < 0.5:
        assert cell(1 - score) == TOP - cell(score)


def test_scores_of_rare_events_are_told_apart() -> None:
    """Where all scores are below a thousandth, too."""
    assert len({cell(number / 1e6) for number in range(1, 1000)}) > 150


def drawn(laws: tuple[float, float], count: int) -> list[tuple[float, bool]]:
    chance = random.Random(7)
    return [
        (
            chance.betavariate(*(laws if chance.random() < 0.5 else laws[::-1])),
            chance.random() < 0.3,
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("laws", [(1.0, 2.0), (0.2, 30.0), (5.0, 5.0)])
def test_the_area_is_that_of_the_scores(laws: tuple[float, float]) -> None:
    """Within 0.001 of scikit-learn's, with weights, whatever the law of the scores."""
    from sklearn.metrics import roc_auc_score

    chance = random.Random(3)
    rows = [(score, chance.random() < score**0.5) for score, _ in drawn(laws, 4000)]
    weights = [1 << chance.randrange(4) for _ in rows]
    sides: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})
    for (score, true), weight in zip(rows, weights, strict=True):
        sums = sides[not true].setdefault(cell(score), [0, 0, 0])
        sums[:] = [sums[0] + 1, sums[1] + weight, sums[2] + weight * weight]
    found = area(*sides)
    scores, truths = zip(*rows, strict=True)
    assert found is not None
    assert found[0] == pytest.approx(roc_auc_score(truths, scores, sample_weight=weights), abs=1e-3)
    assert 0.001 < math.sqrt(found[1]) < 0.05


def test_one_class_has_no_area() -> None:
    """A pair needs both."""
    assert area({3: [1, 1, 1]}, {}) is None
    assert area({}, {3: [1, 1, 1]}) is None
