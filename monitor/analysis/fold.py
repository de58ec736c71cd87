"""Records → Findings: the one fold that live traffic, `replay` and the tests all go through.

A Record becomes Observations; each is counted in one cell of one watch for every segment it belongs
to; counts are gathered in panes of event time, and closed panes added to the watch's trail. All
that a Finding says is derived from these integers when it is asked for, so a restart from saved
counts, or shards counted apart and merged, give the same numbers bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from monitor.analysis.attribution import drivers, mix
from monitor.analysis.findings import bins_of, direction, moved, origin, words
from monitor.analysis.judgement import (
    Rules,
    drift_since,
    effect,
    read,
    renew,
    settle,
    status_of,
    thresholds,
)
from monitor.analysis.profiles import Profile
from monitor.analysis.reference import Key, Learner
from monitor.analysis.watch import Watch
from monitor.interfaces import Feature
from monitor.types import ABSENT, WHOLE, Finding, Record, Row, Segment

NEVER = -(2**60)


class _Fold(msgspec.Struct, frozen=True):
    learn: str
    closed: int
    newest: float
    records: int
    overflow: int


class Analysis:
    """The fold. References come from `profile`, or are learned from the first `learn` values of
    each feature and segment; with neither there is nothing to compare with.

    `dimensions` are the segments to watch beside the whole; None watches all a Record has. The
    other values of the dimension of `versus` are compared with its value, pane by pane; with
    `hourly` all else is compared with the same hour of earlier weeks. `against` names the reference
    in the findings, where it is not simply what was before.
    `records` and `overflow` count Records folded, and values not watched because there were too
    many features and segments already.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        rules: Rules,
        *,
        profile: Profile | None = None,
        learn: int | None = None,
        dimensions: Sequence[str] | None = None,
        versus: Segment | None = None,
        hourly: bool = False,
        against: str = "",
        began: float = 0.0,
    ) -> None:
        self.rules = rules
        self.records = 0
        self.overflow = 0
        self._features = tuple(features)
        self._learn = learn if profile is None else None
        self._dimensions = None if dimensions is None else tuple(dimensions)
        self._versus = versus
        self._hourly = hourly
        self._against = against
        self._segments: dict[tuple[str, str], dict[str, Watch]] = {}
        self._watches: dict[Key, Watch] = {}
        self._dirty: set[Key] = set()
        self._closed = NEVER
        self._newest = -math.inf
        for key, reference in (profile.references if profile else {}).items():
            if key[1] == WHOLE.dimension or dimensions is None or key[1] in dimensions:
                watch = self._watch(*key)
                if watch is not None and watch.peer is None:
                    watch.stand_on(reference, began)

    @property
    def newest(self) -> float:
        """Unix time of the newest event, -inf before the first."""
        return self._newest

    def add(self, record: Record) -> None:
        """Fold one Record."""
        self.add_row(row_of(self._features, record, self._dimensions))

    def add_row(self, row: Row) -> None:
        """Fold what was observed of one Record, or of one row of a table."""
        self.records += 1
        pane = self._pane(row.at)
        observations = _values(row)
        for dimension, value in segments_of(row, self._dimensions):
            watches = self._segments.get((dimension, value), {})
            for name, seen, loose in observations:
                watch = watches.get(name) or self._watch(name, dimension, value, loose=loose)
                if watch is None:
                    self.overflow += 1
                else:
                    watch.count(seen, pane, row.at)
                    self._dirty.add(watch.key)

    def merge(self, other: Analysis) -> None:
        """Add what `other` counted on the same profile before it closed any pane."""
        self.records += other.records
        self.overflow += other.overflow
        self._newest = max(self._newest, other._newest)
        for key, theirs in other._watches.items():
            watch = self._watch(*key)
            if watch is not None:
                watch.merge(theirs)
                self._dirty.add(key)

    def close(self, end: float | None = None) -> None:
        """Close every open pane; the last one ended at `end` where panes are cut by hand."""
        panes = [pane for watch in self._watches.values() for pane in watch.open]
        if self.rules.pane is None:
            self._close(self._closed + 1 if self._closed > NEVER else 0, end)
        elif panes:
            self._close(max(panes), end)

    def findings(self) -> list[Finding]:
        """What is known now, open panes included; one for each feature and segment, in order."""
        watches = self._watches.values()
        read(watches, self.rules)
        logs = {w.key: w.reading.log_evidence if w.reading else 0.0 for w in watches}
        limits = thresholds(logs, self.rules)
        found = [
            _finding(watch, limits[key], self.rules, _against(watch) or self._against)
            for key, watch in sorted(self._watches.items())
        ]
        return [self._attributed(one) if _is_whole_drift(one) else one for one in found]

    def saved(self) -> dict[str, bytes]:
        """What has changed since the last call: an entry for each watch, and `fold`."""
        fold = _Fold(self._kind(), self._closed, self._newest, self.records, self.overflow)
        state = {"fold": msgspec.msgpack.encode(fold)}
        for key in self._dirty:
            state[msgspec.json.encode(key).decode()] = self._watches[key].state()
        self._dirty = set()
        return state

    def restore(self, state: Mapping[str, bytes]) -> None:
        """Go on from everything `saved` gave; raises msgspec.DecodeError where it is damaged.

        What another reference or learning setting has counted is left out.
        """
        if "fold" not in state:
            return
        fold = msgspec.msgpack.decode(state["fold"], type=_Fold)
        self._closed, self._newest = fold.closed, fold.newest
        self.records, self.overflow = fold.records, fold.overflow
        if fold.learn != self._kind():
            return
        for name, entry in state.items():
            if name != "fold":
                watch = self._watch(*msgspec.json.decode(name, type=Key))
                if watch is not None:
                    watch.restore(entry)

    def _kind(self) -> str:
        """What kinds of reference there are; counts on others are of no use."""
        versus = f"{self._versus.dimension}={self._versus.value}" if self._versus else ""
        return f"{self._learn or 0} {versus} {'hourly' if self._hourly else ''}".strip()

    def _attributed(self, found: Finding) -> Finding:
        """The same, with the segments it came from."""
        segments = [
            watch
            for key, watch in self._watches.items()
            if key[0] == found.feature and key[1] != WHOLE.dimension
        ]
        whole = self._watches[found.feature, WHOLE.dimension, WHOLE.value]
        since = found.since or 0.0
        named = drivers(segments, whole, since, self.rules)
        mixed = mix(segments, since, self._newest)
        return msgspec.structs.replace(
            found, drivers=named, mix=mixed, words=found.words + origin(named, mixed)
        )

    def _pane(self, time: float) -> int:
        """The pane an event of this time goes to; closes those that ended long enough before."""
        length = self.rules.pane
        if length is None:
            self._newest = max(self._newest, time)
            return self._closed + 1 if self._closed > NEVER else 0
        if not math.isfinite(time):
            time = max(self._newest, 0.0)
        if time > self._newest:
            self._newest = time
            due = math.floor((time - self.rules.lateness) / length) - 1
            if due > self._closed:
                self._close(due)
        return max(math.floor(time / length), self._closed + 1)

    def _close(self, last: int, end: float | None = None) -> None:
        due: dict[int, list[Watch]] = {}
        for watch in self._watches.values():
            for pane in watch.open:
                if pane <= last:
                    due.setdefault(pane, []).append(watch)
        for pane in sorted(due):
            ended = end if end is not None else (pane + 1) * (self.rules.pane or 0.0)
            # All are counted before one is closed: those with a peer look at its open pane.
            counted = [(watch, watch.counted(pane)) for watch in due[pane]]
            marked = [w for w, new in counted if w.close(pane, ended, self.rules.block, new)]
            self._dirty.update(watch.key for watch in due[pane])
            if marked:
                settle(marked, self._watches.values(), self.rules)
            for watch in due[pane]:
                renew(watch, ended, self.rules)
        self._closed = max(self._closed, last)

    def _watch(
        self, feature: str, dimension: str, value: str, *, loose: bool = False
    ) -> Watch | None:
        """The watch of a feature in a segment, made if new; None where there are too many."""
        key = (feature, dimension, value)
        watch = self._watches.get(key)
        if watch is None and len(self._watches) < self.rules.watches:
            peer = self._peer(key)
            watch = Watch(
                key,
                Learner(self._learn, loose=loose) if self._learn and peer is None else None,
                peer=peer,
                pane=self.rules.pane if self._hourly else None,
                together=self.rules.together,
            )
            self._watches[key] = watch
            self._segments.setdefault((dimension, value), {})[feature] = watch
        return watch

    def _peer(self, key: Key) -> Watch | None:
        """The watch that another value of the dimension of `versus` is compared with."""
        versus = self._versus
        if versus is None or key[1] != versus.dimension or key[2] == versus.value:
            return None
        return self._watch(key[0], versus.dimension, versus.value)


