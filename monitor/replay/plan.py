"""What a person asks of replay, as plain values: nothing is opened yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.profiles import LIMIT
from monitor.analysis.drift.windows import INNER_BINS
from monitor.analysis.experiments.declared import Experiment, units_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.distances import MEASURES
from monitor.interfaces import Feature
from monitor.replay.joined import Joining
from monitor.replay.periods import Period
from monitor.sources.archive import Opener
from monitor.tables.column_types import ColumnType
from monitor.tables.columns import Columns
from monitor.tables.truths import TruthColumns
from monitor.types import Segment

DURATION, OUTCOME = "duration", "outcome"
"""Columns of a table that hold the seconds that an exchange took, and how it ended."""

WHOLE = 10**12
"""Values in a window, of which there is then only one."""


class Variant(NamedTuple):
    """Other settings: alpha, as a person said it, drift's part of it, the tolerance, and the bins
    of a number between its smallest and its largest value."""

    alpha: float
    part: float
    tolerance: float
    bins: int = INNER_BINS


@dataclass(frozen=True)
class Plan:
    """The places that are read, what is looked at in them, and how it is judged.

    `sources` are what is judged, `reference` is what is usual: places both. Instead of a place, or
    beside it, `versus` is the segment that the others of its dimension are compared with. `form` is
    the format of files, or `auto`; `endpoint` and `shards` name a stream within a store. `columns`
    say what a table's columns are for, `types` how some of them are read, whatever their values
    tell; `features` look at Records. What is judged began from
    `start` (Unix seconds) until before `end`; where it is `parted`, what began before that is the
    reference of the rest. Without a reference the first `learn` values of each
    feature are one; numbers have `bins` in one that is made here; `hourly` compares records with
    the same hour of earlier weeks. Beside the whole `chunks` equal runs of rows are judged, or
    those of each `period`; with `timeline` how features went is told, cut as the census suggests
    where neither is given. `variants` are settings whose verdicts are told, too; `alpha` is what a
    person said, for drift and outcomes together.
    The `opener` reads Records that are sealed in an archive.
    `engine` is local or dask, `scheduler` the address of a Dask scheduler. `outcomes` says how what
    became of rows is judged, where it `is_told`: of a table by columns, of Records by feedback, to
    which `joining` joins them. The arms of
    `experiments` are compared, and there must be something to compare in the dimensions `arms`. Of
    the worst slices so many are told as `slices` says.
    """

    sources: Sequence[str]
    endpoint: str
    shards: int
    features: Sequence[Feature]
    rules: Rules
    learn: int
    reference: str | None = None
    versus: Segment | None = None
    hourly: bool = False
    form: str = "auto"
    columns: Columns = dataclasses.field(default_factory=Columns)
    types: Mapping[str, ColumnType] = dataclasses.field(default_factory=dict)
    prediction: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    score: str = ""
    protected: tuple[str, ...] = ()
    joining: Joining | None = None
    is_told: bool = False
    outcomes: OutcomeRules = dataclasses.field(default_factory=OutcomeRules)
    experiments: tuple[Experiment, ...] = ()
    arms: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None
    opener: Opener | None = None
    parted: float | None = None
    chunks: int = 0
    period: Period | None = None
    timeline: bool = False
    variants: tuple[Variant, ...] = ()
    bins: int = INNER_BINS
    alpha: float = 0.05
    slices: int = 0
    engine: str = "local"
    scheduler: str = ""

    @property
    def truth(self) -> TruthColumns:
        """The columns that say what became of a row."""
        said = next((name for name in self.prediction if name != self.score), "")
        label = self.label[0] if self.label else ""
        metrics = [metric for one in self.experiments for metric in one.metrics]
        sources = {metric.source for metric in metrics}
        duration = DURATION if "latency" in sources or self.slices else ""
        events = dict.fromkeys(str(one.of) for one in metrics if one.source == "event")
        events |= dict.fromkeys(one.per for one in metrics if one.per)
        return TruthColumns(
            said, label, self.score, self.protected, tuple(events),
            duration, OUTCOME if "outcome" in sources else "",
            tuple(dict.fromkeys(one.dimension for one in self.experiments)),
            units_of(self.experiments), bool(self.slices),
        )  # fmt: skip

    @property
    def outcomes_at_once(self) -> OutcomeRules:
        """How outcomes are judged that are one window."""
        return dataclasses.replace(self.outcomes, pane=None)

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions whose values are judged, too."""
        return self.columns.by

    @property
    def is_cut(self) -> bool:
        """Whether parts of what is judged are judged, too."""
        return bool(self.chunks or self.period or self.timeline)

    @property
    def most_references(self) -> int:
        """Features and segments that a reference has, at most: more than are watched, so that one
        that is full is seen to be so."""
        return max(LIMIT, 2 * self.rules.watches)

    @property
    def each_bins(self) -> tuple[int, ...]:
        """The numbers of bins that values are counted in, first that of the verdict."""
        return tuple(dict.fromkeys((self.bins, *(one.bins for one in self.variants))))

    @property
    def live(self) -> Rules:
        """How records are judged: as live, by all measures, with all bins."""
        return dataclasses.replace(self.rules, measures=MEASURES, bins=True)

    @property
    def at_once(self) -> Rules:
        """How rows are judged that are one window."""
        return dataclasses.replace(self.live, pane=None, samples=WHOLE)
