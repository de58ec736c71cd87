"""Exchanges of a control and a variant, by one metric → an effect, its interval, and evidence.

Of a share both are exact. Of a mean they are asymptotic (`sequential.confidence_sequences`), and
told from some hundred exchanges on. All that is kept are integers.

While the shares of the arms stay the same, both have the same part of good and of bad hours. Where
a ramp changes them, one arm has more of the later hours, and a sum over all tells these from the
earlier ones, not the arms. So each period of one allocation is a stratum, compared in itself.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.sequential import two_arms
from monitor.sequential.beta_binomials import Ints
from monitor.sequential.confidence_sequences import (
    Estimate,
    Interval,
    Moments,
    Rates,
    difference,
    lift,
    weighed,
)

UNIT = 1 << 20
"""Units in a value of 1."""

LEAST, EVENTS = 500, 50
"""Exchanges of both arms, and values that are not 0 in each, from which on a mean is judged."""


class Sums(NamedTuple):
    """Of one arm: exchanges, those whose value is not 0, and sums of values and their squares, in
    `UNIT`s and their squares."""

    exchanges: int = 0
    some: int = 0
    total: int = 0
    squares: int = 0

    @property
    def mean(self) -> float:
        """The mean of all values, in their own unit."""
        return self.total / self.exchanges / UNIT

    def plus(self, other: Sums) -> Sums:
        """The sums over the exchanges of both."""
        return Sums(
            self.exchanges + other.exchanges,
            self.some + other.some,
            self.total + other.total,
            self.squares + other.squares,
        )


Pair = tuple[Sums, Sums]
"""The control and the variant."""

_NONE: Pair = (Sums(), Sums())


class Judged(NamedTuple):
    """The variant minus the control, infinite ends where little is known; ln E that it is worse
    than the control by more than the margin, and that it is not (of shares that are not
    `asymptotic`); and how much larger it is, as a share of the control."""

    effect: Interval
    harm: float = 0.0
    safe: float = 0.0
    lift: Interval | None = None
    asymptotic: bool = False


class _Kept(msgspec.Struct, array_like=True):
    closed: Pair
    open: list[tuple[int, Pair]]
    rates: list[list[list[int]]]
    margins: list[list[list[int]]]
    later: list[tuple[Pair, list[tuple[int, Pair]]]] = []


class _Period:
    """What was counted in panes that are closed, and in those that are open, by their numbers."""

    def __init__(self, closed: Pair = _NONE, opened: Mapping[int, Pair] = MappingProxyType({})):
        self.closed = closed
        self.open = dict(opened)

    @property
    def all(self) -> Pair:
        pair = self.closed
        for opened in self.open.values():
            pair = _added(pair, opened)
        return pair


class Arms:
    """The control and one variant, by one metric."""

    def __init__(self, experiment: Experiment, metric: Metric) -> None:
        self._metric = metric
        self._planned = experiment.planned
        self._periods = [_Period() for _ in range(1 + len(experiment.ramp))]
        size = metric.margin if metric.guardrail else 0.0
        self._rates = Rates(min(size or experiment.minimum_effect, 1.0))
        self._harm = two_arms.margin(metric.margin)
        self._safe = two_arms.margin(-metric.margin)
        self._bets: tuple[Ints, Ints, Ints] | None = None
        self.opened = 0
        """Exchanges in open panes."""

    def add(self, pane: int, value: float, *, is_control: bool, period: int = 0) -> None:
        """Count the value of an exchange, in an open pane and a period of the allocation."""
        x = round(value * UNIT)
        one = Sums(1, int(x != 0), x, x * x)
        self.opened += 1
        opened = self._periods[period].open
        control, variant = opened.get(pane, _NONE)
        opened[pane] = (control.plus(one), variant) if is_control else (
            control, variant.plus(one)
        )  # fmt: skip

    def close(self, last: int) -> None:
        """Close the panes up to `last`, the earliest first: what was bet on them is settled."""
        due = [
            (pane, place)
            for place, period in enumerate(self._periods) for pane in period.open if pane <= last
        ]  # fmt: skip
        for pane, place in sorted(due):
            period = self._periods[place]
            pair = period.open.pop(pane)
            self.opened -= _exchanges(pair)
            if not self._metric.is_mean:
                self._settle(pair)
            period.closed = _added(period.closed, pair)

    def merge(self, other: Arms) -> None:
        """Add what `other` counted before a pane was closed."""
        for ours, theirs in zip(self._periods, other._periods, strict=True):
            for pane, pair in theirs.open.items():
                ours.open[pane] = _added(ours.open.get(pane, _NONE), pair)
                self.opened += _exchanges(pair)

    def copy(self) -> Arms:
        """The same counts, from which another variant goes on."""
        twin = copy.copy(self)
        twin._periods = [_Period(one.closed, one.open) for one in self._periods]
        return twin

    @property
    def samples(self) -> int:
        """Exchanges of the variant with a value."""
        return self._all()[1].exchanges

    @property
    def has_closed(self) -> bool:
        """Whether there are exchanges in closed panes."""
        return _exchanges(self._closed()) > 0

    def judged(self, alpha: float) -> Judged | None:
        """What is known now, None while an arm is empty; `alpha` is the error of the interval."""
        pairs = [one for one in (period.all for period in self._periods) if _is_both(one)]
        if not pairs:
            return None
        found = self._of_means(pairs, alpha)
        if self._metric.is_mean:
            return found
        number = found.effect.number
        if self._bets is None:
            return Judged(Interval(number, -1.0, 1.0))
        rates, harm, safe = self._bets
        exact = self._rates.interval(rates, _counts(*pairs[0][::-1]), alpha)
        return Judged(
            Interval(number, exact.lower, exact.upper),
            two_arms.log_evidence(harm, self._harm),
            two_arms.log_evidence(safe, self._safe),
            found.lift,
        )

    def saved(self) -> bytes:
        """All of it as JSON, whose integers have no end."""
        rates, *margins = self._bets or (np.zeros((0, 0, 0)), np.zeros((0, 0)), np.zeros((0, 0)))
        return msgspec.json.encode(
            _Kept(
                self._periods[0].closed,
                list(self._periods[0].open.items()),
                rates.tolist(),
                [one.tolist() for one in margins],
                [(one.closed, list(one.open.items())) for one in self._periods[1:]],
            )
        )

    def restore(self, entry: bytes, place: Callable[[int], int]) -> None:
        """Go on from what was saved; raises msgspec.DecodeError where it is damaged."""
        kept = msgspec.json.decode(entry, type=_Kept)
        saved = [(kept.closed, kept.open), *kept.later]
        for period, (closed, opened) in zip(self._periods, saved, strict=False):
            period.closed = closed
            for pane, pair in opened:
                period.open[place(pane)] = _added(period.open.get(place(pane), _NONE), pair)
                self.opened += _exchanges(pair)
        shape = (len(self._rates.differences), 1)
        rates = np.array(kept.rates, dtype=np.int64)
        if len(kept.margins) == 2 and rates.shape[:2] == shape:  # else the effect was another one
            harm, safe = (np.array(one, dtype=np.int64) for one in kept.margins)
            self._bets = rates, harm, safe

    def _all(self) -> Pair:
        return _sum(period.all for period in self._periods)

    def _closed(self) -> Pair:
        return _sum(period.closed for period in self._periods)

    def _settle(self, pair: Pair) -> None:
        before = self._closed()
        control_first = _counts(*pair), _counts(*before)
        variant_first = _counts(*pair[::-1]), _counts(*before[::-1])
        rates = self._rates.factors(*variant_first)
        # The null of `harm` is that the first arm has at least the rate of the second, less the
        # margin; that of `safe` that it has at least as much and the margin more.
        fine, bad = variant_first, control_first
        if self._metric.less_is_better:
            fine, bad = bad, fine
        # The bets are the same, so both are asked at once: what short arrays cost is their number.
        pane, seen = (np.concatenate(both) for both in zip(fine, bad, strict=True))
        borders = np.array([one.null.offset for one in (self._harm, self._safe)])
        harm, safe = two_arms.factors(pane, seen, self._harm, borders)[:, None]
        old = self._bets
        self._bets = (rates, harm, safe) if old is None else (
            old[0] + rates, old[1] + harm, old[2] + safe
        )  # fmt: skip

    def _of_means(self, pairs: Sequence[Pair], alpha: float) -> Judged:
        """The effect within periods; those that are long enough have an interval together."""
        told = [pair for pair in pairs if _is_told(pair)]
        known = [(_moments(variant), _moments(control)) for control, variant in told or pairs]
        one: Estimate
        other: Estimate
        seen: float | None = None
        if len(known) == 1:
            ((one, other),) = known
        else:
            weights = [_weight(pair) for pair in told or pairs]
            one, other = (weighed(arms, weights) for arms in zip(*known, strict=True))
            seen = 4 * math.fsum(weights)  # the clock runs as fast as the error shrinks
        if not told:
            return Judged(Interval((one.ratio - other.ratio) / UNIT, -math.inf, math.inf))
        found = difference(one, other, self._planned, alpha, seen=seen)
        effect = Interval(*(end / UNIT for end in found))
        return Judged(effect, lift=lift(one, other, self._planned, alpha, seen=seen))


def _moments(arm: Sums) -> Moments:
    n, _, total, squares = arm
    return Moments(n, total, n, squares, total, n)


def _is_both(pair: Pair) -> bool:
    return all(one.exchanges for one in pair)


def _is_told(pair: Pair) -> bool:
    """Whether there is enough for an interval."""
    control, variant = pair
    few = control.exchanges + variant.exchanges < LEAST
    return not few and min(control.some, variant.some) >= EVENTS


def _weight(pair: Pair) -> float:
    """How much a period tells: as Mantel and Haenszel weigh."""
    control, variant = (one.exchanges for one in pair)
    return control * variant / (control + variant)


def _sum(pairs: Iterable[Pair]) -> Pair:
    found = _NONE
    for pair in pairs:
        found = _added(found, pair)
    return found


def _added(one: Pair, other: Pair) -> Pair:
    return one[0].plus(other[0]), one[1].plus(other[1])


def _exchanges(pair: Pair) -> int:
    return pair[0].exchanges + pair[1].exchanges


def _counts(first: Sums, second: Sums) -> Ints:
    """Two arms of a share as `two_arms` takes them, (1, 4)."""
    return np.array([[first.exchanges, first.some, second.exchanges, second.some]], dtype=np.int64)
