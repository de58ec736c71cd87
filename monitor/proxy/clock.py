"""Moments of the monotonic clock → Unix time, as the system's clock is set now."""

from __future__ import annotations

from collections.abc import Callable

TOLERANCE = 0.001
"""Seconds by which two readings may differ without a cause: a process is interrupted between them,
and a clock that is slewed moves by less than that between two looks."""


class WallClock:
    """How far Unix time is from monotonic time; `follow` it regularly.

    What began is dated by one number, so that durations are monotonic and no two exchanges change
    places, but where the system's clock was set anew in between.

    >>> unix, since = [1000.0], [5.0]
    >>> clock = WallClock(lambda: unix[0], lambda: since[0])
    >>> clock.unix(5.25)
    1000.25
    >>> unix[0], since[0] = 940.0, 6.0  # a second later it is set back by 61
    >>> clock.unix(6.0), clock.follow(), clock.unix(6.0)
    (1001.0, -61.0, 940.0)
    """

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._ahead = self._look()

    def unix(self, moment: float) -> float:
        """The Unix time of a monotonic one."""
        return moment + self._ahead

    def follow(self) -> float:
        """Take over where the system's clock stands; by how many seconds that differs."""
        ahead = self._look()
        moved = ahead - self._ahead
        if abs(moved) < TOLERANCE:
            return 0.0
        self._ahead = ahead
        return moved

    def _look(self) -> float:
        """The best of a few readings: between two clocks there is always a moment."""
        return min(self._between() for _ in range(3))[1]

    def _between(self) -> tuple[float, float]:
        before = self._monotonic()
        wall = self._wall()
        after = self._monotonic()
        return after - before, wall - (before + after) / 2
