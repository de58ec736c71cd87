"""A drift of the whole → the segments it came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from monitor.judgement import MINIMUM, Rules
from monitor.types import Driver
from monitor.watch import Watch

NAMED = 5
"""So many drivers are named, of all dimensions together."""

NOTABLE = 0.1
"""A smaller share is not worth a name."""

LIFT = 1.5
"""Nor is one that is not so many times the segment's share of the values: where all moved alike,
nobody drove."""


def drivers(segments: Iterable[Watch], since: float, rules: Rules) -> list[Driver]:
    """Who changed, weighed by how many they are: values since then times their corrected effect.

    `segments` are the watches of one feature. Shares are among the segments of a dimension.
    """
    weights: dict[str, dict[str, float]] = {}
    sizes: dict[str, dict[str, int]] = {}
    relative = set()
    for watch in segments:
        _, dimension, value = watch.key
        if watch.peer is not None:
            relative.add(dimension)  # these say how segments differ, not how they changed
        if watch.reference is None or watch.reading is None:
            continue
        mark = max(bisect_right(watch.trail.times, since) - 1, 0)
        counts = watch.reading.live - watch.trail.marks[mark]
        usual, current = watch.windows(counts)
        if min(usual.samples, current.samples) >= MINIMUM:
            size = rules.effect.score(usual, current)
            weights.setdefault(dimension, {})[value] = current.samples * size
            sizes.setdefault(dimension, {})[value] = current.samples
    found = []
    for dimension, parts in weights.items():
        total, values = sum(parts.values()), sum(sizes[dimension].values())
        if total > 0 and len(parts) > 1 and dimension not in relative:
            found += [
                Driver(dimension, value, part / total)
                for value, part in parts.items()
                if part / total >= LIFT * sizes[dimension][value] / values
            ]
    notable = [driver for driver in found if driver.share >= NOTABLE]
    return sorted(notable, key=lambda one: (-one.share, one.dimension, one.value))[:NAMED]
