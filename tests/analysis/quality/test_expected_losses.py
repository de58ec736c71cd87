"""How far off numbers are to be expected by their size, and when that is withdrawn."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.quality.expected_losses import ExpectedLosses, cell, predicted
from monitor.analysis.quality.monitor import QualityMonitor
from monitor.findings import Outcome, Quality
from monitor.rows import Row, Truth

RULES = OutcomeRules(pane=60.0, learn=800)


def rows(
    first: int,
    last: int,
    *,
    larger_from: int = 10**9,
    changed_from: int = 10**9,
    labelled: float = 1.0,
) -> Iterator[Row]:
    """Prices that are off by a tenth; from some row on larger ones come, from another they are off
    by three times as much."""
    for number in range(first, last):
        chance = random.Random(number)
        price = chance.lognormvariate(6.0 if number >= larger_from else 5.0, 0.8)
        off = price * chance.gauss(0, 0.3 if number >= changed_from else 0.1)
        label = price + off if chance.random() < labelled else None
        yield Row(number * 2.0, {"shop": "ab"[number % 2]}, [], truth=Truth(price, None, label))


def folded(some_rows: Iterable[Row], rules: OutcomeRules = RULES) -> Analysis[Outcome]:
    fold = outcomes_of(rules)
    for row in some_rows:
        fold.add_row(row)
    return fold


def monitor(fold: Analysis[Outcome]) -> QualityMonitor:
    found = fold.monitors[0]
    assert isinstance(found, QualityMonitor)
    return found


def whole(fold: Analysis[Outcome]) -> dict[str, Quality]:
    return {one.measure: one for one in monitor(fold).findings() if one.dimension == "all"}


def realized(some_rows: Iterable[Row]) -> tuple[float, float]:
    """(MAE, RMSE) of rows that all have a label."""
    errors = [
        abs(row.truth.prediction - row.truth.label)  # type: ignore[operator, union-attr]
        for row in some_rows
    ]
    return sum(errors) / len(errors), math.sqrt(sum(one * one for one in errors) / len(errors))


def test_it_follows_a_drift_of_the_inputs_without_labels() -> None:
    """Larger prices come, of which one in ten has a label: the estimate is of all of them."""
    fold = folded([*rows(0, 1200), *rows(1200, 5000, larger_from=1200, labelled=0.1)])
    found = whole(fold)
    mae, rmse = realized([*rows(800, 1200), *rows(1200, 5000, larger_from=1200)])
    assert found["mae"].estimated == pytest.approx(mae, rel=0.15)
    assert found["rmse"].estimated == pytest.approx(rmse, rel=0.3)
    assert found["mean_error"].estimated is None
    usual = realized(rows(0, 800))[0]
    assert found["mae"].estimated > 1.5 * usual
    assert monitor(fold).is_estimate_valid


def test_it_is_withdrawn_once_prices_of_a_size_are_off_by_more() -> None:
    """Labels say so with certainty, as few as they are; then nothing is expected."""
    fold = folded([*rows(0, 1500), *rows(1500, 6000, changed_from=1500, labelled=0.3)])
    assert not monitor(fold).is_estimate_valid
    assert whole(fold)["mae"].estimated is None
    (valid,) = [one.value for one in monitor(fold).measurements("e")
                if one.name == "monitor_quality_estimate_valid"]  # fmt: skip
    assert valid == 0


def test_it_stands_while_nothing_changes() -> None:
    """In none of ten runs it is withdrawn."""
    for seed in range(10):  # if it were in one of four, that would be seen with 94 %
        start = 100_000 * (1 + seed)
        assert monitor(folded(rows(start, start + 3000))).is_estimate_valid


def test_nothing_is_expected_of_sizes_that_no_label_had() -> None:
    """More than a tenth of the rows are a hundred times as large as all labels."""
    fold = folded(rows(0, 1000))
    for number in range(1000, 2000):
        fold.add_row(Row(number * 2.0, {}, [], truth=Truth(1e7)))
    assert whole(fold)["mae"].estimated is None


def test_segments_restarts_and_shards() -> None:
    """Each segment has its own; saved and restored, and counted apart, it is the same."""
    some_rows = list(rows(0, 3000, labelled=0.6))
    fold = folded(some_rows)
    of_shop = [one for one in monitor(fold).findings()
               if (one.dimension, one.measure) == ("shop", "mae")]  # fmt: skip
    assert len(of_shop) == 2
    assert all(one.estimated is not None for one in of_shop)
    broken, kept = outcomes_of(RULES), dict[str, bytes]()
    for start in range(0, 3000, 431):
        for row in some_rows[start : start + 431]:
            broken.add_row(row)
        kept |= broken.saved()
        broken = outcomes_of(RULES)
        broken.restore(kept)
    assert broken.findings() == fold.findings()
    at_once = OutcomeRules(learn=10_000)
    one, other = folded(some_rows[::2], at_once), folded(some_rows[1::2], at_once)
    one.merge(other)
    assert one.findings() == folded(some_rows, at_once).findings()


def test_classes_and_words_are_no_numbers() -> None:
    """A number with a score is the name of a class."""
    assert predicted(Truth(1.0, 0.9, 1.0)) is None
    assert predicted(Truth("long", None, "words")) is None
    assert predicted(Truth(math.inf, None, 1.0)) is None
    assert predicted(Truth(3.0, None, "x")) == (cell(3.0), None)


@given(some.lists(some.floats(-1e99, 1e99), min_size=2, max_size=50))
def test_cells_never_fall(numbers: list[float]) -> None:
    """And there are so many of them, whatever comes."""
    cells = [cell(one) for one in sorted(numbers)]
    assert cells == sorted(cells)
    assert all(abs(one) < 7000 for one in cells)


def test_constants_and_exact_predictions() -> None:
    """One size alone, and no error at all: an error of 0 is expected."""
    losses = ExpectedLosses()
    for _ in range(200):
        losses.add(predicted(Truth(5.0, None, 5.0)), 100, weighs_one=True)  # type: ignore[arg-type]
    assert losses.measures() == {"mae": 0.0, "rmse": 0.0}
