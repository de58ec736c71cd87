"""Counts by segment → counts that hide where any one exchange was counted (differential privacy).

Protected is to which segments one exchange belonged, and how it ended there. Two logs that differ
in this for one exchange give every sequence of releases with nearly equal probability: up to a
factor e^ε and a further δ (Dwork and Roth 2014, definition 2.4). The number of exchanges is not
secret: the unsegmented metrics are exact.

Each period's counts get noise once and are added to the counters. Nothing changes until the next
period is over, so frequent scrapes reveal nothing more. Every exchange is in one period, so ε is
spent on it once (parallel composition, McSherry 2009). The error of a sum over T periods grows with
the square root of T. A tree over the periods (Chan et al. 2011) would have it grow with the
logarithm, but make single periods, and so rates, less exact.

Half of ε goes to the counts, the other half to choosing which values are named. A value is named
after a period in which its noisy count passed a threshold that a single exchange passes with
probability δ (Korolova et al. 2009); until then it is `other`.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from monitor.types import ABSENT, Outcome

OTHER = "other"
MOST_VALUES = 50
MOST_CANDIDATES = 10_000
"""Values of a dimension that one period may bring; with more of them none is named after it."""

Cell = tuple[str, str, str]
"""(dimension, value, outcome)"""


class NoisyCounts:
    """Counts exchanges by cell and releases the counts with noise, period by period.

    `draw(scale)` is one draw of the discrete Laplace distribution: P(n) ∝ exp(-|n| / scale). Times
    are seconds of one clock; `period` is the length of a period.
    """

    def __init__(
        self,
        dimensions: Sequence[str],
        *,
        epsilon: float,
        delta: float,
        period: float,
        draw: Callable[[float], int],
        began: float,
    ) -> None:
        self._named = {name: {ABSENT: None, OTHER: None} for name in dimensions}
        # An exchange that moves changes two cells of each dimension by one.
        self.scale = 2 * len(dimensions) / (epsilon / 2)
        self.threshold = threshold(self.scale, delta / max(1, len(dimensions)))
        self._period = period
        self._draw = draw
        self._ends = began + period
        self._counts: Counter[Cell] = Counter()
        self._candidates: dict[str, Counter[str]] = {name: Counter() for name in dimensions}
        self._sums: Counter[Cell] = Counter()
        self._said: Counter[Cell] = Counter()

    def add(self, dimension: str, value: str, outcome: str) -> None:
        """Count an exchange of this period."""
        named = self._named[dimension]
        if value not in named:
            candidates = self._candidates[dimension]
            if value in candidates or len(candidates) <= MOST_CANDIDATES:
                candidates[value] += 1
            value = OTHER
        self._counts[dimension, value, outcome] += 1

    def release(self, now: float) -> list[tuple[Cell, int]]:
        """Return by how much the counter of each cell rises; nothing until the period is over.

        Counters cannot fall: a cell shows the highest value that its noisy sum ever had.
        """
        if now < self._ends:
            return []
        self._ends = now + self._period
        risen = []
        for cell in self._cells():
            self._sums[cell] += self._counts[cell] + self._draw(self.scale)
            rise = max(0, self._sums[cell] - self._said[cell])
            self._said[cell] += rise
            risen.append((cell, rise))
        self._counts.clear()
        self._name()
        return risen

    def _cells(self) -> Iterator[Cell]:
        """Yield every cell of every named value, also those with a count of 0."""
        for dimension, values in self._named.items():
            for value, outcome in itertools.product(values, Outcome):
                yield dimension, value, outcome.value

    def _name(self) -> None:
        for dimension, candidates in self._candidates.items():
            named = self._named[dimension]
            if len(candidates) <= MOST_CANDIDATES:
                noisy = {v: count + self._draw(self.scale) for v, count in candidates.items()}
                for value in sorted(noisy, key=lambda one: (-noisy[one], one)):
                    if noisy[value] >= self.threshold and len(named) < MOST_VALUES + 2:
                        named[value] = None
            candidates.clear()


def threshold(scale: float, delta: float) -> int:
    """Return the least count that 1 plus a draw of this scale reaches with probability <= `delta`.

    P(draw >= k) is exp(-k / scale) / (1 + exp(-1 / scale)).

    >>> threshold(1.0, 0.01), threshold(12.0, 1e-6)
    (6, 159)
    """
    return 1 + max(1, math.ceil(-scale * math.log(delta * (1 + math.exp(-1 / scale)))))
