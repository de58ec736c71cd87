"""Many bets, one budget: what is laid out, added up and believed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.sequential.e_values import (
    believed,
    log_mean,
    log_sum,
    shares_of,
    start_weight,
    thresholds,
    unspent,
)


def test_no_more_is_laid_out_than_there_is() -> None:
    """The first start, the later ones and what is unspent are 1, until patience is used up."""
    laid_out = 0.0
    for start in range(1, 1001):
        laid_out += start_weight(start, 1000)
        assert laid_out + unspent(start, 1000) == pytest.approx(1.0)
    assert unspent(0, 1000) == 1.0


def test_the_order_of_a_sum_does_not_matter() -> None:
    """ln Σ exp is the same to the last bit."""
    logs = [0.1 * number - 7 for number in range(50)]
    assert log_sum(logs) == log_sum(logs[::-1])
    assert log_sum([-math.inf, -math.inf]) == -math.inf


def test_many_true_changes_make_each_easier_to_believe() -> None:
    """e-BH: of n equally shared hypotheses k need 1/k of the evidence each."""
    shares = [0.1] * 10
    one = believed([9.0] + [0.0] * 9, shares, 0.05)
    all_ = believed([9.0] * 10, shares, 0.05)
    assert one - all_ == pytest.approx(math.log(10))
    assert believed([0.0] * 10, shares, 0.05) == pytest.approx(math.log(20))


def test_an_average_of_evidence_is_no_more_than_its_largest_part() -> None:
    """ln Σ w exp, far beyond what a float can hold, and of a capital that is not all laid out."""
    logs = np.array([[1e5, 0.0], [-1e5, -1e5], [0.0, 0.0]])
    found = log_mean(logs, np.array([0.5, 0.25]))
    assert found.tolist() == pytest.approx(
        [1e5 + math.log(0.5), -1e5 + math.log(0.75), math.log(0.75)]
    )


def test_the_budget_is_spent_once() -> None:
    """Shares of segments add up to 1, with the whole's among them; a bar belongs to its share."""
    many = [("all", "all"), *(("plan", str(number)) for number in range(7)), ("site", "x")]
    for segments, laid_out in ((many, 1.0), (many[1:], 0.75), (many[:1], 1.0)):
        assert math.fsum(shares_of(segments).values()) == pytest.approx(laid_out)
    bars = thresholds(dict.fromkeys(many, 0.0), shares_of(many), 0.05)
    assert math.fsum(math.exp(-bar) for bar in bars.values()) == pytest.approx(0.05)
