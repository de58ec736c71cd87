"""The system's clock may be set and slewed: dates follow it, durations and the order of ids do not."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.proxy.clock import TOLERANCE, WallClock
from monitor.proxy.ids import Ids


class Machine:
    """Two clocks; to read either takes a microsecond, and sometimes somebody else runs meanwhile."""

    def __init__(self) -> None:
        self.moment, self.ahead, self.pause = 100.0, 1_700_000_000.0, 0.0

    def monotonic(self) -> float:
        self.moment += 1e-6
        return self.moment

    def wall(self) -> float:
        self.moment += 1e-6 + self.pause
        self.pause = 0.0
        return self.moment + self.ahead


steps = st.one_of(st.floats(-1e6, 1e6), st.floats(-0.0002, 0.0002), st.just(0.0))


@given(st.lists(st.tuples(st.floats(0, 10), steps, st.sampled_from([0.0, 0.5])), max_size=30))
def test_dates_follow_the_systems_clock(moves: list[tuple[float, float, float]]) -> None:
    """After each look within two milliseconds, however it was moved and whoever interrupted."""
    machine = Machine()
    clock = WallClock(machine.wall, machine.monotonic)
    for passed, step, pause in moves:
        machine.moment += passed
        machine.ahead += step
        machine.pause = pause
        clock.follow()
        assert abs(clock.unix(machine.moment) - (machine.moment + machine.ahead)) < 2 * TOLERANCE


def test_a_clock_that_nobody_set_moves_no_date() -> None:
    """What began later is dated later: looking is no reason for a jump."""
    machine = Machine()
    clock = WallClock(machine.wall, machine.monotonic)
    before = clock.unix(50.0)
    for number in range(100):
        machine.moment += 0.5
        machine.pause = 0.01 * (number % 3)
        assert clock.follow() == 0.0
    assert clock.unix(50.0) == before


@given(st.lists(st.floats(0, 4e9), min_size=1, max_size=50), st.data())
def test_ids_rise_whatever_the_clock_does(times: list[float], data: Any) -> None:
    """Set back, set forward, frozen: a later id is greater, and of our own numbering."""
    ids = Ids(data.draw(st.integers(0, (1 << 34) - 1)), iter(times).__next__)
    made = [ids.new() for _ in times]
    assert made == sorted(set(made))
    assert [ids.number(one) for one in made] == list(range(1, len(times) + 1))
