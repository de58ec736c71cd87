"""Measures of calibration: those of scikit-learn and of the textbooks, less what chance gives."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.analysis.calibration.cells import COUNTED, cells_of
from monitor.analysis.calibration.measures import calibration
from monitor.analysis.tallies import Judgement
from monitor.findings import Calibration

CELLS = cells_of(15)


def measured(p: np.ndarray, y: np.ndarray) -> Calibration:
    counts = np.zeros(COUNTED * CELLS.size, dtype=np.int64)
    for score, true in zip(p.tolist(), y.tolist(), strict=True):
        for place, integer in CELLS.added(score, came_true=bool(true)):
            counts[place] += integer
    return calibration(("all", "all"), counts, CELLS, Judgement(0.0, "ok"))


def drawn(seed: int, n: int, hot: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose logits are `hot` times what they should be, and labels."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 1.5, n)
    y = chance.random(n) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-logits * hot)), y


def test_brier_is_exact_and_its_parts_add_up() -> None:
    """scikit-learn's; reliability - resolution + uncertainty is it, but for what bins hide."""
    from sklearn.metrics import brier_score_loss

    p, y = drawn(1, 700, 2.0)
    found = measured(p, y)
    assert found.brier == pytest.approx(brier_score_loss(y, p), abs=1e-8)
    parts = found.reliability - found.resolution + found.uncertainty
    assert found.brier == pytest.approx(parts, abs=0.003)


def test_bins_are_those_of_scikit_learn() -> None:
    """The same means in the same bins."""
    from sklearn.calibration import calibration_curve

    p, y = drawn(2, 3_000)
    shares, scores = calibration_curve(y, p, n_bins=15)
    full = [one for one in measured(p, y).bins if one.labels]
    assert [one.share for one in full] == pytest.approx(shares.tolist())
    assert [one.score for one in full] == pytest.approx(scores.tolist(), abs=1e-8)


@pytest.mark.parametrize("n", [200, 1_000])
def test_perfect_scores_have_no_error_on_average(n: int) -> None:
    """The plain ECE of a perfect model is .03 to .09; corrected its mean is about 0."""
    found = [measured(*drawn(seed, n)) for seed in range(80)]
    eces = [one.ece for one in found]
    assert abs(np.mean(eces)) < 0.006
    assert min(eces) < 0
    plain = [
        sum(b.labels * abs(b.share - b.score) for b in one.bins if b.labels) / n for one in found
    ]
    assert np.mean(plain) > 0.6 / np.sqrt(n)
    assert abs(np.mean([one.squared_error for one in found])) < 0.002


def test_the_temperature_is_found_and_takes_the_error_away() -> None:
    """Logits twice as large as they should be; and half as large."""
    for hot in (2.0, 0.5):
        found = measured(*drawn(3, 20_000, hot))
        assert found.temperature == pytest.approx(hot, rel=0.05)
        assert found.ece > 0.04
        assert abs(found.ece_after) < 0.006


def test_odd_counts_have_measures_or_none() -> None:
    """Nothing, one label, one class only, one score only, scores of 0 and 1."""
    empty = measured(np.array([]), np.array([]))
    assert (empty.ece, empty.brier, empty.temperature, empty.ece_after) == (None,) * 4
    assert empty.labels == 0
    assert empty.squared_error is None
    one = measured(np.array([0.9]), np.array([1]))
    assert one.brier == pytest.approx(0.01)
    assert one.temperature is None
    same = measured(np.full(100, 0.7), np.ones(100))
    assert same.temperature is None
    half = measured(np.full(100, 0.5), np.tile([0, 1], 50))
    assert half.temperature is None
    assert half.ece < 0
    sure = measured(np.tile([0.0, 1.0], 50), np.tile([0, 1], 50))
    assert (sure.brier, sure.ece) == (0.0, 0.0)
    assert 0.05 <= sure.temperature < 0.5
    wrong = measured(np.tile([1.0, 0.0], 50), np.tile([0, 1], 50))
    assert (wrong.brier, wrong.ece) == (1.0, 1.0)
    assert wrong.temperature == pytest.approx(20.0, rel=0.01)
