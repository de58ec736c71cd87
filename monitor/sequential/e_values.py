"""Evidence of many bets and hypotheses → one: mixtures, later beginnings, and the error budget.

An e-value has mean 1 at most while its hypothesis holds, so it exceeds 1/α with probability at most
α; an e-process is one at every moment, and *ever* exceeds 1/α with that probability (Ville 1939).
A weighted mean of e-values is one, whatever their dependence; so is a product of factors each of
which is fair given the past. All are natural logarithms here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from monitor.sequential.beta_binomials import Floats

WHOLE = "all"
"""The dimension of the whole."""

WHOLE_SHARE = 0.25
"""Part of an error budget for the whole; the dimensions share the rest."""

FIRST_WEIGHT = 0.5
"""Share of the capital bet on a change before the watch began; see `start_weight`."""

Name = TypeVar("Name", bound=Hashable)


def start_weight(start: int, patience: int) -> float:
    """Capital that the bet on a change after start number 1, 2, 3 … is given.

    Half goes to the first start, a quarter to the later ones as 1/(s(s-1)), and a quarter is spent
    evenly over `patience` starts: until then no more than the whole capital has been laid out, so
    the sum over starts is an e-process and ever alarms with probability at most α; after that it
    goes on as an e-detector (Shin, Ramdas and Rinaldo 2024) whose mean run length between false
    alarms is at least `patience` starts.

    >>> start_weight(1, 1000), start_weight(2, 1000)
    (0.5, 0.12525)
    """
    if start == 1:
        return FIRST_WEIGHT
    rest = (1 - FIRST_WEIGHT) / 2
    return rest / (start * (start - 1)) + rest / patience


def unspent(starts: int, patience: int) -> float:
    """Capital left when `starts` starts have been given theirs.

    >>> unspent(1, 1000)
    0.5
    """
    if starts == 0:
        return 1.0
    rest = (1 - FIRST_WEIGHT) / 2
    return max(0.0, rest / starts + rest * (1 - (starts - 1) / patience))


def log_sum(logs: Sequence[float]) -> float:
    """ln Σ exp(logs), the same in whatever order they come; -inf of nothing.

    >>> round(log_sum([0.0, 0.0]), 6), log_sum([])
    (0.693147, -inf)
    """
    top = max(logs, default=-math.inf)
    if top == -math.inf:
        return top
    return top + math.log(math.fsum(math.exp(value - top) for value in logs))


def believed(log_values: Sequence[float], shares: Sequence[float], alpha: float) -> float:
    """Log threshold on ln(E x share) from which on a hypothesis is believed: weighted e-BH.

    `shares` are the hypotheses' parts of the error budget, together at most 1. The k most extreme
    are believed for the largest k with E_(k) x share_(k) ≥ 1/(k α), which keeps the expected part
    of false ones below α under any dependence (Wang and Ramdas, JRSSB 2022), and the probability
    of any below α while nothing has changed.

    >>> round(believed([9.0, 0.0], [0.5, 0.5], 0.05), 3)
    2.996
    """
    spent = sorted((e + math.log(w) for e, w in zip(log_values, shares, strict=True)), reverse=True)
    threshold = -math.log(alpha)
    for rank, value in enumerate(spent, start=1):
        if value >= -math.log(alpha) - math.log(rank):
            threshold = -math.log(alpha) - math.log(rank)
    return threshold


def thresholds(
    logs: Mapping[Name, float], shares: Mapping[Name, float], alpha: float
) -> dict[Name, float]:
    """Log evidence from which on each hypothesis is believed, by the log evidence of all.

    `shares` are their parts of the budget `alpha`, together at most 1; see `believed`.

    >>> bars = thresholds({"a": 9.0, "b": 0.0}, {"a": 0.5, "b": 0.5}, 0.05)
    >>> round(bars["b"], 3) == round(math.log(2 / 0.05), 3)
    True
    """
    names = list(logs)
    bar = believed([logs[name] for name in names], [shares[name] for name in names], alpha)
    return {name: bar - math.log(shares[name]) for name in names}


def shares_of(segments: Collection[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """The part of an error budget for each segment, (dimension, value).

    The whole has `WHOLE_SHARE`, the dimensions equal parts of the rest, shared by their values.

    >>> shares_of([("all", "all"), ("plan", "free"), ("plan", "paid"), ("site", "ams")])
    ... # doctest: +NORMALIZE_WHITESPACE
    {('all', 'all'): 0.25, ('plan', 'free'): 0.1875, ('plan', 'paid'): 0.1875,
     ('site', 'ams'): 0.375}
    """
    sizes = Counter(dimension for dimension, _ in segments)
    others = len(sizes) - (WHOLE in sizes)
    parts = {name: (1 - WHOLE_SHARE) / others for name in sizes if name != WHOLE}
    parts[WHOLE] = WHOLE_SHARE if others else 1.0
    return {segment: parts[segment[0]] / sizes[segment[0]] for segment in segments}


def log_add(logs: Sequence[Floats] | Floats) -> Floats:
    """ln Σ exp(logs), element by element."""
    added: Floats = np.asarray(logs[0])
    for log in logs[1:]:
        added = np.logaddexp(added, log)
    return added


def log_mean(logs: Floats, weights: Floats) -> Floats:
    """ln Σ weights x exp(logs) over the last axis; weights add up to 1 at most."""
    top = np.maximum(logs.max(axis=-1, keepdims=True), -1e300)
    added = (weights * np.exp(logs - top)).sum(axis=-1)
    return np.asarray(top[..., 0] + np.log(np.maximum(added, 1e-300)))