def profile_of(
    rows: Iterable[Row],
    dimensions: Sequence[str] | None = None,
    *,
    learn: int | None = None,
    cells: Profile | None = None,
    limit: int = 20000,
) -> Profile:
    """The reference profile of `rows`, for the whole and each segment of `dimensions`.

    Of each feature and segment the first `learn` values make it, or all; small segments are shrunk
    to the whole. With `cells` the profile
    stands on that profile's cells, so that it can be merged with others that do; what is not in
    there is left out. At most `limit` features and segments.
    """
    given = cells.references if cells else None
    learners: dict[Key, Learner] = {}
    for row in rows:
        observations = _values(row)
        for dimension, value in segments_of(row, dimensions):
            for name, seen, loose in observations:
                key = (name, dimension, value)
                learner = learners.get(key)
                if learner is None:
                    if len(learners) >= limit or (given is not None and key not in given):
                        continue
                    learner = Learner(learn, given[key].cells if given else None, loose=loose)
                    learners[key] = learner
                if not learner.complete:
                    learner.add(seen)
    references = {
        key: learner.reference() for key, learner in learners.items() if key[1] == WHOLE.dimension
    }
    for key, learner in learners.items():
        whole = references.get((key[0], WHOLE.dimension, WHOLE.value))
        if key not in references and whole is not None:
            references[key] = learner.within(whole)
    return Profile(references)


