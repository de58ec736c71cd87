"""Pairs of verdicts → how far two people agree, and how far beyond chance.

No coefficient alone says it. Where nearly everything is good, Cohen's kappa of two careful people
is near 0, and Gwet's AC1 of two who toss coins is near 0.9; so the plain shares stand beside them.
"""

from __future__ import annotations

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
    raw = (both_passed + both_failed) / pairs
    first, second = (both_failed + only_second) / pairs, (both_failed + only_first) / pairs
    failed = (first + second) / 2
    pooled = failed**2 + (1 - failed) ** 2
    return Agreement(
        pairs,
        raw,
        _share(both_failed, apart),
        _share(both_passed, apart),
        _beyond(raw, first * second + (1 - first) * (1 - second)),
        _beyond(raw, pooled - (1 - pooled) / (2 * pairs - 1)),  # no verdict meets itself
        _beyond(raw, 2 * failed * (1 - failed)),
    )


def _share(both: int, apart: int) -> float | None:
    return 2 * both / (2 * both + apart) if both or apart else None


def _beyond(raw: float, chance: float) -> float | None:
    return (raw - chance) / (1 - chance) if chance < 1 else None
