"""Gaps of fairness → those that say something of their own: of two groups each is the other's
rest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.findings import Fairness

SAME = 1e-9
"""Gaps that differ by no more are one gap."""


def once(found: Sequence[Fairness]) -> list[Fairness]:
    """The gaps, of two groups the first one alone: the other's is the same with its sign turned.
    What the rest is called is said once for a dimension.

    >>> gap = Fairness("sex", "f", "error_rate", 0.2, 0.1, 0.3, 9.0, "alarm")
    >>> other = msgspec.structs.replace(gap, value="m", gap=-0.2, lower=-0.3, upper=-0.1)
    >>> [(one.value, one.gap, one.reason) for one in once([gap, other])]
    [('f', 0.2, 'the rest is m')]
    >>> len(once([gap, other, msgspec.structs.replace(gap, value="x", gap=0.0)]))
    3
    """
    groups: dict[tuple[str, str], list[Fairness]] = {}
    for one in found:
        groups.setdefault((one.dimension, one.measure), []).append(one)
    told, named = [], set[str]()
    for one in found:
        both = groups[one.dimension, one.measure]
        if len(both) != 2 or not _are_mirrored(*both):
            told.append(one)
        elif one is both[0]:
            rest = "" if one.dimension in named else f"the rest is {both[1].value}"
            named.add(one.dimension)
            reason = "; ".join(filter(None, (one.reason, rest)))
            told.append(msgspec.structs.replace(one, reason=reason))
    return told


def _are_mirrored(one: Fairness, other: Fairness) -> bool:
    if one.gap is None or other.gap is None or one.status != other.status:
        return False
    return abs(one.gap + other.gap) <= SAME
