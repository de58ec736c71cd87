"""The groups of one dimension: what is counted of each beside all others, pane by pane.

Rates have evidence of two arms, the group and the rest, whose bets look at earlier panes; so open
panes are apart, and of closed ones stay counts and the logarithms of bets. Everything is integers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from monitor.analysis.fairness.reading import GOOD, MEASURES, RESIDUAL, Seen
from monitor.sequential import two_arms
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.e_values import log_sum, start_weight, unspent
from monitor.sequential.history import History
from monitor.turns import in_turns

GROUPS = 50
"""So many groups have a name of their own; the others are `other`."""

STRATA = 16
"""So many strata have bets of their own; the others are one."""

VALUES = 50
"""Values of another dimension by which a group is counted, to say what a gap comes from."""

OTHER = "other"
WIDTH = 2 * len(MEASURES)

ROWS = 64
"""So many rows of groups, strata and sides have their bets settled at once: many more would be long
work at a stretch, few cost as much as these."""

OTHER_SIDE = [2, 3, 0, 1]
"""The columns of two arms, exchanged."""

SCALED = len(MEASURES) - 1
"""The place of calibration among the measures. A residual, -1 to 1, counts as if it were halfway
from 0 to 1 outcomes: for a bet on a rate that is never worth more (the factor is convex in it)."""

Counts = list[int]
"""Of each measure how many it looked at, and how many counted (calibration: in half `RESIDUAL`s).
"""

GroupInStratum = tuple[str, str]
"""(group, stratum)."""

OneSidedTest = tuple[str, int, int]
"""(group, place of the measure, side)."""


class _Kept(msgspec.Struct, array_like=True):
    groups: list[str]
    strata: list[str]
    closed: list[tuple[GroupInStratum, Counts]]
    open: list[tuple[int, list[tuple[GroupInStratum, Counts]]]]
    logs: list[tuple[tuple[str, int, int], list[list[int]]]]
    mixes: list[tuple[tuple[str, str, str], Counts]]
    squares: dict[str, int]
    began: dict[str, float] = {}
    histories: list[tuple[OneSidedTest, dict[str, Any]]] = []


class Together(NamedTuple):
    """So many rows: how many, the sum of their residuals, and that of the squares of these."""

    rows: int
    residuals: int
    squares: int


class Groups:
    """Counts by group, within strata where it is `stratified`.

    By each measure it is asked whether that of the group is at least that of the rest less what is
    tolerated, and the other way round; or, with a `ratio`, of rates of what is favourable, whether
    it is at least so many times that of the rest. A gap may begin at any time: what was won since
    each of some earlier panes is a bet of its own, and later ones get less of the capital
    (`start_weight`, over `patience` panes).
    """

    def __init__(
        self, tolerance: float, patience: int, *, stratified: bool, ratio: float | None = None
    ) -> None:
        self._patience = patience
        self._sides = [*[two_arms.margin(tolerance)] * SCALED, two_arms.margin(tolerance / 2)]
        if ratio is not None:
            self._sides[: len(GOOD)] = [two_arms.ratio(ratio)] * len(GOOD)
        self._places = STRATA if stratified else 1
        self._groups: dict[str, float] = {}  # when the first row of each came
        self._strata: dict[str, int] = {}
        self._closed: dict[GroupInStratum, Counts] = {}
        self._open: dict[int, dict[GroupInStratum, Counts]] = {}
        self._histories: dict[OneSidedTest, History] = {}
        self._mixes: dict[tuple[str, str, str], Counts] = {}
        self._squares: dict[str, int] = {}
        self.is_changed = False
        self.closed_rows = 0
        """How many rows of closed panes had a prediction."""

    def add(
        self, place: tuple[int, float], group: str, stratum: str, seen: Seen,
        others: Iterable[tuple[str, str]], *, together: Together | None = None,
    ) -> None:  # fmt: skip
        """Count what a row of a group says, or rows `together` that say it but for their residuals;
        `place` is an open pane and when the first came, `others` are its segments in other
        dimensions."""
        self.is_changed = True
        if together is None:
            off = seen.residual or 0
            together = Together(1, off, off * off)
        pane, at = place
        group, stratum = self._named(group, at), self._stratum(stratum)
        _count(self._open.setdefault(pane, {}), (group, stratum), seen, together)
        for dimension, value in others:
            key = (dimension, value, group)
            if self._has_room(key):
                _count(self._mixes, key, seen, together)
        if seen.residual is not None:
            self._squares[group] = self._squares.get(group, 0) + together.squares

    def rows(self, pane: int) -> int:
        """How many rows of an open pane had a prediction."""
        return sum(row[0] for row in self._open.get(pane, {}).values())

    @property
    def has_closed(self) -> bool:
        """Whether a pane with rows was closed."""
        return bool(self._closed)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`, the earliest first: what was bet on them is settled. `end`
        says when one ended."""
        for pane in sorted(one for one in self._open if one <= last):
            self._settle(self._open[pane], end(pane))
            for place, row in self._open.pop(pane).items():
                _add(self._closed, place, row)
                self.closed_rows += row[0]
            self.is_changed = True

    def merge(self, other: Groups) -> None:
        """Add what `other` counted before a pane was closed."""
        self.is_changed = True
        for pane, rows in other._open.items():
            ours = self._open.setdefault(pane, {})
            for (group, stratum), row in rows.items():
                began = other._groups[group]
                _add(ours, (self._named(group, began), self._stratum(stratum)), row)
        for (dimension, value, group), row in other._mixes.items():
            key = (dimension, value, self._named(group, other._groups[group]))
            if self._has_room(key):
                _add(self._mixes, key, row)
        for name, square in other._squares.items():
            group = self._named(name, other._groups[name])
            self._squares[group] = self._squares.get(group, 0) + square

    def names(self) -> Iterator[str]:
        """The groups, in order of their names."""
        yield from sorted(self._groups)

    def beside(self, group: str, measure: int) -> tuple[int, int, int, int]:
        """Of a measure: how many of the group it looked at, how many counted, and the same of the
        rest; open panes too."""
        counts = [0, 0, 0, 0]
        for rows in (self._closed, *self._open.values()):
            for (name, _), row in rows.items():
                at = 0 if name == group else 2
                counts[at] += row[2 * measure]
                counts[at + 1] += row[2 * measure + 1]
        return counts[0], counts[1], counts[2], counts[3]

    def log_evidence(self, group: str, measure: int) -> tuple[float, float]:
        """(ln E, since when) against `group and rest differ by no more than is tolerated`: the mean
        of those against both sides of it, and the time since which most was won, Unix seconds."""
        (one, since), (other, from_) = (
            self._weighed(self._histories.get((group, measure, side)), self._sides[measure])
            for side in (0, 1)
        )
        return float(np.logaddexp(one, other) - np.log(2)), since if one >= other else from_

    def _weighed(self, history: History | None, side: two_arms.Comparison) -> tuple[float, float]:
        if history is None:
            return 0.0, 0.0
        won = (history.total - history.change_points).reshape(
            len(history.born), self._places, len(side.bets)
        )
        logs = two_arms.log_evidences(won, side, self._places).tolist()
        bets = [
            math.log(start_weight(born, self._patience)) + log
            for born, log in zip(history.born, logs, strict=True)
        ]
        left = unspent(history.starts, self._patience)
        total = log_sum([*bets, math.log(left)] if left > 0 else bets)
        return total, history.times[bets.index(max(bets))]

    def residual(self, group: str) -> tuple[list[int], list[int]]:
        """[rows, Σ residual, Σ residual²] of a group, and of the rest."""
        n, halves, m, rest = self.beside(group, SCALED)
        square = self._squares.get(group, 0)
        others = sum(self._squares.values()) - square
        return [n, halves - n * RESIDUAL, square], [m, rest - m * RESIDUAL, others]

    def mixes(self, group: str, rate: int) -> dict[str, dict[str, tuple[int, int, int, int]]]:
        """By another dimension and its value: the counts of `beside`."""
        found: dict[str, dict[str, list[int]]] = {}
        for (dimension, value, name), row in self._mixes.items():
            counts = found.setdefault(dimension, {}).setdefault(value, [0, 0, 0, 0])
            at = 0 if name == group else 2
            counts[at] += row[2 * rate]
            counts[at + 1] += row[2 * rate + 1]
        return {
            dimension: {value: (one[0], one[1], one[2], one[3]) for value, one in values.items()}
            for dimension, values in found.items()
        }

    def saved(self) -> bytes:
        """All of it as JSON, whose integers have no end."""
        self.is_changed = False
        return msgspec.json.encode(_Kept(
            list(self._groups),
            list(self._strata),
            list(self._closed.items()),
            [(pane, list(rows.items())) for pane, rows in self._open.items()],
            [],
            list(self._mixes.items()),
            self._squares,
            self._groups,
            [(key, history.state()) for key, history in self._histories.items()],
        ))  # fmt: skip

    @classmethod
    def restored(cls, entry: bytes, fresh: Groups, place: Callable[[int], int]) -> Groups:
        """What was saved, in groups that have counted nothing yet; raises msgspec.DecodeError where
        it is damaged."""
        kept = msgspec.json.decode(entry, type=_Kept)
        groups = fresh
        groups._groups = {name: kept.began.get(name, 0.0) for name in kept.groups}
        groups._strata = {name: number for number, name in enumerate(kept.strata)}
        groups._closed = dict(kept.closed)
        groups.closed_rows = sum(row[0] for row in groups._closed.values())
        for pane, rows in kept.open:
            ours = groups._open.setdefault(place(pane), {})
            for where, row in rows:
                _add(ours, where, row)
        for key, state in kept.histories:
            groups._histories[key] = History.restore(state)
        for key, log in kept.logs:  # by a version that had no change points
            groups._win(key, np.array(log, dtype=np.int64), 0.0)
        groups._mixes = dict(kept.mixes)
        groups._squares = kept.squares
        return groups

    def _settle(self, rows: Mapping[GroupInStratum, Counts], end: float) -> None:
        """Add the factors of a pane to what has been won of each group, rate and side."""
        names, strata = list(self._groups), list(self._strata)
        now, before = (_table(one, names, strata) for one in (rows, self._closed))
        at_once = max(1, ROWS // (2 * len(names) * len(strata)))
        for measures in in_turns(self._alike(at_once)):
            panes: list[Floats] = []
            seen: list[Floats] = []
            for measure in measures:
                unit = 2 * RESIDUAL if measure == SCALED else 1
                of = slice(2 * measure, 2 * measure + 2)
                pane, earlier = (_arms(counts[:, :, of], unit) for counts in (now, before))
                panes += pane, pane[:, OTHER_SIDE]
                seen += earlier, earlier[:, OTHER_SIDE]
            won = two_arms.factors(
                np.concatenate(panes), np.concatenate(seen), self._sides[measures[0]]
            ).reshape(len(measures), 2, len(names), len(strata), -1)
            for measure, sides in zip(measures, won, strict=True):
                for side, logs in enumerate(sides):
                    for name, log in zip(names, logs, strict=True):
                        self._win((name, measure, side), log, end)

    def _alike(self, at_once: int) -> Iterator[Sequence[int]]:
        """The measures in order, those in a row of which the same is asked together."""
        measures = range(len(MEASURES))
        for _, alike in itertools.groupby(measures, key=self._sides.__getitem__):
            some = list(alike)
            for first in range(0, len(some), at_once):
                yield some[first : first + at_once]

    def _win(self, key: OneSidedTest, log: Ints, end: float) -> None:
        """What a pane, which ended at `end`, has won of the bets in each stratum there is."""
        won = np.zeros((self._places, log.shape[1]), dtype=np.int64)
        won[: len(log)] = log
        if key not in self._histories:
            self._histories[key] = History(won.size, self._groups[key[0]], 0)
        self._histories[key].close(won.ravel(), end, 0)

    def _has_room(self, key: tuple[str, str, str]) -> bool:
        return key in self._mixes or len(self._mixes) < VALUES * GROUPS

    def _named(self, group: str, at: float) -> str:
        if group not in self._groups:
            if len(self._groups) >= GROUPS:
                group = OTHER
            self._groups.setdefault(group, at)
        self._groups[group] = min(self._groups[group], at)
        return group

    def _stratum(self, stratum: str) -> str:
        if stratum not in self._strata:
            if len(self._strata) >= STRATA - 1:
                stratum = OTHER
            self._strata.setdefault(stratum, len(self._strata))
        return stratum


def _count(rows: dict[Any, Counts], key: object, seen: Seen, together: Together) -> None:
    row = rows.get(key)
    if row is None:
        row = rows[key] = [0] * WIDTH
    for rate, counts in seen.rates:
        row[2 * rate] += together.rows
        row[2 * rate + 1] += together.rows * counts
    if seen.residual is not None:
        row[2 * SCALED] += together.rows
        row[2 * SCALED + 1] += together.residuals + together.rows * RESIDUAL


def _add(rows: dict[Any, list[int]], key: object, more: list[int]) -> None:
    row = rows.get(key)
    rows[key] = list(more) if row is None else [a + b for a, b in zip(row, more, strict=True)]


def _table(rows: Mapping[GroupInStratum, Counts], names: list[str], strata: list[str]) -> Ints:
    """Counts as an array, (groups, strata, counts)."""
    nothing = [0] * WIDTH
    found = [[rows.get((name, stratum), nothing) for stratum in strata] for name in names]
    return np.array(found, dtype=np.int64).reshape(len(names), len(strata), WIDTH)


def _arms(counts: Ints, unit: int) -> Floats:
    """(groups, strata, 2) → each group beside the rest, (groups x strata, 4); what counts is in
    `unit`s."""
    rest = counts.sum(axis=0, keepdims=True) - counts
    both = np.concatenate((counts, rest), axis=2).reshape(-1, 4)
    return np.asarray(both / np.array([1.0, unit, 1.0, unit]))
