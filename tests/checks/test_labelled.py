"""Checks agree with people on the answers that are labelled for the benchmark."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from monitor.checks import CHECKS, citation, quote, unsupported_number
from monitor.interfaces import Check
from monitor.types import Part
from monitor.view import View
from tests.bench.check_sets import MARKS, Answer, answers

LABELLED = list(answers())
LOOKED_AT = [one for one in CHECKS if one.name in MARKS.values()]
LEAST = 0.9
"""Of the answers that a check fails, those that a person fails."""


def outcomes(check: Check, given: list[Answer]) -> Counter[tuple[bool, bool]]:
    """How often (it failed, a person says that something is wrong)."""
    found = Counter[tuple[bool, bool]]()
    for one in given:
        verdict = check.look(one.view, check.thresholds)
        failed = verdict is not None and not verdict.passed
        found[failed, one.labels.get(check.name) is False] += 1
    return found


def test_the_set_is_large_and_of_many_fields() -> None:
    """Six domains; every check has right and wrong answers."""
    assert len(LABELLED) >= 500
    assert len({one.domain for one in LABELLED}) >= 6
    for name in MARKS.values():
        assert Counter(one.labels.get(name) for one in LABELLED)[False] >= 25
        assert Counter(one.labels.get(name) for one in LABELLED)[True] >= 25


@pytest.mark.parametrize("check", LOOKED_AT, ids=lambda one: one.name)
def test_what_a_check_fails_a_person_fails_too(check: Check) -> None:
    """Mostly; and it finds most of what a person does."""
    found = outcomes(check, LABELLED)
    right, wrong, missed = found[True, True], found[True, False], found[False, True]
    assert right / (right + wrong) >= LEAST
    assert right / (right + missed) >= 0.8


def test_it_holds_for_answers_that_nothing_was_tuned_on() -> None:
    """The last part."""
    found = outcomes(unsupported_number.CHECK, [one for one in LABELLED if one.half == "fifth"])
    assert found[True, True] / (found[True, True] + found[True, False]) >= LEAST


@pytest.mark.parametrize(
    "check", [one for one in CHECKS if one not in LOOKED_AT], ids=lambda one: one.name
)
def test_no_other_check_fails_these_answers(check: Check) -> None:
    """They are neither refused nor cut, nor in another language."""
    assert not any(failed for failed, _ in outcomes(check, LABELLED))


def talk(given: str, answer: str) -> View:
    return View(
        inputs=[Part(role="tool", text=given), Part(role="user", text="And?")],
        outputs=[Part(role="assistant", text=answer)],
    )


def test_thresholds_say_how_much_is_too_much() -> None:
    """How many numbers, which share of them, how long a quote, whether sources have to be cited."""
    usual = unsupported_number.CHECK.thresholds
    view = talk(
        "It has 480 beds, 220 doctors and 35 wards.", "480 beds, 220 doctors, 35 wards, 77 nurses."
    )
    assert unsupported_number.look(view, usual).passed
    for changed in ({"count": 1}, {"share": 0.25}):
        assert not unsupported_number.look(view, msgspec.structs.replace(usual, **changed)).passed
    view = talk("[1] It has many beds.", "It has many beds and some doctors, as far as is known.")
    assert citation.look(view, citation.Thresholds()) is None
    assert citation.look(view, citation.Thresholds(required=True)) is None
    assert not citation.look(view, citation.Thresholds(required=True, words=8)).passed
    view = talk("It has many beds.", "“It has no beds at all.”")
    assert not quote.look(view, quote.Thresholds(words=6)).passed
    assert quote.look(view, quote.Thresholds(words=7)) is None


def test_a_quote_may_be_all_of_what_was_given() -> None:
    """Of several texts, of which some are too short to hold it."""
    said = "It has 480 beds in 35 wards, and it is to have more."
    view = talk(said, f"“{said}”")
    assert quote.look(view, quote.Thresholds()).passed
    assert not quote.look(talk(said[1:], f"“{said}”"), quote.Thresholds()).passed


def test_the_catalogue_says_what_the_benchmark_measured() -> None:
    """Of each check how many answers are labelled, precision and recall, with their intervals."""
    row = re.compile(
        r"\| `?(\w+)`? \| (\d+) \| ([\d.]+ \([\d.–]+\))[^|]*\| ([\d.]+ \([\d.–]+\))[^|]*\| \d+ \|"
    )
    root = Path(__file__).parents[2]
    pages = [root / "docs" / "checks.md", root / "tests" / "bench" / "CHECKS.md"]
    said, measured = (set(row.findall(page.read_text(encoding="utf-8"))) for page in pages)
    assert {name for name, *_ in measured} == set(MARKS.values())
    assert said == measured
