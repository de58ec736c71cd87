"""Counts and sums → how large something is, in an interval that holds at every moment one looks.

Two kinds. Means, ratios and lifts have an *asymptotic* confidence sequence (AsympCS; Waudby-Smith,
Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 2024). Like the usual interval it relies on
the central limit theorem; unlike that, it may be watched. Show it from some 500 units and 50 values
other than 0 in each arm on, and call it asymptotic. The difference of two rates has an exact one,
by inversion of `two_arms`: all differences against which there is too little evidence.

Sums are integers, such as cents, so that those of shards add up. All that an interval needs of a
unit (a user, or an exchange) is added once, when nothing more can come of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from monitor.sequential import two_arms
from monitor.sequential.beta_binomials import Ints

GRID = (*(step / 16 for step in range(1, 41)), 3.0, 4.0, 6.0, 10.0, 16.0, 25.0, 50.0)
"""Differences that are asked about, in multiples of the effect that matters, and 0."""


class Interval(NamedTuple):
    """An estimate with the ends of its interval; ends are infinite where nothing is known."""

    number: float
    lower: float
    upper: float


class Moments(NamedTuple):
    """Sums over units: how many `units`, of a `total` x and a base k of each, and of products.

    A mean for each unit has a base of 1: `bases` and `base_squares` are `units`, and `products` is
    `totals`. A click rate by user has clicks as x and views as k.
    """

    units: int
    totals: int
    bases: int
    squares: int
    products: int
    base_squares: int

    @property
    def ratio(self) -> float:
        """Σx / Σk; NaN without a base."""
        return self.totals / self.bases if self.bases else math.nan

    @property
    def variance(self) -> float:
        """That of the ratio times the number of units (delta method; Deng, Knoblich and Lu, KDD
        2018); infinite below two units or without a base."""
        if self.units < 2 or not self.bases:
            return math.inf
        # Exact up to one division: Σ(x k̄ - k x̄)² over units, in integers.
        spread = (
            self.squares * self.bases**2
            - 2 * self.totals * self.bases * self.products
            + self.totals**2 * self.base_squares
        )
        return spread * self.units / self.bases**4 * (self.units / (self.units - 1))


class Estimate(Protocol):
    """A ratio, and its variance times the number of units."""

    @property
    def units(self) -> int:
        """How many units (exchanges or users) the sums are over."""

    @property
    def ratio(self) -> float:
        """What is estimated: a sum of values by a sum of bases."""

    @property
    def variance(self) -> float:
        """The variance of the ratio, times the number of units."""


class Weighed(NamedTuple):
    """The mean of the ratios of several strata."""

    units: int
    ratio: float
    variance: float


def weighed(strata: Sequence[Moments], weights: Sequence[float], shared: float = 0.0) -> Weighed:
    """The mean of the ratios of strata by `weights`, some above 0; to its variance `shared` is
    added, the sum of w_i w_j times the covariance over all ordered pairs of two strata.

    Both arms are weighed alike (direct standardization). By n_A n_B / (n_A + n_B), as Mantel and
    Haenszel do, their difference is a sum over exchanges in which no share changes how much a
    stratum without an effect adds: 0.

    >>> weighed([Moments(9, 9, 9, 9, 9, 9), Moments(9, 0, 9, 0, 0, 9)], [3.0, 1.0]).ratio
    0.75
    """
    whole = math.fsum(weights)
    units = sum(one.units for one in strata)
    both = list(zip(weights, strata, strict=True))
    square = math.fsum(weight**2 * one.variance / one.units for weight, one in both)
    ratio = math.fsum(weight * one.ratio for weight, one in both) / whole
    return Weighed(units, ratio, max(0.0, square + shared) / whole**2 * units)


def together(parts: Iterable[Moments]) -> Moments:
    """Return the sums over the units of all parts.

    >>> together([Moments(2, 3, 2, 9, 3, 2), Moments(1, 5, 1, 25, 5, 1)])
    Moments(units=3, totals=8, bases=3, squares=34, products=8, base_squares=3)
    """
    return Moments(*(sum(column) for column in zip(*parts, strict=True)))


def margin(units: int, variance: float, planned: int, alpha: float) -> float:
    """Half of the width of the AsympCS of a mean of `units` values with that `variance`.

    It is narrowest, compared with the usual interval, at about `planned` units: say how many the
    experiment was planned for, not a constant for all. The probability that it ever leaves out the
    mean is about `alpha`.

    >>> round(margin(10_000, 1.0, 10_000, 0.05) / (1.96 / 100), 2)
    1.55
    """
    if units < 1 or not math.isfinite(variance):
        return math.inf
    return _wider(units, planned, alpha) * math.sqrt(variance / units)


def _wider(seen: float, planned: int, alpha: float) -> float:
    """How many standard errors the AsympCS reaches when so much of what was planned is seen."""
    tuned = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / planned
    scaled = seen * tuned
    return math.sqrt(2 * (scaled + 1) / scaled * math.log(math.sqrt(scaled + 1) / alpha))


def ratio(arm: Moments, planned: int, alpha: float) -> Interval:
    """The ratio Σx / Σk of one arm; of a mean its interval."""
    around = margin(arm.units, arm.variance, planned, alpha)
    return _interval(arm.ratio, around)


def covariance(pairs: Iterable[tuple[int, int, int, int]], one: Moments, other: Moments) -> float:
    """That of two ratios, by what each unit adds to both: x and k of `one`, then of `other`.

    A unit that is in one of them alone adds nothing. Exact but for the last step.
    """
    total = 0
    for x, k, y, h in pairs:
        total += (x * one.bases - one.totals * k) * (y * other.bases - other.totals * h)
    return total / (one.bases**2 * other.bases**2) if one.bases and other.bases else 0.0


def difference(
    one: Estimate,
    other: Estimate,
    planned: int,
    alpha: float,
    *,
    seen: float | None = None,
    shared: float = 0.0,
) -> Interval:
    """The ratio of `one` minus that of `other`, in the units of x / k.

    `planned` is the number of units of both; `seen` is how many of them came, by default those that
    there are sums of. Where units come again, count what comes: the interval holds for every clock
    that is not slower than the standard error shrinks. `shared` is the `covariance` where units
    are in both.
    """
    wider = _wider(seen or one.units + other.units or 1, planned, alpha)
    around = wider * _error(one, other, (1.0, 1.0), shared)
    return _interval(one.ratio - other.ratio, around)


def lift(
    one: Estimate,
    other: Estimate,
    planned: int,
    alpha: float,
    *,
    seen: float | None = None,
    shared: float = 0.0,
) -> Interval | None:
    """How much larger the ratio of `one` is than that of `other`, as a share of it; see
    `difference`.

    The interval is of the difference of logarithms (delta method). None where `other` may be 0,
    since its own interval reaches it, or where either ratio is not above 0.
    """
    if not (one.ratio > 0 and other.ratio > 0):
        return None
    wider = _wider(seen or one.units + other.units, planned, alpha)
    if not other.ratio > wider * math.sqrt(other.variance / other.units):
        return None
    around = wider * _error(one, other, (1 / one.ratio, 1 / other.ratio), shared)
    middle = math.log(one.ratio / other.ratio)
    return Interval(
        math.expm1(middle), math.expm1(middle - around), math.expm1(min(middle + around, 700.0))
    )


class Rates:
    """The exact confidence sequence of the difference of two rates, A's minus B's.

    `effect` is the difference that matters; the interval is about as wide as that when an
    experiment planned for it ends. Of each difference of a grid it keeps what `two_arms` has
    against it, as integers: (differences, strata, bets).
    """

    def __init__(self, effect: float) -> None:
        sizes = [size * effect for size in GRID if size * effect < 1]
        self.differences = np.array([-size for size in reversed(sizes)] + [0.0, *sizes])
        self._comparison = two_arms.difference(0.0, effect)

    def factors(self, pane: Ints, before: Ints) -> Ints:
        """What a pane adds to what is kept; `pane` and `before` as in `two_arms.factors`."""
        many, strata = len(self.differences), len(pane)
        found = two_arms.factors(
            np.tile(pane, (many, 1)),
            np.tile(before, (many, 1)),
            self._comparison,
            np.repeat(self.differences, strata),
        )
        return found.reshape(many, strata, -1)

    def interval(self, logs: Ints, counts: Ints, alpha: float) -> Interval:
        """The interval by what is kept; `counts` (strata, 4) are all outcomes, for the estimate.

        The differences that are left are those with E < 1/α; the interval reaches to the next ones
        that are not. The estimate is the mean difference within strata, weighed as Mantel and
        Haenszel do. Raises nothing where all are left out: then it is empty, and lower > upper.
        """
        bar = -math.log(alpha)
        left = np.flatnonzero(two_arms.log_evidences(logs, self._comparison) < bar)
        n_a, x_a, n_b, x_b = counts.astype(np.float64).T
        both = np.maximum(n_a + n_b, 1)
        weight = float((n_a * n_b / both).sum())
        number = float(((x_a * n_b - x_b * n_a) / both).sum()) / weight if weight else math.nan
        if not len(left):
            return Interval(number, 1.0, -1.0)
        ends = [-1.0, *self.differences.tolist(), 1.0]
        return Interval(number, ends[left[0]], ends[left[-1] + 2])


def _error(one: Estimate, other: Estimate, scales: tuple[float, float], shared: float) -> float:
    """The standard error of the difference of both ratios times their scales."""
    if not (one.units and other.units):
        return math.inf
    both = zip((one, other), scales, strict=True)
    alone = math.fsum(scale**2 * arm.variance / arm.units for arm, scale in both)
    return math.sqrt(max(0.0, alone - 2 * scales[0] * scales[1] * shared))


def _interval(number: float, around: float) -> Interval:
    return Interval(number, number - around, number + around)
