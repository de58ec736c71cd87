"""Outcomes are counted in panes of their own length, with a part of the one error budget."""

from __future__ import annotations

import pytest

from monitor.analysis.monitors import outcomes_of, shares
from monitor.analysis.outcome_rules import OutcomeRules, pane_of
from monitor.analysis.outcome_status import measurements
from monitor.metrics import BY_NAME
from monitor.types import Row, Truth


def test_panes_are_a_fiftieth_of_the_wait_and_at_least_a_minute() -> None:
    """So the number of open ones is bounded however long labels are waited for."""
    assert pane_of(0.0) == pane_of(3000.0) == 60.0
    assert pane_of(30 * 86400.0) == 51840.0


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
def test_the_budget_is_split_and_not_exceeded(alpha: float) -> None:
    """Drift keeps all of it until outcomes are looked at; then both parts are the whole."""
    assert shares(alpha, outcomes=False) == (alpha, 0.0)
    assert sum(shares(alpha, outcomes=True)) == pytest.approx(alpha, abs=1e-17)


def test_outcomes_are_folded_with_their_truth() -> None:
    """A fold takes rows with and without a truth, all at once or in panes of their own time."""
    for rules in (OutcomeRules(), OutcomeRules(pane=60.0)):
        fold = outcomes_of(rules)
        for number in range(100):
            truth = Truth("1", 0.8, "1") if number % 2 else None
            fold.add_row(Row(number * 10.0, {"population": "a"}, [], truth=truth))
        again = outcomes_of(rules)
        again.restore(fold.saved())
        assert again.records == 100
        assert again.findings() == fold.findings()


def test_a_judgement_is_two_metrics_of_the_catalogue() -> None:
    """Its evidence, and 1 for the status that holds."""
    told = list(measurements("e", "quality", "accuracy", ("all", "all"), ("alarm", 3.5)))
    for one in told:
        assert {"endpoint", *BY_NAME[one.name].labels} == set(one.labels)
    assert [one.value for one in told] == [3.5, 0.0, 1.0, 0.0]
    assert told[2].labels["status"] == "alarm"
