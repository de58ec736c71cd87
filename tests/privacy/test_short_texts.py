"""Short texts: what is found in them does not stay; those in which nothing is are remembered, within
bounds."""

from __future__ import annotations

import pytest

from monitor.bodies import Kept
from monitor.privacy import short_texts
from monitor.privacy.short_texts import LONGEST, ShortTexts
from tests.privacy.test_scrub import scrub

MAIL = "ada@example.org"


def test_only_what_is_clean_is_remembered() -> None:
    """Under its name: the same text may be personal in another field. What the operator keeps, what
    is found, long or like a mark is no such text."""
    texts = ShortTexts()
    for value in ("gpt-4o", MAIL, Kept("kept"), "<PERSON:k1:forged>", "x" * (LONGEST + 1)):
        texts.text(scrub(), value, "model")
    assert texts._clean == {("model", "gpt-4o")}
    assert texts.is_clean("gpt-4o", "model")
    assert not texts.is_clean("gpt-4o")
    assert not texts.is_clean(Kept("gpt-4o"), "model")


def test_the_bound_of_what_is_remembered_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it all is forgotten, and learned again."""
    monkeypatch.setattr(short_texts, "_MAX_CLEAN", 3)
    texts = ShortTexts()
    for number in range(10):
        texts.text(scrub(), f"model-{number}")
        assert len(texts._clean) <= 3


def test_a_label_is_one_line_of_few_words() -> None:
    """A space for what is not printable, a digest of what is long, a pseudonym for what is found."""
    texts, one = ShortTexts(), scrub()
    for _ in range(2):  # the second time it is known
        assert texts.label(one, "two\nlines") == "two lines"
    assert texts.label(one, "x" * (LONGEST + 1)).startswith("<REDACTED:too_long:")
    assert texts.label(one, MAIL).startswith("<EMAIL_ADDRESS:")
    assert texts.label(one, Kept(MAIL)) == MAIL


def test_what_comes_once_takes_no_room() -> None:
    """It is scrubbed all the same; of an empty text there is nothing."""
    texts, one = ShortTexts(), scrub()
    assert texts.once(one, "") is None
    assert texts.once(one, "resp-1") == "resp-1"
    assert (texts.once(one, MAIL) or "").startswith("<EMAIL_ADDRESS:")
    assert (texts.once(one, "x" * (LONGEST + 1)) or "").startswith("<REDACTED:too_long:")
    assert not texts._clean


def test_labels_are_known_together_of_few_only() -> None:
    """An answer of very many choices, each with a reason, is looked at anew; it says the same."""
    texts = ShortTexts()
    few, many = ("chat", "stop"), ("chat", *["stop"] * 5000)
    assert not texts.are_clean(few)
    for one in set(many):
        texts.label(scrub(), one)
    assert all(texts.are_clean(labels) for labels in (few, many, few, many))
    assert texts._all_clean == {few}
