"""Words beside a telephone number."""

from __future__ import annotations

import pytest

from monitor.words.phone import THING, end_of_word_before, is_led, kind_of_lead


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("reach her on ", "verb"),
        ("office: ", "place"),
        ("zadzwoń pod ", "verb"),
        ("message. It is ", ""),
        ("we like ", ""),
    ],
)
def test_a_lead_is_a_place_or_a_verb_with_small_words_between(before: str, kind: str) -> None:
    assert kind_of_lead(before + "2125550187", len(before)) == kind


@pytest.mark.parametrize("before", ["call ", "Desk: ", "\nT ", "texted ", "number is (", "PHONED "])
def test_the_quick_look_misses_no_lead(before: str) -> None:
    assert is_led(f"please {before}2125550187", len(before) + 7)


@pytest.mark.parametrize("before", ["bytes, ", "order ", "build ", "rows "])
def test_the_quick_look_passes_over_other_words(before: str) -> None:
    assert not is_led(f"please {before}2125550187", len(before) + 7)


def test_the_word_before_a_number_is_the_nearest_within_forty_characters() -> None:
    text = "phone or fax 2125550187"
    assert end_of_word_before(text, [0, 9], 13) == 12
    assert end_of_word_before("phone" + " " * 50 + "2125550187", [0], 55) == -1


def test_what_other_numbers_are_called_stands_just_before_them() -> None:
    assert THING.search("see order no. ")
    assert THING.search("tracking #")
    assert not THING.search("order by ")
