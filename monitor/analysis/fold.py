"""Records → Findings: the one fold that live traffic, `replay` and the tests all go through.

A Record becomes Observations; each is counted in one cell of one watch for every segment it belongs
to; counts are gathered in panes of event time, and closed panes added to the watch's trail. All
that a Finding says is derived from these integers when it is asked for, so a restart from saved
counts, or shards counted apart and merged, give the same numbers bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from monitor.analysis.drift.attribution import drivers, mix
from monitor.analysis.drift.eviction import idle
from monitor.analysis.drift.findings import bins_of, direction, moved, origin, words
from monitor.analysis.drift.judgement import (
    Rules,
    drift_since,
    effect,
    read,
    renew,
    settle,
    status_of,
    thresholds,
)
from monitor.analysis.drift.profiles import Profile
from monitor.analysis.drift.reference import Key, Learner, Room
from monitor.analysis.drift.watch import Watch
from monitor.analysis.rows import row_of, segments_of, values
from monitor.interfaces import Feature
from monitor.texts import visible
from monitor.types import WHOLE, Finding, Record, Row, Segment

NEVER = -(2**60)

FAR = 1e11
"""Times further from 1970 than so many seconds, three thousand years, are none."""

YIELD = 4
"""At most one place in so many is given up at a time."""


class _Fold(msgspec.Struct, frozen=True):
    learn: str
    closed: int
    newest: float
    records: int
    overflow: int
    pane: float | None = None
    crowded: bool = False


class Analysis:
    """The fold. References come from `profile`, or are learned from the first `learn` values of
    each feature and segment; with neither there is nothing to compare with.

    `dimensions` are the segments to watch beside the whole; None watches all a Record has. The
    other values of the dimension of `versus` are compared with its value, pane by pane; with
    `hourly` all else is compared with the same hour of earlier weeks. `against` names the reference
    in the findings, where it is not simply what was before.
    `records` and `overflow` count Records folded, and values not watched because there were too
    many features and segments already.

    Only what the endpoint accepted (`Row.accepted`) opens a watch: who is refused cannot use up
    `rules.watches`. When they are used up all the same, idle watches give up their places as panes
    are closed, one in `YIELD` at most (`analysis.eviction`); those of `profile` never.
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
        self._given_up: set[str] = set()
        self._crowded = False
        self._room = Room()
        self._closed = NEVER
        self._newest = -math.inf
        for key, reference in (profile.references if profile else {}).items():
            if key[1] == WHOLE.dimension or dimensions is None or key[1] in dimensions:
                watch = self._watch(*map(visible, key))
                if watch is not None and watch.peer is None:
                    watch.stand_on(reference, began)
        self._declared = frozenset(self._watches)

    @property
    def newest(self) -> float:
        """Unix time of the newest event, -inf before the first."""
        return self._newest

    def add(self, record: Record) -> None:
        """Fold one Record.

        Should this raise, which is a defect of ours or of a feature, what has been counted of the
        record stays, and the watch that failed begins anew.
        """
        self.add_row(row_of(self._features, record, self._dimensions))

    def add_row(self, row: Row) -> None:
        """Fold what was observed of one Record, or of one row of a table."""
        at = row.at if -FAR < row.at < FAR else max(self._newest, 0.0)
        pane = self._pane(at)
        observations = values(row)
        for dimension, value in segments_of(row, self._dimensions):
            watches = self._segments.get((dimension, value), {})
            for name, seen, loose in observations:
                watch = watches.get(name) or self._opened(
                    (visible(name), visible(dimension), visible(value)), row, loose=loose
                )
                if watch is not None:
                    try:
                        watch.count(seen, pane, at)
                    except Exception:
                        self._give_up(watch)  # it would fail on the next value, too
                        raise
                    self._dirty.add(watch.key)
        self.records += 1

    def merge(self, other: Analysis) -> None:
        """Add what `other` counted on the same profile before it closed any pane."""
        self.records += other.records
        self.overflow += other.overflow
        self._newest = max(self._newest, other._newest)
        self._crowded |= other._crowded
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
        """What has changed since the last call: an entry for each watch, and `fold`.

        An empty entry is one to be removed.
        """
        fold = _Fold(
            self._kind(), self._closed, self._newest, self.records, self.overflow,
            self.rules.pane, self._crowded or self._room.was_full,
        )  # fmt: skip
        state = dict.fromkeys(self._given_up, b"")
        state["fold"] = msgspec.msgpack.encode(fold)
        for key in self._dirty:
            try:
                state[_entry(key)] = self._watches[key].state()
            except Exception:
                self._give_up(self._watches[key])
                raise
        self._dirty, self._given_up = set(), set()
        return state

    def restore(
        self, state: Mapping[str, bytes], *, latest: float = math.inf,
        keeps: Callable[[Key], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        """Go on from everything `saved` gave; raises msgspec.DecodeError where it is damaged.

        What another reference or learning setting has counted is left out, and what `keeps` does
        not hold for. Panes of another length are counted in those of now. No time can be after
        `latest`.
        """
        if "fold" not in state:
            return
        fold = msgspec.msgpack.decode(state["fold"], type=_Fold)
        self._newest = min(fold.newest, latest)
        self._crowded = fold.crowded
        self.records, self.overflow = fold.records, fold.overflow
        for name, entry in state.items():
            if name.startswith("[") and entry:
                old = msgspec.json.decode(name, type=Key)
                key = (visible(old[0]), visible(old[1]), visible(old[2]))
                same = fold.learn == self._kind() and keeps(key)
                watch = self._watch(*key) if same else None
                if watch is not None:
                    watch.restore(entry, self._newest)
                if key != old or watch is None:
                    self._given_up.add(name)
                    self._dirty |= {key} if watch is not None else set()
        self._resume(fold)

    def _resume(self, fold: _Fold) -> None:
        """Go on after the panes of `fold`, which may have been of another length, or far ahead."""
        self._closed = fold.closed
        length = self.rules.pane
        if length is None or not math.isfinite(self._newest):
            return
        ratio = (fold.pane or length) / length
        if ratio != 1 and fold.closed > NEVER:
            self._closed = math.floor((fold.closed + 1) * ratio) - 1
        newest = math.floor(self._newest / length)
        self._closed = min(self._closed, newest)
        for watch in self._watches.values():
            watch.regroup(
                {
                    pane: min(max(math.floor(pane * ratio), self._closed + 1), newest + 1)
                    for pane in watch.open
                }
            )

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
        if time > self._newest:
            self._newest = time
            due = math.floor((time - self.rules.lateness) / length) - 1
            if due > self._closed:
                self._close(due)
        return max(math.floor(time / length), self._closed + 1)

    def _close(self, last: int, end: float | None = None) -> None:
        self._closed = max(self._closed, last)  # now: what fails below does so once a pane
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
        if (self._crowded or self._room.was_full) and self.rules.pane is not None:
            self._make_room((last + 1) * self.rules.pane, self.rules.pane)

    def _make_room(self, now: float, pane: float) -> None:
        """Let watches that have been idle give up their places."""
        self._crowded = self._room.was_full = False
        most = max(1, self.rules.watches // YIELD)
        for watch in idle(self._watches, self._declared, now, pane)[:most]:
            self._give_up(watch)

    def _give_up(self, watch: Watch) -> None:
        if watch.key in self._declared:
            return
        if watch.learner is not None:
            watch.learner.release()
        feature, dimension, value = watch.key
        segment = self._segments[dimension, value]
        del self._watches[watch.key], segment[feature]
        if not segment:
            del self._segments[dimension, value]
        self._dirty.discard(watch.key)
        self._given_up.add(_entry(watch.key))

    def _opened(self, key: Key, row: Row, *, loose: bool) -> Watch | None:
        """The watch of a key as it may be shown, made if `row` may open one."""
        watch = self._watches.get(key)
        if watch is None and row.accepted:
            watch = self._watch(*key, loose=loose)
            if watch is None:
                self.overflow += 1
                self._crowded = True
            else:
                self._given_up.discard(_entry(key))
        return watch

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
                Learner(self._learn, loose=loose, room=self._room)
                if self._learn and peer is None
                else None,
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
        observations = values(row)
        for dimension, value in segments_of(row, dimensions):
            for name, seen, loose in observations:
                key = (name, dimension, value)
                learner = learners.get(key)
                if learner is None:
                    key = (visible(name), visible(dimension), visible(value))
                    learner = learners.get(key)
                if learner is None:
                    if not row.accepted or len(learners) >= limit:
                        continue
                    if given is not None and key not in given:
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


def _entry(key: Key) -> str:
    """The name of a watch's entry in what is saved."""
    return msgspec.json.encode(key).decode()


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
