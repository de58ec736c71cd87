"""What scores are worth, and how many rows have each → how far expected performance may be off.

Two chances are in it: the labels from which it was learned what scores are worth were a sample, and
so are the rows whose labels are to come. The interval is of what their labels will show. It is the
delta method on the steps of the isotonic regression, in logits of the measure, with shares of
(k + 1/2) / (n + 1) in the variances, as steps that held one class alone are not certain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 1.96
"""Standard deviations of an interval of 95 %."""

ENOUGH = 5.0
"""So many rows are expected to be right, and as many wrong, where an interval is one in logits. Of
fewer the share that labels will show is often 0 or 1, which such an interval never holds."""


class Steps(NamedTuple):
    """Steps of what scores are worth, rising: how many labels each was learned from, what share of
    these was positive, and how many rows of it are predicted positive, and not."""

    known: Floats
    rates: Floats
    said: Floats
    unsaid: Floats


class _Slopes(NamedTuple):
    """A measure, the share of so many rows (None: of pairs of them), and by how much one more true
    positive or false negative of each step moves it."""

    number: float
    whole: float | None
    said: Floats
    unsaid: Floats


def intervals(steps: Steps) -> dict[str, tuple[float, float]]:
    """The 95 % interval of each measure that can be told: (lower, upper).

    >>> one = Steps(*(np.array([value]) for value in (100.0, 0.5, 100.0, 0.0)))
    >>> [round(end, 2) for end in intervals(one)["accuracy"]]
    [0.36, 0.64]
    """
    share = (steps.known * steps.rates + 0.5) / (steps.known + 1)
    spread = share * (1 - share)
    found = {}
    for name, slopes in _measures(steps).items():
        learned = slopes.said * steps.said + slopes.unsaid * steps.unsaid
        chance = slopes.said**2 * steps.said + slopes.unsaid**2 * steps.unsaid
        variance = float(np.sum((learned**2 / steps.known + chance) * spread))
        found[name] = _ends(slopes, math.sqrt(variance))
    return found


def _ends(slopes: _Slopes, deviation: float) -> tuple[float, float]:
    """The interval of a measure, in logits where it has any and is not of few."""
    number, off = slopes.number, LEVEL * deviation
    rarer = min(number, 1 - number)
    if rarer <= 0 or (slopes.whole is not None and slopes.whole * rarer < ENOUGH):
        return max(0.0, number - off), min(1.0, number + off)
    logit, off = math.log(number / (1 - number)), off / (number * (1 - number))
    lower, upper = (0.5 * (1 + math.tanh(end / 2)) for end in (logit - off, logit + off))
    return lower, upper


def _measures(steps: Steps) -> Mapping[str, _Slopes]:
    rows, none = steps.said + steps.unsaid, np.zeros(len(steps.known))
    total, said = float(rows.sum()), float(steps.said.sum())
    if not total:
        return {}
    hits, positives = float(steps.said @ steps.rates), float(rows @ steps.rates)
    right = (hits + float(steps.unsaid @ (1 - steps.rates))) / total
    each = none + 1
    found = {"accuracy": _Slopes(right, total, each / total, -each / total)}
    if said:
        found["precision"] = _Slopes(hits / said, said, each / said, none)
    if positives:
        recall = hits / positives
        found["recall"] = _Slopes(
            recall, positives, each * (1 - recall) / positives, -each * recall / positives
        )
    if both := said + positives:
        f1 = 2 * hits / both
        found["f1"] = _Slopes(f1, both / 2, each * (2 - f1) / both, -each * f1 / both)
    true, false = rows * steps.rates, rows * (1 - steps.rates)
    if pairs := positives * (negatives := total - positives):
        below = np.cumsum(false) - false
        above = np.cumsum(true[::-1])[::-1] - true
        area = float(true @ (below + false / 2)) / pairs
        slope = below + false / 2 - true / 2 - above - area * (negatives - positives)
        found["auc"] = _Slopes(area, None, slope / pairs, slope / pairs)
    return found
