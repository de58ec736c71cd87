"""Rows with what became of them → what the monitors of outcomes say, of all rows and of each chunk.

They are read once more, only in the columns that matter here. A chunk says what was known at its
end: what a person who looks every day would have seen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np

from monitor.analysis.classes import renamed
from monitor.analysis.drift.findings import undated
from monitor.analysis.drift.profiles import Profile, profile_of
from monitor.analysis.experiments.declared import STRETCHES, Experiment
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.analysis.experiments.run import ARMS
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import MONITORS, at_once_of, outcomes_of, within_of
from monitor.analysis.quality.monitor import QualityMonitor
from monitor.analysis.quality.watched import TOGETHER, Pair, watched_together
from monitor.analysis.slices.monitor import NAMES, SlicesMonitor, ranked
from monitor.analysis.tallies import Tallied
from monitor.errors import UsageError
from monitor.findings import Calibration, ExperimentEffect, ExperimentTimeline, Outcome, Quality
from monitor.interfaces import Monitor
from monitor.readable import rounded
from monitor.replay.census import Census, within_budget
from monitor.replay.comparison import Comparison
from monitor.replay.document import Chunk, Confusion, LeftOut, Replay, lacking
from monitor.replay.experiments import Mixes, fitting
from monitor.replay.labelled import Labelled
from monitor.replay.plan import Plan
from monitor.replay.reference import Watch
from monitor.rows import Row
from monitor.tables.blocks import Block

CONDITIONS = (
    "drift", "segment_drift", "insufficient", "quality", "calibration", "coverage", "fairness",
    "experiment", "schema", "slices", "unreadable",
)  # fmt: skip
"""What `--fail-on` may name."""

OF_OUTCOMES = {
    "quality": "quality", "calibration": "calibration", "coverage": "coverage",
    "fairness": "fairness", "experiment": "experiments",
}  # fmt: skip
"""Those of them that speak of what became of rows, with the key of the document that tells it."""

BAD = {"worse", "invalid"}
"""Verdicts of an experiment that are failures."""

CONFUSED = 10
"""Classes of a confusion matrix, at most."""

NAMED = 8
"""Arms that a sentence names, at most."""

EACH_CHUNK = ("quality", "calibration", "fairness", "experiments")
"""What is there in every chunk of rows whose outcome is told, empty where it is not asked for."""

TROUBLES = {
    "unlabelled": "have no label",
    "unsaid": "have a label but no prediction",
    "score": "have a score that is no probability from 0 to 1",
    "kind": "have a label of another kind than the prediction",
    "number": "have a number beyond all",
}
"""What is said of rows of which not all could be counted."""


@dataclass(frozen=True)
class _Folds:
    """What is asked of rows whose outcome is due, of those of what is known at once, and of those
    of what was known at the horizon of an experiment, by its seconds. Monitors count so many
    `segments` each."""

    segments: int
    due: Analysis[Outcome]
    at_once: Analysis[Outcome] | None
    within: Mapping[float, Analysis[Outcome]]

    @property
    def monitors(self) -> tuple[Monitor[Outcome], ...]:
        before = (*filter(None, (self.at_once,)), *self.within.values())
        return tuple(one for fold in (self.due, *before) for one in fold.monitors)

    @property
    def experiments(self) -> Iterator[ExperimentsMonitor]:
        return (one for one in self.monitors if isinstance(one, ExperimentsMonitor))

    @property
    def left_out(self) -> list[LeftOut]:
        """What had no place among segments, conditions of slices, or arms."""
        found = Counter[tuple[str, int, str]]()
        for one in self.monitors:
            if isinstance(one, QualityMonitor):
                found[one.name, self.segments, "segments"] += one.overflow + one.unwatched
            elif isinstance(one, Tallied):
                found[one.name, self.segments, "segments"] += one.overflow
            elif isinstance(one, SlicesMonitor):
                found[one.name, NAMES, "conditions"] += one.overflow
            elif isinstance(one, ExperimentsMonitor):
                found[one.name, ARMS, "arms"] += one.overflow
        return [LeftOut(*which, many) for which, many in found.items() if many]

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Fold rows, those that are due together."""
        rows = iter(rows)
        while some := list(islice(rows, TOGETHER)):
            self.due.add_rows(filter(_is_due, some))
            for row in some:
                if _is_due(row):
                    continue
                if row.truth is not None and row.truth.horizon:
                    self.within[row.truth.horizon].add_row(row)
                elif self.at_once is not None:
                    self.at_once.add_row(row)


