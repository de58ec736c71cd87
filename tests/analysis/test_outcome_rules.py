"""Outcomes are counted in panes of their own length, with a part of the one error budget."""

from __future__ import annotations

import pytest

from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of, shares
from monitor.analysis.outcome_rules import OutcomeRules, pane_of
from monitor.analysis.outcome_status import measurements
from monitor.findings import Outcome
from monitor.metrics import BY_NAME
from monitor.rows import Row, Truth


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


def test_what_means_something_else_is_removed_for_good() -> None:
    """What a changed setting has dropped does not come back with the next start: nothing of it is
    left in the checkpoint, whichever monitor counted it."""
    rules = OutcomeRules(learn=50, fair=("population",))
    experiment = Experiment("prompt", "population", "a", (Metric("said", "prediction"),))

    def fresh() -> Analysis[Outcome]:
        return outcomes_of(rules, experiments=(experiment,))

    fold = fresh()
    for number in range(300):
        truth = Truth(str(number % 2), 0.7, str(number % 3 % 2), choices=["1"])
        fold.add_row(Row(number * 1.0, {"population": "ab"[number % 2]}, [], truth=truth))
    kept = fold.saved()
    changed = fresh()
    changed.restore(kept, keeps=lambda _: False)
    kept = {name: entry for name, entry in (kept | changed.saved()).items() if entry}
    again = fresh()
    again.restore(kept)
    empty = fresh()
    assert [list(one.findings()) for one in again.monitors] == [
        list(one.findings()) for one in empty.monitors
    ]
    assert any(one.findings() for one in fold.monitors)


def test_a_judgement_is_two_metrics_of_the_catalogue() -> None:
    """Its evidence, and 1 for the status that holds."""
    told = list(measurements("e", "quality", "accuracy", ("all", "all"), ("alarm", 3.5)))
    for one in told:
        assert {"endpoint", *BY_NAME[one.name].labels} == set(one.labels)
    assert [one.value for one in told] == [3.5, 0.0, 1.0, 0.0]
    assert told[2].labels["status"] == "alarm"
