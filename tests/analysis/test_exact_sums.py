"""Exact sums: the same in any order, and back from where they were saved."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.exact_sums import BITS, ExactSums, SavedSums, mean, units

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS, min_size=1, max_size=8))
def test_a_sum_is_exact_and_its_mean_is_rounded_once(values: list[float]) -> None:
    """By fractions, which are exact; so no order matters."""
    total = sum(map(units, values))
    assert Fraction(total, 1 << BITS) == sum(map(Fraction, values))
    assert mean(total, len(values)) == float(Fraction(total, 1 << BITS) / len(values))
    assert total == sum(map(units, reversed(values)))


def test_panes_add_up_and_begin_anew_at_a_change_point() -> None:
    """What was before the change point is forgotten; one that is not kept was at 0."""
    sums = ExactSums(2)
    for pane in range(6):
        sums.add(pane, [1, units(0.1 * pane)])
        sums.add(pane, [1, 0])
        if pane < 4:
            sums.close(pane)
        if pane in (1, 3):
            sums.mark([1, 2] if pane == 1 else [1, 2, 3])
    assert sums.live() == [12, sum(units(0.1 * pane) for pane in range(6))]
    sums.restart(2)
    assert sums.live() == [8, sum(units(0.1 * pane) for pane in range(2, 6))]
    sums.restart(1)
    assert sums.live()[0] == 8


def test_a_change_point_that_is_dropped_is_forgotten() -> None:
    """So that what is kept stays as small as the history beside it."""
    sums = ExactSums(1)
    for born in range(2, 40):
        sums.add(born, [1])
        sums.close(born)
        sums.mark([1, *range(max(2, born - 5), born + 1)])
    assert len(sums.saved().since) == 6


def test_what_was_saved_goes_on_where_it_was() -> None:
    """Through msgpack, with panes that have other numbers now, two of them the same."""
    sums, chance = ExactSums(2), random.Random(1)
    for pane in range(5):
        sums.add(pane, [-pane, units(math.ldexp(chance.random(), chance.randrange(-999, 999)))])
        if pane < 2:
            sums.close(pane)
            sums.mark([1, pane + 2])
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(sums.saved()), type=SavedSums)
    again = ExactSums.restored(saved, [(2, 1), (3, 1), (4, 2)])
    assert again.live() == sums.live()
    assert again.saved().since == saved.since
    assert set(again.saved().open) == {1, 2}
