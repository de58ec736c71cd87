"""Durations of the control's first exchanges → from when on an answer is slow: `p95` in seconds.

A quantile of two arms is compared as a share: of the variant's exchanges that take longer than so
many of the control's did at first. The bar is set once, before anything is compared by it, so
neither arm can move it.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import msgspec

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
"""Shares of the control's first exchanges that are not slow."""

BEYOND = 20
"""So many of the control's exchanges are to lie beyond a bar when it is set."""

LEAST = 200
"""The control's exchanges from which on a bar is set, at least."""

STEPS = 32
"""Bars are at powers of two, in so many steps from one to the next: within 2.2 %."""

LOWEST = -4096
"""The step of 0 s."""


class Bars(msgspec.Struct, array_like=True):
    """The bars that are set, in seconds; `first` is how often each step came before that."""

    known: dict[str, float] = {}
    first: dict[int, int] = {}

    def count(self, duration: float | None) -> None:
        """Count how long an exchange of the control took."""
        if duration is not None and not math.isnan(duration):
            step = math.floor(math.log2(min(duration, 1e9)) * STEPS) if duration > 1e-9 else LOWEST
            self.first[step] = self.first.get(step, 0) + 1

    def set(self, wanted: Collection[str]) -> None:
        """Set those of the `wanted` bars for which enough has been counted."""
        total = sum(self.first.values())
        for name in wanted:
            quantile = QUANTILES[name]
            if name in self.known or total < max(LEAST, round(BEYOND / (1 - quantile))):
                continue
            below = 0
            for step in sorted(self.first):
                below += self.first[step]
                if below >= quantile * total:
                    self.known[name] = 2.0 ** ((step + 1) / STEPS) if step > LOWEST else 0.0
                    break
        if self.is_set(wanted):
            self.first = {}

    def is_set(self, wanted: Collection[str]) -> bool:
        """Whether nothing is left to be counted."""
        return self.known.keys() >= set(wanted)

    def merge(self, other: Bars) -> None:
        """Add what was counted elsewhere before a bar was set."""
        self.known = other.known | self.known
        for step, count in other.first.items():
            self.first[step] = self.first.get(step, 0) + count
