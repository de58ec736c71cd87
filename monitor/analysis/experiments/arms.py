"""Exchanges of a control and a variant, by one metric → an effect, its interval, and evidence.

Of a share both are exact. Of a mean they are asymptotic (`sequential.confidence_sequences`), and
told from some hundred exchanges on. All that is kept are integers.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.sequential import two_arms
from monitor.sequential.beta_binomials import Ints
from monitor.sequential.confidence_sequences import Interval, Moments, Rates, difference, lift

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
        return Sums(*(one + more for one, more in zip(self, other, strict=True)))


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


class Arms:
    """The control and one variant, by one metric."""

    def __init__(self, experiment: Experiment, metric: Metric) -> None:
        self._metric = metric
        self._planned = experiment.planned
        self._closed = _NONE
        self._open: dict[int, Pair] = {}
        size = metric.margin if metric.guardrail else 0.0
        self._rates = Rates(min(size or experiment.minimum_effect, 1.0))
        self._harm = two_arms.margin(metric.margin)
        self._safe = two_arms.margin(-metric.margin)
        self._bets: tuple[Ints, Ints, Ints] | None = None

    def add(self, pane: int, value: float, *, is_control: bool) -> None:
        """Count the value of an exchange, in an open pane."""
        x = round(value * UNIT)
        one = Sums(1, int(x != 0), x, x * x)
        control, variant = self._open.get(pane, _NONE)
        self._open[pane] = (control.plus(one), variant) if is_control else (
            control, variant.plus(one)
        )  # fmt: skip

    def close(self, last: int) -> None:
        """Close the panes up to `last`, the earliest first: what was bet on them is settled."""
        for pane in sorted(one for one in self._open if one <= last):
            pair = self._open.pop(pane)
            if not self._metric.is_mean:
                self._settle(pair)
            self._closed = _added(self._closed, pair)

    def merge(self, other: Arms) -> None:
        """Add what `other` counted before a pane was closed."""
        for pane, pair in other._open.items():
            self._open[pane] = _added(self._open.get(pane, _NONE), pair)

    def copy(self) -> Arms:
        """The same counts, from which another variant goes on."""
        twin = copy.copy(self)
        twin._open = dict(self._open)
        return twin

    @property
    def samples(self) -> int:
        """Exchanges of the variant with a value."""
        return self._all()[1].exchanges

    @property
    def rows(self) -> tuple[int, int]:
        """Exchanges in open panes, and in closed ones."""
        opened = sum(one.exchanges for pair in self._open.values() for one in pair)
        return opened, sum(one.exchanges for one in self._closed)

    def judged(self, alpha: float) -> Judged | None:
        """What is known now, None while an arm is empty; `alpha` is the error of the interval."""
        control, variant = self._all()
        if not control.exchanges or not variant.exchanges:
            return None
        found = self._of_means(control, variant, alpha)
        if self._metric.is_mean:
            return found
        number = variant.mean - control.mean
        if self._bets is None:
            return Judged(Interval(number, -1.0, 1.0))
        rates, harm, safe = self._bets
        exact = self._rates.interval(rates, _counts(variant, control), alpha)
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
                self._closed,
                list(self._open.items()),
                rates.tolist(),
                [one.tolist() for one in margins],
            )
        )

    def restore(self, entry: bytes, place: Callable[[int], int]) -> None:
        """Go on from what was saved; raises msgspec.DecodeError where it is damaged."""
        kept = msgspec.json.decode(entry, type=_Kept)
        self._closed = kept.closed
        for pane, pair in kept.open:
            self._open[place(pane)] = _added(self._open.get(place(pane), _NONE), pair)
        shape = (len(self._rates.differences), 1)
        rates = np.array(kept.rates, dtype=np.int64)
        if len(kept.margins) == 2 and rates.shape[:2] == shape:  # else the effect was another one
            harm, safe = (np.array(one, dtype=np.int64) for one in kept.margins)
            self._bets = rates, harm, safe

    def _all(self) -> Pair:
        pair = self._closed
        for opened in self._open.values():
            pair = _added(pair, opened)
        return pair

    def _settle(self, pair: Pair) -> None:
        control_first = _counts(*pair), _counts(*self._closed)
        variant_first = _counts(*pair[::-1]), _counts(*self._closed[::-1])
        rates = self._rates.factors(*variant_first)
        # The null of `harm` is that the first arm has at least the rate of the second, less the
        # margin; that of `safe` that it has at least as much and the margin more.
        fine, bad = variant_first, control_first
        if self._metric.less_is_better:
            fine, bad = bad, fine
        harm = two_arms.factors(fine[0], fine[1], self._harm)
        safe = two_arms.factors(bad[0], bad[1], self._safe)
        old = self._bets
        self._bets = (rates, harm, safe) if old is None else (
            old[0] + rates, old[1] + harm, old[2] + safe
        )  # fmt: skip

    def _of_means(self, control: Sums, variant: Sums, alpha: float) -> Judged:
        number = variant.mean - control.mean
        few = control.exchanges + variant.exchanges < LEAST
        if few or min(control.some, variant.some) < EVENTS:
            return Judged(Interval(number, -math.inf, math.inf))
        one, other = (
            Moments(n, total, n, squares, total, n) for n, _, total, squares in (variant, control)
        )
        found = difference(one, other, self._planned, alpha)
        effect = Interval(number, found.lower / UNIT, found.upper / UNIT)
        return Judged(effect, lift=lift(one, other, self._planned, alpha))


def _added(one: Pair, other: Pair) -> Pair:
    return one[0].plus(other[0]), one[1].plus(other[1])


def _counts(first: Sums, second: Sums) -> Ints:
    """Two arms of a share as `two_arms` takes them, (1, 4)."""
    return np.array([[first.exchanges, first.some, second.exchanges, second.some]], dtype=np.int64)
