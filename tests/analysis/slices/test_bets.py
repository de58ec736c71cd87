"""Bets on slices: the budget is never overspent, and each factor is fair."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from monitor.analysis.slices.bets import (
    RETURNED,
    Trial,
    log_evidence,
    question_of,
    settle,
    weight,
)
from monitor.analysis.slices.losses import MEASURES, ONE
from monitor.sequential import two_arms

ALPHA = 0.05


def trial(number: int = 1) -> Trial:
    question = question_of("error", 0.05)
    known = [100, 20 * ONE, 1000, 100 * ONE]
    return Trial((1, 2), number, 0.0, known, [0] * 4, [0] * len(question.asked.bets))


@given(some.integers(1, 10**9))
def test_the_parts_of_all_slices_add_up_to_no_more_than_the_budget(count: int) -> None:
    """The sum of the first k telescopes: k / (k + 8)."""
    small = min(count, 2000)
    assert sum(map(weight, range(1, small + 1))) == pytest.approx(small / (small + 8))
    assert 0 < weight(count) <= weight(1)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("rest", [0.02, 0.1, 0.4])
def test_the_capital_has_a_mean_of_one_at_most_at_the_border(measure: str, rest: float) -> None:
    """Over all outcomes of a pane, with a slice that is worse by just what is tolerated."""
    question = question_of(measure, 0.05)  # type: ignore[arg-type]
    theta = rest - question.asked.null.offset
    before = np.array([[400, 400 * rest, 60, 60 * theta * 1.4]])
    n, m = 7, 5
    mean = 0.0
    for x, y in itertools.product(range(n + 1), range(m + 1)):
        chance = math.comb(n, x) * rest**x * (1 - rest) ** (n - x)
        chance *= math.comb(m, y) * theta**y * (1 - theta) ** (m - y)
        won = two_arms.factors(np.array([[n, x, m, y]]), before, question.asked)
        mean += chance * math.exp(two_arms.log_evidence(won, question.asked, 1))
    assert mean <= 1 + 1e-9


def test_a_slice_that_is_worse_is_believed_once() -> None:
    """At the end of the pane in which the evidence passes its part of the budget."""
    one, question = trial(), question_of("error", 0.05)
    for end in range(1, 21):
        panes = np.array([[40, 16 * ONE, 400, 40 * ONE]])
        assert settle([one], panes, question, ALPHA, float(end)) == []
        if one.found is not None:
            break
    assert one.found == float(end)
    assert log_evidence(one, question) >= -math.log(ALPHA * weight(1))
    assert one.counts == [40 * end, 16 * ONE * end, 400 * end, 40 * ONE * end]


def test_a_slice_that_is_as_good_as_the_rest_again_is_given_up() -> None:
    """When the evidence has fallen to a twentieth of what it was."""
    one, question = trial(), question_of("error", 0.05)
    settle([one], np.array([[200, 80 * ONE, 2000, 200 * ONE]]), question, ALPHA, 1.0)
    assert one.is_alarm
    best, panes = one.best, np.array([[200, 16 * ONE, 2000, 200 * ONE]])
    for end in range(2, 20):
        if settle([one], panes, question, ALPHA, float(end)):
            break
    assert log_evidence(one, question) <= best - RETURNED


def test_twenty_durations_count_as_one() -> None:
    """What is slow is slow for a while, so single ones are no independent evidence."""
    panes = np.array([[200, 80 * ONE, 2000, 200 * ONE]])
    logs = []
    for measure in ("error", "latency"):
        one = trial()
        settle([one], panes, question_of(measure, 0.05), ALPHA, 1.0)  # type: ignore[arg-type]
        logs.append(one.logs)
    assert logs[1] == [log // 20 for log in logs[0]]
