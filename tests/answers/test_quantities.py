"""Amounts as people write them, and what looks like one."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.answers import quantities as module
from monitor.answers.quantities import NAME, Quantity, of_source, quantities
from monitor.words import cues
from monitor.words.units import IN_ANY_CASE, SCALES, UNITS
from tests.answers.hostile import HOSTILE, is_linear
from tests.bench.check_sets import answers


def read(text: str, *, names: bool = False) -> list[tuple[float, str]]:
    """(value, unit) of each amount, in its first reading."""
    found: dict[int, Quantity] = {}
    for one in quantities(text, 99, names=names):
        found.setdefault(one.start, one)
    return [(pytest.approx(one.value), one.unit) for one in found.values()]


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("1,234.56; 1.234,56 €; 1'234.50", [(1234.56, ""), (1234.56, "EUR"), (1234.5, "")]),
        ("1 234,56 €; 1\u202f234 kg", [(1234.56, "EUR"), (1234000.0, "g")]),
        ("12,34,567 rupees", [(1234567.0, "INR")]),
        ("$5m, $3.4bn, 12 million dollars", [(5e6, "USD"), (3.4e9, "USD"), (12e6, "USD")]),
        ("EUR 12.5, US$3, CHF 40", [(12.5, "EUR"), (3.0, "USD"), (40.0, "CHF")]),
        ("25 bps of 4.25%, 3 per cent", [(0.25, "%"), (4.25, "%"), (3.0, "%")]),
        ("500 mcg, 0.5 mg, 5-mg tablets", [(5e-4, "g"), (5e-4, "g"), (5e-3, "g")]),
        ("140 mg/dL and 31 ct per kWh", [(0.14, "g/dl"), (0.31, "EUR/kwh")]),
        ("5 to 10 days; 10–20%", [(432000.0, "time"), (864000.0, "time"), (10.0, "%"), (20.0, "%")]),
        ("£60-65m; 23.75, 47.5 and 95 mg", [(6e7, "GBP"), (6.5e7, "GBP"), (0.02375, "g"), (0.0475, "g"), (0.095, "g")]),
        ("5 working days, 1.9x, 1e-5", [(432000.0, "time"), (1.9, ""), (1e-5, "")]),
        ('{"value": 131, "unit": "mg/dL"}', [(0.131, "g/dl")]),
        ("١٢٣; ３４％", [(123.0, ""), (34.0, "%")]),
        ("2021,17,20", [(2021.0, ""), (17.0, ""), (20.0, "")]),
        ("12.5. 30 people", [(12.5, ""), (30.0, "")]),
    ],
)  # fmt: skip
def test_an_amount_has_its_value_and_unit(text: str, amounts: list[tuple[float, str]]) -> None:
    """By whatever habit digits are grouped, units written and ranges shortened."""
    assert read(text) == amounts


@pytest.mark.parametrize(
    "text",
    [
        "COVID-19, GPT-4, A123, 3f2a, x_1, route66",
        "v1.2.3, 1.2.3, 192.168.1.1",
        "2024-05-12 10:00, 12/05/2024, 14:30, the 3rd, 24/7",
        "on 12 May, May 12, 3. Oktober",
        "Section 4.2, § 12, page 3, Table 2, Figure 7, No. 5, ISO 9001, Step 3",
        "1. first\n2) second\n  3. third\n- 4. fourth",
        "as shown [3] and [12, 14]",
        "call 555-123-4567",
        "007",
    ],
)
def test_a_name_a_date_or_a_mark_is_no_amount(text: str) -> None:
    """Numbers that name something, or say when."""
    assert read(text) == []


def test_sources_are_read_with_the_numbers_of_names() -> None:
    """What an answer is held against may say a number in a place that names something."""
    assert read("[3] Section 4", names=True) == [(3.0, NAME), (4.0, NAME)]


def test_a_number_that_can_be_two_has_both_readings() -> None:
    """A sign before three digits is a decimal one or groups them."""
    assert [one.value for one in quantities("1.234", 9)] == [1.234, 1234.0]
    assert [one.value for one in quantities("1,234", 9)] == [1234.0, 1.234]
    assert [one.value for one in quantities("0.234", 9)] == [0.234]


@given(
    st.integers(0, 10**9),
    st.integers(0, 3),
    st.sampled_from([(",", "."), (".", ","), ("'", "."), ("\u202f", ","), ("", "."), ("", ",")]),
)
def test_a_number_comes_back_from_any_habit(
    number: int, places: int, signs: tuple[str, str]
) -> None:
    """Written with groups and decimals it is one of the readings, with the step of its last digit."""
    group, decimal = signs
    text = f"{number:,}".replace(",", group)
    if places:
        text += decimal + f"{number % 10**places:0{places}d}"
    value = number + (number % 10**places) / 10**places if places else number
    found = quantities(f"It is {text} in all", 9)
    step = 10.0**-places
    assert any(
        one.value == pytest.approx(value) and one.step == pytest.approx(step) for one in found
    )


@given(st.text(st.sampled_from("0123456789.,'eE%$€-–/: \n[]()mgkA\u00a0٣"), max_size=60))
def test_any_text_gives_sound_amounts(text: str) -> None:
    """Positive and finite ones, inside of the text, in its order."""
    for names in (False, True):
        found = quantities(text, 50, names=names)
        assert all(0 <= one.value < 1e308 and one.step > 0 for one in found)
        assert all(0 <= one.start < one.end <= len(text) for one in found)


NUMBERS = st.one_of(
    st.integers(0, 120).map(str),
    st.integers(0, 10**12).map(str),
    st.integers(0, 10**7).map("{:,}".format),
    st.decimals(0, 10**6, places=2).map(str),
    st.integers(1900, 2030).map(str),
    st.sampled_from(["007", "0.5", "1.234", "3.10.2024", "10:30", "1e5", "0e999", "12-14", "1/2"]),
)
SIGNS = st.sampled_from(
    [" ", " ", " ", ", ", ". ", "\n", ": ", "; ", " (", ") ", "-", "–", "/", ".", ",", "%", "$", "€", " £", "EUR ", "[", "]",
     "|", '"', '", "unit": "', "=", "_", "#", "§ ", "\u00a0", "ı", "ſ", "x", "\t", " per ", " cent", " working "]
)  # fmt: skip
WORDS = st.sampled_from([*UNITS, *SCALES, *cues.NAMES, *cues.MONTHS, "to", "and", "of", "bis", "paid", "the"])  # fmt: skip
TEXTS = st.lists(st.one_of(NUMBERS, NUMBERS, SIGNS, SIGNS, WORDS), max_size=40).map("".join)


def carefully(text: str, most: int, *, names: bool) -> list[Quantity]:
    """The amounts of a text of which no number is read in one look."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_plainly", "_barely"):
            patch.setattr(module, name, lambda *_: 0)
        return quantities(text, most, names=names)


