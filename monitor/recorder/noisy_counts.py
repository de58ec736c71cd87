"""Counts by segment → counts that hide where any one exchange was counted (differential privacy).

What is protected is which segments one exchange was of, and how it ended there: two logs that
differ in that for one exchange give every sequence of releases with nearly equal probability, e^ε
and a further δ apart (Dwork and Roth 2014, definition 2.4). How many exchanges there were is no
secret here: the unsegmented metrics are exact.

A period is counted, gets its noise once and is added to what was said before; until the next is
over nothing changes, so looking often tells nothing more. Every exchange is of one period, so ε is
spent on it once, however long this goes on (parallel composition, McSherry 2009). The error of a
sum over T periods grows with the square root of T; a tree over the periods (Chan et al. 2011) would
have it grow with the logarithm, and the single period, which is what rates are made of, pay for it.

Half of ε goes to the counts. With the other half values earn their place: one is named only after
a period in which its noisy count passed a threshold that a single exchange passes with probability
δ (Korolova et al. 2009); until then it is `other`.
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
"""Values of a dimension that one period may bring; with more of them none earns its place in it."""

Cell = tuple[str, str, str]
"""(dimension, value, outcome)"""


class NoisyCounts:
    """What has been said of each cell, and what has been counted since.

    `draw(scale)` is one draw of the discrete Laplace distribution: P(n) ∝ exp(-|n| / scale). Times
    are seconds of one clock; `period` is how long exchanges are counted before anything is said.
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
        # An exchange that moves takes one from a cell of each dimension and gives one to another.
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
        """By how much the counter of each cell rises; nothing until the period is over.

        Counters cannot fall: a cell shows the highest that its noisy sum ever was.
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
        """Every cell of every named value, whether or not anything was counted in it."""
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
    """The least count that 1 plus a draw of this scale reaches with probability `delta` at most.

    P(draw >= k) is exp(-k / scale) / (1 + exp(-1 / scale)).

    >>> threshold(1.0, 0.01), threshold(12.0, 1e-6)
    (6, 159)
    """
    return 1 + max(1, math.ceil(-scale * math.log(delta * (1 + math.exp(-1 / scale)))))
