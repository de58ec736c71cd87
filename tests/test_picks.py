"""Which rows a sample takes."""

from __future__ import annotations

from collections import Counter

import pytest

from monitor.picks import is_picked, pick


@pytest.mark.parametrize("size", [2, 3, 8])
def test_one_of_each_few_is_taken_wherever_a_period_stands(size: int) -> None:
    """Exactly one of `size` neighbours; of each kind that comes by turns about as many."""
    taken = [number for number in range(960) if is_picked(number, size)]
    assert [number // size for number in taken] == list(range(960 // size))
    for period in (2, 3, 4, 6, 8):
        kinds = Counter(number % period for number in taken)
        assert min(kinds[kind] for kind in range(period)) > 0.4 * len(taken) / period


def test_a_place_is_any_and_always_the_same() -> None:
    """Below the size, all of them, as often; of one there is no choice."""
    places = Counter(pick(number, 4) for number in range(2000))
    assert sorted(places) == [0, 1, 2, 3]
    assert min(places.values()) > 400
    assert all(is_picked(number, 1) for number in range(9))
