"""Which Records people are asked about: known probabilities, the same everywhere."""

from __future__ import annotations

import math
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.review.sampling import LEAST, Pick, Policy, is_read_once, number, pick, power_of_two
from monitor.types import Record, Segment, Verdict
from tests.streams.test_redis import record

POLICY = Policy(0.25, 0.6, frozenset(("refusal",)), 0.5, 1 / 64)
NOTHING: frozenset[Segment] = frozenset()


def records(count: int, **facts: object) -> list[Record]:
    one = msgspec.structs.replace(record("x"), segments={"population": "north"}, **facts)
    return [msgspec.structs.replace(one, id=str(UUID(int=place))) for place in range(count)]


def picked(
    policy: Policy, found: list[Record], drifting: frozenset[Segment] = NOTHING
) -> list[Pick]:
    return [one for one in (pick(record, policy, drifting) for record in found) if one is not None]


@pytest.mark.parametrize(
    ("facts", "drifting", "reason", "probability"),
    [
        ({}, NOTHING, "control", 1 / 64),
        ({"edge_cases": ["refusal"]}, NOTHING, "refusal", 0.25),
        ({"edge_cases": ["repetition"]}, NOTHING, "control", 1 / 64),
        ({"confidence": 0.5}, NOTHING, "low_confidence", 0.25),
        ({"confidence": 0.9}, NOTHING, "control", 1 / 64),
        ({"checks": {"sections": Verdict(False, 1, 2)}}, NOTHING, "failed_check", 0.25),
        ({"checks": {"sections": Verdict(True, 0, 2)}}, NOTHING, "control", 1 / 64),
        ({}, frozenset((Segment("population", "north"),)), "drifted", 0.5),
        ({}, frozenset((Segment("all", "all"),)), "drifted", 0.5),
        ({}, frozenset((Segment("population", "south"),)), "control", 1 / 64),
    ],
)
def test_the_strongest_reason_decides(
    facts: dict[str, object], drifting: frozenset[Segment], reason: str, probability: float
) -> None:
    """The share of records that is picked is that of the largest probability that applies."""
    count = 8000
    found = picked(POLICY, records(count, **facts), drifting)
    assert {one.reason for one in found} == {reason}
    assert {one.propensity for one in found} == {probability}
    spread = math.sqrt(count * probability * (1 - probability))
    assert abs(len(found) - count * probability) < 4 * spread


def test_what_a_small_probability_picks_a_larger_one_picks_too() -> None:
    """One number a Record: no lottery is drawn twice."""
    found = records(4000)
    few = {one.id for one in found if pick(one, Policy(0, 0, frozenset(), 0, 1 / 32), NOTHING)}
    many = {one.id for one in found if pick(one, Policy(0, 0, frozenset(), 0, 1 / 8), NOTHING)}
    assert few < many


def test_a_rate_of_nothing_asks_nobody() -> None:
    """0 is never."""
    assert picked(Policy(0, 1, frozenset(("refusal",)), 0, 0), records(1000, confidence=0.1)) == []


@given(st.floats(0, 1))
def test_probabilities_become_powers_of_two(probability: float) -> None:
    """At most a factor of the square root of two away, within the bounds."""
    rounded = power_of_two(probability)
    if probability == 0:
        assert rounded == 0
    else:
        assert LEAST <= rounded <= 1
        assert math.log2(rounded).is_integer()
        assert rounded in (LEAST, 1) or abs(math.log2(rounded / probability)) <= 0.5


@given(st.text())
def test_any_id_has_a_number(name: str) -> None:
    """From 0 to below 1, the same each time."""
    assert 0 <= number(name) < 1
    assert number(name) == number(name)


def test_a_share_of_the_records_is_read_twice_whatever_picked_them() -> None:
    """About so many, the same ones in every process, and not those that are picked anyway."""
    names = [f"{number:08x}-0000-7000-8000-000000000000" for number in range(5000)]
    twice = [name for name in names if not is_read_once(name, 0.2)]
    assert len(twice) == pytest.approx(1000, abs=120)
    assert not any(is_read_once(name, 1.0) for name in names)
    assert all(is_read_once(name, 0.0) for name in names)
    picked = [name for name in twice if number(name) < 0.25]
    assert len(picked) == pytest.approx(250, abs=60)
