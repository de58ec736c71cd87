"""A score → one of some 1,300 cells in rising order: what AUC needs to know of scores.

Cells are narrow where scores are near 0 or 1: 32 in each halving of the distance to the nearer end.
So scores of rare events are told apart as well as those of frequent ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

OCTAVES, STEPS = 20, 32
MIDDLE = 2 + OCTAVES * STEPS
TOP = 2 * MIDDLE
"""The cell of the score 1; that of 0 is 0."""


def cell(score: float) -> int:
    """The cell of a score from 0 to 1, which never falls as the score rises.

    >>> [cell(score) for score in (0.0, 1e-9, 0.25, 0.5, 0.75, 1.0)]
    [0, 1, 610, 642, 674, 1284]
    """
    if score > 0.5:
        return TOP - cell(1 - score)
    if score <= 0:
        return 0
    mantissa, exponent = math.frexp(score)
    if exponent < -OCTAVES:
        return 1
    return 2 + (exponent + OCTAVES) * STEPS + int((mantissa - 0.5) * 2 * STEPS)


def area(
    positives: Mapping[int, Sequence[int]], negatives: Mapping[int, Sequence[int]]
) -> tuple[float, float] | None:
    """(area under the ROC curve, its variance) of what has fallen into cells; None without both.

    Each cell has [labels, sum of weights, sum of squared weights]. Two scores in one cell count as
    equal, half of a pair. The variance is that of DeLong et al. (Biometrics 1988), with weights; it
    is never less than if half a label of the rarer kind stood at the wrong end, since it would be 0
    where all pairs are in order.

    >>> area({3: [1, 1, 1], 5: [1, 1, 1]}, {3: [1, 1, 1], 1: [1, 1, 1]})
    (0.875, 0.0625)
    >>> area({5: [9, 9, 9]}, {1: [9, 9, 9]})
    (1.0, 0.0030864197530864196)
    """
    all_positives = sum(one[1] for one in positives.values())
    all_negatives = sum(one[1] for one in negatives.values())
    if not (all_positives and all_negatives):
        return None
    below_negatives = below_positives = twice = 0
    placed: list[tuple[int, int, int]] = []  # (twice the weight below, squares, kind)
    for where in sorted({*positives, *negatives}):
        _, weight, squares = positives.get(where, (0, 0, 0))
        _, other, other_squares = negatives.get(where, (0, 0, 0))
        twice += weight * (2 * below_negatives + other)
        placed.append((2 * below_negatives + other, squares, 1))
        placed.append((2 * (all_positives - below_positives) - weight, other_squares, 0))
        below_negatives += other
        below_positives += weight
    found = twice / (2 * all_positives * all_negatives)
    spread = [0.0, 0.0]
    for twice_below, squares, kind in placed:
        if squares:
            total = all_negatives if kind else all_positives
            spread[kind] += squares * (twice_below / (2 * total) - found) ** 2
    variance = spread[1] / all_positives / all_positives + spread[0] / all_negatives / all_negatives
    fewest = min(sum(one[0] for one in side.values()) for side in (positives, negatives))
    return found, max(variance, 1 / (4 * fewest * fewest))
