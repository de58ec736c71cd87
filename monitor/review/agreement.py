"""Pairs of verdicts → how far two people agree, and how far beyond chance.

No coefficient alone says it. Where nearly everything is good, Cohen's kappa of two careful people
is near 0, and Gwet's AC1 of two who toss coins is near 0.9; so the plain shares stand beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec


class Agreement(msgspec.Struct, frozen=True):
    """How far the first two verdicts on an item agree, over `pairs` items; None where it would
    divide by 0.

    `raw` is the share of equal pairs. `on_failed` and `on_passed` are the shares of agreement about
    one verdict, 2a / (2a + b + c) (Cicchetti & Feinstein 1990). `kappa` is Cohen's of the first and
    the second reader, `alpha` Krippendorff's, `gwet_ac1` Gwet's (2008).
    """

    pairs: int
    raw: float | None
    on_failed: float | None
    on_passed: float | None
    kappa: float | None
    alpha: float | None
    gwet_ac1: float | None


class Beyond(NamedTuple):
    """The share of equal pairs, and how far it is beyond chance by Cohen's kappa, Krippendorff's
    alpha and Gwet's AC1; None where it would divide by 0."""

    raw: float
    kappa: float | None
    alpha: float | None
    gwet_ac1: float | None


def agreement(both_passed: int, only_first: int, only_second: int, both_failed: int) -> Agreement:
    """From the numbers of pairs that both passed, only the first or the second did, and neither.

    >>> found = agreement(118, 5, 2, 0)
    >>> [round(one, 2) for one in (found.raw, found.kappa, found.alpha, found.gwet_ac1)]
    [0.94, -0.02, -0.02, 0.94]
    >>> found.on_failed
    0.0
    """
    apart = only_first + only_second
    pairs = both_passed + apart + both_failed
    if not pairs:
        return Agreement(0, None, None, None, None, None, None)
    raw, *beyond = of_classes([[both_failed, only_second], [only_first, both_passed]])
    return Agreement(pairs, raw, _share(both_failed, apart), _share(both_passed, apart), *beyond)


def of_classes(table: Sequence[Sequence[int]]) -> Beyond:
    """The share of equal pairs and what is beyond chance, of a square `table` that says how often
    the first reader named the class of the row and the second that of the column; at least one
    pair of two classes or more.

    >>> [round(one, 2) for one in of_classes([[8, 1, 1], [1, 8, 1], [1, 1, 8]])]
    [0.8, 0.7, 0.71, 0.7]
    """
    pairs = sum(map(sum, table))
    raw = sum(row[place] for place, row in enumerate(table)) / pairs
    first = [sum(row) / pairs for row in table]
    second = [sum(column) / pairs for column in zip(*table, strict=True)]
    pooled = [(one + other) / 2 for one, other in zip(first, second, strict=True)]
    same = sum(share**2 for share in pooled)
    return Beyond(
        raw,
        _beyond(raw, sum(one * other for one, other in zip(first, second, strict=True))),
        _beyond(raw, same - (1 - same) / (2 * pairs - 1)),  # no verdict meets itself
        _beyond(raw, (1 - same) / (len(table) - 1)),
    )


def _share(both: int, apart: int) -> float | None:
    return 2 * both / (2 * both + apart) if both or apart else None


def _beyond(raw: float, chance: float) -> float | None:
    return (raw - chance) / (1 - chance) if chance < 1 else None
