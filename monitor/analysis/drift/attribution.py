"""A drift of the whole → the segments it came from."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

from monitor.analysis.drift.judgement import MINIMUM, Rules
from monitor.analysis.drift.watch import Watch
from monitor.findings import BinShift, Driver

NAMED = 5
"""So many drivers are named, of all dimensions together."""

NOTABLE = 0.1
"""A smaller share is not worth a name."""

LIFT = 1.5
"""Nor is one that is not so many times the segment's share of the values: where all moved alike,
nobody drove."""


GREW = 0.1
"""A segment's share of the values that changed by less is no change of the mix."""


def drivers(segments: Iterable[Watch], whole: Watch, since: float, rules: Rules) -> list[Driver]:
    """Who changed, weighed by how many they are: values since then times their corrected effect.

    `segments` are the watches of one feature, `whole` that of all of its values. Shares are among
    the segments of a dimension; where these changed less than the whole did, it was not them.
    """
    weights: dict[str, dict[str, float]] = {}
    sizes: dict[str, dict[str, int]] = {}
    relative = set()
    for watch in segments:
        _, dimension, value = watch.key
        if watch.peer is not None:
            relative.add(dimension)  # these say how segments differ, not how they changed
        samples, size = _changed(watch, since, rules)
        if samples:
            weights.setdefault(dimension, {})[value] = samples * size
            sizes.setdefault(dimension, {})[value] = samples
    samples, size = _changed(whole, since, rules)
    least = samples * size / 2
    found = []
    for dimension, parts in weights.items():
        total, values = math.fsum(parts.values()), sum(sizes[dimension].values())
        if total > least and len(parts) > 1 and dimension not in relative:
            found += [
                Driver(dimension, value, part / total)
                for value, part in parts.items()
                if part / total >= LIFT * sizes[dimension][value] / values
            ]
    notable = [driver for driver in found if driver.share >= NOTABLE]
    return sorted(notable, key=lambda one: (-one.share, one.dimension, one.value))[:NAMED]


def mix(segments: Iterable[Watch], since: float, now: float) -> list[BinShift]:
    """Segments whose share of the values changed, before `since` and from then to `now`.

    A whole may drift though nobody in it changed, because some come more often. Before that is how
    many values came in a second since the watch began, or the values of the reference where the
    change is as old as the watch.
    """
    rates: dict[str, dict[str, tuple[float, float]]] = {}
    for watch in segments:
        _, dimension, value = watch.key
        if watch.reference is None or watch.statistics is None or watch.peer is not None:
            continue
        history = watch.history
        point = max(bisect_right(history.times, since) - 1, 0)
        before = float(watch.reference.samples)
        after = float((watch.statistics.live - history.change_points[point])[: history.bins].sum())
        if point:
            seen = float(
                (history.change_points[point] - history.change_points[0])[: history.bins].sum()
            )
            before = seen / max(history.times[point] - history.times[0], 1e-9)
            after /= max(now - history.times[point], 1e-9)
        rates.setdefault(dimension, {})[value] = (before, after)
    found = []
    for dimension, parts in rates.items():
        totals = [math.fsum(part[side] for part in parts.values()) or 1.0 for side in (0, 1)]
        for value, part in parts.items():
            shares = [part[side] / totals[side] for side in (0, 1)]
            if abs(shares[1] - shares[0]) >= GREW:
                found.append(BinShift(f"{dimension} {value}", *shares))
    return sorted(found, key=lambda one: (-abs(one.after - one.before), one.bin))[:NAMED]


def _changed(watch: Watch, since: float, rules: Rules) -> tuple[int, float]:
    """Values since then and their corrected effect; none where they are too few to say."""
    if watch.reference is None or watch.statistics is None:
        return 0, 0.0
    point = max(bisect_right(watch.history.times, since) - 1, 0)
    usual, current = watch.windows(watch.statistics.live - watch.history.change_points[point])
    if min(usual.samples, current.samples) < MINIMUM:
        return 0, 0.0
    return current.samples, rules.effect.score(usual, current)
