"""What the watches of one analysis hold together."""

from __future__ import annotations

import random
from typing import Any

import pytest

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import profile_of
from monitor.analysis.drift.watches import AT_HAND, Baseline
from monitor.analysis.monitors import analysis_of
from monitor.distances import LIVE, psi
from monitor.rows import Row
from monitor.texts import hashed
from monitor.types import Observation

RULES = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=3600.0)


def row(at: float, population: str, x: float) -> Row:
    return Row(at, {"population": population}, [Observation("x", "numeric", x)])


def test_what_is_remembered_of_open_panes_is_bounded() -> None:
    """However late values may come, and from however many panes by turns."""
    rows = [row(number * 37 % 900, "ab"[number % 2], number * 0.1) for number in range(3000)]
    analysis = analysis_of((), RULES, Baseline(profile=profile_of(rows)))
    for number, one in enumerate(rows):
        analysis.add_row(one)
        if number % 100 == 0:
            (drift,) = analysis.monitors
            assert isinstance(drift, DriftMonitor)
            assert len(drift.watches._counters) <= AT_HAND
    assert len(drift.watches.by_key["x", "all", "all"].open) > AT_HAND
    whole = next(one for one in analysis.findings() if one.dimension == "all")
    assert whole.samples == 3000


WORDS = [[f"{kind}{number}" for number in range(40)] for kind in "abcd"]


def said(at: int, kind: int, rng: random.Random) -> Row:
    """One of several kinds of answers: its words, where it lies, and a category of many values."""
    values: list[Any] = [
        hashed(" ".join(rng.choices(WORDS[kind], k=12))),
        [kind + rng.gauss(0, 0.05), rng.gauss(0, 0.05)],
        rng.choice([*WORDS[kind], f"{rng.random()}"]),
    ]
    names = (("words", "words"), ("place", "vector"), ("what", "categorical"))
    seen = [Observation(*name, value) for name, value in zip(names, values, strict=True)]
    return Row(at * 0.1, {}, seen)


@pytest.mark.parametrize("period", [2, 3, 4])
def test_kinds_of_answers_that_come_by_turns_are_no_drift(period: int) -> None:
    """Behind a balancer that goes round, no stride may make a reference of one kind alone."""
    rng = random.Random(period)
    rows = [said(number, number % period, rng) for number in range(3000)]
    analysis = analysis_of((), RULES, Baseline(profile=profile_of(rows[:1000])))
    for one in rows[1000:]:
        analysis.add_row(one)
    found = {one.feature: one for one in analysis.findings()}
    assert sorted(found) == ["place", "what", "words"]
    assert {one.status for one in found.values()} == {"ok"}
    assert max(one.scores["psi"] for one in found.values()) < 0.1
