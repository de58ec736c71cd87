"""Monotonic time → Unix time, by the system's clock as it is set now."""

from __future__ import annotations

from collections.abc import Callable

TOLERANCE = 0.001
"""Seconds of difference that are ignored: the process may be interrupted between two readings, and
a slewed clock moves by less than that."""


class WallClock:
    """Keeps the difference between Unix time and monotonic time; call `follow` regularly.

    All moments are converted with one difference, so durations are monotonic. Exchanges keep their
    order, unless the system's clock was set between them.

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
        """Return the Unix time of a monotonic time, both in seconds."""
        return moment + self._ahead

    def follow(self) -> float:
        """Take over the system's clock; return by how many seconds it was set since last time."""
        ahead = self._look()
        moved = ahead - self._ahead
        if abs(moved) < TOLERANCE:
            return 0.0
        self._ahead = ahead
        return moved

    def _look(self) -> float:
        """Return the best of a few readings, because two clocks cannot be read at the same time."""
        return min(self._between() for _ in range(3))[1]

    def _between(self) -> tuple[float, float]:
        before = self._monotonic()
        wall = self._wall()
        after = self._monotonic()
        return after - before, wall - (before + after) / 2
