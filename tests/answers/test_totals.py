"""Sums that are done again."""

from __future__ import annotations

import pytest

from monitor.answers.totals import equations, sums
from tests.answers.hostile import is_linear

RENT = "| Item | {head} |\n|---|---|\n| Rent | {a} |\n| Food | {b} |\n| **Total** | {c} |"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2 + 3 = 5, and 12 × 12 = 140.", [True, False]),
        ("$20 × 3 = $60; 15% × 200 = 30; 45/60 = 75%; 2*3+4 = 10", [True] * 4),
        ("1/3 = 0.33 and 7 / 3 ≈ 2.3 and 2 / 3 = 0.7", [True] * 3),
        ("1,200 + 800 = 2,000.", [True]),
        ("360 / 24 = 16", [False]),
    ],
)
def test_equations_are_right_to_the_digits_that_they_show(text: str, right: list[bool]) -> None:
    """With units, shares and signs of all kinds."""
    assert list(equations(text)) == right


@pytest.mark.parametrize(
    "text",
    [
        "Set x = 5, then 3 - 1.",
        "x^2 + 3 = 7; 2(3 + 4) = 14; 5x + 3 = 13; f(2) + 1 = 4; 2 × (4 + 5) × 2.5 = 45",
        "1 + 1 = 2x and H2 + 2 = 4",
        "```\n2 + 2 = 5\n```",
    ],
)
def test_algebra_and_code_are_not_done_again(text: str) -> None:
    """What letters and brackets mean is not known."""
    assert list(sums(text)) == []


def test_a_total_is_the_sum_of_its_column() -> None:
    """To the cent where cents are shown; rounded where the head says so; not where it is no sum."""
    assert list(sums(RENT.format(head="EUR", a=2, b=3, c=5))) == [True]
    assert list(sums(RENT.format(head="EUR", a=2, b=3, c=6))) == [False]
    assert list(sums(RENT.format(head="EUR million", a=2, b=3, c=6))) == [True]
    assert list(sums(RENT.format(head="Average rate", a=2, b=3, c=6))) == []
    assert list(sums(RENT.format(head="EUR", a="n/a", b=3, c=6))) == []
    assert list(sums("- Rent: €2.50\n- Food: €3.25\n\n**Total: €5.75**")) == [True]


def test_a_unit_price_beside_a_count_is_not_added_up() -> None:
    """Its total would mean nothing."""
    table = "| Item | Qty | Price |\n|---|---|---|\n| a | 2 | 5.00 |\n| b | 1 | 4.00 |\n| Total | 3 | 14.00 |"
    assert list(sums(table)) == [True]


def test_shares_of_a_whole_make_a_hundred() -> None:
    """To rounding; where the text says that they are parts, and all of them."""
    parts = "\n- a: 54.6%\n- b: 30.2%\n- c: {}%"
    assert list(sums("The votes split so:" + parts.format(15.3))) == [True]
    assert list(sums("The votes split so:" + parts.format(25.3))) == [False]
    assert list(sums("The top three shares:" + parts.format(25.3))) == []
    assert list(sums("Growth by region:" + parts.format(25.3))) == []


def test_the_time_is_linear() -> None:
    """For tables, signs and equations without end."""
    assert is_linear(lambda text: list(sums(text))) == []
