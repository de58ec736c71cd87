"""Findings → the document of replay: what its keys mean."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.damage import Unreadable
from monitor.findings import (
    Calibration,
    ClassQuality,
    Coverage,
    ExperimentEffect,
    ExperimentTimeline,
    Fairness,
    Finding,
    Performance,
    Quality,
    Slice,
    Status,
    Together,
)


class SchemaChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column of a table that is otherwise than in the reference."""

    column: str
    """Its name."""
    change: Literal["gone", "new", "type"]
    """What is otherwise: no table has it, the reference has not, or most values are of another
    kind."""
    was: str = ""
    """How it is read in the reference, for `type`."""
    now: str = ""
    """How it would be read by itself, for `type`; how it is read, for `new`."""


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The analysis of consecutive rows; times in Unix seconds, or numbers of rows without times."""

    index: int
    """The chunk's number, from 0."""
    start: float
    """Where it begins."""
    end: float
    """Where it ends."""
    records: int
    """Rows in it."""
    verdict: Status
    """As that of the whole document."""
    features: list[Finding]
    """The findings of this chunk."""
    performance: Performance | None = None
    """The classifier's performance in it, with `--score`."""
    records_estimated: int | None = None
    """As that of the whole document."""
    quality: list[Quality] | None = None
    """As that of the whole document, of all rows up to the end of this chunk; so are the next."""
    calibration: list[Calibration] | None = None
    """Whether scores are the probabilities that they claim to be."""
    coverage: list[Coverage] | None = None
    """Whether sets and intervals hold the truth."""
    fairness: list[Fairness] | None = None
    """Whether groups are treated alike."""
    experiments: list[ExperimentEffect] | None = None
    """What arms of experiments do."""
    slices: list[Slice] | None = None
    """The worst slices."""


class Replay(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document that `monitor replay --json` writes."""

    verdict: Status
    """`drift` when any finding is; `ok` when something was judged and nothing drifts; else
    `insufficient`."""
    records: int
    """Records or rows that were read."""
    features: list[Finding]
    """Every finding, in every segment."""
    chunks: list[Chunk] | None = None
    """With `--chunks`: the same for each chunk."""
    performance: Performance | None = None
    """With `--score`: how well a classifier does."""
    together: list[Together] = []
    """Segments in which something drifts, with their features."""
    columns: dict[str, str] = {}
    """How each column of a table was read."""
    schema: list[SchemaChange] = []
    """Columns of a table that are otherwise than in the reference."""
    remarks: list[str] = []
    """What a reader of the verdict should know."""
    unreadable: list[Unreadable] = []
    """What could not be read."""
    quality: list[Quality] | None = None
    """With `--label`: how good predictions were, by segment and measure."""
    calibration: list[Calibration] | None = None
    """With `--label` and `--score`: whether scores are the probabilities that they claim to be."""
    coverage: list[Coverage] | None = None
    """With prediction sets or intervals: whether they hold the truth as often as promised."""
    fairness: list[Fairness] | None = None
    """With `--protected`, or `fairness.dimensions`: whether groups are treated alike."""
    experiments: list[ExperimentEffect] | None = None
    """With `--experiment`, or `experiments`: what arms do, beside their control."""
    timelines: list[ExperimentTimeline] | None = None
    """Of records: what arms were known to do from the beginning on."""
    slices: list[Slice] | None = None
    """With `--slices`: the worst slices, first those that are believed to be so."""
    class_quality: list[ClassQuality] | None = None
    """With `--label`: the same by class."""
    records_estimated: int | None = None
    """About how many exchanges the records stand for, the sum of 1 / `sampled`; only where some are
    of a sample."""
