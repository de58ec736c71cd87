"""Outcome rows → how good predictions were, for all and by segment, and whether that has changed.

Sums are since counting began. Whether quality changed is asked as of any feature, of right answers
and of losses (`analysis.drift`), so the evidence may be looked at every moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import NamedTuple, Self

import msgspec

from monitor.analysis import outcome_status
from monitor.analysis.alike import Alike, Seen
from monitor.analysis.alike import watched as watched_alike
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.quality import estimate, measures, readers
from monitor.analysis.quality.answers import Answer, read
from monitor.analysis.quality.counts import (
    OTHER,
    AlikeSums,
    Counts,
    added_by,
    units,
    with_interval,
)
from monitor.analysis.quality.estimate import Expected, Scored
from monitor.analysis.quality.expected_losses import ExpectedLosses, Predicted, predicted
from monitor.analysis.quality.measures import Measured
from monitor.analysis.quality.score_cells import cell
from monitor.analysis.quality.watched import (
    LOG_LOSS,
    Pair,
    log_losses,
    seen_alike,
    seen_of,
)
from monitor.analysis.rows import SegmentName, segments_of
from monitor.findings import ClassQuality, Finding, OutcomeStatus, Quality
from monitor.rows import Row
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import WHOLE, Measurement, WatchKey

CLASSES = 64
"""So many classes have a name of their own; the others are `other`."""

CLASS_SERIES = 3000
"""Series by class that are exported, those of the segments with most labels."""

ALL = "quality"
"""The entry of what is kept of all segments together; that of each is its name, a JSON array."""

CHANGE, WORTH, READERS = "change/", "worth/", "readers/"
EXPECTED, LOSSES = "expected/", "losses/"
"""What begins the entries of the watches for change, of those of what scores are worth, of how
people agree, and of what is to be expected of a segment, by its scores and by the size of its
predictions."""

WORTH_SHARE = 0.2
"""Part of this monitor's error budget for what scores are worth."""

READERS_SHARE = 0.05
"""The same for how people agree."""

LEAST_WORTH = 200
"""Labels of a block of scores that say what these are worth, at least."""

BETTER = {
    "accuracy": 1, "token_overlap": 1, "mae": -1, "log_loss": -1,
    **dict.fromkeys(readers.MEASURES, 1),
}  # fmt: skip
"""Whether a measure that is watched is better when it is larger, 1, or smaller, -1."""

NOTICED = 0.01
"""A mean that has moved by less has not become better, whatever else has changed."""


class _All(msgspec.Struct, frozen=True):
    names: list[str]
    troubles: dict[str, int]
    overflow: int


class _Kind(NamedTuple):
    """What is known of rows that are alike but for their scores, of which `row` is the first."""

    row: Row
    answer: Answer | None
    troubles: Sequence[str]
    score: Scored | None
    number: Predicted | None
    segments: Sequence[SegmentName]


