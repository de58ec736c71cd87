"""Rows → watches: which features in which segments are counted, and who gives up their place.

Here is only counting: what shards have counted of open panes adds up, and is judged afterwards
(`judgement`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.analysis.drift.eviction import idle
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.profiles import Profile
from monitor.analysis.drift.reference import Learner, Room, most_kept, most_room
from monitor.analysis.drift.watch import Counter, Watch
from monitor.analysis.drift.windows import INNER_BINS
from monitor.analysis.rows import SegmentColumn, Timed, parts_of, segments_of, values
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import WHOLE, Kind, Segment, WatchKey

YIELD = 4
"""At most one place in so many is given up at a time."""

AT_HAND = 3
"""Panes, at most, for which it is remembered how values are counted: they come in order, nearly."""

LESSON = 10_000
"""Values to be learned from that are kept to be given to their watches together, about."""

ALL = "watches"
"""The entry of what is kept of all watches together; that of each is its key, a JSON array."""


class _All(msgspec.Struct, frozen=True):
    learn: str
    overflow: int
    crowded: bool


@dataclass(frozen=True)
class Baseline:
    """What values are compared with.

    References come from `profile`, or are learned from the first `learn` values of each feature and
    segment; with neither there is nothing to compare with. The other values of the dimension of
    `versus` are compared with its value, pane by pane; with `hourly` all else is compared with the
    same hour of earlier weeks. Numbers have `inner` bins where references are learned. `name` is
    what findings call it, where it is not simply what was before. With `is_learned` the profile has
    the first values of each segment, equally many of all, and so no shares.
    """

    profile: Profile | None = None
    learn: int | None = None
    versus: Segment | None = None
    hourly: bool = False
    name: str = ""
    inner: int = INNER_BINS
    is_learned: bool = False


class Watches:
    """The watches by key, `by_key`, that count what comes beside a baseline.

    `dimensions` are the segments to watch beside the whole; None watches all a Row has. References
    of a profile stand from `began` (Unix seconds); `is_given` is whether it has shares. `newest` is
    the Unix time of the newest event; `overflow` counts values not watched because there were too
    many features and segments already, those in `left_out` since panes were closed before the last.
    `unplaced` are the references of the profile that have no place.

    Only what the endpoint accepted (`Row.accepted`) opens a watch: who is refused cannot use up
    `rules.watches`. When they are used up all the same, idle watches give up their places as panes
    are closed, one in `YIELD` at most (`eviction`); those of a profile never.
    """

    def __init__(
        self,
        rules: Rules,
        baseline: Baseline,
        *,
        dimensions: Sequence[str] | None,
        began: float,
    ) -> None:
        profile = baseline.profile
        self.is_given = profile is not None and not baseline.is_learned
        self.by_key: dict[WatchKey, Watch] = {}
        self.newest = -math.inf
        self.overflow = self.unplaced = 0
        self.room = Room()
        self._rules = rules
        self._learn = baseline.learn if profile is None else None
        self._dimensions = None if dimensions is None else tuple(dimensions)
        self._versus = baseline.versus
        self._hourly = baseline.hourly
        self._inner = baseline.inner
        self._segments: dict[tuple[str, str], dict[str, Watch]] = {}
        self._counters: dict[int, dict[tuple[str, str], dict[str, Counter]]] = {}
        self._given_up: set[str] = set()
        self._crowded = False
        self._lately = self._before = 0  # of `overflow`, at the two newest ends of panes
        for key, reference in (profile.references if profile else {}).items():
            if key[1] == WHOLE.dimension or dimensions is None or key[1] in dimensions:
                watch = self._watch(*map(visible, key))
                self.unplaced += watch is None
                if watch is not None and watch.peer is None:
                    watch.stand_on(reference, began)
        self._declared = frozenset(self.by_key)

    @property
    def left_out(self) -> int:
        """Values that were not watched of late, and references of the profile without a place."""
        return self.overflow - self._before + self.unplaced

    def count(self, row: Row, pane: int, at: float) -> None:
        """Count a row, which came at `at` (Unix seconds), in `pane`.

        Should this raise, which is a defect of ours, the watch that failed begins anew.
        """
        self.newest = max(self.newest, at)
        observations = values(row)
        by_segment = self._counters.get(pane, {})
        for segment in segments_of(row, self._dimensions):
            counters = by_segment.get(segment, {})
            for one in observations:
                counter = counters.get(one[0])
                if counter is None:
                    self._count_one(one, segment, row, pane, at)
                    continue
                try:
                    counter(one[1])
                except Exception:
                    self._give_up(self._segments[segment][one[0]])
                    raise

    def count_rows(self, rows: Iterable[Timed], pane: int) -> None:
        """Count rows in `pane`, as `count` would one after the other, for less.

        The values of a watch with a reference are counted at once in the end: nothing depends on
        their order. Those from which one is learned come before them, unless another watch waits
        for it. Should something raise, it does so when all else has been counted.
        """
        errors: list[Exception] = []
        gathered: dict[tuple[str, str], dict[str, list[Any]]] = {}
        learned: list[tuple[Watch, Any, float]] | None = [] if self._versus is None else None
        for row, at in rows:
            try:
                self._gather(row, pane, at, gathered, learned)
            except Exception as error:  # noqa: BLE001  raised below
                errors.append(error)
            if learned and len(learned) >= LESSON:
                self._teach(learned, pane, errors)
                learned.clear()
        self._teach(learned or (), pane, errors)
        for segment, by_name in gathered.items():
            for name, seen in in_turns(by_name.items()):
                watch = self._segments[segment][name]
                try:
                    watch.count_many(seen, pane)
                except Exception as error:  # noqa: BLE001  raised below
                    self._give_up(watch)
                    errors.append(error)
        if errors:
            raise errors[0]

    def _gather(
        self, row: Row, pane: int, at: float,
        gathered: dict[tuple[str, str], dict[str, list[Any]]],
        learned: list[tuple[Watch, Any, float]] | None,
    ) -> None:  # fmt: skip
        """Put the values of watches with a reference with the others of them; count the rest."""
        self.newest = max(self.newest, at)
        observations = values(row)
        by_segment = self._counters.get(pane, {})
        for segment in segments_of(row, self._dimensions):
            there = gathered.get(segment)
            if there is None:
                there = gathered[segment] = {}
            for one in observations:
                some = there.get(one[0])
                if some is not None:
                    some.append(one[1])
                elif one[0] in by_segment.get(segment, ()):
                    there[one[0]] = [one[1]]
                else:
                    self._count_one(one, segment, row, pane, at, learned=learned)

    def _teach(
        self, seen: Sequence[tuple[Watch, Any, float]], pane: int, errors: list[Exception]
    ) -> None:
        """Let watches learn from values, each with its watch and its time: watch by watch, where
        there is room for all that any of them may keep."""
        by_watch: dict[Watch, list[tuple[Any, float]]] = defaultdict(list)
        for watch, value, at in seen:
            by_watch[watch].append((value, at))
        needed = sum(most_kept(value) for _, value, _ in seen)
        each: Iterable[tuple[Watch, list[tuple[Any, float]]]] = (
            by_watch.items()
            if self.room.has(needed)
            else ((watch, [(value, at)]) for watch, value, at in seen)
        )
        for watch, some in in_turns(each):
            if self.by_key.get(watch.key) is not watch:  # given up
                continue
            try:
                watch.learn(some, pane)
            except Exception as error:  # noqa: BLE001  raised by who asked
                self._give_up(watch)
                errors.append(error)

    def _count_one(
        self, seen: tuple[str, Any, Kind], segment: tuple[str, str], row: Row, pane: int, at: float,
        *, learned: list[tuple[Watch, Any, float]] | None = None,
    ) -> None:  # fmt: skip
        """Count a value for which no counter is at hand; put it with those that are `learned`."""
        name, value, kind = seen
        watch = self._watch_of(name, segment, row, autocorrelated=kind == "duration")
        if watch is None:
            return
        if kind == "datetime":
            watch.are_ages = True
        if learned is not None and watch.learner is not None:
            learned.append((watch, value, at))
            return
        try:
            watch.count(value, pane, at)
        except Exception:
            self._give_up(watch)  # it would fail on the next value, too
            raise
        self._remember(watch, name, segment, pane)

    def count_block(self, block: Block, pane: int) -> None:
        """Count the rows of a block in `pane`, as `count` would one after the other.

        Should something raise, it does so when all else has been counted.
        """
        errors: list[Exception] = []
        parts = parts_of(block, self._dimensions)
        if not self._is_orderless(parts, all_accepted=block.accepted is None):
            self.count_rows(((row, row.at) for row in block.rows()), pane)
            return
        self.newest = max(self.newest, float(block.at.max()))
        for part in parts:
            watch = self._opened(part.key, accepted=True)
            if watch is None:
                self.overflow += len(part.column) - 1
                continue
            try:
                watch.count_column(part.column, part.at, pane)
            except Exception as error:  # noqa: BLE001  raised below
                self._give_up(watch)
                errors.append(error)
        if errors:
            raise errors[0]

    def _is_orderless(self, parts: Sequence[SegmentColumn], *, all_accepted: bool) -> bool:
        """Whether these come to the same whichever is counted first.

        Where several fill one watch, or one is compared with another, they do not; nor where places
        or the room to learn in run out, which are for who comes first.
        """
        if self._versus is not None or len({part.key for part in parts}) < len(parts):
            return False
        new = learning = 0
        for part in parts:
            watch = self.by_key.get(part.key)
            new += watch is None
            if self._learn and (watch is None or watch.learner is not None):
                learning += most_room(part.column, self._learn)
        if new and not all_accepted:
            return False
        places = self._rules.watches - len(self.by_key)
        return (new <= places or not places) and self.room.has(learning)

    def due(self, last: int) -> list[tuple[int, list[Watch]]]:
        """The open panes up to `last`, the earliest first, with the watches that counted in them;
        they are taken to be closed now."""
        due: dict[int, list[Watch]] = {}
        for watch in in_turns(self.by_key.values()):
            for pane in watch.open:
                if pane <= last:
                    due.setdefault(pane, []).append(watch)
        self._counters.clear()
        return sorted(due.items())

    def make_room(self, now: float, pane: float) -> None:
        """Where places are wanted, let watches that are idle at `now` give up theirs; `pane` is the
        length of panes in seconds."""
        self._before, self._lately = self._lately, self.overflow
        if not (self._crowded or self.room.was_full):
            return
        self._crowded = self.room.was_full = False
        most = max(1, self._rules.watches // YIELD)
        for watch in idle(self.by_key, self._declared, now, pane)[:most]:
            self._give_up(watch)

    def merge(self, other: Watches) -> None:
        """Add what `other` counted on the same profile before a pane was closed."""
        self.newest = max(self.newest, other.newest)
        self.overflow += other.overflow
        self._crowded |= other._crowded
        for key, theirs in other.by_key.items():
            watch = self._watch(*key)
            if watch is not None:
                watch.merge(theirs)
            else:
                self.overflow += max(1, int(theirs.live()[: theirs.history.bins].sum()))
                self._crowded = True
        self._counters.clear()

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call: an entry for each watch, and `ALL`.

        An empty entry is one to be removed.
        """
        state = dict.fromkeys(self._given_up, b"")
        kept = _All(self._kind(), self.overflow, self._crowded or self.room.was_full)
        state[ALL] = msgspec.msgpack.encode(kept)
        changed = [watch for watch in self.by_key.values() if watch.changed]
        for watch in in_turns(changed):
            try:
                state[_entry(watch.key)] = watch.state()
            except Exception:
                self._give_up(watch)
                raise
        for watch in changed:
            watch.changed = False
        self._given_up = set()
        return state

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged.

        What another reference or learning setting has counted is left out.
        """
        self.newest = newest
        if ALL not in state:
            return
        kept = msgspec.msgpack.decode(state[ALL], type=_All)
        self.overflow, self._crowded = kept.overflow, kept.crowded
        self._lately = self._before = kept.overflow
        for name, entry in in_turns(state.items()):
            if name == ALL or not entry:
                continue
            old = msgspec.json.decode(name, type=WatchKey)
            key = (visible(old[0]), visible(old[1]), visible(old[2]))
            same = kept.learn == self._kind() and keeps(key)
            watch = self._watch(*key) if same else None
            if watch is not None:
                watch.restore(entry, newest)
            if key != old or watch is None:
                self._given_up.add(name)
            if key != old and watch is not None:
                watch.changed = True
        for watch in self.by_key.values():
            watch.regroup({pane: place(pane) for pane in watch.open})
        self._counters.clear()

    def _kind(self) -> str:
        """What kinds of reference there are; counts on others are of no use."""
        versus = f"{self._versus.dimension}={self._versus.value}" if self._versus else ""
        return f"{self._learn or 0} {versus} {'hourly' if self._hourly else ''}".strip()

    def _give_up(self, watch: Watch) -> None:
        if watch.key in self._declared:
            return
        if watch.learner is not None:
            watch.learner.release()
        feature, dimension, value = watch.key
        segment = self._segments[dimension, value]
        del self.by_key[watch.key], segment[feature]
        if not segment:
            del self._segments[dimension, value]
        self._counters.clear()
        self._given_up.add(_entry(watch.key))

    def _watch_of(
        self, name: str, segment: tuple[str, str], row: Row, *, autocorrelated: bool
    ) -> Watch | None:
        """The watch of a feature in a segment, as a row names them."""
        watch = self._segments.get(segment, {}).get(name)
        if watch is None:
            key = (visible(name), visible(segment[0]), visible(segment[1]))
            watch = self._opened(key, accepted=row.accepted, autocorrelated=autocorrelated)
        return watch

    def _remember(self, watch: Watch, name: str, segment: tuple[str, str], pane: int) -> None:
        """Let further values of a watch with a reference be counted at once.

        Of names only those as they may be shown: there are no more of these than watches. A pane
        without a value of this watch is not opened by that: its last one was learned from.
        """
        if pane in watch.open and watch.key == (name, *segment):
            if pane not in self._counters and len(self._counters) == AT_HAND:
                self._counters.clear()
            by_segment = self._counters.setdefault(pane, {})
            by_segment.setdefault(segment, {})[name] = watch.counter(pane)

    def _opened(
        self, key: WatchKey, *, accepted: bool, autocorrelated: bool = False
    ) -> Watch | None:
        """The watch of a key as it may be shown, made if a row so `accepted` may open one."""
        watch = self.by_key.get(key)
        if watch is None and accepted:
            watch = self._watch(*key, autocorrelated=autocorrelated)
            if watch is None:
                self.overflow += 1
                self._crowded = True
            else:
                self._given_up.discard(_entry(key))
        return watch

    def _watch(
        self, feature: str, dimension: str, value: str, *, autocorrelated: bool = False
    ) -> Watch | None:
        """The watch of a feature in a segment, made if new; None where there are too many."""
        key = (feature, dimension, value)
        watch = self.by_key.get(key)
        if watch is None and len(self.by_key) < self._rules.watches:
            peer = self._peer(key)
            watch = Watch(
                key,
                Learner(
                    self._learn,
                    autocorrelated=autocorrelated,
                    room=self.room,
                    inner=self._inner,
                )
                if self._learn and peer is None
                else None,
                peer=peer,
                pane=self._rules.pane if self._hourly else None,
                design_effect=self._rules.design_effect,
            )
            self.by_key[key] = watch
            self._segments.setdefault((dimension, value), {})[feature] = watch
        return watch

    def _peer(self, key: WatchKey) -> Watch | None:
        """The watch that another value of the dimension of `versus` is compared with."""
        versus = self._versus
        if versus is None or key[1] != versus.dimension or key[2] == versus.value:
            return None
        return self._watch(key[0], versus.dimension, versus.value)


def _entry(key: WatchKey) -> str:
    """The name of a watch's entry in what is saved."""
    return msgspec.json.encode(key).decode()