def with_outcomes(found: Replay, plan: Plan, both: Comparison, watch: Watch) -> Replay:
    """The document with what became of the rows; the same where nobody says it."""
    if not plan.is_told:
        return found
    kept = Census()
    grouped = plan.by or plan.experiments or plan.outcomes.grouped or plan.slices
    for one in (both.current, both.reference) if grouped else ():
        if one is not None:
            options = both.options if one is both.current else both.usual
            has_more = not one.is_table or options.truth.arms or options.truth.is_sliced
            kept.count(_due(one.truths(options)) if has_more else one.segments(options))
    values = kept.kept()
    joins = not both.current.is_table
    rules = plan.outcomes if joins else plan.outcomes_at_once
    experiments, untold = _experiments(plan, both)
    before = Counter[Pair]()
    labelled, labelled_before = Labelled(), Labelled()
    usual = _usual(plan, both, values, before, labelled_before)
    due = outcomes_of(rules, dimensions=plan.by, profile=usual, experiments=experiments)
    within = within_of(rules, dimensions=plan.by, experiments=experiments) if joins else {}
    folds = _Folds(rules.segments, due, at_once_of(rules), within)
    fold = folds.due
    coming = within_budget(both.current.truths(both.options), values)
    rows = _rows(watch(coming, "judging outcomes", found.records))
    by_time = plan.period is not None and not joins
    if by_time and not _are_in_order(both.current.truths(both.options)):
        rows = _in_order(rows)
    mixes = Mixes(experiments, plan.by, plan.outcomes.positive)
    rows = labelled.passing(mixes.passing(rows))
    chunks = None
    if found.chunks is not None:
        chunks = list(_in_chunks(found.chunks, rows, folds, plan, joins=joins))
    folds.add_rows(rows)
    now = _quality(fold).pairs
    entries = _entries(folds, plan, undated=not joins)
    return msgspec.structs.replace(
        found,
        chunks=chunks,
        **entries,
        class_quality=list(_quality(fold).by_class()),
        confusion=confused(_as_labels_say(before, now, plan.outcomes.positive), now),
        timelines=_timelines(folds),
        left_out=[*found.left_out, *folds.left_out],
        remarks=[
            *found.remarks, *untold, *(_of_feedback(fold, plan) if joins else ()),
            *_remarks(fold, plan), *_of_labelled(labelled, labelled_before, joins=joins),
            *_of_rare(entries.get("calibration", ()), plan),
            *_compared(folds, experiments, plan), *mixes.remarks(),
        ],
    )  # fmt: skip


def check(wanted: AbstractSet[str], plan: Plan, both: Comparison) -> None:
    """Raise UsageError where a run may fail on something that no column tells: it never would."""
    if "slices" in wanted and not plan.slices:
        raise UsageError("--fail-on slices: needs --slices K, which searches for them")
    if plan.slices and not plan.is_told:
        raise UsageError("--slices: of a table needs a --label, and a --prediction or a --score")
    if not both.current.is_table:
        if "schema" in wanted:
            raise UsageError("--fail-on schema: is for tables; records have no columns")
        if not plan.is_told and (of_outcomes := sorted(wanted & OF_OUTCOMES.keys())):
            raise UsageError(
                f"--fail-on {of_outcomes[0]}: there is nothing to judge: no record has feedback; "
                "--feedback FILE joins what was said later"
            )
        return
    if "schema" in wanted and not both.has_reference:
        raise UsageError("--fail-on schema: needs a --reference, which says what columns are usual")
    said = plan.prediction or plan.score
    groups = {*plan.protected, *plan.by} & set(plan.outcomes.grouped)
    needed = {
        "quality": ("a --label, and a --prediction or a --score", plan.label and said),
        "calibration": ("a --label and a --score", plan.label and plan.score),
        "coverage": ("records: no column tells sets or intervals", False),
        "fairness": ("a --protected, and a --prediction or a --score", groups and said),
        "experiment": ("an --experiment", any(fitting(plan, both.current.columns))),
    }
    for name, (what, is_there) in needed.items():
        if name in wanted and not is_there:
            raise UsageError(f"--fail-on {name}: needs {what}")


