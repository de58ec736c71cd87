"""Which exchanges leave a Record: about so many, evenly, and weighted counts are right."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.proxy.ids import Ids
from monitor.recorder.sampler import Sampler
from monitor.types import Outcome

NOON = 1_764_676_800.0
KEY = b"a key of somebody"
Exchange = tuple[str, float, Outcome]
Kept = tuple[float, bool] | None
OUTCOMES = st.sampled_from([Outcome.OK, Outcome.OK, Outcome.OK, Outcome.SERVER_ERROR])


def arrivals(rate: float, seconds: float, *, failing: float = 0.0, seed: int = 1) -> list[Exchange]:
    """Exchanges that end at random at a constant rate, a share of them failing."""
    return list(ramp([(rate, seconds)], failing=failing, seed=seed))


def ramp(
    steps: list[tuple[float, float]], *, failing: float = 0.0, seed: int = 1
) -> Iterator[Exchange]:
    """Exchanges at these rates, each for so many seconds."""
    chance = random.Random(seed)
    ids = Ids(seed, lambda: NOON)
    at = end = NOON
    for rate, seconds in steps:
        end += seconds
        while (at := at + chance.expovariate(rate)) < end:
            failed = chance.random() < failing
            yield ids.new(), at, Outcome.UPSTREAM_BROKEN if failed else Outcome.OK
        at = end


def sampled(
    exchanges: list[Exchange], records: float, key: bytes = KEY
) -> list[tuple[Exchange, Kept]]:
    sampler = Sampler(records, key)
    return [(one, sampler.keep(*one)) for one in exchanges]


def rate_of(found: list[tuple[Exchange, Kept]], start: float, end: float) -> float:
    """Records per second between two moments, in seconds since noon."""
    inside = [kept for (_, at, _), kept in found if start <= at - NOON < end]
    return sum(kept is not None for kept in inside) / (end - start)


@given(st.integers(1, 1000), st.floats(0.05, 0.8), st.lists(OUTCOMES, max_size=300))
def test_below_the_rate_all_are_kept(records: int, load: float, outcomes: list[Outcome]) -> None:
    """With the share 1, whatever becomes of them."""
    sampler = Sampler(records, KEY)
    for number, outcome in enumerate(outcomes):
        at = NOON + number / (records * load)
        assert sampler.keep(f"id-{number}", at, outcome) == (1.0, False)


@given(
    st.floats(0.01, 1e6),
    st.lists(st.tuples(st.floats(-1e4, 1e4), OUTCOMES), max_size=200),
)
def test_a_share_is_a_share_whatever_comes(
    records: float, steps: list[tuple[float, Outcome]]
) -> None:
    """Also in bursts and while the clock is set; an oversampled Record is of the larger share."""
    sampler = Sampler(records, KEY)
    at = NOON
    for number, (step, outcome) in enumerate(steps):
        at += step
        kept = sampler.keep(f"id-{number}", at, outcome)
        if kept is not None:
            share, oversampled = kept
            assert min(1.0, records / 2 / len(steps)) <= share <= 1
            assert not oversampled or share > 0


@pytest.mark.parametrize("load", [2, 10, 40])
def test_above_the_rate_about_so_many_are_kept(load: int) -> None:
    """Within a tenth, once the load is there; over any minute."""
    found = sampled(arrivals(25 * load, 62), 25)
    assert rate_of(found, 2, 62) == pytest.approx(25, rel=0.1)


def test_a_step_of_load_is_followed_within_seconds() -> None:
    """A step to twenty times as much keeps less than five times too many in its first second, then
    as many as there should be; four seconds after the step down all are kept again."""
    found = sampled(list(ramp([(10, 10), (2000, 10), (10, 10)])), 100)
    assert rate_of(found, 10, 11) < 500
    assert rate_of(found, 12, 20) == pytest.approx(100, rel=0.1)
    assert rate_of(found, 24, 30) == rate_of([(one, (1.0, False)) for one, _ in found], 24, 30)


def test_what_is_dropped_is_dropped_evenly() -> None:
    """No part of a second is better off than another, and no tenth of a second goes without."""
    found = sampled(arrivals(1000, 102), 100)
    tenths = Counter(int((at - NOON) * 10) for (_, at, _), kept in found if kept and at > NOON + 2)
    phases = Counter[int]()
    for tenth, count in tenths.items():
        phases[tenth % 10] += count
    assert all(900 < count < 1100 for count in phases.values())  # of 1,000: ± 3.3 deviations
    assert len(tenths) > 998
    assert max(tenths.values()) < 30  # Poisson: mean 10


def test_shares_change_smoothly() -> None:
    """From one exchange to the next by less than what one exchange is of the rate."""
    found = sampled(list(ramp([(500, 5), (2000, 5), (500, 5)])), 50)
    shares = [kept[0] for _, kept in found if kept is not None and kept[0] < 0.5]
    assert all(abs(later - sooner) < 0.12 for sooner, later in pairwise(shares))


def weigh(records: float, key: bytes) -> list[float]:
    """Deviations of the weighted counts from the true ones, in the standard errors that the Records
    alone tell: load goes up and down, and the segments' shares of it, too."""
    steps = [(60.0 * level, 2.0) for level in (1, 3, 9, 20, 9, 3, 1, 1, 15, 2)]
    exchanges = list(ramp(steps, failing=0.05, seed=7))
    chance = random.Random(3)
    true, counted, variance = Counter[str](), Counter[str](), Counter[str]()
    for one, kept in sampled(exchanges, records, key):
        by_time = "early" if one[1] < NOON + 9 else "late"
        segment = "north" if chance.random() < (0.2 if by_time == "early" else 0.6) else "south"
        for name in ("all", by_time, segment, one[2].value, f"{segment} {one[2].value}"):
            true[name] += 1
            if kept is not None:
                weight = 1 / kept[0]
                counted[name] += weight  # type: ignore[assignment]
                variance[name] += weight * (weight - 1)  # type: ignore[assignment]
    return [(counted[name] - true[name]) / math.sqrt(variance[name] or 1) for name in sorted(true)]


