"""What an experiment is, as it was declared before it began: arms, shares, metrics and margins."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from monitor.analysis.classes import spelt, value_of
from monitor.rows import Truth
from monitor.texts import numbered

Source = Literal["event", "outcome", "latency", "label", "score", "prediction", "rating", "cost"]

TOLD = frozenset(("label", "rating"))
"""Sources of which nothing is known until somebody tells it."""

Shares = tuple[tuple[str, float], ...]
"""The share of the traffic of each arm; together 1."""

Ramp = tuple[tuple[float, Shares], ...]
"""Later shares, each with when they began (Unix seconds), the earliest first."""

STRETCHES = {"minute": 60.0, "hour": 3600.0}
"""Stretches of time in seconds that arms may be paired by, as they may be by requests."""

LARGEST = 1e9
"""Values beyond are cut: nothing larger can be told apart from damage."""


@dataclass(frozen=True)
class Metric:
    """What is measured of each exchange: a share of them, or with `is_mean` the mean of values.

    `source` says what a row is asked for, `of` which event or outcome, or after how many seconds an
    answer is too late: a number, or which quantile of the control's first exchanges (`bars`).
    Values of a mean are cut at `bounds`, which makes it another quantity than the mean of all. Of a
    `guardrail` it matters only whether it is worse than the control's by more than `margin`. With
    `per`, the name of an event, it is the sum of values divided by the sum of that event's. If it
    is `of_units` it is the share of units with any such exchange, or the mean of their sums.
    """

    name: str
    source: Source
    of: str | float = ""
    is_mean: bool = False
    bounds: tuple[float, float] = (-LARGEST, LARGEST)
    guardrail: bool = False
    margin: float = 0.0
    less_is_better: bool = False
    per: str = ""
    of_units: bool = False

    def base(self, truth: Truth) -> float:
        """What the value of a row is held against.

        >>> Metric("clicks", "event", "clicks", is_mean=True, per="views").base(
        ...     Truth(events={"views": 3.0})
        ... )
        3.0
        """
        return truth.events.get(self.per, 0.0) if self.per else 1.0

    @property
    def quantile(self) -> str:
        """The quantile of the control from which on an answer is slow; empty where none is asked
        for."""
        return self.of if self.source == "latency" and isinstance(self.of, str) else ""

    def value(self, truth: Truth, positive: str, bar: float | None = None) -> float | None:
        """The value of a row, 0 or 1 where it is a share; None where it has none. `bar` is the
        quantile in seconds, None while it is not known.

        >>> Metric("slow", "latency", 2.0).value(Truth(duration=3.0), "1")
        1.0
        >>> paid = Metric("paid", "event", "paid", is_mean=True, bounds=(0.0, 500.0))
        >>> paid.value(Truth(events={"paid": 900.0}), "1"), paid.value(Truth(), "1")
        (500.0, 0.0)
        """
        found = self._found(truth, positive, bar)
        if found is None or math.isnan(found):
            return None
        if not self.is_mean:
            return float(found != 0)
        return min(max(found, self.bounds[0]), self.bounds[1])

    def cuts(self, truth: Truth, positive: str) -> bool:
        """Whether the value of a row lies outside the bounds, and so is cut.

        >>> paid = Metric("paid", "event", "paid", is_mean=True, bounds=(0.0, 500.0))
        >>> paid.cuts(Truth(events={"paid": -20.0}), "1"), paid.cuts(Truth(), "1")
        (True, False)
        """
        found = self._found(truth, positive, None) if self.is_mean else None
        return found is not None and (found < self.bounds[0] or found > self.bounds[1])

    def _found(self, truth: Truth, positive: str, bar: float | None) -> float | None:
        match self.source:
            case "event":
                return truth.events.get(str(self.of), 0.0)
            case "outcome":
                return None if truth.outcome is None else float(truth.outcome == self.of)
            case "latency":
                slow = bar if self.quantile else float(self.of)
                return None if truth.duration is None or slow is None else truth.duration > slow
            case "rating" | "cost":
                return truth.rating if self.source == "rating" else truth.cost
            case "score":
                return float(truth.score) if isinstance(truth.score, int | float) else None
            case _:
                said = truth.label if self.source == "label" else truth.prediction
                return self._told(said, positive)

    def _told(self, said: str | float | None, positive: str) -> float | None:
        """A label or a prediction as a number; of the name of a class, and where a share is
        measured, whether it is the positive one."""
        value = value_of(said)
        if value is None:
            return None
        if self.is_mean:
            with suppress(ValueError):  # the name of a class is no number
                return float(spelt(value))
        return float(spelt(value) == positive)


@dataclass(frozen=True)
class Experiment:
    """An experiment: the values of `dimension` are its arms, `control` is the one to beat.

    `allocation` are the arms' shares of the traffic, which add up to 1; where it is empty nothing
    is known of them, and every value but `other` is an arm. `minimum_effect` is the difference
    that matters: the evidence is best where the effect is once or twice that, and one that is
    certainly smaller is `no_difference`. It was planned for some `planned` exchanges. `unit` names
    what was assigned to arms, such as a user: a dimension, or a business key. Empty: each exchange.
    Where it is `paired`, every arm answered for each unit, such as the same request, or in the same
    one of `STRETCHES`: what shakes an arm for a while then counts once for that while. Where shares
    change by a schedule, `ramp` has the later ones, of the same arms. An exchange counts `horizon`
    seconds after it ended, with what was known by then; None: when all outcomes are due. With
    `follow_up` a unit counts with what it did in so many seconds after it first came, once these
    are over; 0: with all that is known.
    """

    name: str
    dimension: str
    control: str
    metrics: tuple[Metric, ...]
    allocation: Shares = ()
    minimum_effect: float = 0.01
    planned: int = 10_000
    unit: str = ""
    paired: bool = False
    ramp: Ramp = ()
    horizon: float | None = None
    follow_up: float = 0.0


def period_of(ramp: Ramp, began: float) -> int:
    """The number of the period of one allocation in which something began (Unix seconds).

    >>> period_of(((100.0, (("a", 0.5), ("b", 0.5))),), 99.0)
    0
    >>> period_of(((100.0, (("a", 0.5), ("b", 0.5))),), 100.0)
    1
    """
    return bisect_right(ramp, began, key=lambda one: one[0])


def stretch_of(name: str, at: float) -> int | None:
    """The stretch of time of that name around Unix seconds, as a number of 64 bits; None where a
    unit is no time.

    >>> stretch_of("minute", 59.0) == stretch_of("minute", 0.0) != stretch_of("minute", 60.0)
    True
    """
    seconds = STRETCHES.get(name)
    return None if seconds is None else numbered(f"{name} {math.floor(at / seconds)}")


def units_of(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """What experiments count by that is not the exchange."""
    return tuple(dict.fromkeys(one.unit for one in experiments if one.unit))


def horizons_of(experiments: Iterable[Experiment]) -> tuple[float, ...]:
    """The horizons of experiments in seconds, the shortest first."""
    return tuple(sorted({one.horizon for one in experiments if one.horizon is not None}))


def compared(dimension: str, control: str, sources: Iterable[Source]) -> Experiment:
    """An experiment that nobody declared: the means of what is known, without shares of arms."""
    metrics = tuple(Metric(source, source, is_mean=True) for source in sources)
    return Experiment(dimension, dimension, control, metrics)
