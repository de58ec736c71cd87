"""Rows whose outcome is not due → how good predictions seem so far, by segment.

This is what came first, and bad news travels faster than good: it is no evidence, has no interval,
and nothing is judged by it. When the rows are due they count as all do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.analysis.quality import measures
from monitor.analysis.quality.answers import read
from monitor.analysis.quality.counts import OTHER, Counts, added_by, units
from monitor.analysis.rows import segments_of
from monitor.findings import Quality
from monitor.rows import Row
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import WHOLE

SEGMENTS = 200
"""Segments that are told, those that come first."""

CLASSES = 64
"""So many classes have a name of their own; the others are `other`."""


def early(
    rows: Iterable[Row], positive: str, dimensions: Sequence[str] | None = None
) -> list[Quality]:
    """Every measure of every segment of these rows, the whole first; `positive` is the class that a
    score is the probability of."""
    counts: dict[tuple[str, str], Counts] = {}
    names: dict[str, str] = {}

    def named(name: str) -> str:
        if name not in names and len(names) < CLASSES:
            names[name] = visible(name)
        return names.get(name, OTHER)

    for row in in_turns(rows):
        answer = read(row.truth, positive)[0] if row.truth is not None else None
        if answer is None or row.truth is None:
            continue
        added, weight = added_by(answer, named), units(row.truth.weight * row.weight)
        for dimension, value in segments_of(row, dimensions):
            segment = visible(dimension), visible(value)
            if segment in counts or len(counts) < SEGMENTS:
                counts.setdefault(segment, Counts()).add(added, weight)
    ranked = sorted(counts, key=lambda one: (one[0] != WHOLE.dimension, -counts[one].labels, one))
    return [
        Quality(*segment, one.measure, one.number, None, None, one.labels, early=True)
        for segment in in_turns(ranked)
        for one in measures.of(counts[segment], positive)
    ]
