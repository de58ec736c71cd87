"""Values of one feature in one segment → counts: what is watched, and what of it is remembered."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Mapping, Sequence
from operator import add
from typing import Any, Protocol

import msgspec
import numpy as np

from monitor.analysis.drift import sequential_bets
from monitor.analysis.drift.evidence import Splits, splits
from monitor.analysis.drift.fourier_features import LENGTH, SIZE, fourier_features
from monitor.analysis.drift.reference import Learner, Reference, grid
from monitor.analysis.drift.seasonal import Seasonal
from monitor.analysis.drift.windows import (
    float_limits,
    locator,
    numbers_locator,
    numbers_reader,
)
from monitor.findings import Finding
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.history import NEAR, History
from monitor.tables.blocks import Column, Numbers
from monitor.turns import give_way
from monitor.types import WatchKey, Window

FARTHEST = 2.0**20
"""So many steps of the grid, sixteen ranges of the reference, one value counts for in a mean."""

FEW = 80
"""Fewer values are counted quicker one by one."""

AUTOCORRELATION = 20
"""So many values that are `autocorrelated` count as one in the evidence."""


class Counter(Protocol):
    """Folds a value, or so many `times` the same."""

    def __call__(self, value: Any, times: int = 1, /) -> None: ...


class Episode(msgspec.Struct, frozen=True):
    """Drift that holds: since when, and what had been counted until then."""

    since: float
    origin: list[int]


class Statistics(msgspec.Struct, gc=False):
    """What the counts of a watch say at one moment.

    `live` is all that was counted; `bets` the logarithms of what the bet on each change point is
    worth; `effects` the corrected effects since each change point, once somebody asked; `told` the
    threshold and the Finding that was made of it last.
    """

    live: Ints
    bets: list[float]
    log_evidence: float
    effects: list[float] = []
    told: tuple[float, Finding] | None = None


class Watch:
    """One feature in one segment: a reference, a history, open panes, and drift while it holds.

    Without a reference it learns one, or (no learner) only counts what comes. With a `peer` it is
    compared with what the peer counts in the same panes, on the peer's bins; with `pane`, the
    length of panes in seconds, with what was counted at the same hour of the week. So many values
    as `design_effect` says count as one. With `are_ages` numbers are seconds, how long ago moments
    were. `settled` is the log evidence at the newest change point, `highest` the largest that this
    process has seen there, `last` the Unix time of the newest value, or of the end of its pane.
    """

    __slots__ = (
        "are_ages", "changed", "design_effect", "edges", "episode", "fourier", "highest", "history",
        "is_outer", "key", "last", "learner", "locate", "locate_numbers", "more", "open", "outer",
        "pane", "part", "peer", "points", "read_numbers", "reference", "renewed", "seasonal",
        "seen", "settled", "statistics", "step", "tree", "usual", "weights",
    )  # fmt: skip

    def __init__(
        self,
        key: WatchKey,
        learner: Learner | None,
        *,
        peer: Watch | None = None,
        pane: float | None = None,
        design_effect: int = 1,
    ) -> None:
        self.key = key
        self.learner = learner
        self.peer = peer
        self.pane = pane
        self.design_effect = design_effect
        self.are_ages = False
        self.changed = False
        self.seasonal: Seasonal | None = None
        self.seen = 0
        self.last = 0.0
        self.open: dict[int, list[int]] = {}
        self.episode: Episode | None = None
        self.settled = self.highest = 0.0
        self.renewed = False
        self.statistics: Statistics | None = None
        self.reference: Reference | None = None

    @property
    def is_compared(self) -> bool:
        """Whether the reference comes in panes, too, and is not fixed."""
        return self.peer is not None or self.pane is not None

    def stand_on(self, reference: Reference, began: float) -> None:
        """Watch from now on against this reference."""
        bins = reference.bins
        self.reference = reference
        self.learner = None
        self.locate: Callable[[Any], int] = locator(bins)
        self.locate_numbers: Callable[[Numbers], Ints] = numbers_locator(bins)
        self.read_numbers = numbers_reader(bins)
        self.edges = float_limits(bins) if bins.shape == "numeric" else []
        self.usual: Window = reference.window()
        self.weights = reference.weights()
        self.tree: Splits = splits(self.weights, bins.ordinary, ordered=bins.shape == "numeric")
        self.part = 1 / max(self.design_effect, AUTOCORRELATION if reference.autocorrelated else 1)
        self.fourier = SIZE if bins.shape == "vector" and not self.is_compared else 0
        self.outer = frozenset[int]()
        self.step = 1.0
        if bins.shape == "numeric" and not (bins.vocabulary or self.is_compared):
            end, reach = bins.ordinary, 3 if bins.tails else 2
            self.outer = frozenset(bins.between or (*range(reach), *range(end - reach, end)))
            self.is_outer = np.isin(np.arange(bins.ordinary), list(self.outer))
            self.points = np.array(self.usual.points)
            self.step = grid(bins)[1]
        self.more = more = self.fourier + bool(self.outer)
        if self.peer is not None:
            more = bins.size + sequential_bets.size(self.tree)
        elif self.pane is not None:
            self.seasonal = Seasonal(bins.size)
            more = bins.size + 1 + sequential_bets.size(self.tree)
        self.history = History(bins.size + more, began, bins.size)

    def renew(self, reference: Reference, end: float) -> None:
        """Watch from `end` on against another reference on the same bins; open panes stay open."""
        self.stand_on(reference, end)
        self.renewed = True
        self.settled = 0.0
        self.statistics = None

    def count(self, value: Any, pane: int, time: float, times: int = 1) -> None:
        """Fold one value into `pane`, so many `times` where there is a reference."""
        self.statistics, self.changed = None, True
        if self.reference is not None or self._learned(value, time) is not None:
            self.counter(pane)(value, times)

    def learn(self, seen: Sequence[tuple[Any, float]], pane: int) -> None:
        """Fold values, each with its time, into `pane`, as `count` would one after the other."""
        if self.learner is None or not self.learner.keep([value for value, _ in seen]):
            for place, (value, time) in enumerate(seen):
                if self.reference is not None:
                    self.count_many([value for value, _ in seen[place:]], pane)
                    return
                self.count(value, pane, time)
            return
        self.statistics, self.changed = None, True
        self.seen += len(seen)
        self.last = seen[-1][1]

    def counter(self, pane: int) -> Counter:
        """The function that folds a value into `pane`, for a watch with a reference.

        It holds as long as the pane is open, its list of counts and the reference are the same.
        """
        assert self.reference is not None  # noqa: S101  for the type checker: see above
        bins, counts = self.reference.bins, self.open.get(pane)
        if counts is None:
            counts = self.open[pane] = [0] * (bins.size + self.more)
        if bins.shape == "numeric" and not bins.vocabulary:
            return self._number_counter(counts)
        if self.fourier:
            return self._vector_counter(counts)
        locate = self.locate

        def count(value: Any, times: int = 1) -> None:
            self.statistics, self.changed = None, True
            counts[locate(value)] += times

        return count

    def _number_counter(self, counts: list[int]) -> Counter:
        """`counter` of numbers, written out: most of what is counted goes this way."""
        assert self.reference is not None  # noqa: S101  for the type checker
        locate, points, step = self.locate, self.usual.points, self.step
        # Outside these bins a value is where its bin is; in them it may be anywhere.
        edges, outer = self.edges, self.outer

        def count(value: Any, times: int = 1) -> None:
            self.statistics, self.changed = None, True
            if type(value) is float and value - value == 0.0:  # finite
                index = bisect_left(edges, value)
            else:
                index = locate(value)
            counts[index] += times
            if index in outer:
                steps = (value - points[index]) / step
                if not -FARTHEST < steps < FARTHEST:
                    steps = math.copysign(FARTHEST, steps)
                counts[-1] += times * int(steps)

        return count

    def _vector_counter(self, counts: list[int]) -> Counter:
        assert self.reference is not None  # noqa: S101  for the type checker
        bins, locate, size = self.reference.bins, self.locate, self.fourier

        def count(value: Any, times: int = 1) -> None:
            self.statistics, self.changed = None, True
            index = locate(value)
            counts[index] += times
            if index < bins.ordinary:
                new = fourier_features(value, bins.bandwidth)
                counts[-size:] = map(add, counts[-size:], [times * one for one in new])

        return count

    def count_many(self, values: Sequence[Any], pane: int) -> None:
        """Fold values into `pane`, as `counter` would one after the other."""
        count = self.counter(pane)
        self.statistics, self.changed = None, True
        numbers = self.read_numbers(values)
        if numbers is not None:
            self._count_floats(numbers, self.open[pane])
        elif self.usual.points or self.fourier or set(map(type, values)) != {str}:
            for value in values:
                count(value)
        else:
            for value, times in Counts(values).items():
                count(value, times)

    def _count_floats(self, numbers: Sequence[float], counts: list[int]) -> None:
        """`counter` for finite numbers."""
        if len(numbers) >= FEW:
            self._count_numbers(np.array(numbers), counts)
            return
        edges, outer, points, step = self.edges, self.outer, self.usual.points, self.step
        for number in numbers:
            index = bisect_left(edges, number)
            counts[index] += 1
            if index in outer:
                steps = (number - points[index]) / step
                if not -FARTHEST < steps < FARTHEST:
                    steps = math.copysign(FARTHEST, steps)
                counts[-1] += int(steps)

    def count_column(self, column: Column, at: Floats, pane: int) -> None:
        """Fold all values of a column of a block into `pane`; `at` are the times of its rows."""
        self.statistics, self.changed = None, True
        moments = at if column.rows is None else at[column.rows]
        if self.reference is None and self.learner is None and self.peer is None:
            self.seen += len(column)
            self.last = float(moments[-1])
            return
        learned, values = 0, column.observations()
        while self.reference is None and learned < len(column):
            self.count(next(values).value, pane, float(moments[learned]))
            learned += 1
        if learned == len(column):
            return
        if len(column) - learned < FEW:
            self.count_many([one.value for one in values], pane)
            return
        count, once = self.counter(pane), []
        rest = column.part(slice(learned, None)) if learned else column
        for seen, times in rest.tally():
            if times == 1:
                once.append(seen.value)
            else:
                count(seen.value, times)
        if once:
            self.count_many(once, pane)
        self._count_numbers(rest.plain(), self.open[pane])

    def _count_numbers(self, numbers: Numbers, counts: list[int]) -> None:
        """`counter` for many finite numbers at once."""
        found = self.locate_numbers(numbers)
        new = np.bincount(found, minlength=len(counts))
        if self.outer:
            outside = np.flatnonzero(self.is_outer[found])
            points = self.points[found[outside]]
            steps = np.clip((numbers[outside] - points) / self.step, -FARTHEST, FARTHEST)
            new[-1] += steps.astype(np.int64).sum()
        counts[:] = map(add, counts, new.tolist())

    def counted(self, pane: int) -> Ints:
        """What an open pane adds to the history. Of a peer that pane must still be open, too."""
        return self._vector(pane, self.seasonal)

    def close(self, pane: int, end: float, block: int, counted: Ints | None = None) -> bool:
        """Add an open pane, its `counted`, to the history; True where that made a change point."""
        self.statistics, self.changed = None, True
        vector = self.counted(pane) if counted is None else counted
        counts = np.array(self.open.pop(pane), dtype=np.int64)
        self.last = end
        if self.seasonal is not None and self.episode is None:
            self.seasonal.add(pane * (self.pane or 0.0), counts)
        return self.history.close(vector, end, block)

    def merge(self, other: Watch) -> None:
        """Add the open panes of `other`, which stands on the same reference."""
        self.statistics, self.changed = None, True
        self.seen += other.seen
        self.are_ages |= other.are_ages
        self.last = max(self.last, other.last)
        for pane, counts in other.open.items():
            held = self.open.get(pane)
            self.open[pane] = (
                list(counts) if held is None else [a + b for a, b in zip(held, counts, strict=True)]
            )

    def regroup(self, places: Mapping[int, int]) -> None:
        """Let every open pane be what `places` says; those that become one add up."""
        if all(old == new for old, new in places.items()):
            return
        held = self.open
        self.open = {}
        for pane, counts in sorted(held.items()):
            there = self.open.get(places[pane], [0] * len(counts))
            self.open[places[pane]] = [a + b for a, b in zip(there, counts, strict=True)]

    def live(self) -> Ints:
        """All counts since the watch began, those of open panes too, as if they closed now."""
        total = self.history.total
        seasonal = self.seasonal.copy() if self.seasonal is not None and self.open else None
        for pane in sorted(self.open):
            total = total + self._vector(pane, seasonal)
            if seasonal is not None and self.episode is None:
                seasonal.add(pane * (self.pane or 0.0), np.array(self.open[pane]))
        return total

    def windows(self, vector: Ints) -> tuple[Window, Window]:
        """What was usual and what came, in the panes that add up to `vector`, for a measure."""
        bins = self.history.bins
        usual, current = self.usual, vector[:bins]
        if self.fourier:
            sums = tuple((vector[bins:] / LENGTH).tolist())
            return usual, Window(tuple(current.tolist()), fourier=sums)
        if self.peer is not None:
            usual = self._window(vector[bins : 2 * bins])
        elif self.seasonal is not None:
            expected, mass = vector[bins : 2 * bins], int(vector[2 * bins])
            samples = mass / max(int(current.sum()), 1)
            share = expected / max(int(expected.sum()), 1)
            usual = self._window(np.rint(share * samples).astype(np.int64))
        window = self._window(current)
        if self.outer:
            window = msgspec.structs.replace(window, excess=float(vector[bins]) * self.step)
        return usual, window

    def log_evidence(self, vectors: Ints) -> Floats:
        """ln E of each row of a watch that is compared."""
        logs = vectors[:, -sequential_bets.size(self.tree) :]
        return sequential_bets.log_evidence(logs, self.tree)

    def state(self) -> bytes:
        """What `restore` needs to go on from here."""
        state: dict[str, Any] = {
            "seen": self.seen,
            "last": self.last,
            "episode": self.episode,
            "open": self.open,
            "settled": self.settled,
            "renewed": self.renewed,
        }
        if self.are_ages:
            state["ages"] = True
        if self.reference is not None:
            state |= {"reference": self.reference, "trail": self.history.state()}
            if self.seasonal is not None:
                state["hours"] = self.seasonal.state()
        elif self.learner is not None:
            state["learner"] = self.learner.state()
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes, newest: float = math.inf) -> None:
        """Go on from `state`, unless it is of another reference than the one given.

        `newest` is the Unix time of the newest event, which no value can be after. Raises
        msgspec.DecodeError where it is not a state.
        """
        kept = msgspec.msgpack.decode(state, type=_State)
        if self.reference is not None and not kept.continues(self.reference):
            return
        self.seen, self.last = kept.seen, min(kept.last, newest)
        self.episode, self.settled, self.renewed = kept.episode, kept.settled, kept.renewed
        self.open, self.statistics, self.are_ages = kept.open, None, kept.ages
        if kept.learner:
            room = self.learner.room if self.learner else None
            self.learner = Learner.restore(kept.learner, room)
        if kept.reference is None:
            return
        if len(kept.reference.counts) != kept.reference.bins.size:
            raise msgspec.DecodeError("counts do not fit their bins")
        self.stand_on(kept.reference, newest if math.isfinite(newest) else 0.0)
        history = History.restore(kept.history)
        if not self._fits(history):  # a version that counted otherwise: only the reference stays
            self.episode, self.settled, self.open = None, 0.0, {}
            return
        self.history = history
        if kept.seasonal:
            self.seasonal = Seasonal.restore(history.bins, kept.seasonal)

    def _fits(self, history: History) -> bool:
        """Whether what was counted has the form of what is counted now."""
        points, size = len(history.born), len(self.history.total)
        pane = self.history.bins if self.is_compared else size
        return (
            history.change_points.shape == (points, size)
            and (history.total.shape, len(history.times)) == ((size,), points)
            and history.bins == self.history.bins
            and {len(counts) for counts in self.open.values()} <= {pane}
        )

    def _learned(self, value: Any, time: float) -> Reference | None:
        """The peer's reference, which a value can be counted on at once; else learn from it."""
        self.seen += 1
        self.last = time
        if self.peer is not None:
            if self.peer.reference is not None:
                self.stand_on(self.peer.reference, time)
            return self.peer.reference
        give_way()  # many may have learned enough with one record
        if self.learner is not None:
            self.learner.add(value)
            if self.learner.complete:
                self.stand_on(self.learner.reference(), time)
        return None

    def _vector(self, pane: int, seasonal: Seasonal | None) -> Ints:
        counts = np.array(self.open[pane], dtype=np.int64)
        if self.peer is not None:
            theirs = np.array(self.peer.open.get(pane, [0] * len(counts)), dtype=np.int64)
            theirs = theirs[: len(counts)]  # it is not compared itself, and counts more
            return np.concatenate((counts, theirs, self._factors(counts, theirs)))
        if seasonal is None:
            return counts
        start = pane * (self.pane or 0.0)
        judged = seasonal.judge(start, counts, self.weights, self.tree, self.part)
        if judged is None:
            return np.zeros(len(self.history.total), dtype=np.int64)
        return np.concatenate((counts, judged))

    def _factors(self, counts: Ints, theirs: Ints) -> Ints:
        """The evidence of a pane in which this arm and its peer counted so much."""
        bins, history = len(counts), self.history
        lately = history.total - history.change_points[max(0, len(history.change_points) - NEAR)]
        pooled = self.weights + lately[:bins] + lately[bins : 2 * bins]
        return sequential_bets.two_arms(counts, theirs, pooled, self.tree, self.part)

    def _window(self, counts: Ints) -> Window:
        return Window(tuple(counts.tolist()), self.usual.points, self.usual.scale)


class _State(msgspec.Struct):
    """What is stored; some names there are older than those of now."""

    seen: int
    open: dict[int, list[int]]
    episode: Episode | None = None
    last: float = math.inf
    settled: float = 0.0
    renewed: bool = False
    ages: bool = False
    reference: Reference | None = None
    history: dict[str, Any] = msgspec.field(default_factory=dict, name="trail")
    seasonal: dict[str, Any] = msgspec.field(default_factory=dict, name="hours")
    learner: dict[str, Any] = {}

    def continues(self, reference: Reference) -> bool:
        """Whether this is the state of a watch that began with `reference`."""
        if self.renewed and self.reference is not None:
            return self.reference.bins == reference.bins
        return self.reference == reference
