"""How what became of predictions is judged, for all monitors of outcomes."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_PANE = 60.0
"""Seconds: outcomes are counted in panes of this length at least."""

AT_ONCE_PANE = 300.0
"""The same of what is known as soon as an exchange has ended: a look at all slices takes 1.3 ms."""

PANES = 50
"""So many panes of outcomes are open at a time, about: those for which labels are waited."""


@dataclass(frozen=True)
class OutcomeRules:
    """How monitors of outcomes count and judge.

    `pane` and `lateness` are seconds of the records' own time, as in drift's Rules; None where all
    is one pane. `alpha` is the error budget of all monitors of outcomes together; `patience` is the
    number of panes over which it is spent. Each counts at most `segments` segments. The first
    `learn` labels of each are what quality is compared with (0: none), in windows of `samples`.
    `positive` is
    the class that a score is the probability of. Groups are the values of each of `fair`, and those
    of each of `crossed` together. Labels that are `overdue` for so many seconds are told, where
    those of the share `labelled` of records are to come. The others are the settings of those
    names.
    """

    pane: float | None = None
    lateness: float = 5.0
    alpha: float = 0.05
    patience: int = 43200
    segments: int = 1000
    samples: int = 500
    learn: int = 1000
    positive: str = "1"
    tolerance: float = 0.02
    bins: int = 15
    minimum: int = 50
    target: float = 0.9
    calibrated_on: int = 0
    fair: tuple[str, ...] = ()
    crossed: tuple[tuple[str, ...], ...] = ()
    strata: tuple[str, ...] = ()
    favourable: str = "1"
    fair_minimum: int = 100
    fair_tolerance: float = 0.1
    fair_ratio: float | None = None
    sliced: tuple[str, ...] = ()
    slice_minimum: int = 50
    slice_tolerance: float = 0.05
    overdue: float | None = None
    labelled: float = 1.0

    @property
    def grouped(self) -> tuple[str, ...]:
        """What holds the groups that are compared."""
        return tuple(dict.fromkeys((*self.fair, *(one for both in self.crossed for one in both))))


def pane_of(wait: float) -> float:
    """The length of panes in seconds where outcomes are waited for so many.

    >>> pane_of(600.0), pane_of(604800.0)
    (60.0, 12096.0)
    """
    return max(LEAST_PANE, wait / PANES)
