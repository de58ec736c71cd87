"""Units that are followed from when they first came: each counts once, when its time is over."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.experiments import run
from monitor.analysis.experiments.arms import UNIT
from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.experiments.follow_up import PIECES, SLOTS, FollowUp, Sums, of_unit
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.analysis.fold import Analysis
from monitor.rows import Row, Truth
from monitor.texts import numbered
from tests.chances import SEEDED

CLICKED = Metric("clicked", "event", "clicked")
EVER = Metric("ever", "event", "clicked", of_units=True)
PAID = Metric("paid", "event", "paid", is_mean=True, bounds=(0.0, 50.0), of_units=True)
WEEK = Experiment(
    "prompt", "variant", "a", (CLICKED, EVER), minimum_effect=0.02, planned=5000, unit="user",
    follow_up=320.0,
)  # fmt: skip


def row(at: float, user: str, arm: str = "a", **events: float) -> Row:
    truth = Truth(events=events, units={"user": numbered(user)})
    return Row(at, {"variant": arm}, [], truth=truth)


def fold(experiment: Experiment = WEEK, pane: float = 10.0) -> Analysis[Any]:
    monitor = ExperimentsMonitor([experiment], positive="1", pane=pane)
    return Analysis((), (monitor,), pane=pane, lateness=5.0)


def fed(rows: Iterable[Row], experiment: Experiment = WEEK) -> Analysis[Any]:
    found = fold(experiment)
    for one in rows:
        found.add_row(one)
    return found


def samples(found: Analysis[Any]) -> dict[str, int]:
    return {one.metric: one.samples for one in found.findings()}


def growing(seed: int, late: str) -> Iterator[Row]:
    """Whoever has known either arm for longer clicks more often, in both arms alike. Users of the
    arm `late` all come in the second half; everybody comes six times."""
    rng = random.Random(seed)
    coming = []
    for user in range(1600):
        arm = "ab"[user % 2]
        first = rng.uniform(500 if arm == late else 0, 1000)
        ages = [0.0, *(rng.uniform(0, 1000) for _ in range(5))]
        coming += [(first + age, f"{seed}/{user}", arm, age) for age in ages if first + age < 1400]
    for at, user, arm, age in sorted(coming):
        clicked = {"clicked": 1.0} if rng.random() < 0.1 + age / 2000 else {}
        yield row(at, user, arm, **clicked)


def told(experiment: Experiment, seed: int, late: str) -> set[str]:
    """Every verdict that was read at one of 14 looks."""
    found, looks, seen = fold(experiment), 100.0, set()
    for one in growing(seed, late):
        if one.at >= looks:
            looks += 100
            seen |= {each.verdict for each in found.findings()}
        found.add_row(one)
    return seen | {each.verdict for each in found.findings()}


def test_an_arm_whose_users_came_later_is_not_worse_for_that() -> None:
    """In four runs with equal arms no verdict is ever wrong; without a follow-up each run has one,
    against the arm that came late."""
    without = dataclasses.replace(WEEK, metrics=(CLICKED,), follow_up=0.0)
    wrong = {"better", "worse"}
    for seed in range(4):
        late = "ab"[seed % 2]
        assert not wrong & told(WEEK, seed, late)
        assert {"a": "better", "b": "worse"}[late] in told(without, seed, late)


def test_a_better_arm_is_found() -> None:
    """By what its users do in their time: of each exchange, and of each user once."""
    rng = random.Random(1)
    rows = []
    for user in range(4000):
        arm, first = "ab"[user % 2], rng.uniform(0, 1000)
        rate = 0.1 + 0.1 * (arm == "b")
        for age in (0.0, 100.0, 200.0):
            clicked = {"clicked": 1.0} if rng.random() < rate else {}
            rows.append(row(first + age, str(user), arm, **clicked))
    found = fed(sorted(rows, key=lambda one: one.at))
    found.add_row(row(5000.0, "last"))
    clicked, ever = found.findings()
    assert (clicked.verdict, ever.verdict) == ("better", "better")
    assert clicked.effect == pytest.approx(0.1, abs=0.02)
    assert ever.effect == pytest.approx(0.9**3 - 0.8**3, abs=0.04)


def test_a_unit_counts_once_its_time_is_over() -> None:
    """With its exchanges until then; what it does later is nothing."""
    rows = [row(0.0, "u"), row(300.0, "u", clicked=1.0), row(321.0, "u", clicked=1.0)]
    found = fed([*rows, row(0.0, "v", "b"), row(334.0, "w", "b")])
    assert samples(found) == {"clicked": 0, "ever": 0}
    assert {one.reason for one in found.findings()} == {
        "3 of 3 values of user came less than 320 s ago and do not count yet"
    }
    found.add_row(row(345.0, "w", "b"))
    assert samples(found) == {"clicked": 1, "ever": 1}  # those of b
    for at in (346.0, 400.0, 9000.0):
        found.add_row(row(at, "v", "b", clicked=1.0))
    monitor = found.monitors[0]
    one, other = (monitor._runs["prompt"].cluster(arm, "clicked") for arm in "ab")
    assert (one.exchanges, one.moments.totals, one.moments.bases) == (2, UNIT, 2 * UNIT)
    assert (other.exchanges, other.moments.totals) == (3, 0)  # v, and w with both of its own


def test_a_unit_is_of_the_arm_that_it_first_came_to() -> None:
    """All that it does in its time is; that it was seen in another one is said."""
    found = fed([row(0.0, "u", "a"), row(5.0, "u", "b", clicked=1.0), row(900.0, "v", "b")])
    run_ = found.monitors[0]._runs["prompt"]
    assert run_.cluster("a", "clicked").exchanges == 2
    assert run_.cluster("b", "clicked").exchanges == 0
    assert "1 of 2 values of user were seen in more than one arm" in found.findings()[0].reason


def test_a_metric_of_units_counts_each_once() -> None:
    """A share whether it ever was so; a mean the sum, cut at the bounds."""
    sums = Sums(3, 60 * UNIT, 3 * UNIT)
    assert of_unit(CLICKED, sums) == sums
    assert of_unit(EVER, sums) == Sums(1, UNIT, UNIT)
    assert of_unit(EVER, Sums(3, 0, 3 * UNIT)) == Sums(1, 0, UNIT)
    assert of_unit(PAID, sums) == Sums(1, 50 * UNIT, UNIT)


EXCHANGES = st.lists(
    st.tuples(st.integers(0, 3), st.floats(0, 200), st.sampled_from("ab"), st.booleans()),
    max_size=12,
)


@given(EXCHANGES, SEEDED, st.integers(1, 3))
def test_in_any_order_and_in_shards_the_same_counts(
    coming: list[tuple[int, float, str, bool]], rng: random.Random, shards: int
) -> None:
    """Bit for bit, while panes are open."""
    experiment = dataclasses.replace(WEEK, follow_up=100.0)

    def rows() -> list[Row]:
        return [
            row(at, f"u{user}", arm, **({"clicked": 1.0} if said else {}))
            for user, at, arm, said in coming
        ]

    def counted(some: Iterable[Row]) -> Analysis[Any]:
        found = Analysis(
            (), (ExperimentsMonitor([experiment], positive="1", pane=None),), pane=None, lateness=0
        )
        for one in some:
            found.add_row(one)
        return found

    whole, mixed = counted(rows()), rows()
    rng.shuffle(mixed)
    parts = [counted(mixed[place::shards]) for place in range(shards)]
    for part in parts[1:]:
        parts[0].merge(part)
    assert parts[0].findings() == whole.findings()
    assert parts[0].findings() == counted(mixed).findings()


def test_settled_pane_by_pane_it_is_what_it_is_at_once() -> None:
    """Of exchanges in the order of their times."""
    rows = [*growing(3, "b"), row(9000.0, "last", "b"), row(9020.0, "last", "b")]
    at_once = ExperimentsMonitor([WEEK], positive="1", pane=None)
    for one in rows:
        at_once.add(one, 0, one.at)
    assert at_once.findings() == fed(rows).findings()
    assert {one.metric: one.samples for one in at_once.findings()}["ever"] == 800


def test_saved_and_restored_it_goes_on() -> None:
    """Wherever it was stopped; only pieces that have changed are written again, and those of which
    nothing is followed any more are removed."""
    rows = list(growing(3, "b"))
    state: dict[str, bytes] = {}
    whole, found = fold(), fold()
    for number, one in enumerate(rows):
        whole.add_row(one)
        found.add_row(one)
        if number % 1500 == 1499:
            state |= found.saved()
            state = {name: kept for name, kept in state.items() if kept}
            found = fold()
            found.restore(state)
    assert found.findings() == whole.findings()
    assert samples(found)["ever"] > 400
    found.saved()
    found.add_row(row(1400.0, "u"))
    changed = [name for name in found.saved() if '"followed"' in name]
    assert 0 < len(changed) < PIECES
    found.add_row(row(9000.0, "u"))
    assert b"" in found.saved().values()


def test_of_too_many_units_an_even_share_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what is kept has a bound; each stands for as many."""
    monkeypatch.setattr(run, "KNOWN", 200)
    found = fed(row(float(user % 10), str(user), "ab"[user % 2]) for user in range(3000))
    kept = found.monitors[0]._runs["prompt"]
    assert kept.follow_up is not None
    assert kept.follow_up.open == sum(
        1 for user in range(3000) if numbered(str(user)) in kept.units
    )
    assert kept.follow_up.open <= 200
    assert "000 values of user came" not in found.findings()[0].reason
    assert 2000 < kept.units.estimate(kept.follow_up.open) < 4000


def test_a_unit_is_kept_in_no_more_slots_than_its_time_has() -> None:
    """However often it comes, and whatever comes first."""
    found = FollowUp(float(SLOTS))
    found.come(5000.0)
    for at in range(1000, 0, -1):
        found.add(7, float(at), [("m", 1.0, 1.0)])
    ((unit, sums),) = found.settled()
    assert (unit, sums["m"].exchanges) == (7, SLOTS)
