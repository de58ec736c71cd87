"""Each scenario's problem is found where it is, and nowhere is one where there is none."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from monitor.demo.alarms import missing
from monitor.demo.scenario import SPAN, Scenario
from monitor.demo.scenarios import SCENARIOS
from monitor.privacy.patterns import Scanner
from monitor.recognizers import select
from tests.demo import offline

SEED = 1


@functools.cache
def scanner() -> Scanner:
    return Scanner(select())


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_the_planted_problem_is_found(scenario: Scenario, tmp_path: Path) -> None:
    """By every signal, while overall accuracy is known and does not alarm."""
    settings = offline.settings_of(scenario, tmp_path)
    alarms, outcomes = offline.found(scenario, settings, SEED, problem=True, scanner=scanner())
    assert missing(scenario.signals, alarms) == []
    (accuracy,) = (
        one for one in outcomes.quality
        if one.measure == scenario.accuracy and one.dimension == "all"
    )  # fmt: skip
    assert accuracy.number is not None
    assert accuracy.status != "alarm"


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_day_is_that_of_its_seed(scenario: Scenario) -> None:
    """The same for the same seed, in order, and another one without the problem."""
    turns = scenario.turns(SEED, True)
    assert turns == scenario.turns(SEED, True) != scenario.turns(SEED + 1, True)
    assert turns != scenario.turns(SEED, False)
    assert [turn.at for turn in turns] == sorted(turn.at for turn in turns)
    assert all(0 <= turn.at <= SPAN and turn.seconds > 0 for turn in turns)
