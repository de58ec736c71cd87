"""A drift of the whole → the segments it came from."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping

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

CERTAIN = 4.0
"""Nor is a change of fewer standard errors, which may be chance."""


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


def mix(
    segments: Iterable[Watch], since: float, now: float, *, is_given: bool = False
) -> list[BinShift]:
    """Segments whose share of the values changed, before `since` and from then to `now`.

    A whole may drift though nobody in it changed, because some come more often. Before that is how
    many values came in a second since the last of the watches began. Where the change is as old as
    the watches, it is the values of the reference if that `is_given`; one that was learned has
    equally many in each segment, and says nothing of shares.
    """
    known: dict[str, dict[str, Watch]] = {}
    for watch in segments:
        _, dimension, value = watch.key
        if watch.reference is not None and watch.statistics is not None and watch.peer is None:
            known.setdefault(dimension, {})[value] = watch
    found: list[BinShift] = []
    for dimension, watches in known.items():
        older = {value: one for value, one in watches.items() if _point(one, since)}
        if len(older) < len(watches) and is_given:
            counts = {
                value: (float(one.reference.samples), _values(one, 0))
                for value, one in watches.items()
                if one.reference is not None
            }
            parts = counts, counts
        else:
            start = max((one.history.times[0] for one in older.values()), default=0.0)
            seen = {value: _seen(one, start, since) for value, one in older.items()}
            spans = {value: _spans(one, start, since, now) for value, one in older.items()}
            rates = {
                value: (seen[value][0] / spans[value][0], seen[value][1] / spans[value][1])
                for value in older
            }
            parts = rates, seen
        found += _moved(dimension, *parts)
    return sorted(found, key=lambda one: (-abs(one.after - one.before), one.bin))[:NAMED]


def _moved(
    dimension: str,
    amounts: Mapping[str, tuple[float, float]],
    seen: Mapping[str, tuple[float, float]],
) -> Iterator[BinShift]:
    """Whose share of the amounts before and after is another one, for certain by how many values
    were seen."""
    totals = [math.fsum(part[side] for part in amounts.values()) for side in (0, 1)]
    values = [math.fsum(part[side] for part in seen.values()) for side in (0, 1)]
    if not all((*totals, *values)):
        return
    for value, part in amounts.items():
        before, after = (part[side] / totals[side] for side in (0, 1))
        error = math.sqrt(
            sum(p * (1 - p) / n for p, n in zip((before, after), values, strict=True))
        )
        if abs(after - before) >= max(GREW, CERTAIN * error):
            yield BinShift(f"{dimension} {value}", before, after)


def _point(watch: Watch, since: float) -> int:
    """The last change point at or before `since`; 0 where the watch began then, or later."""
    return max(bisect_right(watch.history.times, since) - 1, 0)


def _values(watch: Watch, point: int) -> float:
    """How many values came since a change point."""
    if watch.statistics is None:
        return 0.0
    history = watch.history
    return float((watch.statistics.live - history.change_points[point])[: history.bins].sum())


def _first(watch: Watch, start: float, since: float) -> int:
    """The first change point from `start` on, and none behind the one of `since`."""
    return min(bisect_left(watch.history.times, start), _point(watch, since))


def _seen(watch: Watch, start: float, since: float) -> tuple[float, float]:
    """How many values came from `start` to `since`, and after that."""
    after = _values(watch, _point(watch, since))
    return _values(watch, _first(watch, start, since)) - after, after


def _spans(watch: Watch, start: float, since: float, now: float) -> tuple[float, float]:
    """In how many seconds."""
    times, point = watch.history.times, _point(watch, since)
    before = times[point] - times[_first(watch, start, since)]
    return max(before, 1e-9), max(now - times[point], 1e-9)


def _changed(watch: Watch, since: float, rules: Rules) -> tuple[int, float]:
    """Values since then and their corrected effect; none where they are too few to say."""
    if watch.reference is None or watch.statistics is None:
        return 0, 0.0
    point = _point(watch, since)
    usual, current = watch.windows(watch.statistics.live - watch.history.change_points[point])
    if min(usual.samples, current.samples) < MINIMUM:
        return 0, 0.0
    return current.samples, rules.effect.score(usual, current)