class QualityMonitor:
    """The Monitor of quality.

    `positive` is the class that a score is the probability of, `dimensions` are the segments beside
    the whole (None: all that a row has), of which `segments` are counted at most. Change is judged
    by `rules`, with this monitor's part of the error budget, against the first `learn` labels of a
    segment, or those of the profile in `baseline`. The first `learn` labels of all also say what
    scores are worth (`estimate`). Prediction intervals are to hold the share `target` of labels.
    """

    name = "quality"

    def __init__(
        self,
        rules: Rules,
        baseline: Baseline,
        *,
        positive: str,
        segments: int,
        target: float = 0.9,
        dimensions: Sequence[str] | None = None,
    ) -> None:
        self.troubles: Counter[str] = Counter()
        self.overflow = 0
        self._positive = positive
        self._most = segments
        self._target = target
        self._dimensions = None if dimensions is None else tuple(dimensions)
        change = replace(rules, alpha=rules.alpha * (1 - WORTH_SHARE - READERS_SHARE))
        self._change = DriftMonitor(change, baseline, dimensions=dimensions)
        worth = replace(rules, alpha=rules.alpha * WORTH_SHARE)
        self._learn = baseline.learn or 0
        learn = max(LEAST_WORTH, self._learn // 4) if self._learn else None
        self._worth = DriftMonitor(worth, Baseline(learn=learn), dimensions=())
        of_readers = replace(rules, alpha=rules.alpha * READERS_SHARE)
        self._readers = readers.Readers(of_readers, baseline.learn)
        self._expected: dict[SegmentName, Expected] = {}
        self._expected_changed: set[SegmentName] = set()
        self._losses: dict[SegmentName, ExpectedLosses] = {}
        self._losses_changed: set[SegmentName] = set()
        self._gone: set[str] = set()
        self._names: dict[str, str] = {}
        self._counts: dict[SegmentName, Counts] = {}
        self._changed: set[SegmentName] = set()
        self._told: dict[SegmentName, list[Measured]] = {}

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's truth, if it has one."""
        truth = row.truth
        if truth is None:
            return
        if truth.verdicts is not None:
            self._readers.add(row, truth.verdicts, pane, at)
        answer, troubles = read(truth, self._positive)
        if troubles:
            self.troubles.update(troubles)
        score = estimate.scored(truth, self._positive) if self._learn else None
        number = predicted(truth) if self._learn else None
        if answer is None and score is None and number is None:
            return
        segments = self._segments(row)
        if score is not None:
            self._expect(score, segments, weighs_one=truth.weight == 1)
            seen = estimate.watched(row, score) if truth.weight == 1 else None
            if seen is not None:
                self._worth.add(seen, pane, at)
        if number is not None:
            self._expect_losses(row, number, segments, pane, at)
        if answer is None:
            return
        added = added_by(answer, self._named)
        if truth.interval is not None:
            added = with_interval(added, answer, truth.interval, self._target)
        weight = units(truth.weight * row.weight)
        for segment in segments:
            counts = self._of(segment)
            if counts is not None:
                counts.add(added, weight)
        self._change.add(seen_of(row, answer, added), pane, at)

    def add_alike(self, run: Alike, pane: int) -> None:
        """Count the truths of rows by their kinds."""
        kinds = [self._kind(row) for row in run.kinds]
        sizes, scores = run.sizes(), run.scores_by_kind()
        for kind, size in zip(kinds, sizes, strict=True):
            for trouble in kind.troubles:
                self.troubles[trouble] += size
        if self._learn:
            self._expect_alike(run, kinds, scores, pane)
        seen = list(map(self._count_alike, in_turns(kinds), sizes, scores))
        block = watched_alike(run, seen)
        if block is not None:
            self._change.add_block(block, pane)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`; a change of quality begins and ends here."""
        self._change.close(last, end)
        self._worth.close(last, end)
        self._readers.close(last, end)

    @property
    def unwatched(self) -> int:
        """Values of measures that had no place among those that are watched for change."""
        return sum(
            one.watches.overflow + one.watches.unplaced for one in (self._change, self._worth)
        )

    def merge(self, other: Self) -> None:
        """Add what `other` counted before a pane was closed."""
        self.troubles.update(other.troubles)
        self.overflow += other.overflow
        for name in other._names:
            self._named(name)
        for segment, theirs in other._counts.items():
            counts = self._of(segment)
            if counts is not None:
                counts.merge(theirs, self._named)
        for segment, expected in other._expected.items():
            self._expected.setdefault(segment, Expected()).merge(expected)
            self._expected_changed.add(segment)
        for segment, losses in other._losses.items():
            self._losses.setdefault(segment, ExpectedLosses()).merge(losses)
            self._losses_changed.add(segment)
        self._change.merge(other._change)
        self._worth.merge(other._worth)
        self._readers.merge(other._readers)

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        state = dict.fromkeys(self._gone, b"")
        state |= {CHANGE + name: entry for name, entry in self._change.state().items()}
        state |= {WORTH + name: entry for name, entry in self._worth.state().items()}
        state |= {READERS + name: entry for name, entry in self._readers.state().items()}
        kept = _All(list(self._names), dict(self.troubles), self.overflow)
        state[ALL] = msgspec.msgpack.encode(kept)
        for segment in in_turns(list(self._changed)):
            state[msgspec.json.encode(segment).decode()] = self._counts[segment].saved()
        for segment in in_turns(sorted(self._expected_changed & self._expected.keys())):
            name = EXPECTED + msgspec.json.encode(segment).decode()
            state[name] = self._expected[segment].saved()
        for segment in in_turns(sorted(self._losses_changed & self._losses.keys())):
            state[LOSSES + msgspec.json.encode(segment).decode()] = self._losses[segment].saved()
        self._changed, self._expected_changed, self._gone = set(), set(), set()
        self._losses_changed = set()
        return state

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged."""
        parts = ((CHANGE, self._change), (WORTH, self._worth), (READERS, self._readers))
        for head, watches in parts:
            theirs = {name.removeprefix(head): entry for name, entry in state.items()
                      if name.startswith(head)}  # fmt: skip
            watches.restore(theirs, newest=newest, place=place, keeps=keeps)
        if ALL not in state:
            return
        kept = msgspec.msgpack.decode(state[ALL], type=_All)
        self.troubles, self.overflow = Counter(kept.troubles), kept.overflow
        self._names = {name: name for name in kept.names}
        for name, entry in in_turns(state.items()):
            if name == ALL or name.startswith((CHANGE, WORTH, READERS)) or not entry:
                continue
            bare = name.removeprefix(EXPECTED).removeprefix(LOSSES)
            segment = msgspec.json.decode(bare, type=SegmentName)
            if not keeps((self.name, *segment)):
                self._gone.add(name)
            elif name.startswith(EXPECTED):
                self._expected[segment] = Expected.restored(entry)
            elif name.startswith(LOSSES):
                self._losses[segment] = ExpectedLosses.restored(entry)
            else:
                self._counts[segment] = Counts.restored(entry)

    def findings(self) -> list[Quality]:
        """Every measure of every segment, the whole first, and how people who read the same
        exchanges agree; what is watched has a status."""
        judged = {one.key: one for one in self._change.findings()}
        expected, found, strange = self.expected(), list[Quality](), self._strange()
        for segment in self._ranked():
            scores = self._expected.get(segment)
            ends = scores.intervals() if scores is not None and segment in expected else {}
            found += [
                _with_interval(
                    _quality(
                        segment, one, judged.get((one.measure, *segment)), expected.get(segment, {})
                    ),
                    ends,
                )
                for one in self._measured(segment)
            ]
        if strange:
            found = [_unlike(one, strange) for one in found]
        whole, agreed = (WHOLE.dimension, WHOLE.value), self._readers.judged()
        found += [
            _quality(whole, one, agreed.get(one.measure), {}) for one in self._readers.measured()
        ]
        return found

    @property
    def is_estimate_valid(self) -> bool:
        """Whether scores are worth what they were, and predicted numbers of a size are off by as
        much as they were, as far as labels say."""
        return all(one.status != "drift" for one in self._worth.findings())

    def expected(self) -> dict[SegmentName, dict[str, float]]:
        """What is to be expected of the rows of each segment by their scores, or by the size of
        their predictions, by measure; nothing while the estimate is not valid."""
        if not self.is_estimate_valid:
            return {}
        found: dict[SegmentName, dict[str, float]] = {}
        for segment, losses in in_turns(sorted(self._losses.items(), key=itemgetter(0))):
            found[segment] = losses.measures()
        for segment, scores in in_turns(sorted(self._expected.items(), key=itemgetter(0))):
            found[segment] = found.get(segment, {}) | scores.measures()
        return found

    @property
    def pairs(self) -> dict[Pair, int]:
        """How many labels of the whole were of each class, by what was said."""
        counts = self._counts.get((WHOLE.dimension, WHOLE.value), Counts())
        return {pair: sums[0] for pair, sums in measures.named(counts, self._positive).items()}

    @property
    def classes(self) -> tuple[set[str], set[str]]:
        """The classes of the whole that were true, and those that were said."""
        return {true for true, _ in self.pairs}, {said for _, said in self.pairs}

    def _strange(self) -> str:
        """Why accuracy says nothing, where no label is of a class that was predicted."""
        true, said = self.classes
        if not (true and said) or true & said:
            return ""
        return (
            f"labels and predictions have no class in common: labels are such as {min(true)!r}, "
            f"predictions such as {min(said)!r}"
        )

    def by_class(self) -> Iterator[ClassQuality]:
        """Precision, recall and F1 of every class of every segment, most labels first."""
        for segment in self._ranked():
            for name, one in measures.by_class(self._counts[segment], self._positive):
                yield ClassQuality(
                    *segment, name, one.measure, one.number, one.lower, one.upper, one.labels
                )

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """The metrics of quality of the catalogue, and the status of what is watched."""
        here = {"endpoint": endpoint}
        if self.overflow:
            labels = {**here, "metric": "monitor_quality"}
            yield Measurement("monitor_series_overflow_total", labels, self.overflow)
        for reason, count in self.troubles.items():
            labels = {**here, "reason": reason}
            yield Measurement("monitor_outcomes_incomplete_total", labels, count)
        for segment in in_turns(self._ranked()):
            labels = {**here, "dimension": segment[0], "value": segment[1]}
            yield Measurement("monitor_quality_labels", labels, self._counts[segment].labels)
        for one in in_turns(self.findings()):
            labels = {**here, "dimension": one.dimension, "value": one.value}
            if one.number is not None:
                labels = {**labels, "measure": one.measure}
                yield Measurement("monitor_quality", labels, one.number)
            if one.status is not None:
                yield from outcome_status.measurements(
                    endpoint, self.name, one.measure, (one.dimension, one.value),
                    (one.status, one.log_evidence or 0.0),
                )  # fmt: skip
        yield from self._estimates(endpoint)
        for number, of in enumerate(in_turns(self.by_class())):
            if number >= CLASS_SERIES:
                break
            if of.number is not None:
                labels = {**here, "dimension": of.dimension, "value": of.value}
                labels |= {"class": of.name, "measure": of.measure}
                yield Measurement("monitor_class_quality", labels, of.number)

    def _estimates(self, endpoint: str) -> Iterator[Measurement]:
        """What is to be expected, where there are scores or numbers."""
        here = {"endpoint": endpoint}
        if self._expected or self._losses:
            is_valid = float(self.is_estimate_valid)
            yield Measurement("monitor_quality_estimate_valid", here, is_valid)
        for segment, expected in self.expected().items():
            labels = {**here, "dimension": segment[0], "value": segment[1]}
            for measure, share in expected.items():
                yield Measurement("monitor_quality_estimate", {**labels, "measure": measure}, share)

    def _ranked(self) -> list[SegmentName]:
        """The segments, the whole first, then those with most labels."""
        return sorted(
            self._counts,
            key=lambda one: (one[0] != WHOLE.dimension, -self._counts[one].labels, one),
        )

    def _measured(self, segment: SegmentName) -> list[Measured]:
        """The measures of a segment, made once as long as nothing comes."""
        found = self._told.get(segment)
        if found is None:
            found = self._told[segment] = measures.of(self._counts[segment], self._positive)
        return found

    def _segments(self, row: Row) -> list[SegmentName]:
        return [
            (visible(dimension), visible(value))
            for dimension, value in segments_of(row, self._dimensions)
        ]

    def _kind(self, row: Row) -> _Kind:
        """What is known of all rows that are alike but for their scores."""
        truth = row.truth
        if truth is None:
            return _Kind(row, None, [], None, None, [])
        answer, troubles = read(truth, self._positive)
        score = estimate.scored(truth, self._positive) if self._learn else None
        number = predicted(truth) if self._learn else None
        return _Kind(row, answer, troubles, score, number, self._segments(row))

    def _count_alike(self, kind: _Kind, size: int, scores: Sequence[float]) -> Seen | None:
        """Count so many answers that are alike but for their scores; what is watched of them."""
        answer, truth = kind.answer, kind.row.truth
        if answer is None or truth is None:
            return None
        added, losses = added_by(answer, self._named), log_losses(answer, scores)
        sums = AlikeSums(size, {}, {})
        if losses:
            ((name, is_true, _),) = added.cells
            cells = Counter(map(cell, scores))
            sums = AlikeSums(
                size,
                {(name, is_true, where): count for where, count in cells.items()},
                {LOG_LOSS: (sum(losses), sum(loss * loss for loss in losses))},
            )
        weight = units(truth.weight * kind.row.weight)
        for segment in kind.segments:
            counts = self._of(segment, size)
            if counts is not None:
                counts.add_many(added, weight, sums)
        return seen_alike(answer, added, losses)

    def _expect_alike(
        self, run: Alike, kinds: Sequence[_Kind], scores: Sequence[Sequence[float]], pane: int
    ) -> None:
        """Count scores and predicted numbers, with a label or without: those of a kind at once, but
        one by one while any of its segments learns what they are worth."""
        is_late, came_true = [False] * len(kinds), list[bool | None]()
        for place, kind in enumerate(kinds):
            truth, score = kind.row.truth, kind.score
            weighs_one = truth is not None and truth.weight == 1
            came_true.append(score.came_true if score is not None and weighs_one else None)
            if score is None:
                is_late[place] = kind.number is not None
                continue
            expected = [self._expected_of(name) for name in kind.segments]
            is_late[place] = any(one is not None and one.labels < self._learn for one in expected)
            if not is_late[place]:
                cells = Counter(map(cell, scores[place]))
                for one in filter(None, expected):
                    one.add_many(cells, score)
        if any(is_late):
            self._expect_in_order(run, kinds, is_late, pane)
        seen = estimate.watched_alike(run, came_true)
        if seen is not None:
            self._worth.add_block(seen, pane)

    def _expect_in_order(
        self, run: Alike, kinds: Sequence[_Kind], which: Sequence[bool], pane: int
    ) -> None:
        """Count the scores and predicted numbers of some kinds one by one."""
        every = zip(run.rows, run.which, run.scores, strict=True)
        for (row, at), place, score in in_turns(every):
            kind = kinds[place]
            if not which[place]:
                continue
            if kind.number is not None:
                self._expect_losses(row, kind.number, kind.segments, pane, at)
            elif kind.score is not None and row.truth is not None and score is not None:
                self._expect(
                    kind.score._replace(score=score), kind.segments,
                    weighs_one=row.truth.weight == 1,
                )  # fmt: skip

    def _expect(self, score: Scored, segments: Sequence[SegmentName], *, weighs_one: bool) -> None:
        """Count a score, with a label or without."""
        place = cell(score.score)
        for segment in segments:
            expected = self._expected_of(segment)
            if expected is not None:
                expected.add(score, place, self._learn, weighs_one=weighs_one)

    def _expected_of(self, segment: SegmentName) -> Expected | None:
        """What is expected of a segment, about to change; None where there are too many."""
        self._expected_changed.add(segment)
        expected = self._expected.get(segment)
        if expected is None and len(self._expected) < self._most:
            expected = self._expected[segment] = Expected()
        return expected

    def _expect_losses(
        self, row: Row, number: Predicted, segments: Sequence[SegmentName], pane: int, at: float
    ) -> None:
        """Count a predicted number, with a label or without, and watch how far off it was."""
        weighs_one = row.truth is not None and row.truth.weight == 1
        whole = self._losses.get((WHOLE.dimension, WHOLE.value))
        seen = whole.watched(row, number, self._learn) if whole and weighs_one else None
        if seen is not None:
            self._worth.add(seen, pane, at)
        for segment in segments:
            losses = self._losses.get(segment)
            if losses is None:
                if len(self._losses) >= self._most:
                    continue
                losses = self._losses[segment] = ExpectedLosses()
            losses.add(number, self._learn, weighs_one=weighs_one)
        self._losses_changed.update(segments)

    def _of(self, segment: SegmentName, size: int = 1) -> Counts | None:
        """What is counted of a segment, about to change by so many labels; None where there are too
        many segments."""
        counts = self._counts.get(segment)
        if counts is None:
            if len(self._counts) >= self._most:
                self.overflow += size
                return None
            counts = self._counts[segment] = Counts()
        self._changed.add(segment)
        self._told.pop(segment, None)
        return counts

    def _named(self, name: str) -> str:
        """The class under which a name is counted."""
        found = self._names.get(name)
        if found is None:
            if len(self._names) >= CLASSES:
                return OTHER
            found = self._names[name] = visible(name)
        return found


def _quality(
    segment: SegmentName, one: Measured, watched: Finding | None, expected: Mapping[str, float]
) -> Quality:
    found = Quality(
        *segment, one.measure, one.number, one.lower, one.upper, one.labels,
        estimated=expected.get(one.measure),
    )  # fmt: skip
    if watched is None:
        return found
    status: OutcomeStatus = "alarm" if watched.status == "drift" else watched.status
    words, improved = watched.words, False
    if status == "alarm":
        change = watched.mean_shift * BETTER.get(one.measure, 0)
        if change > NOTICED:
            status, improved = "ok", True
            words = words.replace(" drifted", " improved", 1)
        elif change < -NOTICED:
            words = words.replace(" drifted", " drifted for the worse", 1)
    return msgspec.structs.replace(
        found, status=status, log_evidence=watched.log_evidence, since=watched.since,
        words=words, reason=watched.reason, improved=improved,
    )  # fmt: skip


def _unlike(found: Quality, why: str) -> Quality:
    """The same of labels that are no classes that were predicted: that as few are right as at first
    is no good news."""
    if found.measure != "accuracy" or found.status != "ok":
        return found
    return msgspec.structs.replace(found, status="insufficient", words=why, reason=why)


def _with_interval(found: Quality, ends: Mapping[str, tuple[float, float]]) -> Quality:
    """The same with the interval of what is to be expected by the scores."""
    if found.estimated is None or found.measure not in ends:
        return found
    lower, upper = ends[found.measure]
    return msgspec.structs.replace(found, estimated_lower=lower, estimated_upper=upper)
