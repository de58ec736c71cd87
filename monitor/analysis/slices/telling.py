"""Slices that are tried → findings, in numbers and words, each thing once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.quality.intervals import ALPHA, of_rate
from monitor.analysis.slices.bets import HALVES, Trial, sides
from monitor.analysis.slices.conditions import Condition
from monitor.analysis.slices.losses import LEAST_NUMBER, ONE, SliceMeasure
from monitor.analysis.slices.search import CLEAR, Search
from monitor.findings import OutcomeStatus, Slice, SliceCondition
from monitor.readable import rounded
from monitor.sequential.confidence_sequences import Moments, difference
from monitor.turns import in_turns

LEAST, EVENTS = 500, 50
"""Rows of both sides, and rarer ones on each, from which on an interval is the asymptotic one of a
difference; before that it is made of the exact ones of both shares."""

PLANNED = 10
"""An asymptotic interval is narrowest at so many times the rows that a slice must have."""

PART = 4.0
"""Standard errors by which a part of a slice that is told must be worse than what is left of it: of
many parts one looks worse by two of them."""


@dataclass(frozen=True)
class Teller:
    """Tells of slices by one measure, whose bar may be a `bar`; `names` are those of conditions."""

    names: Sequence[Condition]
    measure: SliceMeasure
    bar: float | None
    rules: OutcomeRules

    @property
    def scale(self) -> float:
        """How much larger what is told is than what is counted."""
        return 2.0 if self.measure in HALVES else 1.0

    def without_repeats(
        self, weighed: Sequence[tuple[float, Trial]], search: Search, measure: int
    ) -> list[tuple[float, Trial]]:
        """The slices without those of which another one says the same: the rest of a slice is no
        worse without a smaller one in it, or a smaller one is no worse than what it is a part of.
        """
        ranked = sorted(weighed, key=lambda one: (not one[1].is_alarm, -one[0], one[1].number))
        kept: list[tuple[float, Trial]] = []
        for evidence, trial in in_turns(ranked):
            if not any(self._says(other, trial, search, measure) for _, other in kept):
                kept.append((evidence, trial))
        return kept

    def _says(self, told: Trial, other: Trial, search: Search, measure: int) -> bool:
        """Whether what is told of one slice leaves nothing to be told of the other."""
        ours, theirs = set(told.codes), set(other.codes)
        tolerance = self.rules.slice_tolerance / self.scale
        if ours < theirs:  # the other is a part of it
            small, large = other.counts, told.counts
            return not _is_worse(small[:2], _less(large, small), tolerance, PART)
        if theirs < ours:  # the other holds it, and others
            small, large = told.counts, other.counts
            rest = [max(0, large[2] - large[0]), max(0, large[3] - large[1])]
            return not _is_worse(_less(large, small), rest, tolerance)
        both = search.beside(measure, tuple(sorted(ours | theirs)))
        seen = search.beside(measure, other.codes)
        if both is None or seen is None or not both[0]:
            return False
        outside = [max(0, seen[0] - both[0]), max(0, seen[1] - both[1])]
        return not _is_worse(outside, [seen[2] - seen[0], seen[3] - seen[1]], tolerance)

    def finding(self, trial: Trial, log_evidence: float) -> Slice:
        """What is told of a slice."""
        name, scale = self.measure, self.scale
        here, rest = sides(trial.counts)
        conditions = sorted(
            (SliceCondition(*self.names[code]) for code in trial.codes),
            key=lambda one: (one.dimension, one.value),
        )
        offset = 0.5 if name in HALVES else 0.0
        share, elsewhere = scale * (here.share - offset), scale * (rest.share - offset)
        status: OutcomeStatus = "alarm" if trial.is_alarm else "ok"
        if here.rows < self.rules.slice_minimum:
            status = "insufficient"
        ends: tuple[float | None, float | None] = None, None
        if name not in HALVES:
            ends = _interval(trial.counts, self.rules.slice_minimum)
        told = words(conditions, name, here.rows, (share, elsewhere), self.bar)
        return Slice(
            conditions, name, here.rows, share, elsewhere, scale * (here.share - rest.share), *ends,
            log_evidence, status, told, trial.examples, trial.since, self.bar,
        )  # fmt: skip


def words(
    conditions: Sequence[SliceCondition],
    measure: str,
    rows: int,
    shares: tuple[float, float],
    bar: float | None,
) -> str:
    """One sentence; `shares` are that of the slice and that of the rest.

    >>> language = SliceCondition("language", "de")
    >>> words([language], "error", 412, (0.31, 0.09), None)
    'of 412 rows with language = de, 31 % were wrong, 9 % elsewhere'
    >>> words([language], "calibration", 412, (0.125, 0.01), None)
    'of 412 rows with language = de, scores were 12.5 points too sure, 1.0 elsewhere'
    >>> words([language], "error", 412, (0.31, 0.09), 2.0 ** -1020)  # most were off by 0
    'of 412 rows with language = de, 31 % were wrong, 9 % elsewhere'
    """
    share, elsewhere = shares
    named = [f"{one.dimension} = {one.value}" for one in conditions]
    where = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    said = f"of {rows:,} rows with {where}, "
    if measure == "calibration":
        return (
            f"{said}scores were {100 * share:.1f} points too sure, {100 * elsewhere:.1f} elsewhere"
        )
    bar = bar or 0.0
    is_any = bar < LEAST_NUMBER  # of most rows the number was 0
    what = {
        "error": "were wrong" if is_any else f"were off by {bar:.3g} or more",
        "latency": "took more than 0 s" if is_any else f"took {bar:.3g} s or more",
        "cost": "cost more than 0" if is_any else f"cost {bar:.3g} or more",
        "checks": "failed a check",
    }[measure]
    return f"{said}{rounded(share)} {what}, {rounded(elsewhere)} elsewhere"


def _interval(counts: Sequence[int], minimum: int) -> tuple[float | None, float | None]:
    """The 95 % interval of how much worse a slice is than the rest, which holds at all moments."""
    n, m = counts[0], counts[2] - counts[0]
    x, y = counts[1] // ONE, (counts[3] - counts[1]) // ONE
    if not n or not m:
        return None, None
    if n + m >= LEAST and min(x, n - x, y, m - y) >= EVENTS:
        ours, theirs = (Moments(k, hits, k, hits, hits, k) for k, hits in ((n, x), (m, y)))
        found = difference(ours, theirs, PLANNED * minimum, ALPHA)
        return max(found.lower, -1.0), min(found.upper, 1.0)
    (low, high), (rest_low, rest_high) = of_rate(x, n), of_rate(y, m)
    return max(low - rest_high, -1.0), min(high - rest_low, 1.0)


def _less(large: Sequence[int], small: Sequence[int]) -> list[int]:
    """A slice without a smaller one in it, which may have been looked at for longer: then it is
    held to have had as large a part all the time."""
    part = min(1.0, large[2] / small[2]) if small[2] else 0.0
    return [max(0, round(a - part * b)) for a, b in zip(large[:2], small[:2], strict=True)]


def _is_worse(
    one: Sequence[int], other: Sequence[int], tolerance: float, clear: float = CLEAR
) -> bool:
    n, bad, m, rest = one[0], one[1] / ONE, other[0], other[1] / ONE
    if not n or not m:
        return False
    gap = bad / n - rest / m
    pooled = (bad + rest + 0.5) / (n + m + 1)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return gap > tolerance and gap > clear * error
