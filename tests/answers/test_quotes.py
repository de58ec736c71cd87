"""Quotes in marks of all kinds, and wordings that only look like one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.answers import quotes as module
from monitor.answers.quotes import folded, quotes
from tests.answers.hostile import is_linear

SAID = "the tenant waters the pear trees twice a week"


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_are_folded_as_all_are(text: str) -> None:
    """As bytes: their words in lower case, a space around each."""
    words = re.findall(r"\w+", text.lower().replace("_", " "))
    assert folded(text) == f" {' '.join(words)} "


@pytest.mark.parametrize("marks", ["“%s”", '"%s"', "„%s“", "«%s»", "»%s«", "「%s」"])
def test_every_pair_of_marks_quotes(marks: str) -> None:
    """Straight, curly, low, angular, corners."""
    assert list(quotes(f"It says {marks % SAID}.", 6)) == [[folded(SAID)]]


@pytest.mark.parametrize("before", ["A note for the staff says", "The text for the form"])
def test_what_a_given_text_says_is_a_quote(before: str) -> None:
    """One that is there, or says something, is not offered."""
    assert list(quotes(f'{before}: "{SAID}"', 6)) == [[folded(SAID)]]


def test_what_is_left_out_parts_a_quote() -> None:
    """Dots, and words of one's own in brackets; short runs between them say too little."""
    text = "“The tenant waters the trees … twice a week in [every] summer from May to September”"
    assert list(quotes(text, 6)) == [
        [" the tenant waters the trees ", " twice a week in ", " summer from may to september "]
    ]


@pytest.mark.parametrize(
    "text",
    [
        'He said "twice a week".',
        f'You could write: "{SAID}"',
        f'For example, "{SAID}".',
        f'Subject: "{SAID}"',
        f'A short text for the form: "{SAID}"',
        f'print("{SAID}")'.replace('("', '="'),
        "It is 5\" wide and 6\" high and so on and so forth.",
    ],
)  # fmt: skip
def test_a_short_or_offered_wording_is_no_quote(text: str) -> None:
    """Nor are inches and attributes."""
    assert list(quotes(text, 6)) == []


@given(
    st.lists(
        st.sampled_from(["Pear", "trees", "don’t", "grow", "—", "…x", "*fast*", "well-known"]),
        min_size=1,
    )
)
def test_folding_forgets_how_words_were_set(words: list[str]) -> None:
    """Case, spaces, dashes, marks of Markdown and punctuation; folding twice changes nothing."""
    text = " ".join(words)
    assert folded(text) == folded(text.upper().replace(" ", "\n ")) == folded(folded(text))


def test_the_time_is_linear() -> None:
    """For marks that never end, nest, or enclose nothing."""
    assert is_linear(lambda text: list(quotes(text, 6))) == []
    assert is_linear(folded) == []


@given(
    st.lists(
        st.sampled_from(["[", "]", "every", ".", "..", "...", " ", "…", "(", ")", "\n"]),
        max_size=12,
    )
)
def test_gaps_are_looked_for_where_one_may_be(pieces: list[str]) -> None:
    """In every text that has one."""
    text = "".join(pieces)
    assert module._may_have_gap(text) or not module._GAP.search(text)
