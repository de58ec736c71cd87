"""Record → Row → values: what the features see, as the fold counts it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from monitor.interfaces import Feature
from monitor.rows import Row
from monitor.tables.blocks import Block, Column, Floats
from monitor.texts import visible
from monitor.types import ABSENT, EDGE_CASE, WHOLE, Kind, Observation, Record, WatchKey

Timed = tuple[Row, float]
"""A row, and when it came (Unix seconds)."""

SegmentName = tuple[str, str]
"""(dimension, value) as they may be shown."""


def row_of(
    features: Sequence[Feature], record: Record, dimensions: Sequence[str] | None = None
) -> Row:
    """What the features see in a Record, at the moment it ended."""
    segments = record.segments
    if dimensions is not None:
        segments = {name: segments.get(name, ABSENT) for name in dimensions}
    ended = record.started + record.duration
    seen = observed(features, record)
    return Row(ended, segments, seen, record.is_accepted, 1 / record.sampled, record.edge_cases)


def observed(features: Sequence[Feature], record: Record) -> list[Observation]:
    """Return what the features see in a Record.

    That is nothing in an oversampled one: what its kind has more of in the stream than in the
    traffic would look like a change. It is nothing in one that was re-driven: that is no traffic.
    """
    if not is_observed(record):
        return []
    return [seen for feature in features for seen in feature.observe(record)]


def is_observed(record: Record) -> bool:
    """Whether features look at a Record; see `observed`."""
    return not (record.oversampled or record.is_redriven)


def segments_of(row: Row, dimensions: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """(dimension, value) of every segment a row belongs to, the whole first."""
    yield WHOLE.dimension, WHOLE.value
    for name in row.segments if dimensions is None else dimensions:
        value = row.segments.get(name, ABSENT)
        if value != ABSENT:  # who did not say where they belong are no population of their own
            yield name, value
    if row.edge_cases and (dimensions is None or EDGE_CASE in dimensions):
        for value in row.edge_cases:
            yield EDGE_CASE, value


def values(row: Row) -> list[tuple[str, Any, Kind]]:
    """(feature, value, kind) of what was observed.

    A category given as a number is its name. A moment is how long ago it was: every clock goes on,
    and the dates of today are not those of the reference.
    """
    values = []
    for seen in row.observations:
        value = seen.value
        if seen.kind == "categorical" and type(value) in (int, float):
            value = _written(value)
        elif seen.kind == "datetime" and type(value) in (int, float):
            value = _ago(row.at, value)
        values.append((seen.feature, value, seen.kind))
    return values


class SegmentColumn(NamedTuple):
    """What a block holds of a feature in a segment, by its `key` as it may be shown; `at` are the
    times of the rows of the segment."""

    key: WatchKey
    column: Column
    at: Floats


def parts_of(block: Block, dimensions: Sequence[str] | None) -> list[SegmentColumn]:
    """What a block holds, by feature and segment, as `values` and `segments_of` have it; the whole
    comes first. A table's features are neither moments nor durations."""
    segments = [(WHOLE.dimension, WHOLE.value, block)]
    for name in block.segments if dimensions is None else dimensions:
        for value, rows in block.parts(name) if name in block.segments else ():
            if value != ABSENT:
                segments.append((name, value, rows))
    is_watched = dimensions is None or EDGE_CASE in dimensions
    for value, flags in block.edge_cases.items() if is_watched else ():
        if flags.any():
            segments.append((EDGE_CASE, value, block.take(np.flatnonzero(flags))))
    return [
        SegmentColumn(
            (visible(column.feature), visible(dimension), visible(value)), column, rows.at
        )
        for dimension, value, rows in segments
        for column in rows.columns
        if len(column)
    ]


def _written(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python writes
        return "a number beyond all"


def _ago(now: float, then: float) -> float:
    try:
        return now - then
    except OverflowError:  # an integer beyond any float
        return math.inf
