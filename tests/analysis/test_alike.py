"""Rows that are alike but for their scores are counted together as they would be one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from monitor.analysis import alike as module
from monitor.analysis.alike import Seen, alike, watched
from monitor.analysis.drift.profiles import dump_profile, profile_of
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.quality.watched import watched as watched_one
from monitor.analysis.quality.watched import watched_together
from monitor.rows import Row, Truth
from monitor.types import Observation

RULES = OutcomeRules(
    pane=None, lateness=0, learn=60, minimum=5, fair=("sex", "region"),
    crossed=(("sex", "region"),), fair_minimum=5,
)  # fmt: skip

KINDS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "numbers": ((1.0, 0.0, None), (1.0, 0.0, 1, None)),
    "words": (("yes", "no", "a", None), ("yes", "no", "1", " ", None)),
    "texts": (("one two three four five", "a b"), ("one two three four six", "a b", None)),
}
"""What is predicted and what is true."""


def rows(rng: random.Random, kind: str, count: int, scored: float) -> list[Row]:
    said, true = KINDS[kind]
    varies = {one: rng.random() < 0.4 for one in ("product", "weight", "sex", "case")}
    found = []
    for at in range(count):
        score = rng.choice((0.0, 0.5, 1.0, rng.random())) if rng.random() < scored else None
        segments = {"region": rng.choice(("north", "south", "unstated"))}
        if varies["product"] and rng.random() < 0.9:
            segments["product"] = rng.choice("ab")
        truth = Truth(
            rng.choice(said), score, rng.choice(true), rng.choice((1.0, 2.5)[: 1 + varies["weight"]]),
            attributes={"sex": rng.choice("fm")} if not varies["sex"] or rng.random() < 0.9 else {},
        )  # fmt: skip
        cases = ["long"] if varies["case"] and rng.random() < 0.2 else []
        found.append(Row(at + rng.random(), segments, [], edge_cases=cases, truth=truth))
    return found


@settings(max_examples=10)
@given(
    st.integers(0, 2**32), st.sampled_from(sorted(KINDS)), st.sampled_from((0.0, 0.5, 1.0)),
    st.sampled_from((None, 100.0)), st.sampled_from((2, 1000)),
)  # fmt: skip
def test_what_is_found_is_the_same(
    seed: int, kind: str, scored: float, pane: float | None, segments: int
) -> None:
    rng = random.Random(seed)
    some = rows(rng, kind, 500, scored)
    profile = rng.choice((None, profile_of(filter(None, (watched_one(row, "1") for row in some)))))
    rules = replace(RULES, pane=pane, segments=segments)
    alone, together = (outcomes_of(rules, profile=profile) for _ in range(2))
    for row in some:
        alone.add_row(row)
    cut = rng.randrange(500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARED", 1)
        for part in (some[:cut], some[cut:]):
            event(f"by kinds: {alike([(row, row.at) for row in part]) is not None}")
            together.add_rows(part)
    assert together.findings() == alone.findings()
    assert [one.overflow for one in together.monitors if hasattr(one, "overflow")] == [
        one.overflow for one in alone.monitors if hasattr(one, "overflow")
    ]
    for fold in (alone, together):
        fold.close()
    assert together.findings() == alone.findings()
    again = outcomes_of(rules, profile=profile)
    again.restore(together.saved())
    assert again.findings() == alone.findings()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_profile_of_what_is_watched_is_the_same(kind: str) -> None:
    some = rows(random.Random(7), kind, 600, 0.7)
    one_by_one = (watched_one(row, "1") for row in some)
    expected = profile_of(filter(None, one_by_one), ["region"])
    found = profile_of(watched_together(some, "1"), ["region"])
    assert dump_profile(found) == dump_profile(expected)


def test_the_runs_of_a_classifier_are_of_few_kinds() -> None:
    some = rows(random.Random(1), "numbers", 4000, 1.0)
    run = alike([(row, row.at) for row in some])
    assert run is not None
    assert len(run.kinds) <= 4000 // module.SHARED
    assert [row.truth.score for row in some if row.truth] == run.scores
    assert [sum(run.sizes()), sum(map(len, run.scores_by_kind()))] == [4000, 4000]
    earliest: dict[int, float] = {}
    for row, kind in zip(some, run.which, strict=True):
        earliest.setdefault(kind, row.at)
    assert run.first_times() == [earliest[kind] for kind in range(len(run.kinds))]


@pytest.mark.parametrize(
    "odd",
    [
        {"score": {"a": 0.5, "b": 0.5}}, {"score": 2.0}, {"interval": (0.0, 1.0)},
        {"verdicts": (True, False)}, {"correction": "better"}, {"label": True},
    ],
)  # fmt: skip
def test_rows_that_say_more_than_kinds_tell_come_one_by_one(odd: dict[str, Any]) -> None:
    plain = Row(0.0, {}, [], truth=Truth("a", 0.5, "a"))
    run = [(plain, 0.0)] * 50
    assert alike(run) is not None
    truth = msgspec.structs.replace(plain.truth, **odd)
    assert alike([*run, (msgspec.structs.replace(plain, truth=truth), 0.0)]) is None


def test_rows_of_which_nothing_is_watched_are_left_out() -> None:
    some = [Row(float(at), {}, [], truth=Truth("a" if at % 2 else "b")) for at in range(20)]
    run = alike([(row, row.at) for row in some])
    assert run is not None
    block = watched(run, [None, Seen([Observation("x", "boolean", value=True)])])
    assert block is not None
    assert block.at.tolist() == [float(at) for at in range(1, 20, 2)]
    assert watched(run, [None, None]) is None
