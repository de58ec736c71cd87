"""Values from outside → a bounded number of labels: the most frequent values keep their names.

The first values get labels of their own. Later, a value that was seen clearly more often than the
least frequent of them takes its label (Space-Saving: Metwally, Agrawal and El Abbadi, 2005, with a
margin against flapping). Memory is bounded: rare candidates are forgotten.
"""

from __future__ import annotations

from collections import Counter

OTHER = "other"
CANDIDATES = 20
"""Candidates that are counted, per label."""
MARGIN = 8


class LabelLimiter:
    """Gives labels to at most `limit` values, each seen at least `least` times.

    >>> limiter = LabelLimiter(1)
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
        """Return whether a new value would have to take another's label."""
        return len(self._seen) >= self._limit

    def admit(self, value: str, *, may_enter: bool = True) -> tuple[str, str | None]:
        """Count a value; return its label (or `other`) and a value that has just lost its label."""
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
            # All counts fall by one, as in Misra and Gries (1982): the frequent remain.
            self._candidates = Counter({v: n - 1 for v, n in self._candidates.items() if n > 1})
        self._candidates[value] = count
        return OTHER, None
