"""Labels that are chosen, or come late, by what they say: replay tells it, and only then."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.replay.labelled import PARTS, Labelled
from monitor.rows import Row, Truth


def labelled(kind: str, seed: int = 1, count: int = 3000) -> Labelled:
    """What was seen of a calibrated classifier whose labels miss in some way."""
    rng = random.Random(seed)

    def rows() -> Iterator[Row]:
        for number in range(count):
            score = rng.betavariate(1.2, 4)
            label = str(int(rng.random() < score))
            chance = {
                "none miss": 0.0,
                "the newest miss": max(0.0, 2 * number / count - 1),
                "a third miss": 0.3,
                "only high scores have one": float(score < 0.5),
                "positives come late": 0.6 * (label == "1") * (number > count / 2),
            }[kind]
            known = None if rng.random() < chance else label
            yield Row(0.0, {}, [], truth=Truth(score=score, label=known))

    seen = Labelled()
    assert len(list(seen.passing(rows()))) == count
    return seen


@pytest.mark.parametrize("kind", ["none miss", "the newest miss", "a third miss"])
def test_labels_that_miss_whatever_they_say_are_not_told(kind: str) -> None:
    """Of twenty tables each."""
    assert {labelled(kind, seed).remark(Labelled()) for seed in range(20)} == {""}


@pytest.mark.parametrize("kind", ["only high scores have one", "positives come late"])
def test_labels_that_depend_on_the_score_are_told(kind: str) -> None:
    """With the share of labelled rows where it is least and where it is largest, now and before."""
    said = labelled(kind).remark(labelled("none miss", seed=2))
    assert said.startswith("which rows have a label depends on the score: ")
    assert said.count("(reference: 100 %)") == 2
    if kind.startswith("only"):
        assert "0 % of scores from 0 to 0.1 " in said
        assert "100 % of scores from 0.5 to 0.6 " in said


@pytest.mark.parametrize("kind", [int, float])
def test_scores_may_be_whole_numbers(kind: type) -> None:
    """A score of 0 or 1 is one, however JSON or a column of them says it."""
    seen = Labelled()
    rows = [
        Row(0.0, {}, [], truth=Truth(score=kind(number % 2), label="1" if number % 2 else None))
        for number in range(400)
    ]
    assert list(seen.passing(rows)) == rows
    said = seen.remark(Labelled())
    assert "0 % of scores from 0 to 0.1 " in said
    assert "100 % of scores from 0.9 to 1" in said


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 1.5, -0.01, 1e300, None, [0.5]])
def test_what_is_no_probability_is_of_no_part(score: Any) -> None:
    """A table may hold any number; its rows pass as they are."""
    row, seen = Row(0.0, {}, [], truth=Truth(score=score, label="1")), Labelled()
    assert list(seen.passing([row] * 40)) == [row] * 40
    assert seen.remark(Labelled()) == ""
    assert [seen._share(part) for part in range(PARTS)] == [None] * PARTS
