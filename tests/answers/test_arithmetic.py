"""What people make of two numbers, and of columns."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.answers.arithmetic import combine, in_rows, keyed, multiply, wholes
from monitor.answers.marks import EDGE, marks
from monitor.answers.quantities import quantities


def made(text: str) -> set[tuple[str, str, float]]:
    a, b = quantities(text, 9, names=True)
    return {(unit, kind, round(value, 2)) for unit, kind, value in combine(a, b)}


def test_two_of_one_unit_make_sum_difference_mean_share_and_change() -> None:
    """Each with its kind, so that a sentence can ask for it."""
    found = made("$50 and $40")
    assert {("USD", "+", 90.0), ("USD", "-", 10.0), ("USD", "~", 45.0)} <= found
    assert {("%", "%", 25.0), ("%", "%", 20.0), ("%", ":", 80.0), ("", ":", 1.25)} <= found


def test_a_share_of_an_amount_is_a_part_of_it() -> None:
    """Or what is left, or more."""
    assert made("20% $50") == {("USD", "*", 10.0), ("USD", "*", 40.0), ("USD", "*", 60.0)}


def test_money_times_a_count_is_money() -> None:
    """And so is a price for each, times so many."""
    assert ("EUR", "*", 60.0) in made("3 20€")
    assert ("EUR", "*", 780.0) in made("2500 kWh 31.2 ct/kWh")


def test_a_number_without_a_unit_is_in_that_of_its_neighbour() -> None:
    """Of 41.5 hours against 24 both are hours."""
    assert ("time", "-", 17.5 * 3600) in made("41.5 hours against 24")


def test_rows_end_with_sentences_lines_and_objects() -> None:
    """A decimal point ends none."""
    text = "It was 1.5 and 2.\n3 | 4\n{5}, {6}"
    rows = list(in_rows(marks(text), quantities(text, 99, names=True)))
    assert [[one.value for one in row] for row in rows] == [[1.5, 2.0], [3.0, 4.0], [5.0], [6.0]]


def test_columns_of_alike_rows_and_members_of_objects_are_added() -> None:
    """A total behind them is not added to itself."""
    text = "a | 2 | $3\nb | 4 | $5\nc | 6 | $7"
    sums = list(wholes(list(in_rows(marks(text), quantities(text, 99)))))
    assert {("", "+", 12.0), ("USD", "+", 15.0), ("USD", "+", 8.0)} <= set(sums)
    text = '{"n": 2, "m": 5}, {"n": -3, "m": 7}, {"n": 4, "m": 9}'
    groups = [
        [one.value for one in group] for group in keyed(text, quantities(text, 99, names=True))
    ]
    assert groups == [[2.0, 4.0], [5.0, 7.0, 9.0]]


@given(
    st.lists(
        st.sampled_from(["$50", "40", "20%", "3 kWh", "31 ct/kWh", "0", "2.5 mg", " ", ". ", "\n", "}", "! ", ".x "]),
        max_size=20,
    ).map(" ".join)
)  # fmt: skip
def test_rows_and_products_are_those_of_the_whole_text(text: str) -> None:
    """A row is what stands between two of its edges; a product is one of all that is made."""
    found = quantities(text, 99, names=True)
    edges = [place for place, mark in enumerate(marks(text)) if mark == EDGE[0]]
    rows = list(in_rows(marks(text), found))
    firsts = list({one.start: one for one in reversed(found)}.values())[::-1]
    assert [one for row in rows for one in row] == sorted(firsts, key=lambda one: one.start)
    assert all(len({bisect_left(edges, one.start) for one in row}) == 1 for row in rows)
    assert len(rows) == len({bisect_left(edges, one.start) for one in firsts})
    for a, b in pairwise(firsts):
        assert multiply(a, b) == [one for one in combine(a, b) if one[1] == "*"]
