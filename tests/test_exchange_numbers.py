"""Sets of numbers as bits: equal to a set of integers, and small."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.exchange_numbers import Numbers


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200_000)), max_size=60))
def test_numbers_are_a_set(steps: list[tuple[bool, int]]) -> None:
    """In any order, although they are made for rising ones."""
    numbers, expected = Numbers(), set[int]()
    for adds, number in steps:
        if adds:
            numbers.add(number)
            expected.add(number)
        else:
            assert numbers.discard(number) is (number in expected)
            expected.discard(number)
        assert len(numbers) == len(expected)
        assert list(numbers) == sorted(expected)
        assert list(Numbers(*numbers.packed())) == sorted(expected)


def test_a_million_spooled_numbers_cost_a_bit_each() -> None:
    """An outage of hours must not cost the proxy its memory, nor leave anything behind."""
    numbers = Numbers()
    for number in range(1_000_000):
        numbers.add(number)
    assert len(numbers._bits) <= 1_000_000 // 8 + 1
    assert all(numbers.discard(number) for number in range(1_000_000))
    assert len(numbers) == 0
    assert len(numbers._bits) <= 4097
