"""Outcomes whose probabilities were stated, by segment → counts, evidence against these, alarms.

What is counted are integers, in panes that add up over shards, and in a History with change points
once they are closed. The evidence of a segment is a mixture over its change points, as in drift: a
wrong probability is believed past the segment's share of the error budget, since the beginning or
since a change. An alarm is raised on closed panes and ends when what came since some change point
is likelier under the stated probabilities than under the rates of the alarm; then counting begins
anew there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np

from monitor.analysis.exact_sums import ExactSums, SavedSums
from monitor.analysis.rows import SegmentName
from monitor.findings import OutcomeStatus
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.e_values import log_sum, shares_of, start_weight, thresholds, unspent
from monitor.sequential.history import History
from monitor.sequential.known_probability import UNIT
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import WHOLE, Measurement, WatchKey

ALL = "all"
"""The entry of what is kept of all segments together; that of each is its name, a JSON array."""

BLOCK = 100
"""Outcomes between two change points, at least."""

RETURNED = math.log(20)
"""Log likelihood ratio from which on outcomes are as stated again."""

AT_ONCE = 32
"""So many segments are judged in one calculation."""


@dataclass(frozen=True)
class Rules:
    """How counts are judged.

    Counts begin with three parts of `cells` integers: outcomes, those that are 1, and sums of
    probabilities in units of `known_probability`; up to `size` in all follows what else adds up.
    `evidence` makes ln E for each row of what was counted since some moment and of what had been
    before, (rows, size) both. A probability that is off by `tolerance` is harmless, fewer than
    `minimum` outcomes are not judged, `alpha` is the error budget of all segments over `patience`
    blocks, and `segments` the most there are. `meaning` names what was counted; counts of another
    meaning are of no use. Beside the counts stand so many `sums` that no evidence reads.
    """

    cells: int
    size: int
    evidence: Callable[[Ints, Ints], Floats]
    tolerance: float
    minimum: int
    alpha: float
    patience: int
    segments: int
    meaning: str
    sums: int = 0


class Judgement(msgspec.Struct, frozen=True):
    """What is believed of a segment: ln E, and since when, in Unix seconds, there is an alarm."""

    log_evidence: float
    status: OutcomeStatus
    since: float | None = None


class _Alarm(msgspec.Struct, frozen=True, array_like=True):
    """Since when probabilities are wrong, in Unix seconds, and what had been counted by then."""

    since: float
    counts: list[int]


class _All(msgspec.Struct, frozen=True, array_like=True):
    meaning: str
    overflow: int


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    history: dict[str, Any]
    open: dict[int, list[int]]
    alarm: _Alarm | None
    sums: SavedSums | None = None


class _Weighed(NamedTuple):
    """ln E, and the change point on which the most was won."""

    log: float
    point: int


class _Tally:
    """A segment: closed panes in a history, open ones by number, sums, the alarm that holds; and
    what was read of it since something came last. It is `fresh` while no pane of it was closed."""

    __slots__ = ("alarm", "fresh", "history", "open", "read", "sums")

    def __init__(self, history: History, sums: int) -> None:
        self.history = history
        self.sums = ExactSums(sums) if sums else None
        self.fresh = True
        self.open: dict[int, list[int]] = {}
        self.alarm: _Alarm | None = None
        self.read: tuple[Ints, _Weighed] | None = None

    def add(self, pane: int, counts: Sequence[int]) -> None:
        """Add counts to an open pane."""
        ours = self.open.get(pane, [0] * len(counts))
        self.open[pane] = [one + other for one, other in zip(ours, counts, strict=True)]

    def live(self) -> Ints:
        """All counts, those of open panes too."""
        total: Ints = self.history.total
        for counts in self.open.values():
            total = total + np.array(counts, dtype=np.int64)
        return total


class Tallies:
    """Counts by segment, at most `rules.segments` of them; `overflow` counts what had no place."""

    def __init__(self, rules: Rules) -> None:
        self.overflow = 0
        self._rules = rules
        self._by_segment: dict[SegmentName, _Tally] = {}
        self._changed: set[SegmentName] = set()
        self._gone: set[str] = set()

    def count(
        self,
        segments: Iterable[SegmentName],
        pane: int,
        at: float,
        added: Sequence[tuple[int, int]],
        sums: Sequence[int] = (),
        *,
        outcomes: int = 1,
    ) -> None:
        """Add to places of the counts of segments, each (place, integer), and to all their sums, in
        an open pane; they are those of so many outcomes, the first of which came `at` (Unix
        seconds)."""
        for dimension, value in segments:
            tally = self._of((visible(dimension), visible(value)), at, outcomes)
            if tally is None:
                continue
            counts = tally.open.get(pane)
            if counts is None:
                counts = tally.open[pane] = [0] * self._rules.size
            for place, integer in added:
                counts[place] += integer
            if sums and tally.sums is not None:
                tally.sums.add(pane, sums)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`, the earliest first; alarms begin and end here."""
        for pane in sorted({p for one in self._by_segment.values() for p in one.open if p <= last}):
            turned = []
            for segment, tally in in_turns(list(self._by_segment.items())):
                if pane in tally.open:
                    counts = np.array(tally.open.pop(pane), dtype=np.int64)
                    self._changed.add(segment)
                    tally.read, tally.fresh = None, False
                    if tally.sums is not None:
                        tally.sums.close(pane)
                    if tally.history.close(counts, end(pane), BLOCK):
                        turned.append(segment)
                        if tally.sums is not None:
                            tally.sums.mark(tally.history.born)
            if turned:
                self._settle(turned)

    def merge(self, other: Tallies) -> None:
        """Add what `other` counted before a pane was closed."""
        self.overflow += other.overflow
        for segment, theirs in other._by_segment.items():
            tally = self._of(segment, theirs.history.times[0])
            if tally is not None:
                for pane, counts in theirs.open.items():
                    tally.add(pane, counts)
                if tally.sums is not None and theirs.sums is not None:
                    tally.sums.merge(theirs.sums)

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call; an empty entry is one to be removed."""
        state = dict.fromkeys(self._gone, b"")
        state[ALL] = msgspec.msgpack.encode(_All(self._rules.meaning, self.overflow))
        for segment in in_turns(sorted(self._changed)):
            tally = self._by_segment[segment]
            sums = None if tally.sums is None else tally.sums.saved()
            kept = _Kept(tally.history.state(), tally.open, tally.alarm, sums)
            state[msgspec.json.encode(segment).decode()] = msgspec.msgpack.encode(kept)
        self._changed, self._gone = set(), set()
        return state

    def restore(
        self,
        name: str,
        state: Mapping[str, bytes],
        *,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from all entries that `state` gave, or raise msgspec.DecodeError; those of the
        monitor `name` that count something else, or in other cells, are left out."""
        if ALL not in state:
            return
        kept_of_all = msgspec.msgpack.decode(state[ALL], type=_All)
        same = kept_of_all.meaning == self._rules.meaning
        self.overflow = kept_of_all.overflow if same else 0
        for entry, kept in in_turns(state.items()):
            if entry == ALL or not kept:
                continue
            segment = msgspec.json.decode(entry, type=SegmentName)
            old = msgspec.msgpack.decode(kept, type=_Kept)
            fits = same and len(old.history["total"]) == self._rules.size
            tally = self._of(segment, 0.0) if fits and keeps((name, *segment)) else None
            if tally is None:
                self._gone.add(entry)
            else:
                tally.history, tally.alarm = History.restore(old.history), old.alarm
                tally.fresh = not tally.history.total.any()
                panes = [(pane, place(pane)) for pane in old.open]
                for before, now in panes:
                    tally.add(now, old.open[before])
                if old.sums is not None and len(old.sums.total) == self._rules.sums:
                    tally.sums = ExactSums.restored(old.sums, panes)

    def sums(self, segment: SegmentName) -> list[int]:
        """The sums of a segment of `judged`, open panes included."""
        sums = self._by_segment[segment].sums
        return [] if sums is None else sums.live()

    def judged(self) -> list[tuple[SegmentName, Ints, Judgement]]:
        """(segment, its counts, what is believed of it) now, open panes included: the whole first,
        then the largest segments."""
        tallies = self._by_segment
        due = {name: one.live() for name, one in in_turns(tallies.items()) if one.read is None}
        for name, weighed in self._weighed(due).items():
            tallies[name].read = due[name], weighed
        read = {name: one.read for name, one in tallies.items() if one.read is not None}
        bars = self._bars({name: weighed.log for name, (_, weighed) in read.items()})
        found = []
        for name, (counts, weighed) in in_turns(read.items()):
            alarm = tallies[name].alarm or _raised(tallies[name], weighed, bars[name])
            status: OutcomeStatus = "ok" if alarm is None else "alarm"
            if self._number(counts) < self._rules.minimum:
                status, alarm = "insufficient", None
            since = None if alarm is None else alarm.since
            found.append((name, counts, Judgement(weighed.log, status, since)))
        return sorted(found, key=self._rank)

    def _rank(self, one: tuple[SegmentName, Ints, Judgement]) -> tuple[bool, int, SegmentName]:
        return one[0] != (WHOLE.dimension, WHOLE.value), -self._number(one[1]), one[0]

    def _number(self, counts: Ints) -> int:
        return int(counts[: self._rules.cells].sum())

    def _bars(self, logs: Mapping[SegmentName, float]) -> dict[SegmentName, float]:
        return thresholds(logs, shares_of(list(logs)), self._rules.alpha)

    def _of(self, segment: SegmentName, at: float, outcomes: int = 1) -> _Tally | None:
        """The tally of a segment, about to change by so many outcomes, made if new; None where
        there are too many."""
        tally = self._by_segment.get(segment)
        if tally is None:
            if len(self._by_segment) >= self._rules.segments:
                self.overflow += outcomes
                return None
            history = History(self._rules.size, at, self._rules.cells)
            tally = self._by_segment[segment] = _Tally(history, self._rules.sums)
        elif tally.fresh:
            tally.history.times[0] = min(tally.history.times[0], at)
        tally.read = None
        self._changed.add(segment)
        return tally

    def _parts(self, rows: Ints) -> tuple[Ints, Ints, Ints]:
        cells = self._rules.cells
        return rows[:, :cells], rows[:, cells : 2 * cells], rows[:, 2 * cells : 3 * cells]

    def _weighed(self, totals: Mapping[SegmentName, Ints]) -> dict[SegmentName, _Weighed]:
        """The evidence of segments with these counts."""
        names, found = list(totals), {}
        for start in in_turns(range(0, len(names), AT_ONCE)):
            some = names[start : start + AT_ONCE]
            histories = [self._by_segment[name].history for name in some]
            before = np.concatenate([history.change_points for history in histories])
            sizes = [len(history.born) for history in histories]
            after = np.repeat(np.stack([totals[name] for name in some]), sizes, axis=0)
            logs = self._rules.evidence(after - before, before).tolist()
            for name, history in zip(some, histories, strict=True):
                here, logs = logs[: len(history.born)], logs[len(history.born) :]
                bets = [
                    math.log(start_weight(born, self._rules.patience)) + log
                    for born, log in zip(history.born, here, strict=True)
                ]
                left = unspent(history.starts, self._rules.patience)
                total = log_sum([*bets, math.log(left)] if left > 0 else bets)
                found[name] = _Weighed(total, bets.index(max(bets)))
        return found

    def _settle(self, turned: Sequence[SegmentName]) -> None:
        """Begin and end alarms of segments that have just got a change point."""
        tallies, rising = self._by_segment, []
        for name in turned:
            tally = tallies[name]
            if tally.alarm is None:
                rising.append(name)
            elif (point := self._returned(tally.history, tally.alarm)) is not None:
                if tally.sums is not None:
                    tally.sums.restart(tally.history.born[point])
                tally.history.restart(point)
                tally.alarm, tally.read = None, None
        weighed = self._weighed({name: tallies[name].history.total for name in rising})
        if all(one.log < -math.log(self._rules.alpha) for one in weighed.values()):
            return
        rest = {name: one.history.total for name, one in tallies.items() if name not in weighed}
        weighed |= self._weighed(rest)
        bars = self._bars({name: weighed[name].log for name in tallies})
        for name in rising:
            if self._number(tallies[name].history.total) >= self._rules.minimum:
                tallies[name].alarm = _raised(tallies[name], weighed[name], bars[name])

    def _returned(self, history: History, alarm: _Alarm) -> int | None:
        """The change point since which outcomes are as stated again, or None."""
        origin = np.array(alarm.counts, dtype=np.int64)
        point = history.recent(history.total, max(2 * BLOCK, self._rules.minimum))
        wrong = np.maximum(history.change_points[point] - origin, 0)[None]
        n, y, _ = self._parts(wrong)
        if n.sum() < self._rules.minimum:
            return None
        count, ones, now = self._parts((history.total - history.change_points[point])[None])
        stated = (now / UNIT + 0.5) / (count + 1)
        before = (y + stated) / (n + 1)
        tolerated = np.clip(before, stated - self._rules.tolerance, stated + self._rules.tolerance)
        before, tolerated = np.clip(before, 1e-6, 1 - 1e-6), np.clip(tolerated, 1e-6, 1 - 1e-6)
        ratio = ones * np.log(tolerated / before)
        ratio += (count - ones) * np.log((1 - tolerated) / (1 - before))
        return point if float(ratio.sum()) >= RETURNED else None


class Tallied:
    """What Monitors that count in tallies have in common: all but what they count and tell."""

    name: str
    _tallies: Tallies

    @property
    def overflow(self) -> int:
        """Outcomes in segments that had no place."""
        return self._tallies.overflow

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`; alarms begin and end here."""
        self._tallies.close(last, end)

    def merge(self, other: Self) -> None:
        """Add what `other` counted before a pane was closed."""
        self._tallies.merge(other._tallies)

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        return self._tallies.state()

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged."""
        self._tallies.restore(self.name, state, place=place, keeps=keeps)

    def _overflow(self, endpoint: str, metric: str) -> Iterator[Measurement]:
        """How many segments had no place for a metric, where that happened."""
        if self.overflow:
            labels = {"endpoint": endpoint, "metric": metric}
            yield Measurement("monitor_series_overflow_total", labels, self.overflow)


def _raised(tally: _Tally, weighed: _Weighed, bar: float) -> _Alarm | None:
    """The alarm of evidence beyond the bar, since the change point on which the most was won."""
    if weighed.log < bar:
        return None
    history = tally.history
    point = history.change_points[weighed.point]
    return _Alarm(history.times[weighed.point], point.tolist())
