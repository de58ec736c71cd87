"""The laws of the room of recognizers."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator

import pytest

from monitor.checkdigits import luhn
from monitor.errors import PrivacyError
from monitor.interfaces import Recognizer
from monitor.privacy.patterns import Scanner
from monitor.recognizers import RECOGNIZERS, credit_card, select

ALL = Scanner(RECOGNIZERS)
BY_ITSELF = {each.name: Scanner([each]) for each in RECOGNIZERS}
CARDS = Scanner([credit_card.RECOGNIZER])


def marked(example: str) -> tuple[str, list[str]]:
    """An example → its text without marks, the values in order."""
    return re.sub("[«»]", "", example), re.findall("«([^»]*)(?:»|\\Z)", example)


def cases(field: str) -> Iterator[object]:
    for recognizer in RECOGNIZERS:
        for number, text in enumerate(getattr(recognizer, field)):
            yield pytest.param(recognizer, text, id=f"{recognizer.name}-{number}")


@pytest.mark.parametrize(("recognizer", "example"), list(cases("examples")))
def test_a_recognizer_finds_exactly_the_values_of_its_examples(
    recognizer: Recognizer, example: str
) -> None:
    text, values = marked(example)
    spans = BY_ITSELF[recognizer.name].scan(text)
    assert [text[span.start : span.end] for span in spans] == values


@pytest.mark.parametrize(("recognizer", "text"), list(cases("counterexamples")))
def test_a_recognizer_finds_nothing_in_its_counterexamples(
    recognizer: Recognizer, text: str
) -> None:
    found = [text[span.start : span.end] for span in BY_ITSELF[recognizer.name].scan(text)]
    assert found == []


@pytest.mark.parametrize(("recognizer", "example"), list(cases("examples")))
def test_among_all_recognizers_the_examples_keep_their_entity(
    recognizer: Recognizer, example: str
) -> None:
    text, values = marked(example)
    spans = ALL.scan(text)
    found = [text[s.start : s.end] for s in spans if s.entity == recognizer.entity]
    assert [value for value in values if value not in found] == []


def test_names_are_unique() -> None:
    names = [each.name for each in RECOGNIZERS]
    assert len(names) == len(set(names))


def test_what_is_looked_for_is_the_default_plus_with_less_without() -> None:
    """`without` has the last word."""
    usual = {each.entity for each in select()}
    assert "URL" not in usual
    assert {each.entity for each in select(also=frozenset({"URL"}))} == usual | {"URL"}
    without = frozenset({"URL", "CA_SIN"})
    assert {each.entity for each in select(without, frozenset({"URL"}))} == usual - {"CA_SIN"}


def test_what_cards_begin_with_is_all_that_is_looked_at() -> None:
    """The short cut leaves no brand out."""
    begins = {f"{n:04}" for n in range(10000) if any(
        credit_card._BRANDS.fullmatch(f"{n:04}".ljust(size, "0")) for size in range(12, 20))}  # fmt: skip
    assert {begin[:2] for begin in begins} == credit_card._PREFIXES


@pytest.mark.parametrize(
    "prefix", ["3528", "3589", "508", "60", "606282", "62", "65", "81", "82", "9792"]
)
def test_no_issuer_of_another_continent_is_forgotten(prefix: str) -> None:
    """What lists of issuers give to JCB, RuPay, Hipercard, UnionPay and Troy."""
    for tail in ("0000000000", "1234567890", "9999999999"):
        body = f"{prefix}{tail}{tail}"[:15]
        number = next(body + digit for digit in "0123456789" if luhn(body + digit))
        assert [span.entity for span in CARDS.scan(number)] == ["CREDIT_CARD"]


def _pieces(recognizer: Recognizer) -> set[str]:
    """What an example begins with, is made of, and each value in it: to be said again and again."""
    found = set()
    for example in recognizer.examples:
        text, values = marked(example)
        words = text.split()[:8]
        found |= {*(f"{word} " for word in words), *values, *(f"{value} " for value in values)}
        found |= {" ".join(words[:2]) + " ", *(value[: len(value) // 2] for value in values)}
    return {piece for piece in found if piece.strip()}


@pytest.mark.parametrize("recognizer", RECOGNIZERS, ids=lambda each: each.name)
def test_time_grows_as_the_text_does(recognizer: Recognizer) -> None:
    """Eight times the text takes eight times as long, not sixty-four times."""
    scanner = BY_ITSELF[recognizer.name]

    def took(text: str) -> float:
        begun = time.process_time()
        with contextlib.suppress(PrivacyError):
            scanner.scan(text)
        return time.process_time() - begun

    for piece in _pieces(recognizer):
        small, large = ((piece * size)[:size] for size in (2000, 16000))
        slow = took(large)
        if slow > 0.02:  # else it is fast enough whatever it grows like
            bound = max(0.02, 24 * min(took(small) for _ in range(3)))
            if slow >= bound:
                slow = min(took(large), took(large))
            assert slow < bound, (piece, slow)
