"""Performance without labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analysis.drift.performance import Scores, calibrate, estimate, measure
from monitor.rows import Row
from monitor.types import Observation

pairs = st.lists(
    st.tuples(st.integers(0, 1000).map(lambda n: n / 1000), st.booleans()), min_size=1, max_size=60
)


@given(pairs=pairs)
def test_a_calibration_rises_and_stays_a_probability(pairs: list[tuple[float, bool]]) -> None:
    """Whatever the records."""
    scores, truths = zip(*pairs, strict=True)
    fit = calibrate(scores, truths)
    assert fit.rates == sorted(fit.rates)
    assert fit.edges == sorted(set(fit.edges))
    assert all(0 <= fit(score) <= 1 for score in (-1.0, *scores, 2.0))
    assert sum(map(fit, scores)) == pytest.approx(sum(truths))


@given(pairs=pairs)
@settings(max_examples=40)
def test_it_is_isotonic_regression(pairs: list[tuple[float, bool]]) -> None:
    """With a bin for each record, scikit-learn's fit at every score."""
    from sklearn.isotonic import IsotonicRegression

    scores, truths = zip(*sorted(pairs), strict=True)
    theirs = IsotonicRegression().fit_transform(scores, truths)
    fit = calibrate(scores, truths, bins=len(scores))
    assert [fit(score) for score in scores] == pytest.approx(list(theirs), abs=1e-9)


def test_the_estimate_is_what_comes_true() -> None:
    """Inputs shift, the relation of scores to truth does not: within a point of every metric."""
    from sklearn.metrics import accuracy_score, precision_score, recall_score, roc_auc_score

    rng = np.random.default_rng(8)

    def draw(shift: float) -> tuple[list[float], list[bool]]:
        logits = rng.normal(shift, 2, 20000)
        truths = rng.random(20000) < 1 / (1 + np.exp(-logits))
        return (1 / (1 + np.exp(-2 * logits))).tolist(), truths.tolist()  # overconfident

    fit = calibrate(*draw(0.0))
    for shift in (0.0, 1.0, -2.0):
        scores, truths = draw(shift)
        said = [score >= 0.5 for score in scores]
        found = estimate(scores, said, fit)
        assert found.records == 20000
        assert found.accuracy == pytest.approx(accuracy_score(truths, said), abs=0.01)
        assert found.precision == pytest.approx(precision_score(truths, said), abs=0.02)
        assert found.recall == pytest.approx(recall_score(truths, said), abs=0.02)
        assert found.auc == pytest.approx(roc_auc_score(truths, scores), abs=0.01)


def test_nothing_is_estimated_of_nothing() -> None:
    """No records, no positives said, no division by them."""
    fit = calibrate([0.5], [True])
    assert estimate([], [], fit).accuracy is None
    none_said = estimate([0.5], [False], fit)
    assert (none_said.precision, none_said.accuracy, none_said.auc) == (None, 0.0, None)


def test_rows_are_judged_by_their_columns() -> None:
    """A score that is none is no judgement; a truth that is none is not known."""

    def row(**values: object) -> Row:
        return Row(0.0, {}, [Observation(name, "numeric", one) for name, one in values.items()])

    rows = [
        row(p=0.7, said=0, y=1),
        row(p=0.7, y="?"),
        row(p=1.5, y=1),
        row(p="high", y=1),
        row(y=1),
    ]

    def seen(prediction: str) -> Scores:
        scores = Scores("p", prediction, "y")
        for one in rows:
            scores.add(one)
        return scores

    with_prediction = seen("said")
    known = [not math.isnan(score) for score in with_prediction.scores]
    assert known == [True, True, False, False, False]
    assert list(with_prediction.scores)[:2] == [0.7, 0.7]
    assert list(with_prediction.said)[:2] == [False, False]
    assert list(with_prediction.truths)[:2] == [True, -1]
    without = seen("")
    assert (without.scores[0], without.said[0], without.truths[0]) == (0.7, True, True)
    assert with_prediction.realized().records == 1
    assert with_prediction.part(1, 4).realized().records == 0


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_interval_holds_what_labels_show(shift: float) -> None:
    """Of 60 pairs of samples nearly all: 95 % are promised, and less than 85 % is a chance of 1 in 1,000."""
    held: dict[str, int] = {}
    for seed in range(60):
        rng = np.random.default_rng([18, seed])
        sides = []
        for size, mean in ((1000, 0.0), (1500, shift)):
            logits = rng.normal(mean, 1.5, size)
            truths = rng.random(size) < 1 / (1 + np.exp(-logits))
            sides.append(((1 / (1 + np.exp(-2 * logits))).tolist(), truths.tolist()))
        fit, (scores, truths) = calibrate(*sides[0]), sides[1]
        said = [score >= 0.5 for score in scores]
        found = estimate(scores, said, fit)
        true = measure(scores, said, list(map(float, truths)))
        for name, (lower, upper) in found.intervals.items():
            assert lower <= getattr(found, name) <= upper
            held[name] = held.get(name, 0) + (lower <= getattr(true, name) <= upper)
    assert sorted(held) == ["accuracy", "auc", "precision", "recall"]
    assert min(held.values()) >= 51, held


def test_what_is_certain_by_few_labels_has_an_interval() -> None:
    """Steps that held one class alone; without any row nothing is told."""
    fit = calibrate([0.1] * 5 + [0.9] * 5, [False] * 5 + [True] * 5)
    found = estimate([0.1, 0.9], [False, True], fit)
    assert found.accuracy == 1.0
    lower, upper = found.intervals["accuracy"]
    assert lower < 0.8
    assert upper == 1.0
    assert estimate([], [], fit).intervals == {}
