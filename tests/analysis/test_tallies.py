"""Tallies: the one error budget holds over segments, and damage is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import DecodeError

from monitor.analysis.rows import SegmentName
from monitor.analysis.tallies import Judgement, Rules, Tallies
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.known_probability import UNIT, log_evidence_of_rate


def evidence(since: Ints, before: Ints) -> Floats:
    return log_evidence_of_rate(since[:, 0], since[:, 1], 0.2, 0.0)


RULES = Rules(1, 3, evidence, 0.02, 50, 0.05, 43200, 200, "some")


def pane(tallies: Tallies, number: int, segment: SegmentName, n: int, ones: int) -> None:
    tallies.count([segment], number, float(number), [(0, n), (1, ones), (2, n * UNIT // 5)])


def judged(tallies: Tallies) -> dict[SegmentName, Judgement]:
    return {segment: judgement for segment, _, judgement in tallies.judged()}


def test_of_many_segments_watched_for_long_none_alarms_by_chance() -> None:
    """Twenty segments with the stated rate, over 40 panes, 30 times: at most a few runs with any
    alarm, at any look."""
    chance = np.random.default_rng(1)
    segments = [("all", "all"), *(("plan", str(number)) for number in range(19))]
    runs = 0
    for _ in range(30):
        tallies = Tallies(RULES)
        alarmed = False
        for number in range(40):
            for segment in segments:
                pane(tallies, number, segment, 60, int(chance.binomial(60, 0.2)))
            tallies.close(number, float)
            alarmed |= any(one.status == "alarm" for one in judged(tallies).values())
        runs += alarmed
    assert runs <= 4  # 30 x .05 = 1.5


def test_one_of_many_is_found_and_only_that() -> None:
    """Its rate is .35 instead of .2; the others, and their small share of it, are as stated."""
    chance = np.random.default_rng(2)
    tallies = Tallies(RULES)
    for number in range(20):
        for name in range(20):
            rate = 0.35 if name == 7 else 0.2
            pane(tallies, number, ("plan", str(name)), 60, int(chance.binomial(60, rate)))
        tallies.close(number, float)
    found = judged(tallies)
    assert {name for name, one in found.items() if one.status == "alarm"} == {("plan", "7")}
    assert found["plan", "7"].since == 0.0


def test_an_alarm_is_as_old_as_what_it_counts() -> None:
    """The first outcome in any order; and after an alarm has ended, nothing that is older."""
    tallies = Tallies(RULES)
    for at in (30.0, 10.0, 20.0):
        tallies.count([("all", "all")], 0, at, [(0, 100), (1, 60), (2, 20 * UNIT)])
    assert judged(tallies)["all", "all"].since == 10.0
    tallies.close(0, lambda _: 40.0)
    tallies.count([("all", "all")], 1, 5.0, [(0, 1), (2, UNIT // 5)])
    assert judged(tallies)["all", "all"].since == 10.0


def test_looking_changes_nothing() -> None:
    """Judged after every pane or once: the same alarms, and the same bytes are saved."""
    chance = np.random.default_rng(3)
    watched, left = Tallies(RULES), Tallies(RULES)
    for number in range(30):
        n, ones = 90, int(chance.binomial(90, 0.2 if number < 12 else 0.4))
        for tallies in (watched, left):
            pane(tallies, number, ("all", "all"), n, ones)
            pane(tallies, number, ("site", "a"), n, ones)
            tallies.close(number - 1, float)
        watched.judged()
    assert watched.judged()[0][2] == left.judged()[0][2]
    assert watched.state() == left.state()
    assert watched.state().keys() == {"all"}


def test_a_checkpoint_of_other_panes_or_damaged() -> None:
    """Open panes are those of now; what cannot be read is said."""
    tallies = Tallies(RULES)
    for number in range(8):
        pane(tallies, number, ("all", "all"), 10, 2)
    kept = tallies.state()
    again = Tallies(RULES)
    again.restore("some", kept, place=lambda number: number // 4, keeps=lambda _: True)
    assert again.judged()[0][1].tolist() == tallies.judged()[0][1].tolist()
    again.close(0, float)
    assert again.state()
    none = Tallies(RULES)
    none.restore("some", kept, place=int, keeps=lambda key: key != ("some", "all", "all"))
    assert none.judged() == []
    with pytest.raises(DecodeError):
        none.restore("some", kept | {'["all","all"]': b"\xc1"}, place=int, keeps=lambda _: True)


def test_counts_of_another_meaning_begin_anew() -> None:
    """They are removed from the checkpoint, and what comes is counted as if they had not been."""
    tallies = Tallies(RULES)
    for name in "ab":
        pane(tallies, 0, ("site", name), 10, 2)
    kept = tallies.state()
    other = Tallies(replace(RULES, meaning="other"))
    other.restore("some", kept, place=int, keeps=lambda _: True)
    assert other.judged() == []
    pane(other, 0, ("site", "b"), 10, 2)
    changed = other.state()
    assert changed['["site","a"]'] == b""
    assert changed['["site","b"]'] != b""
    again = Tallies(replace(RULES, meaning="other"))
    again.restore("some", kept | changed, place=int, keeps=lambda _: True)
    assert list(judged(again)) == [("site", "b")]


def test_an_empty_one_has_nothing_to_say() -> None:
    """Before any outcome, and when panes without any are closed."""
    tallies = Tallies(RULES)
    tallies.close(3, float)
    assert tallies.judged() == []
    other = Tallies(RULES)
    tallies.merge(other)
    assert tallies.state().keys() == {"all"}
