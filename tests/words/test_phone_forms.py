"""How telephone numbers are written."""

from __future__ import annotations

import pytest

from monitor.words.phone_forms import (
    NORTH_AMERICAN,
    OTHER,
    by_form,
    digits_of,
    looks_like_one,
    plus_before,
)


@pytest.mark.parametrize(
    ("text", "start", "number"),
    [
        ("at +44 20 7946 0958.", 4, "+44 20 7946 0958"),
        ("at (212) 555-0187 x12", 4, "(212) 555-0187 x12"),
        ("at 0044 20 7946 0958", 3, "0044 20 7946 0958"),
        ("at +999 20 7946 0958", 4, None),
        ("order 0049091440", 6, None),
    ],
)
def test_a_number_is_known_by_its_form_alone(text: str, start: int, number: str | None) -> None:
    """With its `+`, bracket and extension; not with a calling code that there is none of, nor as a
    number of an order."""
    span = by_form(text, start, (NORTH_AMERICAN,))
    assert (span and text[slice(*span)]) == number


@pytest.mark.parametrize(
    "text", ["2024-01-15", "15.01.2024", "123-45-6789", "4111 1111 1111 1111", "192.0.2.1"]
)
def test_dates_cards_and_addresses_are_others(text: str) -> None:
    assert OTHER.match(text)


def test_a_plus_is_looked_for_over_a_bracket_and_a_space() -> None:
    assert plus_before("a +(49) 30", 4) == 2
    assert plus_before("a + b 49", 6) == -1


def test_digits_of_an_extension_do_not_count() -> None:
    assert digits_of("(212) 555-0187 ext. 1234") == 10


def test_amounts_and_days_do_not_look_like_telephone_numbers() -> None:
    assert looks_like_one("0171 1234567")
    assert looks_like_one("2125550187")
    assert not any(map(looks_like_one, ("12345.67", "20240115", "1999-2005")))
