"""Exchanges of users, or other units that come often → evidence and estimates of units.

What one user does resembles what they did before, so their exchanges are not as much evidence as
those of so many users. Here a metric is a ratio: of sums of values to sums of a base, which is 1
for each exchange or an event of its own. How far it is off by chance is told by how far units
differ (the delta method; Deng, Knoblich and Lu, KDD 2018).

Memory is bounded by hashing. Units with one remainder of their number share a *bucket*; buckets are
as independent as users are. Which arm a unit was first seen in is known of an even share of units.
Both depend only on which units came, in whatever order, so shards add up. All are integers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from monitor.analysis.experiments.arms import EVENTS, UNIT, Judged
from monitor.analysis.experiments.declared import Ramp, Shares, period_of
from monitor.sequential.confidence_sequences import (
    Interval,
    Moments,
    Weighed,
    covariance,
    difference,
    lift,
    weighed,
)
from monitor.sequential.known_probability import log_evidence_of_shares
from monitor.turns import give_way

BUCKETS = 1024
"""Of each arm and metric."""

LEAST = 200
"""Buckets of each arm that anybody is in, from which on there is an interval: how far units differ
is known of so few to some tenth."""

KNOWN = 50_000
"""Units of which it is known which arm they were first seen in; of more an even share."""

ALL_KNOWN = 0.9
"""Part of the capital on the shares of arms while all units are known; the rest is for the shares
of a half of them, a quarter and so on, as 1 / (k (k + 1))."""

AT_ONCE = 256
"""Units that are encoded in one go."""

_BITS = 64


class Clusters:
    """The sums of one arm by one metric, in buckets of units."""

    def __init__(self) -> None:
        self.exchanges = 0
        self._sums: dict[int, tuple[int, int]] = {}
        self._squares = self._products = self._base_squares = 0

    def add(self, unit: int, value: float, base: float) -> None:
        """Count an exchange of a unit, a number of 64 bits."""
        self._move(unit % BUCKETS, round(value * UNIT), round(base * UNIT))
        self.exchanges += 1

    def add_sums(self, unit: int, exchanges: int, total: int, base: int) -> None:
        """Count a unit with all its exchanges, whose sums are in `UNIT`s."""
        self._move(unit % BUCKETS, total, base)
        self.exchanges += exchanges

    def merge(self, other: Clusters) -> None:
        """Add the counts of another shard, bucket by bucket."""
        for bucket, (x, k) in other._sums.items():
            self._move(bucket, x, k)
        self.exchanges += other.exchanges

    @property
    def moments(self) -> Moments:
        """Sums over buckets that anybody is in, in `UNIT`s."""
        totals = sum(x for x, _ in self._sums.values())
        bases = sum(k for _, k in self._sums.values())
        return Moments(
            len(self._sums), totals, bases, self._squares, self._products, self._base_squares
        )

    @property
    def some(self) -> int:
        """Buckets with a value that is not 0."""
        return sum(x != 0 for x, _ in self._sums.values())

    def __len__(self) -> int:
        """Buckets that anybody is in."""
        return len(self._sums)

    def beside(self, other: Clusters) -> list[tuple[int, int, int, int]]:
        """(value, base, those of `other`) of each bucket that is in both."""
        return [
            (*here, *there)
            for bucket, here in self._sums.items()
            if (there := other._sums.get(bucket)) is not None
        ]

    def saved(self) -> bytes:
        """All of it as JSON, whose integers have no end."""
        return msgspec.json.encode((self.exchanges, list(self._sums.items())))

    @classmethod
    def restored(cls, entry: bytes) -> Clusters:
        """What was saved; raises msgspec.DecodeError where it is damaged."""
        exchanges, sums = msgspec.json.decode(
            entry, type=tuple[int, list[tuple[int, tuple[int, int]]]]
        )
        found = cls()
        found.exchanges = exchanges
        for bucket, (x, k) in sums:
            found._move(bucket, x, k)
        return found

    def _move(self, bucket: int, more_x: int, more_k: int) -> None:
        x, k = self._sums.get(bucket, (0, 0))
        self._sums[bucket] = x + more_x, k + more_k
        self._squares += (2 * x + more_x) * more_x
        self._products += x * more_k + k * more_x + more_x * more_k
        self._base_squares += (2 * k + more_k) * more_k


def judged(
    control: Clusters, variant: Clusters, planned: int, alpha: float, *, paired: bool = False
) -> Judged | None:
    """What is known now, None while an arm is empty; `alpha` is the error of the interval.

    Where units are `paired`, each was in both arms, and only what differs between its answers is
    chance. There must be `EVENTS` buckets in which anything does.

    The clock of the interval is the number of exchanges, and `planned` is one of these: what comes
    from a unit that is known tells less than what comes from a new one, so the clock is too fast,
    if anything, and the interval too wide.
    """
    one, other = variant.moments, control.moments
    if not one.bases or not other.bases:
        return None
    number = one.ratio - other.ratio
    few = min(one.units, other.units) < LEAST
    some, shared = min(control.some, variant.some), 0.0
    if paired:
        both = variant.beside(control)
        some = sum(x * h != y * k for x, k, y, h in both)
        shared = covariance(both, one, other)
    if few or some < EVENTS:
        return Judged(Interval(number, -math.inf, math.inf), asymptotic=True)
    seen = control.exchanges + variant.exchanges
    return Judged(
        difference(one, other, planned, alpha, seen=seen, shared=shared),
        lift=lift(one, other, planned, alpha, seen=seen, shared=shared),
        asymptotic=True,
    )


def judged_by_period(
    periods: Iterable[tuple[Clusters, Clusters]], planned: int, alpha: float
) -> Judged | None:
    """As `judged`, of a control and a variant in several periods of one allocation each: arms are
    compared within these, and only in those in which there is enough for an interval, if in any.

    A user who came in several periods adds to the error of an arm in all of them together.
    """
    both = [pair for pair in periods if all(one.moments.bases for one in pair)]
    told = [pair for pair in both if _is_told(*pair)]
    if not both:
        return None
    if len(told or both) == 1:
        return judged(*(told or both)[0], planned, alpha)
    weights = [_weight(*pair) for pair in told or both]
    other, one = (_standard(arms, weights) for arms in zip(*(told or both), strict=True))
    if not told:
        return Judged(Interval(one.ratio - other.ratio, -math.inf, math.inf), asymptotic=True)
    # The clock runs as fast as the error shrinks: by exchanges of two arms of one size.
    seen = 4 * math.fsum(
        one.exchanges * other.exchanges / (one.exchanges + other.exchanges) for one, other in told
    )
    return Judged(
        difference(one, other, planned, alpha, seen=seen),
        lift=lift(one, other, planned, alpha, seen=seen),
        asymptotic=True,
    )


def _is_told(control: Clusters, variant: Clusters) -> bool:
    return all(len(one) >= LEAST and one.some >= EVENTS for one in (control, variant))


def _weight(control: Clusters, variant: Clusters) -> float:
    one, other = control.moments.bases / UNIT, variant.moments.bases / UNIT
    return one * other / (one + other)


def _standard(arms: Sequence[Clusters], weights: Sequence[float]) -> Weighed:
    known = [arm.moments for arm in arms]
    shared = 2 * math.fsum(
        weights[i] * weights[j] * covariance(arms[i].beside(arms[j]), known[i], known[j])
        for j in range(len(arms)) for i in range(j)
    )  # fmt: skip
    return weighed(known, weights, shared)


class Units:
    """In which arm each unit was first seen, and which were seen in several."""

    def __init__(self, most: int = KNOWN) -> None:
        self._most = most
        self._level = 0  # units whose number is below 2 ** (64 - level) are known
        self._first: dict[int, tuple[float, str]] = {}
        self._several: set[int] = set()
        self.unnamed = 0
        self.is_changed = False

    def add(self, unit: int, arm: str, at: float) -> bool:
        """A unit came to an arm, at Unix seconds; return whether fewer units are known now."""
        if unit >> (_BITS - self._level):
            return False
        before = self._first.get(unit)
        if before is not None and before[1] == arm and before[0] <= at:
            return False
        self.is_changed = True
        self._come(unit, (at, arm))
        if len(self._first) <= self._most:
            return False
        self._thin()
        return True

    def merge(self, other: Units) -> None:
        """Add the units that were seen in another shard."""
        self.is_changed = True
        self.unnamed += other.unnamed
        self._level = max(self._level, other._level)
        for unit, first in other._first.items():
            self._come(unit, first)
        self._several |= other._several
        self._thin()

    def __len__(self) -> int:
        """How many units came: an estimate where only a share is known."""
        return self.estimate(len(self._first))

    def __contains__(self, unit: object) -> bool:
        """Whether it is known which arm a unit first came to."""
        return unit in self._first

    def first(self, unit: int) -> tuple[float, str]:
        """When (Unix seconds) and to which arm a unit that is known first came."""
        return self._first[unit]

    def estimate(self, known: int) -> int:
        """Of how many units so many are known, where only a share is."""
        return known << self._level

    @property
    def several(self) -> int:
        """How many of them were seen in more than one arm."""
        return self.estimate(len(self._several))

    def mismatch(self, allocation: Shares, ramp: Ramp = ()) -> float:
        """ln E against `units come to the arms by these shares`; each counts once, against those
        that held when it first came.

        What is known of a half of the units, a quarter and so on is an e-process of its own, so the
        capital is divided between them.
        """
        came = Counter((period_of(ramp, at), arm) for at, arm in self._first.values())
        log_evidence = math.fsum(
            log_evidence_of_shares(
                [came[period, arm] for arm, _ in shares], [share for _, share in shares]
            )
            for period, shares in enumerate((allocation, *(shares for _, shares in ramp)))
        )
        level = self._level
        stake = (1 - ALL_KNOWN) / (level * (level + 1)) if level else ALL_KNOWN
        return log_evidence + math.log(stake)

    def saved(self) -> bytes:
        """All of it as JSON, made in short stretches."""
        self.is_changed = False
        known = iter(self._first.items())
        parts = []
        while part := [(unit, *one) for unit, one in islice(known, AT_ONCE)]:
            give_way()
            parts.append(msgspec.json.encode(part)[1:-1])
        head = b"[%d,%d,[" % (self._level, self.unnamed)
        return head + b",".join(parts) + b"]," + msgspec.json.encode(sorted(self._several)) + b"]"

    @classmethod
    def restored(cls, entry: bytes, most: int = KNOWN) -> Units:
        """What was saved; raises msgspec.DecodeError where it is damaged."""
        kind = tuple[int, int, list[tuple[int, float, str]], list[int]]
        found = cls(most)
        found._level, found.unnamed, first, several = msgspec.json.decode(entry, type=kind)
        found._first = {unit: (at, arm) for unit, at, arm in first}
        found._several = set(several)
        return found

    def _come(self, unit: int, came: tuple[float, str]) -> None:
        before = self._first.get(unit, came)
        if before[1] != came[1]:
            self._several.add(unit)
        self._first[unit] = min(before, came)

    def _thin(self) -> None:
        """Know fewer units where there are too many: those of a half, a quarter …"""
        while True:
            bound = 1 << (_BITS - self._level)
            self._first = {unit: one for unit, one in self._first.items() if unit < bound}
            if len(self._first) <= self._most:
                break
            self._level += 1
        self._several &= self._first.keys()
