"""Many rows at once, and blocks, are counted as rows would be one after the other, bit for bit."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.analysis.drift import reference, watches
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import Profile, dump_profile, profile_of
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.distances import MEASURES, psi
from monitor.tables.blocks import NUMBER, Block, Column, relabelled
from monitor.texts import hashed
from monitor.types import Observation, Segment
from tests.analysis.test_monitors import Volume

RULES = Rules(psi.MEASURE, MEASURES, pane=None, samples=10**12)

SEEN: dict[str, tuple[Any, ...]] = {
    "numeric": (None, math.inf, -math.inf, 1e300, -1e12, 10**400, 5e-324),
    "categorical": ("a", "b", "a b", "\u2028", "x" * 64),
    "boolean": (True, False),
    "vector": ([0.0, 1.0], [3.0, -1.0], [1e300, 0.0], [math.nan, 1.0], [1.0], {}),
    "words": (b"", hashed("ships and sails"), hashed("seas of ships"), b"\x00"),
}
"""What is observed beside plain numbers, by kind."""


def column(feature: str, rng: random.Random, total: int) -> Column:
    """Numbers, other values, or both; in all rows, in some, or in none."""
    kinds = rng.sample(sorted(SEEN), rng.choice((0, 1, 1, 2)))
    seen = [Observation(feature, kind, value) for kind in kinds for value in SEEN[kind]]
    share = 1.0 if not seen else rng.choice((0.0, 0.9))
    rows = None
    if rng.random() < 0.2:
        rows = np.array([row for row in range(total) if rng.random() < 0.3], dtype=np.intp)
        total = len(rows)
    wide = rng.choice((1.0, 1.0, 1e10))
    numbers = np.array([rng.choice((-0.0, 2.0, wide * rng.gauss(0, 1))) for _ in range(total)])
    if rng.random() < 0.3:
        numbers = numbers.astype(np.int64)
    codes = [NUMBER if rng.random() < share else rng.randrange(len(seen)) for _ in range(total)]
    return Column(feature, np.array(codes, dtype=np.intp), seen, numbers, rows)


def blocks(
    rng: random.Random, features: list[str], sizes: list[int], regions: Sequence[str] = ()
) -> list[Block]:
    """Blocks of the same features, the columns of each made anew."""
    usual = (["a", "b"], ["a", "none"], [f"r{number}" for number in range(9)])
    regions = list(regions or rng.choice(usual))
    return [
        Block(
            np.array([rng.uniform(0, 1e9) for _ in range(size)]),
            {
                "region": relabelled(
                    np.array([rng.randrange(len(regions)) for _ in range(size)]), regions
                )
            },
            [column(feature, rng, size) for feature in features],
        )
        for size in sizes
    ]


def folded(made: list[Block], begin: Callable[[], Analysis], way: str) -> Any:
    """What an analysis has counted and found, told of each `row`, of many `rows` or of a `block`."""
    analysis = begin()
    for block in made:
        if way == "row":
            for row in block.rows():
                analysis.add_row(row)
        elif way == "rows":
            analysis.add_rows(block.rows())
        else:
            analysis.add_block(block)
    newest = [one.watches.newest for one in analysis.monitors if isinstance(one, DriftMonitor)]
    return analysis.findings(), analysis.saved(), newest, analysis.newest


def same_by_any_way(made: list[Block], begin: Callable[[], Analysis]) -> None:
    by_row, rows, block = (folded(made, begin, way) for way in ("row", "rows", "block"))
    assert rows == by_row
    assert block == by_row


def profile(made: list[Block], *, by_row: bool, **options: Any) -> bytes:
    rows = (row for block in made for row in block.rows())
    return dump_profile(profile_of(rows if by_row else made, **options))


FEATURES = st.lists(
    st.sampled_from(("x", "y", "y\x01", "y\x02", "z")), min_size=1, max_size=4, unique=True
)
SIZES = st.lists(st.integers(1, 80), min_size=1, max_size=4)


@given(st.integers(0, 2**32), FEATURES, SIZES, st.sampled_from((None, 40, 2000)))
@settings(max_examples=60, deadline=None)
def test_a_reference_is_that_of_the_rows(
    seed: int, features: list[str], sizes: list[int], learn: int | None
) -> None:
    """Of all values or the first, for all dimensions or none, with few places, on given bins."""
    made = blocks(random.Random(seed), features, sizes)
    for options in ({}, {"dimensions": ()}, {"limit": 3}, {"dimensions": ("region", "other")}):
        found = profile(made, by_row=False, learn=learn, **options)
        assert found == profile(made, by_row=True, learn=learn, **options)
    given_ = profile_of(made[0].rows(), ("region",))
    assert profile(made, by_row=False, bins=given_) == profile(made, by_row=True, bins=given_)


@given(
    st.integers(0, 2**32), FEATURES, SIZES,
    st.sampled_from(({}, {"watches": 1}, {"watches": 5}, {"watches": 12})), st.sampled_from((None, 25)),
)  # fmt: skip
@example(29, ["x"], [23, 77, 65], {}, 25)  # one segment's last value is the last it learns from
@settings(max_examples=80, deadline=None)
def test_what_is_counted_is_that_of_the_rows(
    seed: int, features: list[str], sizes: list[int], rules: dict[str, int], learn: int | None
) -> None:
    """Against a profile, against what is learned on the way, and where places are few."""
    rng = random.Random(seed)
    made = blocks(rng, features, sizes)
    known: Profile | None = None
    if learn is None and rng.random() < 0.8:
        known = profile_of(blocks(rng, features, [300]), ("region",))

    def begin() -> Analysis:
        return analysis_of(
            (), dataclasses.replace(RULES, **rules), Baseline(known, learn),
            dimensions=dimensions, began=7.0,
        )  # fmt: skip

    dimensions = rng.choice((None, (), ("region",)))
    same_by_any_way(made, begin)


@pytest.mark.parametrize("places", range(1, 7))
def test_who_comes_first_has_the_place(places: int) -> None:
    """A feature that only later rows have comes after the segments of those before."""
    seen = [Observation("y", "numeric", None)]
    block = Block(
        np.arange(3.0),
        {"region": relabelled(np.arange(3), ["a", "b", "c"])},
        [
            Column("x", np.full(3, NUMBER), numbers=np.arange(3.0)),
            Column("y", np.zeros(1, dtype=np.intp), seen, rows=np.array([1])),
        ],
    )
    rules = dataclasses.replace(RULES, watches=places)
    same_by_any_way([block], lambda: analysis_of((), rules, Baseline()))


def test_who_comes_first_has_the_room_to_learn_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it runs out within a block, too."""
    made = blocks(random.Random(3), ["x", "y", "z"], [50, 50, 50])
    usual = reference.Room
    for limit in (10, 100, 300):
        monkeypatch.setattr(watches, "Room", lambda limit=limit: usual(limit))
        same_by_any_way(made, lambda: analysis_of((), RULES, Baseline(learn=80)))


@pytest.mark.parametrize(
    "options", [{"versus": Segment("region", "a")}, {"hourly": True}], ids=["versus", "hourly"]
)
def test_what_is_compared_pane_by_pane_is_counted_alike(options: dict[str, Any]) -> None:
    """Where panes are cut by time blocks are taken apart into rows."""
    rules = dataclasses.replace(RULES, pane=60.0, samples=100)
    made = blocks(random.Random(5), ["x", "y"], [200, 200], ["b", "a"])
    for rule in (rules, RULES):
        same_by_any_way(
            made, lambda rule=rule: analysis_of((), rule, Baseline(learn=30, **options))
        )


def test_a_monitor_that_counts_by_row_is_told_of_rows() -> None:
    """Beside one that counts by column."""
    made = blocks(random.Random(1), ["x"], [7, 5])
    counted = []
    for way in ("row", "rows", "block"):
        volume = Volume()
        folded(made, lambda volume=volume: Analysis((), [volume], pane=None, lateness=0.0), way)
        counted.append(volume.state())
    assert counted[0] == counted[1] == counted[2]