def row_of(
    features: Sequence[Feature], record: Record, dimensions: Sequence[str] | None = None
) -> Row:
    """What the features see in a Record, at the moment it ended."""
    segments = record.segments
    if dimensions is not None:
        segments = {name: segments.get(name, ABSENT) for name in dimensions}
    observations = [seen for feature in features for seen in feature.observe(record)]
    return Row(record.started + record.duration, segments, observations)


def segments_of(row: Row, dimensions: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """(dimension, value) of every segment a row belongs to, the whole first."""
    yield WHOLE.dimension, WHOLE.value
    for name in row.segments if dimensions is None else dimensions:
        value = row.segments.get(name, ABSENT)
        if value != ABSENT:  # who did not say where they belong are no population of their own
            yield name, value


def _values(row: Row) -> list[tuple[str, Any, bool]]:
    """(feature, value, loose) of what was observed.

    A category given as a number is its name. A moment is how long ago it was: every clock goes on,
    and the dates of today are not those of the reference.
    """
    values = []
    for seen in row.observations:
        value = seen.value
        if seen.kind == "categorical" and type(value) in (int, float):
            value = str(value)
        elif seen.kind == "datetime" and type(value) in (int, float):
            value = row.at - value
        values.append((seen.feature, value, seen.kind == "duration"))
    return values


def _finding(watch: Watch, threshold: float, rules: Rules, against: str) -> Finding:
    reading, reference, name = watch.reading, watch.reference, _name(watch.key)
    if reading is None or reference is None:
        why = "is being learned" if watch.learner or watch.peer else "is not in the reference"
        return Finding(
            *watch.key, watch.seen, 0, {}, 0.0, "insufficient", words=f"{name} {why}",
            against=against,
        )  # fmt: skip
    live, trail = reading.live, watch.trail
    counts = live - trail.marks[trail.recent(live, rules.samples)]
    usual, current = watch.windows(counts)
    status = status_of(usual, current.samples)
    changed = watch.episode is not None or reading.log_evidence >= threshold
    since, origin = None, None
    if watch.episode is not None:
        status, since, origin = "drift", watch.episode.since, watch.episode.origin
    elif (mark := drift_since(watch, threshold, rules)) is not None:
        status, since, origin = "drift", trail.times[mark], trail.marks[mark]
    elif changed:
        since = trail.times[reading.bets.index(max(reading.bets))]
    if origin is not None and (live - origin)[: trail.cells].sum() < current.samples:
        counts = live - origin
        usual, current = watch.windows(counts)
    scores = {
        measure.name: measure.score(usual, current)
        for measure in rules.measures
        if (current.points or not measure.ordered) and (current.waves or not measure.vectors)
    }
    bins, text = bins_of(reference.cells, usual, current), ""
    cells = moved(bins)
    if changed and since is not None:
        text = words(
            name,
            effect=max(effect(watch, counts, rules), 0.0),
            samples=current.samples,
            since=since,
            harmless=status != "drift",
            cells=cells,
            shift=direction(usual, current),
            against=against,
        )
    before = usual.samples if watch.is_compared else reference.samples
    return Finding(
        *watch.key, current.samples, before, scores, reading.log_evidence, status,
        changed, since, cells, text, against=against, bins=bins if changed else [],
    )  # fmt: skip


def _against(watch: Watch) -> str:
    """What a watch is compared with, where that is not a fixed reference."""
    if watch.peer is not None:
        return f"{watch.peer.key[1]} {watch.peer.key[2]}"
    return "the same hour of the week" if watch.pane is not None else ""


def _is_whole_drift(found: Finding) -> bool:
    return found.status == "drift" and found.dimension == WHOLE.dimension


def _name(key: Key) -> str:
    feature, dimension, value = key
    return feature if dimension == WHOLE.dimension else f"{feature} in {dimension} {value}"
