"""How far expected performance may be off."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.analysis.drift.performance_intervals import Steps, intervals


def widths(known: float, rows: float) -> dict[str, float]:
    rates = np.array([0.1, 0.4, 0.8])
    said = np.array([0.0, rows, 2 * rows])
    steps = Steps(np.full(3, known), rates, said, 3 * rows - said)
    return {name: upper - lower for name, (lower, upper) in intervals(steps).items()}


def test_more_labels_and_more_rows_make_it_narrower() -> None:
    """Neither alone makes it vanish."""
    few, more_known, more_rows, more = (
        widths(known, rows) for known, rows in ((50, 50), (5000, 50), (50, 5000), (5000, 5000))
    )
    assert set(few) == {"accuracy", "precision", "recall", "f1", "auc"}
    for name, width in few.items():
        assert more[name] < 0.2 * width
        assert more[name] < min(more_known[name], more_rows[name]) < width


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "f1", "auc"])
def test_slopes_are_those_of_the_measures(name: str) -> None:
    """What random draws of the labels give (the parametric bootstrap), within a tenth."""
    rng = np.random.default_rng(4)
    known, rates = np.array([400.0, 300, 500]), np.array([0.15, 0.5, 0.8])
    said, unsaid = np.array([20.0, 300, 900]), np.array([1000.0, 300, 80])
    drawn = []
    for _ in range(2000):
        learned = rng.binomial(known.astype(int), rates) / known
        true, false = (
            rng.binomial(rows.astype(int), learned).astype(float) for rows in (said, unsaid)
        )
        hits, positives = true.sum(), true.sum() + false.sum()
        rest = said + unsaid - true - false
        below = np.cumsum(rest) - rest
        drawn.append({
            "accuracy": (hits + (unsaid - false).sum()) / (said + unsaid).sum(),
            "precision": hits / said.sum(),
            "recall": hits / positives,
            "f1": 2 * hits / (said.sum() + positives),
            "auc": ((true + false) @ (below + rest / 2)) / (positives * rest.sum()),
        }[name])  # fmt: skip
    lower, upper = intervals(Steps(known, rates, said, unsaid))[name]
    assert upper - lower == pytest.approx(2 * 1.96 * float(np.std(drawn)), rel=0.1)


def test_without_rows_there_is_none() -> None:
    nothing = np.zeros(1)
    assert intervals(Steps(np.ones(1), np.ones(1), nothing, nothing)) == {}


def test_an_interval_of_few_may_hold_none_and_all_of_them() -> None:
    """Of two predicted positives, each as likely right as not, labels often show both or neither."""
    steps = Steps(*(np.array([number]) for number in (1000.0, 0.5, 2.0, 500.0)))
    assert intervals(steps)["precision"] == (0.0, 1.0)
    lower, upper = intervals(steps._replace(said=np.array([20.0])))["precision"]
    assert 0.0 < lower < upper < 1.0
