"""Rows that are folded at once are folded as they would be one after the other, bit for bit."""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analysis.drift import reference, watches
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import Profile, profile_of
from monitor.analysis.drift.reference import ROOM
from monitor.analysis.drift.watch import Watch
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.drift.windows import Bins, float_limits, locator, numbers_reader
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.rows import Row
from monitor.tables.blocks import NUMBER, Block, Column
from monitor.texts import hashed
from monitor.types import Observation, Record, Segment
from tests.analysis.test_any_value import ALL, OPTIONS, RULES, VALUES, records

WORDS = ["ships", "seas", "sails", "wind", "rain", "harbour", "captain", "storm", "calm", "tide"]


def rows(count: int, seed: int) -> list[Row]:
    """What live traffic has: segments, edge cases, several values of a feature, late rows, values of other kinds."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        seen = [
            Observation("x", "numeric", chance.gauss(0, 1)),
            Observation("tokens", "numeric", chance.randrange(500)),
            Observation("kind", "categorical", chance.choice("abc")),
            Observation("said", "words", hashed(" ".join(chance.choices(WORDS, k=9)))),
        ]
        seen += [seen[0]] * chance.choice((0, 0, 0, 2))
        odd: Any = chance.choice((None, "text", float("nan"), 10**400, True, [1.0]))
        if chance.random() < 0.1:
            seen.insert(0, Observation(chance.choice(("x", "kind", "said")), "numeric", odd))
        late = chance.choice((0, 0, 0, 0, 9, 1000)) if chance.random() < 0.2 else 0
        cases = chance.choice(([], [], [], ["long"], ["long", "repeated"]))
        segments = {"population": chance.choice("abcd"), "variant": chance.choice(("none", "v1"))}
        made.append(
            Row(1.7e9 + number / 10 - late, segments, seen, chance.random() > 0.05, 1.0, cases)
        )
    return made


@cache
def profile() -> Profile:
    """What other rows of the kind say."""
    return profile_of(rows(1000, 1), ("population",))


def ways(
    made: list[Row],
    cuts: list[int],
    baseline: Baseline,
    rules: Any = RULES,
    room: int = ROOM,
) -> tuple[Analysis[Any], Analysis[Any]]:
    """The same rows one after the other, and in batches that end at these cuts."""
    one_by_one, many = (analysis_of((), rules, baseline) for _ in range(2))
    for analysis in (one_by_one, many):
        monitor = analysis.monitors[0]
        assert isinstance(monitor, DriftMonitor)
        monitor.watches.room.limit = room
    for row in made:
        one_by_one.add_row(row)
    for first, end in zip([0, *cuts], [*cuts, len(made)], strict=True):
        many.add_rows(made[first:end])
    return one_by_one, many


def are_equal(one: Analysis[Any], other: Analysis[Any]) -> None:
    for _ in range(2):
        assert (one.records, one.newest) == (other.records, other.newest)
        assert one.saved() == other.saved()
        assert one.findings() == other.findings()
        one.close()
        other.close()


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(st.integers(0, 600), max_size=5),
    st.sampled_from([
        {"learn": 60}, {"learn": 1000}, {"learn": 30, "hourly": True},
        {"learn": 30, "versus": Segment("population", "a")}, {},
    ]),
    st.sampled_from([10_000, 12]),
)  # fmt: skip
def test_batches_are_counted_as_rows(
    seed: int, cuts: list[int], options: dict[str, Any], watches: int
) -> None:
    """Through panes that are closed, late rows, references that are learned in the midst, and where places are few."""
    rules = replace(RULES, watches=watches)
    are_equal(*ways(rows(600, seed), sorted(cuts), Baseline(**options), rules))


@pytest.mark.parametrize(
    ("room", "held"), [(40, 250_000), (700, 250_000), (2_000, 250_000), (2_000, 30)]
)
def test_batches_are_learned_from_as_rows_where_there_is_little_room(
    monkeypatch: pytest.MonkeyPatch, room: int, held: int
) -> None:
    """Room is for who comes first, whatever watch that is; and bins are made of what is enough."""
    monkeypatch.setattr(reference, "HELD", held)
    monkeypatch.setattr(watches, "LESSON", held)
    are_equal(*ways(rows(400, room), [90, 91, 250], Baseline(learn=150), room=room))


@pytest.mark.parametrize("room", [40, ROOM])
def test_a_watch_that_fails_while_it_learns_is_given_up_alone(
    monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """It is taught no more, and takes no room; the others learn, and what failed is raised."""
    taught: list[Watch] = []
    learn = Watch.learn

    def fail(watch: Watch, *seen: Any) -> None:
        taught.append(watch)
        if watch is taught[0]:
            raise ArithmeticError
        learn(watch, *seen)

    monkeypatch.setattr(Watch, "learn", fail)
    many = analysis_of((), RULES, Baseline(learn=150))
    monitor = many.monitors[0]
    assert isinstance(monitor, DriftMonitor)
    monitor.watches.room.limit = room
    with pytest.raises(ArithmeticError):
        many.add_rows(rows(200, 1))
    assert taught.count(taught[0]) == 1
    assert len(set(taught)) > 1


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 600), max_size=3))
def test_batches_are_counted_against_a_profile(seed: int, cuts: list[int]) -> None:
    """All is gathered from the first pane's second value on."""
    are_equal(*ways(rows(600, seed), sorted(cuts), Baseline(profile())))