def untold(wanted: Collection[str], found: Replay) -> str:
    """One line for a person whose run should fail on something of which nothing could be judged;
    empty where there is no such thing."""
    for name, key in OF_OUTCOMES.items():
        if name in wanted and not getattr(found, key):
            return (
                f"--fail-on {name}: there was nothing to judge: what became of the records or rows "
                "is known of none, or not what this needs"
            )
    return ""


def conditions(found: Replay, *, is_labelled: bool = False) -> set[str]:
    """What of `CONDITIONS` is so; where rows were to be labelled, too few labels are insufficient
    as too few values are."""
    named: set[str] = {one for one in ("drift", "insufficient") if one == found.verdict}
    of_all = [one.status for one in found.quality or () if one.dimension == "all" and one.status]
    if is_labelled and all(status == "insufficient" for status in of_all):
        named.add("insufficient")
    if any(one.status == "drift" and one.dimension != "all" for one in found.features):
        named.add("segment_drift")
    for name in (*MONITORS, "slices"):
        if any(one.status == "alarm" for one in getattr(found, name) or ()):
            named.add(name)
    if any(one.verdict in BAD for one in found.experiments or ()):
        named.add("experiment")
    if found.schema:
        named.add("schema")
    if found.unreadable:
        named.add("unreadable")
    return named


def confused(before: Mapping[Pair, int], now: Mapping[Pair, int]) -> Confusion | None:
    """The confusion matrix of pairs of classes, before and now; None of too many classes, or of
    less than two.

    >>> confused({("a", "a"): 9, ("a", "b"): 1}, {("b", "a"): 2})
    Confusion(classes=['a', 'b'], now=[[0, 0], [2, 0]], before=[[9, 1], [0, 0]])
    """
    classes = sorted({name for pair in (*before, *now) for name in pair})
    if not now or not 2 <= len(classes) <= CONFUSED:
        return None
    first, second = (
        [[side.get((true, said), 0) for said in classes] for true in classes]
        for side in (before, now)
    )
    return Confusion(classes, second, first if before else [])


def _as_labels_say(
    before: Mapping[Pair, int], now: Mapping[Pair, int], positive: str
) -> Counter[Pair]:
    """Pairs of before, called as the labels of both call them."""
    names, found = renamed((*before, *now), positive), Counter[Pair]()
    for (true, said), count in before.items():
        found[true, names.get(said, said)] += count
    return found


def _usual(
    plan: Plan,
    both: Comparison,
    kept: Mapping[str, set[str]],
    pairs: Counter[Pair],
    labelled: Labelled,
) -> Profile | None:
    """What quality was in the reference; None where it has no labels, or there is none. Pairs of
    its classes are counted on the way, and which rows are `labelled`."""
    if both.reference is None or not both.reference.is_told(both.usual):
        return None
    rows = within_budget(_due(both.reference.truths(both.usual)), kept)
    passing = labelled.passing(_rows(rows))
    profile = profile_of(watched_together(passing, plan.outcomes.positive, pairs), plan.by)
    return profile if profile.references else None


