"""Panes → what is usual at their hour of the week: 168 references that grow from week to week."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from monitor.analysis.drift import sequential_bets
from monitor.analysis.drift.evidence import Splits
from monitor.sequential.beta_binomials import Floats, Ints, log_gamma

SLOTS = 168
LEAST = 30
"""An hour of the week with fewer values in earlier weeks is not judged."""

SHARE_UNIT = 1 << 10
"""Units in which an expected count is kept."""

STRENGTHS = tuple(2.0**power for power in range(13))
"""How many values' weight an hour's reference may be given by other days."""

DAYS_STRENGTH = 10.0
"""How many values' weight the whole week has beside those of the same time on other days."""

_MONDAY = 72
"""Hours from the slot in which Unix time began, a Thursday, to Monday."""


class Seasonal:
    """Counts over the bins of one feature by hour of the week (UTC), Monday 0:00 first.

    An hour's weights are what was counted in it and, as so many values more (`strength`), what
    was at the same time on the other days, itself shrunk to the whole week. The strength is the one
    under which the hours' counts are likeliest (empirical Bayes); it and the hours that can be
    judged are settled when a week begins.
    """

    def __init__(self, bins: int) -> None:
        self.slots = np.zeros((SLOTS, bins), dtype=np.int32)
        self.week = -1
        self.strength = 0.0
        self._ripe: set[int] = set()

    def judge(
        self, start: float, counts: Ints, prior: Floats, tree: Splits, part: float
    ) -> Ints | None:
        """What a pane that began at `start` and counted `counts` adds to a history, or None.

        Expected counts in `SHARE_UNIT`s, the weight of the reference times the values of the pane,
        and the factors of `sequential_bets.one_arm`. None in an hour that is not known well enough.
        `prior` is the Dirichlet law of the reference that made the bins.
        """
        self._turn(_week(start), prior)
        slot = slot_of(start)
        if slot not in self._ripe:
            return None
        weights = self.slots[slot] + self.strength * self._parents(prior)[slot]
        samples = int(counts.sum())
        expected = np.rint(weights / weights.sum() * (samples * SHARE_UNIT)).astype(np.int64)
        mass = np.array([samples * round(float(weights.sum()))], dtype=np.int64)
        evidence = sequential_bets.one_arm(counts, weights, tree, part)
        return np.concatenate((expected, mass, evidence))

    def add(self, start: float, counts: Ints) -> None:
        """Let a pane belong to what is usual."""
        self.slots[slot_of(start)] += counts.astype(np.int32)

    def copy(self) -> Seasonal:
        """The same, to go on with apart."""
        other = Seasonal(self.slots.shape[1])
        other.slots = self.slots.copy()
        other.week, other.strength, other._ripe = self.week, self.strength, set(self._ripe)
        return other

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        rows = {int(slot): self.slots[slot].tolist() for slot in np.flatnonzero(self.slots.any(1))}
        return {
            "slots": rows,
            "week": self.week,
            "strength": self.strength,
            "ripe": sorted(self._ripe),
        }

    @classmethod
    def restore(cls, bins: int, state: dict[str, Any]) -> Seasonal:
        """The seasonal reference whose `state` this is."""
        seasonal = cls(bins)
        for slot, counts in state["slots"].items():
            seasonal.slots[int(slot)] = counts
        seasonal.week, seasonal.strength = state["week"], state["strength"]
        seasonal._ripe = set(state["ripe"])
        return seasonal

    def _turn(self, week: int, prior: Floats) -> None:
        if week <= self.week:
            return
        self.week = week
        self._ripe = set(np.flatnonzero(self.slots.sum(axis=1) >= LEAST).tolist())
        if not self._ripe:
            return
        ripe = sorted(self._ripe)
        known, parents = self.slots[ripe].astype(np.float64), self._parents(prior)[ripe]
        self.strength = max(
            STRENGTHS, key=lambda strength: _log_marginal(known, strength * parents)
        )

    def _parents(self, prior: Floats) -> Floats:
        """What is usual at the same time of other days, as shares, (slots, bins)."""
        week = self.slots.sum(axis=0) + prior
        days = self.slots.reshape(7, 24, -1)
        others = (days.sum(axis=0) - days).reshape(SLOTS, -1)
        parents = others + DAYS_STRENGTH * week / week.sum()
        return np.asarray(parents / parents.sum(axis=1, keepdims=True))


def slot_of(time: float) -> int:
    """The hour of the week that a Unix time lies in, 0 for Monday 0:00 to 1:00 UTC.

    >>> slot_of(0.0), slot_of(4 * 86400.0)
    (72, 0)
    """
    return (math.floor(time / 3600) + _MONDAY) % SLOTS


def _week(time: float) -> int:
    return (math.floor(time / 3600) + _MONDAY) // SLOTS


def _log_marginal(counts: Floats, weights: Floats) -> float:
    """ln of the probability of all rows of counts, each under its Dirichlet law."""
    total, drawn = weights.sum(axis=1), counts.sum(axis=1)
    bins = (log_gamma(weights + counts) - log_gamma(weights)).sum(axis=1)
    return float((bins + log_gamma(total) - log_gamma(total + drawn)).sum())
