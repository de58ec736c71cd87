"""Pairs of texts → whether their words tell who wrote which, judged by the pairs before.

Each pair is first guessed, then learned from. While both come from the same source, a guess is a
coin's: right and wrong equally likely given all before. So the guesses may be bet on, however the
answers scatter; a change of style shows although no two answers are ever alike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

MOST = 50_000
"""Words that are remembered."""


class Wording:
    """Learns which words the candidate says, and which the other."""

    def __init__(self) -> None:
        self._said: tuple[Counter[str], Counter[str]] = Counter(), Counter()

    def guess(self, candidate: Mapping[str, int], other: Mapping[str, int]) -> float:
        """1 where the words say rightly which is the candidate's, -1 wrongly, 0 nothing."""
        score = math.fsum(map(self._weight, candidate.keys() - other.keys())) - math.fsum(
            map(self._weight, other.keys() - candidate.keys())
        )
        return math.copysign(1.0, score) if abs(score) > 1e-9 else 0.0

    def learn(self, candidate: Mapping[str, int], other: Mapping[str, int]) -> None:
        """Remember which words only the candidate said, and which only the other."""
        for known, words, beside in zip(
            self._said, (candidate, other), (other, candidate), strict=True
        ):
            for word in words.keys() - beside.keys():
                if word in known or len(known) < MOST:
                    known[word] += 1

    def _weight(self, word: str) -> float:
        """How much more often the candidate says a word alone, as a logarithm."""
        mine, others = (known[word] for known in self._said)
        return math.log((mine + 0.5) / (others + 0.5))