def _in_chunks(
    chunks: Sequence[Chunk],
    rows: Iterator[Row],
    folds: _Folds,
    plan: Plan,
    *,
    joins: bool,
) -> Iterator[Chunk]:
    """Each chunk with what is known at its end: of a table of the rows so far, of Records what was
    known by then; the end of all makes the rest due."""
    joining = plan.joining if joins else None
    row, count, records = next(rows, None), 0, 0

    def is_known(row: Row, chunk: Chunk) -> bool:
        if joining is not None:
            return _known(row, joining.wait) <= chunk.end
        return count < records if plan.period is None else row.at < chunk.end

    for chunk in chunks:
        records += chunk.records

        def until_its_end(chunk: Chunk = chunk) -> Iterator[Row]:
            nonlocal row, count
            while row is not None and (chunk is chunks[-1] or is_known(row, chunk)):
                yield row
                row, count = next(rows, None), count + 1

        folds.add_rows(until_its_end())
        entries = _entries(folds, plan, undated=not joins)
        left_out = chunk.left_out + lacking(folds.left_out)
        entries = {key: [] for key in EACH_CHUNK} | entries
        yield msgspec.structs.replace(chunk, left_out=left_out, **entries)


def _known(row: Row, wait: float) -> float:
    """When what a row says was known."""
    if row.truth is None or row.truth.is_due:
        return row.at + wait
    return row.at + row.truth.horizon


def _is_due(row: Row) -> bool:
    return row.truth is None or row.truth.is_due


def _due(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with what became of them, without those of what was known at once."""
    return filter(_is_due, rows)


def _are_in_order(rows: Iterable[Row | Block]) -> bool:
    """Whether rows stand in order of time."""
    latest = -math.inf
    for one in rows:
        times = one.at if isinstance(one, Block) else np.array([one.at])
        if len(times) and (times[0] < latest or bool(np.any(np.diff(times) < 0))):
            return False
        latest = float(times[-1]) if len(times) else latest
    return True


def _in_order(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows in order of time, all of which are held for that, some 200 bytes each.

    Bets look at what came before, so what was counted of each period apart would not add up.
    """
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Row).decode
    held = [(row.at, encode(row)) for row in rows]
    held.sort(key=itemgetter(0))
    return (decode(row) for _, row in held)


def _experiments(plan: Plan, both: Comparison) -> tuple[list[Experiment], list[str]]:
    """The experiments that can be judged, and what is to be said of the others."""
    if not both.current.is_table:
        return list(plan.experiments), []
    found, remarks = [], []
    for one, missing in fitting(plan, both.current.columns):
        what = _dated(one)
        if what and not plan.columns.timestamp:
            remarks.append(
                f"experiment {one.name}: {what}: name the column that says when a row was with "
                "--timestamp"
            )
            continue
        if missing:
            remarks.append(f"experiment {one.name}: no table has {' or '.join(missing)}")
        if one.horizon is not None:
            remarks.append(
                f"experiment {one.name}: no column says when something became known, so its "
                "horizon cuts nothing off"
            )
        if one.metrics:
            found.append(one)
        elif one.dimension in plan.arms:
            raise UsageError(
                f"--experiment: no table has {' or '.join(missing)} to compare the values of "
                f"{one.dimension} by"
            )
    return found, remarks


def _dated(one: Experiment) -> str:
    """Why an experiment cannot be judged without times; empty where it can."""
    if one.ramp:
        return "its shares change with time"
    if one.unit in STRETCHES:
        return "its arms are compared by time"
    return "its units are followed in time" if one.follow_up else ""


def _entries(folds: _Folds, plan: Plan, *, undated: bool) -> dict[str, Any]:
    """The findings of each monitor, by its name; rows that are one window say nothing of when."""
    entries: dict[str, list[Any]] = {}
    for monitor in folds.monitors:
        found = monitor.findings()
        entries.setdefault(monitor.name, []).extend(map(_undated, found) if undated else found)
    if "slices" in entries:
        entries["slices"] = ranked(entries["slices"])[: plan.slices]
    return entries


def _timelines(folds: _Folds) -> list[ExperimentTimeline] | None:
    """What experiments looked like from their beginning on, where that is known."""
    return [one for monitor in folds.experiments for one in monitor.timelines()] or None


def _undated(one: Outcome) -> Outcome:
    if isinstance(one, Quality):
        return undated(one)
    return one if isinstance(one, ExperimentEffect) else msgspec.structs.replace(one, since=None)


def _quality(fold: Analysis[Outcome]) -> QualityMonitor:
    return next(one for one in fold.monitors if isinstance(one, QualityMonitor))