@given(TEXTS, st.sampled_from([3, 400]), st.booleans())
def test_a_plain_number_is_read_as_a_careful_look_reads_it(
    text: str, most: int, names: bool
) -> None:
    """Whatever stands before it and behind it."""
    assert quantities(text, most, names=names) == carefully(text, most, names=names)


def test_plain_numbers_of_labelled_texts_are_read_as_with_care() -> None:
    """Of what was asked, given and answered."""
    for view in (one.view for one in answers()):
        for part in (*view.inputs, *view.outputs):
            for names in (False, True):
                text = part.text or ""
                assert quantities(text, 400, names=names) == carefully(text, 400, names=names)


@given(st.one_of(TEXTS, st.text("0123456789٣३, .-", max_size=300)), st.sampled_from([7, 256, 1000]))
def test_what_is_remembered_of_a_source_is_what_would_be_read(text: str, most: int) -> None:
    """However many numbers it has, and may have."""
    for _ in range(2):
        assert list(of_source(text, most)) == quantities(text, most, names=True)


@given(TEXTS, st.sampled_from([1, 7, 40]))
def test_a_source_of_which_no_number_is_a_name_is_read_as_a_question_is(
    text: str, most: int
) -> None:
    """So a question that is one of the texts is read once."""
    found = of_source(text, 1000)
    if found.most is not None and found.most <= most:
        assert list(found) == quantities(text, most)


def test_every_unit_is_read_behind_a_number() -> None:
    """As it stands in the table; what is a scale, too, is one where money stands before."""
    unsure = {word for word in UNITS if word in SCALES or word.lower() in SCALES}
    for word, (kind, one) in UNITS.items():
        if word not in unsure:
            assert read(f"It is 7 {word} now") == [(7 * one, kind)], word
    assert all(word == word.lower() for word in IN_ANY_CASE)


def test_the_time_is_linear_and_bounded() -> None:
    """Of texts of digits, signs and scripts of all kinds; of many numbers the first are read."""
    assert is_linear(lambda text: quantities(text, 2000)) == []
    assert is_linear(lambda text: quantities(text, 2000, names=True)) == []
    assert all(len(quantities(text, 2000)) < 2100 for text in HOSTILE.values())


@pytest.mark.parametrize("piece", ["1.234 ", "1,2,3,4,5,6 ", "x"])
def test_what_is_remembered_is_bounded(piece: str) -> None:
    """As many texts of wide characters as are remembered, with as many numbers, hold less than
    20 MB: that many times what one holds."""
    module._of_short.cache_clear()
    tracemalloc.start()
    try:
        for number in range(20):
            of_source((f"{number} \U0001f600" + piece * 120 + "\U0001f600" * 4096)[:4096], 1000)
        held, _ = tracemalloc.get_traced_memory()
        most = module._of_short.cache_info().maxsize
    finally:
        tracemalloc.stop()
        module._of_short.cache_clear()
    assert most is not None
    assert held / 20 * most < 20_000_000
