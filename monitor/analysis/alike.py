"""A run of outcome rows → those that say the same but for a score and a time, so that what depends
on neither is found once for all of them.

Of a binary classifier there are a handful of such kinds in each segment, however many rows come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from monitor.analysis.rows import Timed
from monitor.rows import Row
from monitor.tables.blocks import NUMBER, Block, Column, Floats, Ints, relabelled
from monitor.types import ABSENT, Observation

SCALARS = {str, float, int, type(None)}
"""Types of what was said and what was true that tell their kind."""

SHARED = 4
"""So many rows must be of one kind on average, or they are counted quicker one by one."""


class Alike(NamedTuple):
    """Rows of an open pane: the first of each of their `kinds`, in order; `which` of them each row
    is; and its score, which all of a kind have or have not, on one side of one half."""

    rows: Sequence[Timed]
    kinds: list[Row]
    which: list[int]
    scores: list[float | None]

    def sizes(self) -> list[int]:
        """How many rows are of each kind."""
        found: list[int] = np.bincount(self.which, minlength=len(self.kinds)).tolist()
        return found

    def scores_by_kind(self) -> list[list[float]]:
        """The scores of the rows of each kind, in order; none where it has none."""
        found: list[list[float]] = [[] for _ in self.kinds]
        for kind, score in zip(self.which, self.scores, strict=True):
            if score is not None:
                found[kind].append(score)
        return found

    def first_times(self) -> list[float]:
        """When the earliest row of each kind came."""
        times: list[float] = earliest(np.array(self.which), self.times(), len(self.kinds)).tolist()
        return times

    def times(self) -> Floats:
        """When each row came, in Unix seconds."""
        return np.array([at for _, at in self.rows])


def earliest(which: Ints, times: Floats, kinds: int) -> Floats:
    """When the first row of each of so many kinds came, of rows of which `which` says their kind;
    infinity where there is none."""
    found = np.full(kinds, np.inf)
    np.minimum.at(found, which, times)
    return found


@runtime_checkable
class Alikes(Protocol):
    """A Monitor that can be told of rows by their kinds."""

    def add_alike(self, run: Alike, pane: int) -> None:
        """Count rows in an open pane, as `add` would one after the other."""


def alike(run: Sequence[Timed]) -> Alike | None:
    """The rows by kind; None where one says what kinds do not tell (several scores, an answer put
    right, an interval, verdicts), or where too few are of one kind."""
    places: dict[object, int] = {}
    kinds: list[Row] = []
    which: list[int] = []
    scores: list[float | None] = []
    most = len(run) // SHARED
    for row, _ in run:
        truth = row.truth
        if truth is None or truth.verdicts or truth.interval or truth.correction is not None:
            return None
        score, said, true = truth.score, truth.prediction, truth.label
        if score is not None and (type(score) is not float or not 0 <= score <= 1):
            return None
        if type(said) not in SCALARS or type(true) not in SCALARS:
            return None
        key = (
            said, type(said), true, type(true), score is None, score is not None and score >= 0.5,
            truth.weight, row.weight, tuple(row.segments.items()), tuple(truth.attributes.items()),
            tuple(row.edge_cases),
        )  # fmt: skip
        kind = places.get(key)
        if kind is None:
            if len(kinds) >= most:
                return None
            kind = places[key] = len(kinds)
            kinds.append(row)
        which.append(kind)
        scores.append(score)
    return Alike(run, kinds, which, scores)


class Seen(NamedTuple):
    """What is watched of the rows of a kind: what all of them have, and numbers of which each row
    has its own, in order, by feature."""

    observations: Sequence[Observation]
    numbers: dict[str, list[float]] = {}


def watched(run: Alike, seen: Sequence[Seen | None]) -> Block | None:
    """The Block of what is watched of these rows; None without any. Those of a kind of which
    nothing is watched are left out."""
    which = np.array(run.which, dtype=np.intp)
    kept = np.flatnonzero(np.array([one is not None for one in seen])[which])
    if not len(kept):
        return None
    which, kinds = which[kept], [one if one is not None else Seen(()) for one in seen]
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(kinds)))
    names = dict.fromkeys(
        name for one in kinds for name in (*(o.feature for o in one.observations), *one.numbers)
    )
    columns = [_column(name, kinds, which, np.split(order, ends[:-1])) for name in names]
    dimensions = dict.fromkeys(name for row in run.kinds for name in row.segments)
    cases = dict.fromkeys(case for row in run.kinds for case in row.edge_cases)
    return Block(
        run.times()[kept],
        {
            name: relabelled(which, [row.segments.get(name, ABSENT) for row in run.kinds])
            for name in dimensions
        },
        columns,
        edge_cases={
            case: np.array([case in row.edge_cases for row in run.kinds])[which] for case in cases
        },
    )


_NOTHING = -2
"""The code of a kind that has no value of a feature."""


def _column(name: str, kinds: Sequence[Seen], which: Ints, places: Sequence[Ints]) -> Column:
    """What is watched of one feature; `places` are those of the rows of each kind."""
    found: list[Observation] = []
    codes = np.full(len(kinds), _NOTHING)
    numbers = None
    for kind, one in enumerate(kinds):
        if name in one.numbers:
            numbers = np.zeros(len(which)) if numbers is None else numbers
            numbers[places[kind]] = one.numbers[name]
            codes[kind] = NUMBER
        for seen in one.observations:
            if seen.feature == name:
                codes[kind] = len(found)
                found.append(seen)
    by_row = codes[which]
    column = Column(name, by_row, found, numbers)
    there = np.flatnonzero(by_row != _NOTHING)
    if len(there) == len(which):
        return column
    part = column.part(there)
    return Column(name, part.codes, found, part.numbers, there)
