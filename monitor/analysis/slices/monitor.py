"""Outcome rows → the worst slices: conditions that together make something worse than elsewhere.

Rows are kept by the set of conditions that they meet, until there are many of those or their pane
is closed; then pairs of conditions are counted at once (`search`), and what has come of the slices
that are tried. As a pane is closed the bets on these are settled (`bets`), and slices that looked
bad up to then are tried from the next pane on.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Self, get_args

import msgspec
import numpy as np

from monitor.analysis.blocks import is_due, refuse
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.slices import bets, telling
from monitor.analysis.slices.bets import EXAMPLES, TRIED, Trial
from monitor.analysis.slices.conditions import Condition, conditions_of
from monitor.analysis.slices.losses import MEASURES, Bars, losses
from monitor.analysis.slices.search import Search, Slice
from monitor.findings import OutcomeStatus
from monitor.findings import Slice as Found
from monitor.rows import Row
from monitor.turns import give_way, in_turns
from monitor.types import Measurement, WatchKey

NAMES = 2000
"""Conditions that are known by name; what has no place there is in no slice."""

SETS = 1024
"""Sets of conditions that are kept before they are counted."""

NEW = 4
"""Slices of a measure that are tried from one pane on, at most."""

PAUSE = 20
"""Panes for which a slice that was given up is not tried again."""

ALL, SEARCH = "slices", "search"

WIDTH = 2 * len(MEASURES)


class _Open(msgspec.Struct, array_like=True):
    """An open pane: its rows, sums of each measure by set of conditions, an example of each, and
    what was counted of the slices that are tried, by measure and conditions."""

    rows: int = 0
    sets: dict[Slice, list[int]] = {}
    bad: dict[tuple[int, Slice], str] = {}
    tried: dict[tuple[int, Slice], list[int]] = {}


class _All(msgspec.Struct, array_like=True):
    meaning: str
    names: list[Condition]
    support: list[int]
    rows: int
    closed: int
    block: int
    overflow: int
    bars: Bars
    open: list[tuple[int, Any]]
    tried: list[int]
    trials: list[list[Trial]]
    paused: list[tuple[int, Slice, int]]
    counted: int = 0


class SlicesMonitor:
    """The Monitor of slices; `alpha` is the part of the error budget that all of `rules.sliced`
    share, the measures.

    It looks at the `measures` among them, None for all. `dimensions` are the segments that slices
    are made of, None for all.
    """

    name = "slices"

    def __init__(
        self,
        rules: OutcomeRules,
        alpha: float,
        *,
        measures: Collection[str] | None = None,
        dimensions: Sequence[str] | None = None,
    ) -> None:
        self.overflow = 0
        self._rules = rules
        asked = frozenset(rules.sliced)
        self._wanted = asked if measures is None else asked.intersection(measures)
        self._alpha = alpha / max(1, len(asked))
        self._dimensions = None if dimensions is None else tuple(dimensions)
        self._asked = [bets.question_of(one, rules.slice_tolerance) for one in MEASURES]
        self._names: dict[Condition, int] = {}
        self._support: dict[int, int] = {}
        self._rows = 0
        self._counted = 0
        self._closed = 0
        self._block = 0
        self._bars = Bars()
        self._search = Search()
        self._open: dict[int, _Open] = {}
        self._tried = [0] * len(MEASURES)
        self._trials: list[list[Trial]] = [[] for _ in MEASURES]
        self._paused: dict[tuple[int, Slice], int] = {}
        self._is_searched = True

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's truth, if it has any."""
        seen = losses(row, self._rules.positive, self._wanted, self._bars)
        truth = row.truth
        if truth is None:
            return
        pane = pane if self._rules.pane is not None else self._block
        here = self._open.get(pane)
        if here is None:
            here = self._open[pane] = _Open()
        here.rows += 1  # also what only helps to set a bar: bars are set as panes are closed
        if seen:
            self._add(here, self._codes(conditions_of(row, self._dimensions)), seen, truth.id)
        if self._rules.pane is None and is_due(here.rows, self._rows):
            self._settle(self._block, at)
            self._block += 1

    def _add(self, here: _Open, codes: Slice, seen: list[tuple[int, int]], id_: str) -> None:
        """Count how bad a row was in an open pane."""
        sums = here.sets.get(codes)
        if sums is None:
            sums = here.sets[codes] = [0] * WIDTH
        for measure, bad in seen:
            sums[2 * measure] += 1
            sums[2 * measure + 1] += bad
            if bad > _HALF and id_ > here.bad.get((measure, codes), ""):
                here.bad[measure, codes] = id_
        if len(here.sets) >= SETS:
            self._count(here)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`: bets on them are settled, and slices are searched for."""
        if self._rules.pane is None:
            if self._block in self._open:
                self._settle(self._block, end(last))
                self._block += 1
            return
        for pane in sorted(one for one in self._open if one <= last):
            self._settle(pane, end(pane))

    def merge(self, other: Self) -> None:
        """Add what `other` counted; raises ValueError where it has closed a pane or a block."""
        refuse(is_closed=other._closed > 0)
        self.overflow += other.overflow
        self._bars.merge(other._bars)
        self._search.merge(other._search)
        self._counted += other._counted
        names = list(other._names)
        for pane, theirs in other._open.items():
            here = self._open.setdefault(pane, _Open())
            here.rows += theirs.rows
            mine = {codes: self._codes([names[code] for code in codes]) for codes in theirs.sets}
            for codes, sums in in_turns(theirs.sets.items()):
                ours = here.sets.get(mine[codes], [0] * WIDTH)
                here.sets[mine[codes]] = [a + b for a, b in zip(ours, sums, strict=True)]
            for (measure, codes), example in theirs.bad.items():
                key = measure, mine[codes]
                here.bad[key] = max(here.bad.get(key, ""), example)
        for code, count in other._support.items():
            for mine_of in self._codes([names[code]]):
                self._support[mine_of] = self._support.get(mine_of, 0) + count

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        open_ = [
            (
                pane,
                (one.rows, list(one.sets.items()), list(one.bad.items()), list(one.tried.items())),
            )
            for pane, one in self._open.items()
        ]
        kept = _All(
            self._meaning, list(self._names), [self._support.get(code, 0) for code in
            range(len(self._names))], self._rows, self._closed, self._block, self.overflow,
            self._bars, open_, self._tried, self._trials,
            [(*key, until) for key, until in self._paused.items()], self._counted,
        )  # fmt: skip
        state = {ALL: msgspec.msgpack.encode(kept)}
        if self._is_searched:
            state[SEARCH] = self._search.saved()
            self._is_searched = False
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

        When a dimension means something else now, or other measures are asked for, all begins anew.
        """
        if ALL not in state:
            return
        kept = msgspec.msgpack.decode(state[ALL], type=_All)
        if kept.meaning != self._meaning or not all(keeps((self.name, *one)) for one in kept.names):
            return
        self._names = {name: code for code, name in enumerate(kept.names)}
        self._support = {code: count for code, count in enumerate(kept.support) if count}
        self._rows, self._closed, self._block = kept.rows, kept.closed, kept.block
        self.overflow, self._bars = kept.overflow, kept.bars
        self._counted = kept.counted
        self._tried, self._trials = kept.tried, kept.trials
        self._paused = {(measure, codes): until for measure, codes, until in kept.paused}
        for pane, entry in kept.open:
            rows, sets, bad, tried = msgspec.convert(entry, type=_SavedOpen)
            now = pane if self._rules.pane is None else place(pane)
            here = self._open.setdefault(now, _Open())
            here.rows += rows
            for codes, sums in sets:
                ours = here.sets.get(codes, [0] * WIDTH)
                here.sets[codes] = [a + b for a, b in zip(ours, sums, strict=True)]
            here.bad |= dict(bad)
            for key, counts in tried:
                ours = here.tried.get(key, [0] * 4)
                here.tried[key] = [a + b for a, b in zip(ours, counts, strict=True)]
        if SEARCH in state:
            self._search = Search.restored(state[SEARCH])

    def findings(self) -> list[Found]:
        """The slices that are tried, what is believed first, then by evidence; without those of
        which another one says the same."""
        names, found = list(self._names), []
        for measure, trials in enumerate(self._trials):
            question = self._asked[measure]
            bar = self._bars.known.get(question.measure)
            tell = telling.Teller(names, question.measure, bar, self._rules)
            weighed = [(bets.log_evidence(one, question), one) for one in in_turns(trials)]
            for evidence, trial in tell.without_repeats(weighed, self._search, measure):
                found.append(tell.finding(trial, evidence))
        return ranked(found)

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """How many slices there are, and how many conditions had no place."""
        counts = Counter((one.measure, one.status) for one in self.findings())
        for measure in sorted(self._wanted):
            for status in get_args(OutcomeStatus):
                labels = {"endpoint": endpoint, "measure": measure, "status": status}
                yield Measurement("monitor_slices", labels, counts[measure, status])
        if self.overflow:
            labels = {"endpoint": endpoint, "metric": "monitor_slices"}
            yield Measurement("monitor_series_overflow_total", labels, self.overflow)

    @property
    def _meaning(self) -> str:
        rules = self._rules
        return f"{sorted(self._wanted)} {rules.positive} {rules.slice_tolerance}"

    def _codes(self, conditions: Sequence[Condition]) -> Slice:
        """The numbers of conditions, rising; without those that have no place."""
        codes = []
        for condition in conditions:
            code = self._names.get(condition)
            if code is None:
                if len(self._names) >= NAMES:
                    self.overflow += 1
                    continue
                code = self._names[condition] = len(self._names)
            codes.append(code)
        codes.sort()
        return tuple(codes)

    def _count(self, here: _Open) -> None:
        """Count the sets of an open pane, and forget them."""
        sets, bad = here.sets, here.bad
        here.sets, here.bad = {}, {}
        order = sorted(sets.items(), key=itemgetter(0))
        tuples = [codes for codes, _ in order]
        sums = np.array([one for _, one in order], dtype=np.int64).reshape(-1, len(MEASURES), 2)
        for codes, one in order:
            rows = max(one[::2])
            self._counted += rows
            for code in codes:
                self._support[code] = self._support.get(code, 0) + rows
        self._search.count(tuples, sums)
        self._is_searched = True
        met = self._search.met(tuples).astype(bool)
        place = {code: number for number, code in enumerate(self._search.used)}
        totals = sums.sum(axis=0)
        for measure, trials in enumerate(self._trials):
            for trial in in_turns(trials):
                inside = met[:, [place[code] for code in trial.codes]].all(axis=1)
                n, worst = sums[inside, measure].sum(axis=0).tolist()
                ours = here.tried.get((measure, trial.codes), [0] * 4)
                added = (n, worst, *totals[measure].tolist())
                here.tried[measure, trial.codes] = [a + b for a, b in zip(ours, added, strict=True)]
                examples = {
                    example for row in np.flatnonzero(inside)
                    if (example := bad.get((measure, tuples[row])))
                }  # fmt: skip
                trial.examples = heapq.nlargest(EXAMPLES, {*trial.examples, *examples})

    def _settle(self, pane: int, end: float) -> None:
        """Close a pane."""
        here = self._open.pop(pane)
        if here.sets:
            self._count(here)
        self._rows += here.rows
        self._closed += 1
        for measure, trials in enumerate(self._trials):
            give_way()
            panes = np.array(
                [here.tried.get((measure, one.codes), [0] * 4) for one in trials], dtype=np.int64
            )
            for trial in bets.settle(trials, panes, self._asked[measure], self._alpha, end):
                trials.remove(trial)
                self._paused[measure, trial.codes] = self._closed + PAUSE
        self._paused = {key: to for key, to in self._paused.items() if to > self._closed}
        self._bars.set()
        for measure in range(len(MEASURES)):
            give_way()
            self._try(measure, end)
        self._search.turn()
        self._search.admit(self._support, self._counted, list(self._names))
        self._is_searched = True

    def _try(self, measure: int, since: float) -> None:
        """Try slices that looked bad up to now from the next pane on."""
        trials = self._trials[measure]
        known = {one.codes for one in trials}
        new = 0
        for _, codes in self._search.promising(
            measure, self._rules.slice_tolerance / self._scale(measure)
        ):
            if new >= NEW or len(trials) >= TRIED:
                return
            if codes in known or (measure, codes) in self._paused:
                continue
            known.add(codes)
            self._tried[measure] += 1
            seen = list(self._search.beside(measure, codes) or (0, 0, 0, 0))
            if not seen[2]:
                seen = list(self._search.beside(measure, codes[:1]) or (0, 0, 0, 0))
            trials.append(
                Trial(
                    codes,
                    self._tried[measure],
                    since,
                    seen,
                    [0] * 4,
                    [0] * len(self._asked[measure].asked.bets),
                )
            )
            new += 1

    def _scale(self, measure: int) -> float:
        return 2.0 if MEASURES[measure] in bets.HALVES else 1.0


def ranked(found: Iterable[Found]) -> list[Found]:
    """Slices, what is believed first, then by evidence."""
    order = {"alarm": 0, "ok": 1, "insufficient": 2}
    return sorted(found, key=lambda one: (order[one.status], -one.log_evidence, one.words))


_HALF = 1 << 15
"""As bad as makes a row an example."""

_SavedOpen = tuple[
    int,
    list[tuple[Slice, list[int]]],
    list[tuple[tuple[int, Slice], str]],
    list[tuple[tuple[int, Slice], list[int]]],
]
