"""Findings → the document of replay: what its keys mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from monitor.analysis.drift.windows import INNER_BINS
from monitor.damage import Unreadable
from monitor.findings import (
    BinShift,
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
from monitor.tables.facts import Facts
from monitor.types import WatchKey

SCHEMA = 1
"""The version of replay's document."""


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


class Unread(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of one side could not be read."""

    side: Literal["current", "reference", "both"]
    """What was judged, or what it was compared with; `both` where these are parts of one source."""
    rows: int
    """Rows or lines that could not be read."""
    of: int
    """These, and the rows that were looked at."""
    ends: list[str] = []
    """Where files could not be read any further, and why: nobody knows how many rows are missing.
    A file without a line could not be read at all."""
    may_be_wrong: bool = False
    """Whether what was read of such a file may be wrong, too, because it is damaged and not only
    cut off. Then nothing is judged."""

    @property
    def is_most(self) -> bool:
        """Whether more was passed over than was looked at."""
        return 2 * self.rows > self.of

    @property
    def words(self) -> str:
        """The same for a person, without what nobody knows the number of; empty without a row.

        >>> Unread("current", 1200, 1800).words
        '1,200 of 1,800 rows could not be read'
        >>> Unread("reference", 1, 9).words
        '1 of 9 rows of the reference could not be read'
        """
        if not self.rows:
            return ""
        whose = " of the reference" if self.side == "reference" else ""
        return f"{self.rows:,} of {self.of:,} rows{whose} could not be read"


PAIRS = "pairs of feature and segment (drift.watches)"

_HELPS = {
    PAIRS: "leave columns out with --ignore, give fewer --by, or say a larger number in --config",
    "columns": "leave some out of the file",
    "segments": "split rows by fewer columns: --by, --protected, --intersection",
    "conditions": "leave columns out with --ignore",
    "arms": "declare those to compare as the `allocation` of an experiment in --config",
}
"""What helps where there are more of these than have a place."""


class LeftOut(msgspec.Struct, frozen=True):
    """What was not looked at because there was more than has a place."""

    by: str
    """What did not look at it: `drift`, an entry of this document such as `quality`, or the name of
    a file, of whose columns only the first are read."""
    places: int
    """How many there are."""
    of: str
    """What has a place each, in words."""
    values: int
    """Values, labels or rows that had none, or such columns."""

    @property
    def words(self) -> str:
        """The same for a person, with what helps.

        >>> LeftOut("slices", 2000, "conditions", 70).words
        'slices: only 2,000 conditions have a place, and 70 values of others were not looked at \
(leave columns out with --ignore)'
        >>> LeftOut("log.jsonl", 5000, "columns", 7).words
        'log.jsonl: only 5,000 columns have a place, and 7 others were not looked at \
(leave some out of the file)'
        """
        lost = "others" if self.of == "columns" else "values of others"
        return (
            f"{self.by}: only {self.places:,} {self.of} have a place, and {self.values:,} {lost} "
            f"were not looked at ({_HELPS[self.of]})"
        )


def lacking(left_out: Iterable[LeftOut]) -> int:
    """How many values had no place, in all.

    >>> lacking([LeftOut("drift", 2, "pairs", 3), LeftOut("quality", 2, "segments", 4)])
    7
    """
    return sum(one.values for one in left_out)


class FailedPart(msgspec.Struct, frozen=True):
    """A part that raised on exchanges of other people's logs. These were judged without it."""

    kind: str
    """`protocol`, whose exchange was read as any JSON or as texts; `dimension`, which had no value
    there; `recognizer`, which had the text that it failed on replaced whole."""
    name: str
    """Its name."""
    exchanges: int
    """On how many it raised."""


class Compared(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was compared with what, and how."""

    version: str
    """The version of `monitor`."""
    schema: int
    """The version of this document: 1. Keys may be added; none changes its meaning."""
    sources: list[str]
    """What was judged, without passwords."""
    reference: str
    """What it was compared with."""
    alpha: float
    """The probability of any false alarm of drift, if nothing changed."""
    tolerance: float
    """The corrected PSI from which on a believed change is drift."""
    start: float | None = None
    """Judged is what began then or later, in Unix seconds."""
    end: float | None = None
    """Judged is what began before, in Unix seconds."""
    by: list[str] = []
    """The dimensions whose values were judged, too."""
    chunks: str = ""
    """What it was cut into: `4`, `day`."""
    timestamp: str = ""
    """The column of a table that holds the times."""
    ignored: list[str] = []
    """Columns of a table that were left out."""
    prediction: list[str] = []
    """Columns that the model wrote."""
    label: list[str] = []
    """Columns that hold the truth."""
    score: str = ""
    """The column that holds the probability of a positive."""
    positive: str = ""
    """The label that scores are the probability of, where there are labels."""
    bins: int | None = None
    """Bins of a number between the smallest and the largest value that made them, as `--bins` says;
    left out where it says nothing."""
    protected: list[str] = []
    """Columns that hold protected attributes."""
    experiments: list[str] = []
    """The dimensions whose values were compared with a control, each as `DIMENSION=CONTROL`."""
    slices: int = 0
    """So many of the worst slices were searched for."""
    types: dict[str, str] = {}
    """How columns were read because somebody said so, by their names."""


class Stretch(msgspec.Struct, frozen=True):
    """A part of the reference, as long as a chunk."""

    start: float
    """Where it begins: Unix seconds, or the number of a row without times."""
    end: float
    """Where it ends."""
    records: int
    """Rows in it."""


class Course(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one feature in one segment went, chunk by chunk; the lists have an entry for each."""

    feature: str
    """The feature's name."""
    dimension: str
    """The segment's dimension; `all` for the whole."""
    value: str
    """The segment's value; `all` for the whole."""
    threshold: float
    """The score from which on a believed change is drift."""
    scores: list[float | None]
    """The corrected PSI; null where no values came."""
    log_evidence: list[float | None]
    """The natural logarithm of the evidence against `nothing changed`; null as above."""
    status: list[Status]
    """As that of a finding."""
    samples: list[int]
    """Values in the chunk."""
    onset: int | None = None
    """The index of the chunk in which the drift most likely began; left out where no chunk
    drifts."""
    last: int | None = None
    """The index of the last chunk that drifts since then."""
    since: float | None = None
    """When the chunk `onset` begins: Unix seconds, or the number of a row without times."""
    until: float | None = None
    """When the chunk `last` ends, where the drift has ended by the last chunk."""
    usual_scores: list[float | None] = []
    """The PSI of each part of the reference, under `usual`, against all of it."""
    usual_log_evidence: list[float | None] = []
    """The natural logarithm of the evidence of each of these parts."""

    @property
    def key(self) -> WatchKey:
        """The feature and the segment that go so."""
        return self.feature, self.dimension, self.value


class DataQuality(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one column of a table holds, before and now."""

    feature: str
    """The column's name, or a part of it such as `note.length`."""
    before: Facts | None = None
    """What it holds in the reference; left out where that has no such column."""
    now: Facts | None = None
    """What it holds now; left out where it did not come."""
    new: list[BinShift] = []
    """Categories that are not in the reference, the most frequent, with their share now."""
    lost: list[BinShift] = []
    """Categories of the reference that did not come any more, the most frequent."""
    words: list[BinShift] = []
    """Words that more or fewer texts have than before, with their share of the texts; the largest
    change first. Personal data is only said by its kind."""


class Confusion(msgspec.Struct, frozen=True, omit_defaults=True):
    """How often each class was predicted for each that was true: a confusion matrix."""

    classes: list[str]
    """The classes, from two to ten, in order of name."""
    now: list[list[int]]
    """Labels: a list for each class that was true, with a number for each that was predicted."""
    before: list[list[int]] = []
    """The same of the reference; left out where that does not say it."""


class MovedWords(msgspec.Struct, frozen=True):
    """The words that moved in what Records ask or answer."""

    feature: str
    """`input` or `output`."""
    words: list[BinShift]
    """Words that more or fewer texts have than before, with their share of some of the texts; the
    largest change first. Personal data is only said by its kind."""


class WhatIf(msgspec.Struct, frozen=True):
    """The verdict that other settings would have given on the same rows."""

    alpha: float
    """The probability of a false alarm."""
    tolerance: float
    """The PSI from which on a believed change is drift."""
    verdict: Status
    """The verdict."""
    drifted: int
    """Features and segments that drift."""
    bins: int = INNER_BINS
    """Bins of a number between the smallest and the largest value that made them, at most."""


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
    left_out: int = 0
    """Values in it that had no place, as under `left_out` of the whole document."""
    performance: Performance | None = None
    """The classifier's performance in it, with `--score`."""
    records_estimated: int | None = None
    """As that of the whole document."""
    quality: list[Quality] | None = None
    """As that of the whole document, of all rows up to the end of this chunk; so are the
    next. Where labels are told it is there, empty where nothing is known or asked for."""
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
    """`drift` when any finding is; `ok` when something was judged, nothing drifts, every file could
    be read to its end, and at least half of the rows of each side, and nothing is `left_out`; else
    `insufficient`. Where what was read may be wrong, nothing is judged."""
    records: int
    """Records or rows that were read."""
    features: list[Finding]
    """Every finding, in every segment."""
    chunks: list[Chunk] | None = None
    """With `--chunks` or `--timeline`: the same for each chunk. An hour, a day or a week in which
    nothing came is a chunk, too."""
    performance: Performance | None = None
    """With `--score`: how well a classifier does."""
    together: list[Together] = []
    """Segments in which something drifts, with their features."""
    columns: dict[str, str] = {}
    """How each column of a table was read."""
    encodings: dict[str, str] = {}
    """The encoding of files of a table whose text is not UTF-8, of 20 at most."""
    schema: list[SchemaChange] = []
    """Columns of a table that are otherwise than in the reference."""
    remarks: list[str] = []
    """What a reader of the verdict should know."""
    unreadable: list[Unreadable] = []
    """What could not be read."""
    unread: list[Unread] = []
    """How many rows that were, and which files break off, of each side of which there are any; a
    cell is no row."""
    left_out: list[LeftOut] = []
    """What was not looked at because there was more than has a place."""
    alike: int = 0
    """So many rows tell what an independent one would, as far as copies and neighbours show it,
    where that is more than `drift.design_effect` says; then chance may look like drift."""
    erased: int = 0
    """Records of archives that `monitor erase` has taken out; nothing here counts them."""
    failed_parts: list[FailedPart] = []
    """Parts that raised on exchanges, as `monitor_part_failures_total` counts them live."""
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
    confusion: Confusion | None = None
    """With `--label`: which classes were predicted for which; left out of more than ten."""
    records_estimated: int | None = None
    """About how many exchanges the records stand for, the sum of 1 / `sampled`; only where some are
    of a sample."""
    compared: Compared | None = None
    """What was compared with what, and how."""
    timeline: list[Course] | None = None
    """With `--timeline`: how every feature in every segment went, chunk by chunk."""
    usual: list[Stretch] = []
    """With `timeline`, where the reference is a source: its newest parts, each as long as a chunk,
    about."""
    data_quality: list[DataQuality] | None = None
    """Of a table: what every column holds, before and now."""
    words: list[MovedWords] = []
    """Of Records: the words that moved, where texts of a reference have others."""
    what_if: list[WhatIf] | None = None
    """With several values of `--tolerance`, `--alpha` or `--bins`: the verdict of each combination
    of them."""
