"""Verdicts on a sample that was drawn with known probabilities → evidence, and an estimate.

Each item is reviewed with a probability of its own, 1, 1/2 … 2^-10, by a keyed hash, so that 1 /
probability, its weight w, is a whole number. With f, what was expected of the loss beforehand, an
item stands for x = w R (L - f) + f, where R is 1 for a reviewed item and L its loss, 0 or 1. The
mean of x is that of L over all items, reviewed or not, whatever f is; the better f, the less x
scatters (f = the bound itself is plain inverse probability weighting; Csillag et al., ICML 2025).

x has one value for each kind of item, so counts by kind suffice, and what is read does not depend
on the order in which they were counted. Counts of shards add up. Logarithms are natural.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from monitor.sequential.confidence_sequences import Moments
from monitor.sequential.e_values import log_mean

STAKES = (1.0, 0.5, 0.25, 0.1, 0.03)
"""Bets, in multiples of the largest that cannot ruin."""

SAFE = 0.99
"""So much of what would be ruin is the largest bet."""


class Item(NamedTuple):
    """A kind of item: reviewed with the probability 2^-`level`, `expected` loss 0 to 1.

    `loss` is None where it was not reviewed, or not answered. `expected` is fixed before the item
    is known, for its cell; where it changes, so does the kind.
    """

    level: int
    expected: float
    loss: bool | None


def log_evidence(items: Mapping[Item, int], bound: float) -> float:
    """ln E against `the mean loss of all items is at most bound`, by how many there are of a kind.

    The bets depend on the largest weight and expectation among the kinds: name all that can come,
    with a count of 0 where none has.

    >>> kinds = [Item(3, 0.1, None), Item(3, 0.1, False), Item(3, 0.1, True)]
    >>> log_evidence(dict(zip(kinds, (7000, 900, 100))), 0.1) < 0
    True
    >>> log_evidence(dict(zip(kinds, (7000, 700, 300))), 0.1) > 50
    True
    """
    heaviest = max((1 << item.level for item in items), default=1)
    highest = max((item.expected for item in items), default=0.0)
    stakes = SAFE / (bound + highest * (heaviest - 1)) * np.array(STAKES)
    logs = np.array(
        [
            math.fsum(
                count * math.log1p(stake * (_value(item) - bound)) for item, count in items.items()
            )
            for stake in stakes.tolist()
        ]
    )
    return float(log_mean(logs, np.full(len(STAKES), 1 / len(STAKES))))


def moments(items: Iterable[tuple[Item, int]]) -> Moments:
    """What a `confidence_sequences.ratio` needs: the loss among items, weighed by 1 / probability.

    The ratio is Hájek's estimate of the mean loss of all items (Hájek 1971); those that were not
    reviewed count in the number of units alone.
    """
    units = losses = weights = loss_squares = products = weight_squares = 0
    for item, count in items:
        units += count
        if item.loss is None:
            continue
        weight = 1 << item.level
        weights += count * weight
        weight_squares += count * weight * weight
        if item.loss:
            losses += count * weight
            loss_squares += count * weight * weight
            products += count * weight * weight
    return Moments(units, losses, weights, loss_squares, products, weight_squares)


def effective(total: Moments) -> float:
    """How many evenly drawn reviews are worth as much (Kish 1965); 0 without any."""
    return total.bases**2 / total.base_squares if total.base_squares else 0.0


def _value(item: Item) -> float:
    if item.loss is None:
        return item.expected
    return (1 << item.level) * (item.loss - item.expected) + item.expected
