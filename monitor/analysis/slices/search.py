"""Rows by the conditions that they meet → counts of all pairs of conditions → slices worth a bet.

What is searched is the past alone: which slices looked bad so far. Whether they are is decided by
bets on rows that come later (`bets`), so searching costs no more of the error budget than the
number of bets, however many slices were looked at.

Counts fade: when there are `HORIZON` rows, all are halved. So what is searched is about the last
ones. Everything is integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from monitor.analysis.slices.losses import MEASURES, ONE
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.turns import in_turns

CONDITIONS = 64
"""Conditions of which slices are made, those that split the rows most evenly."""

BEAM = 16
"""Pairs of conditions of each measure that are tried with a third one, those that look worst."""

FEWEST = 20
"""Rows of a slice on which something is bet, at least."""

CLEAR = 2.0
"""Standard errors by which a slice looks worse, at least."""

HORIZON = 50_000
"""Rows after which counts are halved."""

Slice = tuple[int, ...]
"""Numbers of one to three conditions, rising."""


class _Saved(msgspec.Struct, array_like=True):
    used: list[int]
    totals: list[list[int]]
    pairs: list[Any]
    beams: list[list[tuple[Slice, list[list[int]]]]]


class Search:
    """What of each measure was counted of each pair of the conditions in `used`: rows, and how bad
    they were. On the diagonal are single conditions."""

    def __init__(self) -> None:
        self.used: list[int] = []
        self._totals: Ints = np.zeros((len(MEASURES), 2), dtype=np.int64)
        self._pairs: Ints = np.zeros((len(MEASURES), 2, CONDITIONS, CONDITIONS), dtype=np.int64)
        self._beams: list[dict[Slice, Ints]] = [{} for _ in MEASURES]

    def count(self, tuples: Sequence[Slice], sums: Ints) -> None:
        """Count rows, of each (tuples, measures, 2): how many, and how bad all together, by the
        conditions that they meet."""
        met, size = self.met(tuples), len(self.used)
        place = {code: number for number, code in enumerate(self.used)}
        self._totals += sums.sum(axis=0)
        for number in in_turns(range(len(MEASURES))):
            if not sums[:, number, 0].any():
                continue
            beam = self._beams[number]
            first, second = ([place[pair[end]] for pair in beam] for end in (0, 1))
            both = met[:, first] * met[:, second]
            for part in range(2):
                # Sums of integers below 2^53 are exact, in whatever order they are added up.
                weighed = met * sums[:, number, part, None].astype(np.float64)
                self._pairs[number, part, :size, :size] += (met.T @ weighed).astype(np.int64)
                found = (both.T @ weighed).astype(np.int64)
                for counts, more in zip(beam.values(), found, strict=True):
                    counts[part, :size] += more

    def met(self, tuples: Sequence[Slice]) -> Floats:
        """1 where rows meet a condition in `used`, (tuples, used)."""
        place = {code: number for number, code in enumerate(self.used)}
        met = np.zeros((len(tuples), len(self.used)))
        for row, codes in enumerate(tuples):
            for code in codes:
                if code in place:
                    met[row, place[code]] = 1.0
        return met

    def merge(self, other: Search) -> None:
        """Add what was counted elsewhere before any condition was taken up."""
        self._totals += other._totals

    def admit(self, support: Mapping[int, int], rows: int, names: Sequence[object]) -> None:
        """Take up conditions by how many rows meet each, where there is room."""
        room = CONDITIONS - len(self.used)
        known = set(self.used)
        new = [
            (-min(count, rows - count), names[code], code)
            for code, count in support.items()
            if code not in known and FEWEST <= count <= rows - FEWEST
        ]
        self.used += [code for _, _, code in sorted(new, key=lambda one: one[:2])[:room]]

    def promising(self, measure: int, tolerance: float) -> list[tuple[float, Slice]]:
        """(standard errors by which it looks worse, slice) of those that look worse than elsewhere,
        and than what they are a part of, by more than is tolerated; the worst first."""
        size = len(self.used)
        n, bad = (one[:size, :size].astype(np.float64) for one in self._pairs[measure])
        total, all_bad = (float(one) for one in self._totals[measure])
        if not total or not size:
            return []
        bad, all_bad = bad / ONE, all_bad / ONE
        gap, z = _gap(n, bad, total - n, all_bad - bad)
        enough = (n >= FEWEST) & (total - n >= FEWEST)
        worse = enough & (gap > tolerance) & (z >= CLEAR)
        alone = np.diag(n)[:, None], np.diag(bad)[:, None]
        for mother in (alone, (alone[0].T, alone[1].T)):
            more, clear = _gap(n, bad, mother[0] - n, mother[1] - bad)
            is_more = (more > tolerance) & (clear >= CLEAR) & (mother[0] - n >= FEWEST)
            worse &= is_more | np.eye(size, dtype=bool)
        found = [
            (float(z[i, j]), tuple(sorted({i, j}))) for i, j in np.argwhere(np.triu(worse)).tolist()
        ]
        for pair, counts in self._beams[measure].items():
            found += self._children(pair, counts, tolerance)
        # Of two that look alike the order in which conditions were taken up decides.
        ranked = sorted(dict.fromkeys(found), key=lambda one: (-one[0], one[1]))
        return [(z, tuple(sorted(self.used[place] for place in places))) for z, places in ranked]

    def _children(
        self, pair: Slice, counts: Ints, tolerance: float
    ) -> list[tuple[float, tuple[int, ...]]]:
        """The same of a pair's slices with a third condition, by places in `used`."""
        size = len(self.used)
        n, bad = counts[0, :size].astype(np.float64), counts[1, :size] / ONE
        places = [self.used.index(code) for code in pair]
        here = float(n[places[0]]), float(bad[places[0]])
        gap, z = _gap(n, bad, here[0] - n, here[1] - bad)
        worse = (n >= FEWEST) & (here[0] - n >= FEWEST) & (gap > tolerance) & (z >= CLEAR)
        worse[places] = False
        return [(float(z[k]), tuple(sorted((*places, k)))) for k in np.flatnonzero(worse).tolist()]

    def turn(self) -> None:
        """Choose the pairs that are tried with a third condition from now on; let counts fade."""
        size = len(self.used)
        for number in in_turns(range(len(MEASURES))):
            total, all_bad = (float(one) for one in self._totals[number])
            n, bad = (one[:size, :size].astype(np.float64) for one in self._pairs[number])
            if not size or not total:
                continue
            gap, z = _gap(n, bad / ONE, total - n, all_bad / ONE - bad / ONE)
            alone = np.minimum.outer(np.diag(n), np.diag(n))
            fit = np.triu((n >= 2 * FEWEST) & (gap > 0) & (n < alone), 1)
            worst = sorted((-float(z[i, j]), i, j) for i, j in np.argwhere(fit).tolist())
            ranked = [tuple(sorted((self.used[i], self.used[j]))) for _, i, j in worst]
            near = set(ranked[: 2 * BEAM])
            before = self._beams[number]
            kept = {pair: counts for pair, counts in before.items() if pair in near}
            for pair in ranked:
                if len(kept) >= BEAM:
                    break
                kept.setdefault(pair, np.zeros((2, CONDITIONS), dtype=np.int64))
            self._beams[number] = kept
            if self._totals[number, 0] >= HORIZON:
                self._totals[number] //= 2
                self._pairs[number] //= 2
                self._beams[number] = {pair: counts // 2 for pair, counts in kept.items()}

    def beside(self, measure: int, codes: Slice) -> tuple[int, int, int, int] | None:
        """Rows of a slice of up to two conditions, how bad they were, and the same of all; None
        where that was not counted."""
        if len(codes) > 2 or not set(codes) <= set(self.used):
            return None
        i, j = self.used.index(codes[0]), self.used.index(codes[-1])
        n, bad = self._pairs[measure, :, i, j].tolist()
        return n, bad, *self._totals[measure].tolist()

    def saved(self) -> bytes:
        """All of it; `restored` goes on from there."""
        size = len(self.used)
        beams = [
            [(pair, counts[:, :size].tolist()) for pair, counts in beam.items()]
            for beam in self._beams
        ]
        pairs = self._pairs[:, :, :size, :size].tolist()
        return msgspec.msgpack.encode(_Saved(self.used, self._totals.tolist(), pairs, beams))

    @classmethod
    def restored(cls, entry: bytes) -> Search:
        """What was saved; raises msgspec.DecodeError where it is damaged."""
        kept = msgspec.msgpack.decode(entry, type=_Saved)
        search, size = cls(), len(kept.used)
        search.used = kept.used
        search._totals = np.array(kept.totals, dtype=np.int64)
        search._pairs[:, :, :size, :size] = np.array(kept.pairs, dtype=np.int64).reshape(
            len(MEASURES), 2, size, size
        )
        for beam, theirs in zip(search._beams, kept.beams, strict=True):
            for pair, counts in theirs:
                beam[tuple(pair)] = ours = np.zeros((2, CONDITIONS), dtype=np.int64)
                ours[:, :size] = counts
        return search


def _gap(n: Any, bad: Any, others: Any, others_bad: Any) -> tuple[Floats, Floats]:
    """(how much worse, in standard errors) n rows are than others; 0 where one side is empty."""
    live = (n > 0) & (others > 0)
    ours, theirs = np.where(live, n, 1.0), np.where(live, others, 1.0)
    gap = np.where(live, bad / ours - others_bad / theirs, 0.0)
    pooled = (np.where(live, bad + others_bad, 0.0) + 0.5) / (ours + theirs + 1)
    pooled = np.clip(pooled, 1e-9, 1 - 1e-9)
    return gap, gap / np.sqrt(pooled * (1 - pooled) * (1 / ours + 1 / theirs))