def test_weighted_counts_are_right_within_their_error() -> None:
    """By segment and outcome, over a load that goes up and down: no bias over many keys, and off by
    more than two standard errors about one time in twenty."""
    deviations = [weigh(60, b"key %d" % number) for number in range(24)]
    for of_one_count in zip(*deviations, strict=True):
        assert abs(sum(of_one_count)) / math.sqrt(len(of_one_count)) < 3.5
    flat = [one for each in deviations for one in each]
    assert sum(abs(one) > 2 for one in flat) / len(flat) < 0.08
    assert sum(abs(one) > 1 for one in flat) / len(flat) > 0.15  # and the errors are no excuse


def test_the_few_that_fail_are_all_kept() -> None:
    """With the share 1, among ten times as much traffic as there may be Records."""
    found = sampled(arrivals(1000, 30, failing=0.02), 100)
    failed = [kept for (_, _, outcome), kept in found if outcome is not Outcome.OK]
    assert all(kept is not None and kept[0] == 1 for kept in failed)
    assert rate_of(found, 2, 30) == pytest.approx(100, rel=0.1)


def test_a_flood_of_failures_leaves_room_for_the_rest() -> None:
    """Half of the Records for each, where both kinds would fill them."""
    found = sampled(arrivals(2000, 30, failing=0.9), 100)
    kept = Counter(one[2] for one, kept in found if kept is not None and one[1] > NOON + 2)
    assert kept[Outcome.OK] / 28 == pytest.approx(50, rel=0.1)
    assert kept[Outcome.UPSTREAM_BROKEN] / 28 == pytest.approx(50, rel=0.1)


def test_without_the_oversampled_the_sample_is_even() -> None:
    """The share of failures is that of the traffic, at every load, and they all have one share."""
    for failing in (0.02, 0.5, 0.9):
        found = sampled(arrivals(1000, 60, failing=failing), 100)
        even = [one[2] for one, kept in found if kept is not None and not kept[1]]
        failed = sum(outcome is not Outcome.OK for outcome in even) / len(even)
        error = math.sqrt(failing * (1 - failing) / len(even))
        assert abs(failed - failing) < 4 * error


def test_a_clock_that_is_set_does_not_stick() -> None:
    """An hour back or forward: a second later the rate is as before."""
    for jump in (-3600.0, 3600.0):
        before, after = arrivals(500, 10), arrivals(500, 10, seed=2)
        moved = [(id_, at + 10 + jump, outcome) for id_, at, outcome in after]
        found = sampled([*before, *moved], 50)
        assert rate_of(found, 12 + jump, 20 + jump) == pytest.approx(50, rel=0.2)


def test_the_choice_is_that_of_the_key_and_of_nothing_that_is_sent() -> None:
    """The same key chooses the same ids again, another one others: nobody without the key can know
    which exchange leaves a Record."""
    exchanges = arrivals(1000, 20)

    def chosen(key: bytes) -> set[str]:
        return {one[0] for one, kept in sampled(exchanges, 100, key) if kept is not None}

    ours, theirs = chosen(KEY), chosen(b"another")
    assert ours == chosen(KEY)
    late = {id_ for id_, at, _ in exchanges if at > NOON + 2}
    assert len(ours & theirs & late) / len(ours & late) < 0.2  # a tenth by chance
