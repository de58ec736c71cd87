"""Ways to look closer: where the trigger began, or beside a word."""

from __future__ import annotations

import re

import pytest

from monitor.finders import alphanumeric, anchored, beside, grouped, identifier
from monitor.privacy.patterns import Scanner


def test_a_finder_takes_values_beside_a_word_only() -> None:
    """After it, else before it, within reach."""
    find = beside(r"id", r"\d{4}", reach=6)
    text = "id 1234, 5678 id; id far away from 9999"
    starts = [place for place in range(len(text)) if text.startswith("id", place)]
    assert [text[a:b] for a, b in find(text, starts)] == ["1234", "5678"]
    assert list(anchored(r"a(?P<value>b+)")("abbb", [0])) == [(1, 4)]


def test_the_values_of_a_list_beside_a_word_are_all_found() -> None:
    """With no more than separators or an "and" between; the first other thing ends the list."""
    find = beside(r"ids", r"\d{4}", reach=6)
    text = "ids: 1111, 2222 and 3333; 4444\n5555 of 6666"
    assert [text[a:b] for a, b in find(text, [0])] == ["1111", "2222", "3333", "4444", "5555"]


def test_a_value_that_is_longer_than_what_is_looked_at_is_none() -> None:
    """It is never cut."""
    text = "id " + "1" * 200
    assert list(beside(r"id", r"\d{4,}(?!\d)", reach=6)(text, [0])) == []


NUMBER = identifier(
    name="number",
    entity="NUMBER",
    words=r"\bnr\b",
    form=grouped(2, 3),
    valid=lambda digits: digits[0] == "1",
    alone=(r"[0-9]{2}-[0-9]{3}", r"\d\d-\d{3}"),
    keys={"nr"},
    examples=(),
    counterexamples=(),
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("nr 12 345", ["12 345"]),
        ("my_nr=12345", ["12345"]),
        ("12-345", ["12-345"]),
        ("nr 22 345", []),
        ("12345", []),
        ("x12-345 and 12-345-6", []),
        ("nr: 12-345", ["12-345"]),
    ],
)
def test_an_identifier_needs_its_word_or_its_own_form(text: str, values: list[str]) -> None:
    """Never inside another number or word, and never with a wrong check digit."""
    assert [text[s.start : s.end] for s in Scanner([NUMBER]).scan(text)] == values


def test_the_name_of_a_field_is_enough_for_a_number_of_the_form() -> None:
    """Even where the check digit is wrong: somebody mistyped it."""
    found = [len(Scanner([NUMBER]).scan(text, "nr")) for text in ("22345", "22 345", "2.2345", "x")]
    assert found == [1, 1, 0, 0]


def test_groups_may_be_separated() -> None:
    """By one or two of the separators that people use."""
    assert all(re.fullmatch(grouped(2, 2), each) for each in ("1234", "12 34", "12.34", "12- 34"))
    assert alphanumeric("12-34") == "1234"
