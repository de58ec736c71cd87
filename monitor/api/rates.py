"""Requests → whether they come too fast: a token bucket for each holder of a token."""

from __future__ import annotations

import math

RATE = 50.0
"""Requests a second that a holder may go on with."""
BURST = 200
"""Requests that may come at once after a pause."""
REMEMBERED = 1000
"""Holders that are known at a time; a full bucket is forgotten."""


class Rates:
    """Buckets by name: each holds `BURST` requests and is filled again by `RATE` a second."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, name: str, now: float) -> int:
        """Take one request of a holder at `now` (seconds of any clock that never goes back). Return
        0, or in how many seconds to ask again where the bucket is empty."""
        left, at = self._buckets.get(name, (float(BURST), now))
        left = min(float(BURST), left + (now - at) * RATE)
        if left < 1:
            self._buckets[name] = left, now
            return max(1, math.ceil((1 - left) / RATE))
        if len(self._buckets) >= REMEMBERED and name not in self._buckets:
            self._forget(now)
        self._buckets[name] = left - 1, now
        return 0

    def _forget(self, now: float) -> None:
        full = [name for name, (left, at) in self._buckets.items()
                if left + (now - at) * RATE >= BURST]  # fmt: skip
        for name in full:
            del self._buckets[name]
