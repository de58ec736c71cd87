"""Published counts of two arms, in an order drawn at random: what is believed of them, and what not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.sequential import two_arms
from monitor.sequential.two_arms import Comparison, equal, ratio

Arms = tuple[int, int, int, int]
"""Outcomes of A, those that are 1; outcomes of B, those that are 1."""

RESUMES: list[Arms] = [(2435, 157, 2435, 235)]
"""Callbacks on résumés with names of two kinds (Bertrand and Mullainathan, AER 2004)."""

ADMISSIONS: dict[str, Arms] = {
    "A": (825, 512, 108, 89),
    "B": (560, 353, 25, 17),
    "C": (325, 120, 593, 202),
    "D": (417, 138, 375, 131),
    "E": (191, 53, 393, 94),
    "F": (373, 22, 341, 24),
}
"""Applicants to Berkeley in 1973, men and women by department (Bickel et al., Science 1975)."""

DENIALS: list[Arms] = [(308, 90, 1681, 154)]
"""Mortgages that were denied, others and white applicants (Hunter and Walker 1996)."""


def median(strata: list[Arms], comparison: Comparison) -> float:
    """The evidence after 50 panes, in the median over 25 orders."""
    rows = np.array(
        [
            row
            for place, (n_a, x_a, n_b, x_b) in enumerate(strata)
            for row, times in (
                ((place, 0, 1), x_a), ((place, 0, 0), n_a - x_a),
                ((place, 2, 1), x_b), ((place, 2, 0), n_b - x_b),
            )
            for _ in range(times)
        ]
    )  # fmt: skip
    chance, panes = np.random.default_rng(1), np.zeros((50, 25, len(strata), 4), dtype=np.int64)
    for order in range(25):
        chance.shuffle(rows)
        for at, part in enumerate(np.array_split(rows, 50)):
            pane = panes[at, order]
            np.add.at(pane, (part[:, 0], part[:, 1]), 1)
            np.add.at(pane, (part[:, 0], part[:, 1] + 1), part[:, 2])
    # Rows do not look at each other: all orders are bet on at once.
    panes = panes.reshape(50, -1, 4)
    before, logs = np.zeros_like(panes[0]), np.zeros((len(panes[0]), len(comparison.bets)), int)
    for pane in panes:
        logs += two_arms.factors(pane, before, comparison)
        before += pane
    found = two_arms.log_evidences(logs.reshape(25, len(strata), -1), comparison)
    return float(np.median(found))


def test_names_made_a_difference_but_four_fifths_is_not_disproved() -> None:
    """The ratio is .67, yet chance alone makes that of .8 now and then."""
    assert median(RESUMES, equal()) == pytest.approx(5.9, abs=0.7)
    assert median(RESUMES, ratio(0.8)) == pytest.approx(0.6, abs=0.5)


def test_admissions_differ_only_while_departments_are_pooled() -> None:
    """Simpson: certain when pooled; within departments it is one, A, where women were ahead."""
    strata = list(ADMISSIONS.values())
    pooled = tuple(sum(column) for column in zip(*strata, strict=True))
    assert median([pooled], equal()) == pytest.approx(41, abs=2)
    assert median(strata, equal()) < 6
    assert median(strata[1:], equal()) < 0
    assert median([ADMISSIONS["A"]], equal()) == pytest.approx(6.9, abs=0.7)
    assert median([ADMISSIONS["A"]], equal(side=1)) < 0


def test_ratios_of_the_good_outcome_are_blind() -> None:
    """Denials differ for certain; of approvals, .71 and .91, four fifths is not disproved."""
    assert median(DENIALS, equal()) == pytest.approx(32, abs=2)
    approvals = [(n_a, n_a - x_a, n_b, n_b - x_b) for n_a, x_a, n_b, x_b in DENIALS]
    assert median(approvals, ratio(0.8)) < math.log(20)
