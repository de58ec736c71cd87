"""Every check by its own examples; no check raises, or takes long, on anything."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from monitor.checks import CHECKS
from monitor.interfaces import Check
from monitor.types import Verdict
from monitor.view import View
from tests.edge_cases.test_edge_cases import HOSTILE, VIEWS, shown

NAMES = [one.name for one in CHECKS]


def verdicts(view: View) -> dict[str, Verdict]:
    looked = {one.name: one.look(view, one.thresholds) for one in CHECKS}
    return {name: verdict for name, verdict in looked.items() if verdict is not None}


def is_sound(verdict: Verdict) -> bool:
    """A share of what was looked at; what passed has nothing wrong, or less than a threshold."""
    return type(verdict.passed) is bool and 0 <= verdict.count <= verdict.of and verdict.of > 0


def test_names_are_words_of_their_own() -> None:
    """They are labels, keys of settings and parts of the names of features."""
    assert len(set(NAMES)) == len(NAMES)
    assert all(name.isidentifier() and name.islower() for name in NAMES)


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_a_check_judges_its_examples_as_they_say(check: Check) -> None:
    """With the defaults; it has some that pass, that fail, and that it does not apply to."""
    assert check.passing
    assert check.failing
    assert check.skipped
    for view in (*check.passing, *check.failing):
        verdict = check.look(view, check.thresholds)
        assert verdict is not None, shown(view)
        assert is_sound(verdict)
        assert verdict.passed is (view in check.passing), shown(view)
        assert verdict.passed or verdict.count, shown(view)
    for view in check.skipped:
        assert check.look(view, check.thresholds) is None, shown(view)


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_a_check_says_in_words_what_it_looks_at(check: Check) -> None:
    """One phrase, with the thresholds in it; with its defaults nothing is wrong."""
    said = check.words(check.thresholds)
    assert said[0].islower()
    assert not said.endswith(".")
    assert "\n" not in said
    assert check.complaint(check.thresholds) == ""


# --- anything ------------------------------------------------------------------------------------


@given(VIEWS)
def test_any_view_has_sound_verdicts(view: View) -> None:
    """No check raises, whatever an exchange is, and it says the same when asked again."""
    found = verdicts(view)
    assert all(map(is_sound, found.values()))
    assert found == verdicts(view)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_takes_a_bounded_time(name: str) -> None:
    """Less than what is read of a body of that size takes; each check by itself is linear."""
    for check in CHECKS:
        begun = time.process_time()
        check.look(HOSTILE[name], check.thresholds)
        assert time.process_time() - begun < 0.5, check.name