@settings(max_examples=20, deadline=None)
@given(st.lists(records(), min_size=1, max_size=6), OPTIONS)
def test_a_batch_of_anything_is_counted_as_its_rows(
    sent: list[Record], options: dict[str, Any]
) -> None:
    """With every feature, whatever a stranger sends."""
    one_by_one, many = (analysis_of(ALL, RULES, Baseline(**options)) for _ in range(2))
    for one in sent * 3:
        one_by_one.add(one)
    many.add_rows([many.row(one) for one in sent * 3])
    assert repr(one_by_one.saved()) == repr(many.saved())
    assert repr(one_by_one.findings()) == repr(many.findings())


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=30), st.integers(0, 2**32))
def test_numbers_that_are_read_at_once_are_found_where_each_is(
    values: list[Any], seed: int
) -> None:
    """Or they are not read at once."""
    chance = random.Random(seed)
    texts: list[Any] = [
        hashed(" ".join(chance.choices(WORDS, k=chance.randrange(1, 9)))) for _ in range(20)
    ]
    alike = [value for value in values if type(value) is type(values[0])]
    known = bytes(chance.randrange(256) for _ in range(2048))
    for bins in (
        Bins("numeric", edges=[-5.0, 0.0, 3.0, 1e30]),
        Bins("numeric", edges=[0.0, 0.0, 1.0, 2.0], exact=True),
        Bins("numeric", edges=[0.0, 0.3, 0.5, 1.0], vocabulary=known),
        Bins("categorical", categories=["a"]),
    ):
        locate, read = locator(bins), numbers_reader(bins)
        for some in (values, alike, texts, texts[:3], [*texts, b"\x01"], [*texts, b"\xff\xff"]):
            numbers = read(some)
            if numbers is not None:
                found = [bisect_left(float_limits(bins), number) for number in numbers]
                assert found == [locate(value) for value in some]


def test_a_watch_that_fails_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins anew, all else is counted, and one row of the batch does not count."""
    count_many = Watch.count_many

    def failing(self: Watch, values: list[Any], pane: int) -> None:
        if self.key[:2] == ("x", "all"):
            raise ZeroDivisionError
        count_many(self, values, pane)

    made = [replace_at(row, 1.7e9) for row in rows(400, 1)]
    one, other = (analysis_of((), RULES, Baseline(learn=50)) for _ in range(2))
    for analysis in (one, other):
        analysis.add_rows(made[:300])
    monkeypatch.setattr(Watch, "count_many", failing)
    with pytest.raises(ZeroDivisionError):
        one.add_rows(made[300:])
    monkeypatch.undo()
    other.add_rows(made[300:])
    assert (one.records, other.records) == (399, 400)
    found, whole = (
        {key: watch.live() for key, watch in watches_of(a).items()} for a in (one, other)
    )
    assert whole.keys() - found.keys() == {("x", "all", "all")}
    assert all((whole[key] == found[key]).all() for key in found)


@pytest.mark.parametrize("pane", [None, 60.0], ids=["by hand", "by time"])
def test_a_watch_that_fails_on_a_block_takes_nothing_with_it(
    monkeypatch: pytest.MonkeyPatch, pane: float | None
) -> None:
    """The same of columns: those behind it are counted, and so are the panes that follow."""
    count_column = Watch.count_column

    def failing(self: Watch, column: Column, at: Any, number: int) -> None:
        if self.key == ("a", "all", "all"):
            raise ZeroDivisionError
        count_column(self, column, at, number)

    def block(size: int, begin: float) -> Block:
        chance = random.Random(size)
        columns = [
            Column(
                name,
                np.full(size, NUMBER, dtype=np.intp),
                [],
                np.array([chance.gauss(0, 1) for _ in range(size)]),
                None,
            )
            for name in "abc"
        ]
        return Block(begin + np.arange(size, dtype=float), {}, columns)

    rules = replace(RULES, pane=pane, lateness=0.0)
    one, other = (analysis_of((), rules, Baseline(learn=50)) for _ in range(2))
    for analysis in (one, other):
        analysis.add_block(block(200, 1.7e9))
    monkeypatch.setattr(Watch, "count_column", failing)
    with pytest.raises(ZeroDivisionError):
        one.add_block(block(300, 1.7e9 + 200))
    monkeypatch.undo()
    other.add_block(block(300, 1.7e9 + 200))
    assert other.records == 500
    assert one.records == 499 if pane is None else 490 < one.records < 500
    found, whole = (
        {key: watch.live() for key, watch in watches_of(a).items()} for a in (one, other)
    )
    assert whole.keys() - found.keys() == {("a", "all", "all")}
    assert found.keys() == {("b", "all", "all"), ("c", "all", "all")}
    assert all((whole[key] == found[key]).all() for key in found)


def replace_at(row: Row, at: float) -> Row:
    return Row(at, row.segments, row.observations, row.accepted, row.weight, row.edge_cases)


def watches_of(analysis: Analysis[Any]) -> dict[Any, Watch]:
    """Those that have a reference."""
    (drift,) = analysis.monitors
    assert isinstance(drift, DriftMonitor)
    return {key: one for key, one in drift.watches.by_key.items() if one.reference is not None}
