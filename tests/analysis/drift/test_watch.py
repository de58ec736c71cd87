"""Watches: what is counted is kept, through restarts and merges."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.findings import direction
from monitor.analysis.drift.reference import Learner
from monitor.analysis.drift.watch import FARTHEST, Episode, Watch
from monitor.analysis.drift.windows import locator

KEY = ("x", "population", "b")


def learning(wanted: int = 40) -> Watch:
    return Watch(KEY, Learner(wanted))


def test_it_learns_and_then_counts() -> None:
    """The values that made the reference are not judged by it."""
    watch = learning()
    for number in range(100):
        watch.count(float(number % 7), pane=0, time=5.0)
    assert watch.learner is None
    assert watch.reference is not None
    assert watch.reference.samples == 40
    assert watch.live()[: watch.history.bins].sum() == 60
    assert watch.history.times == [5.0]


@pytest.mark.parametrize("values", [0, 10, 39, 40, 90])
def test_its_state_is_all_of_it(values: int) -> None:
    """Learning or watching, with open panes and an episode: the same state again."""
    watch = learning()
    for number in range(values):
        watch.count(float(number % 7), pane=number // 50, time=0.0)
    watch.episode = Episode(3.0, [0, 1])
    watch.settled = 1.5
    again = learning()
    again.restore(watch.state())
    assert again.state() == watch.state()
    for one in (watch, again):
        for number in range(60):
            one.count(float(number), pane=2, time=1.0)
    assert again.state() == watch.state()


def test_what_is_no_state_is_refused() -> None:
    """The caller hears of it."""
    for damaged in (b"", b"\xc1", msgspec.msgpack.encode([1, 2])):
        with pytest.raises(msgspec.DecodeError):
            learning().restore(damaged)


def saved(values: int) -> tuple[Watch, dict[str, Any]]:
    watch = learning()
    for number in range(values):
        watch.count(float(number % 7), pane=0, time=0.0)
    return watch, msgspec.msgpack.decode(watch.state(), strict=False)


@pytest.mark.parametrize("part", ["open", "total", "marks", "times", "cells"])
def test_counts_of_another_form_begin_anew_on_the_reference_there_was(part: str) -> None:
    """A version that counts more beside the bins goes on from what was learned."""
    watch, state = saved(90)
    match part:
        case "open":
            state["open"] = {0: [1, 2]}
        case "cells":
            state["trail"]["cells"] += 1
        case _:
            state["trail"][part] = state["trail"][part] * 2
    again = learning()
    again.restore(msgspec.msgpack.encode(state), 7.0)
    assert again.reference == watch.reference
    assert again.live().sum() == 0
    assert again.history.times == [7.0]
    for number in range(60):
        again.count(float(number % 7), pane=2, time=8.0)
    assert again.live()[: again.history.bins].sum() == 60


@pytest.mark.parametrize("part", ["counts", "edges"])
def test_a_reference_that_does_not_fit_its_bins_is_refused(part: str) -> None:
    """It would fail later, on every value."""
    _, state = saved(90)
    if part == "counts":
        state["reference"]["counts"].pop()
    else:
        state["reference"]["cells"]["edges"].append(99.0)
    with pytest.raises(msgspec.DecodeError):
        learning().restore(msgspec.msgpack.encode(state))


def test_open_panes_add_up() -> None:
    """Pane by pane, those of one and those of the other."""
    one, other = learning(), learning()
    for watch in (one, other):
        for number in range(50):
            watch.count(float(number % 5), pane=7, time=0.0)
    other.count(1.0, pane=8, time=0.0)
    one.merge(other)
    bins = one.history.bins
    assert {pane: sum(counts[:bins]) for pane, counts in one.open.items()} == {7: 20, 8: 1}
    assert one.close(7, 60.0, 10)
    assert one.history.total[:bins].sum() == 20


@pytest.mark.parametrize("shift", [-8.0, -3.0, -0.5, 0.0, 0.5, 3.0, 8.0])
def test_how_far_the_mean_moved_is_near_the_truth(shift: float) -> None:
    """Also where most values lie beyond all that the reference had."""
    rng = random.Random(3)
    learner = Learner()
    for _ in range(4000):
        learner.add(rng.gauss(10, 2))
    watch = Watch(("x", "all", "all"), None)
    watch.stand_on(learner.reference(), 0.0)
    other = Watch(("x", "all", "all"), None)
    other.stand_on(learner.reference(), 0.0)
    for number in range(4000):
        (watch if number % 2 else other).count(rng.gauss(10 + 2 * shift, 2), number % 7, 0.0)
    watch.merge(other)
    assert direction(*watch.windows(watch.live())) == pytest.approx(shift, abs=0.1)


numbers = st.floats(-1e3, 1e3) | st.integers(-1000, 1000).map(float)
values_of_any_kind = st.one_of(
    numbers, st.floats(), st.integers(), st.integers(10**300, 10**320), st.booleans(), st.none(),
    st.text(max_size=3),
)  # fmt: skip


@given(st.lists(numbers, min_size=1, max_size=60), st.lists(values_of_any_kind, max_size=60))
def test_numbers_are_counted_where_their_bin_is(learned: list[float], came: list[Any]) -> None:
    """What is written out for speed counts as `locator` says, edges and their neighbours too."""
    learner = Learner(len(learned))
    for value in learned:
        learner.add(value)
    watch = Watch(KEY, None)
    watch.stand_on(learner.reference(), 0.0)
    assert watch.reference is not None
    bins = watch.reference.bins
    near = [math.nextafter(edge, way) for edge in bins.edges for way in (-math.inf, math.inf)]
    counted, locate = [0] * (bins.size + 1), locator(bins)
    for value in [*came, *bins.edges, *near]:
        index = locate(value)
        counted[index] += 1
        if index in (bins.between or (0, 1, bins.ordinary - 2, bins.ordinary - 1)):
            steps = (value - watch.usual.points[index]) / watch.step
            beyond = not -FARTHEST < steps < FARTHEST
            counted[-1] += int(math.copysign(FARTHEST, steps) if beyond else steps)
        watch.count(value, pane=0, time=0.0)
        watch.count(value, pane=1, time=0.0, times=3)
    assert watch.open == {0: counted, 1: [3 * count for count in counted]}
