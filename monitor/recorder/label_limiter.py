"""Values from outside → at most so many labels: the most frequent keep their names.

The first values take the free places. Later a newcomer that was seen clearly more often than the
least frequent of them takes its place (the idea of Space-Saving: Metwally, Agrawal and El Abbadi,
2005, with a margin against flapping). Memory is bounded: rare candidates are forgotten.
"""

from __future__ import annotations

from collections import Counter

OTHER = "other"
CANDIDATES = 20
"""Candidates that are counted, per place."""
MARGIN = 8


class LabelLimiter:
    """Places for `limit` values, each for a value that was seen at least `least` times.

    >>> budget = LabelLimiter(1)
    >>> limiter.admit("a"), limiter.admit("b")
    (('a', None), ('other', None))
    >>> [limiter.admit("b") for _ in range(11)][-2:]
    [('b', 'a'), ('b', None)]
    """

    def __init__(self, limit: int, least: int = 1) -> None:
        self._limit = limit
        self._least = least
        self._seen: Counter[str] = Counter()
        self._candidates: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether a new value would have to take another's place."""
        return len(self._seen) >= self._limit

    def admit(self, value: str, *, may_enter: bool = True) -> tuple[str, str | None]:
        """`(label, given_up)`: the value or `other`, and a value that has just lost its place."""
        seen = self._seen
        if value in seen:
            seen[value] += 1
            return value, None
        if value == OTHER or not may_enter:
            return OTHER, None
        count = self._candidates[value] + 1
        if not self.is_full:
            if count >= self._least:
                self._candidates.pop(value, None)
                seen[value] = count
                return value, None
        else:
            rarest, least = min(seen.items(), key=lambda item: item[1])
            if count > max(2 * least + MARGIN, self._least):
                del self._candidates[value], seen[rarest]
                seen[value] = count
                return value, rarest
        if len(self._candidates) >= CANDIDATES * self._limit and value not in self._candidates:
            # Everybody loses one, as in Misra and Gries (1982): the frequent remain.
            self._candidates = Counter({v: n - 1 for v, n in self._candidates.items() if n > 1})
        self._candidates[value] = count
        return OTHER, None