def _are_several(quality: QualityMonitor) -> bool:
    """Whether labels are of several classes, or are words of which no score says anything."""
    return len(quality.classes[0]) > 1 or bool(quality.troubles["kind"])


def _of_rare(found: Iterable[Calibration], plan: Plan) -> Iterator[str]:
    """Where positives are so rare that no score that people give them could be off by as much as is
    tolerated."""
    tolerance = plan.outcomes.tolerance
    for one in found:
        positives = math.fsum(part.labels * (part.share or 0.0) for part in one.bins)
        if one.dimension == "all" and 0 < positives < tolerance * one.labels:
            share = positives / one.labels
            yield (
                f"calibration: {rounded(share)} of the labels are positive, and scores may be off "
                f"by {tolerance:g} (calibration.tolerance), so some that are many times too large "
                f"or too small are taken for right: say calibration.tolerance: {share / 5:.1g} in "
                "--config"
            )


def _of_feedback(fold: Analysis[Outcome], plan: Plan) -> Iterator[str]:
    """What a reader should know of what was said of Records: who has not been heard, or too late,
    may be of another kind than who has."""
    joining, count = plan.joining, _quality(fold).troubles["unlabelled"]
    if joining is not None and (late := sum(joining.late)):
        yield (
            f"feedback: {late:,} items came more than {joining.wait:,g} s (outcomes.wait) after "
            "their record and count for nothing; where what comes late is another answer than what "
            "comes soon, what is told of outcomes is of the soon ones: wait longer"
        )
    if 0 < count < fold.records:
        yield f"feedback: {count:,} of {fold.records:,} records have no label, and none is guessed"


def _of_labelled(labelled: Labelled, before: Labelled, *, joins: bool) -> Iterator[str]:
    """Where rows with a label are not as all rows are."""
    if remark := labelled.remark(before):
        yield f"{'feedback' if joins else '--label'}: {remark}"


def _remarks(fold: Analysis[Outcome], plan: Plan) -> Iterator[str]:
    """What a reader should know of labels and scores."""
    quality = _quality(fold)
    if not plan.truth.label:
        return
    for name, said in TROUBLES.items():
        is_asked = name != "unsaid" or plan.prediction or plan.score  # else `remarks` says it
        if is_asked and (count := quality.troubles[name]):
            yield f"--label: {count:,} of {fold.records:,} rows {said}"
    true, predicted = quality.classes
    numbers = {one.measure: one.number for one in quality.findings() if one.dimension == "all"}
    if "accuracy" in numbers and true and not true & predicted:
        yield (
            f"--label: labels and predictions have no class in common; labels are such as "
            f"{min(true)!r}, predictions such as {min(predicted)!r}"
        )
    positive = plan.outcomes.positive
    if plan.score and numbers.get("auc") is None and positive not in true and _are_several(quality):
        yield f"--positive: no label is {positive!r}, so scores are not compared with any"
    elif "auc" in numbers and numbers["auc"] is None:
        if len(true) < 2:
            yield "--label: all labels are of one class, so there is no AUC"
        else:
            yield "--score: all rows with a score are of one class, so there is no AUC"


def _compared(folds: _Folds, experiments: Iterable[Experiment], plan: Plan) -> Iterator[str]:
    """What a reader should know of arms; raises UsageError where the options name one that is not
    there."""
    monitors = {name: monitor for monitor in folds.experiments for name in monitor.names}
    for one in experiments:
        arms = monitors[one.name].arms(one.name)
        if one.dimension in plan.arms and one.control not in arms:
            there = ", ".join(arms[:NAMED]) or "none"
            raise UsageError(
                f"--experiment {one.dimension}={one.control}: no row with something to compare has "
                f"this value; there are {there}"
            )
        if arms == [one.control]:
            yield f"experiment {one.name}: all rows are of the control, so nothing is compared"


def _rows(rows: Iterable[Row | Block]) -> Iterator[Row]:
    """The same: they come one by one."""
    for one in rows:
        yield from one.rows() if isinstance(one, Block) else (one,)
