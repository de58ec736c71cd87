"""Gaps, their intervals, and what the mix of segments makes of them."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.fairness.gaps import drivers, of_rates, of_residuals
from monitor.analysis.fairness.reading import RESIDUAL

BERKELEY = {  # admitted and rejected women, then men, by department (Bickel et al. 1975)
    "A": (89, 19, 512, 313), "B": (17, 8, 353, 207), "C": (202, 391, 120, 205),
    "D": (131, 244, 138, 279), "E": (94, 299, 53, 138), "F": (24, 317, 22, 351),
}  # fmt: skip


@st.composite
def besides(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n, m = draw(st.integers(1, 3000)), draw(st.integers(1, 3000))
    return n, draw(st.integers(0, n)), m, draw(st.integers(0, m))


@given(besides())
def test_an_interval_holds_its_gap(counts: tuple[int, int, int, int]) -> None:
    """Within -1 to 1, and turned round where the sides are."""
    n, x, m, y = counts
    number, lower, upper = of_rates(counts, 100)
    assert number is not None
    assert lower is not None
    assert upper is not None
    assert -1 <= lower <= number + 1e-9
    assert number - 1e-9 <= upper <= 1
    other = of_rates((m, y, n, x), 100)
    assert other.number == pytest.approx(-number)
    assert other.lower == pytest.approx(-upper)


def test_intervals_hold_at_all_looks_together() -> None:
    """Of 200 pairs with the same rates, at most 1 in 20 ever leaves out 0, from 20 rows on."""
    missed = 0
    for seed in range(200):
        rng = random.Random(seed)
        n = x = m = y = 0
        for _ in range(40):
            for _ in range(50):
                n += 1
                m += 1
                x += rng.random() < 0.3
                y += rng.random() < 0.3
            _, lower, upper = of_rates((n, x, m, y), 100)
            if lower is not None and upper is not None and not lower <= 0 <= upper:
                missed += 1
                break
    assert missed <= 10


def test_a_residual_gap_is_the_difference_of_means() -> None:
    """In units of 1; without an interval while there are few rows."""
    ours = [400, 40 * RESIDUAL, 40 * RESIDUAL**2]
    theirs = [400, -40 * RESIDUAL, 40 * RESIDUAL**2]
    number, lower, upper = of_residuals(ours, theirs, 100)
    assert number == pytest.approx(0.2)
    assert lower is not None
    assert upper is not None
    assert lower < 0.2 < upper
    assert of_residuals([4, 0, 0], [4, 0, 0], 100) == (0.0, None, None)
    assert of_residuals([0, 0, 0], theirs, 100) == (None, None, None)


def test_berkeley_is_a_matter_of_departments() -> None:
    """Women were admitted less often because they applied where fewer were (Bickel et al. 1975)."""
    values = {
        name: (yes + no, yes, men + out, men) for name, (yes, no, men, out) in BERKELEY.items()
    }
    totals = [sum(one[place] for one in values.values()) for place in range(4)]
    number, _, _ = of_rates((totals[0], totals[1], totals[2], totals[3]), 100)
    assert number == pytest.approx(-0.1416, abs=1e-3)
    assert number is not None
    found = drivers({"department": values}, number, 0.05)
    assert {one.dimension for one in found} == {"department"}
    assert {one.value for one in found[:2]} <= {"A", "B"}
    assert math.fsum(one.share for one in found) == pytest.approx(1, abs=0.2)


def test_a_gap_within_every_segment_is_no_matter_of_the_mix() -> None:
    """Equal segments, or a gap that is tolerated: nothing made it but the group."""
    values = dict.fromkeys(("a", "b", "c"), (100, 20, 100, 50))
    assert drivers({"office": values}, -0.3, 0.1) == []
    assert drivers({"office": BERKELEY}, -0.05, 0.1) == []
    assert drivers({"office": {"a": (100, 20, 0, 0), "b": (0, 0, 100, 50)}}, -0.3, 0.1) != []


@given(st.dictionaries(st.text(max_size=3), besides(), max_size=6), st.floats(-1, 1))
def test_any_mix_is_told(values: dict[str, tuple[int, int, int, int]], gap: float) -> None:
    """Finite shares, at most five of a dimension."""
    found = drivers({"d": values}, gap, 0.05)
    assert len(found) <= 5
    assert all(math.isfinite(one.share) and one.share > 0 for one in found)
