"""Outcome rows → gaps between each group of a dimension and its rest, with evidence.

A gap is believed where the evidence against `no more than is tolerated` passes the group's part of
the error budget; it may be looked at every moment. No group is compared with the best one: the best
of many is always ahead of the others by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

import msgspec
import numpy as np

from monitor.analysis import outcome_status
from monitor.analysis.alike import Alike, earliest
from monitor.analysis.blocks import due_in, is_due, refuse
from monitor.analysis.classes import spelt
from monitor.analysis.fairness import gaps
from monitor.analysis.fairness.groups import OTHER, SCALED, Groups, Together
from monitor.analysis.fairness.reading import (
    CALIBRATION,
    GOOD,
    MEASURES,
    RATES,
    Seen,
    read,
    residual,
)
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Fairness, OutcomeStatus
from monitor.rows import Row, Truth
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.e_values import thresholds
from monitor.texts import visible
from monitor.turns import in_turns
from monitor.types import ABSENT, Measurement, WatchKey

SHOWN_FROM = 20
"""A group of a protected attribute is spoken of from so many rows on."""

CROSS = "|"
"""What joins the names of an intersection, and its values, as in a crossed dimension."""

CROSSED = 100
"""Rows that an intersection and its rest must each have, at least: together twice as many."""

ALL = "all"
"""The entry of what is kept of all dimensions together; that of each is its name, a JSON text."""


class _All(msgspec.Struct, frozen=True):
    blocks: dict[str, int]
    attributes: list[str]


class _Look(NamedTuple):
    """What is known of a group by one measure; `rows` are those of the smaller side, and of what it
    may `lack` all is of one kind. A gap would be there `since` then."""

    gap: gaps.Gap
    rows: int
    log_evidence: float
    since: float
    lack: str


class _Place(NamedTuple):
    """Where a row belongs in a dimension; `others` are its segments in other dimensions."""

    group: str
    stratum: str
    others: list[tuple[str, str]]


def has_group(rules: OutcomeRules, row: Row) -> bool:
    """Whether the monitor counts a row under a group of any dimension."""
    truth = row.truth
    if truth is None or read(truth, spelt(rules.favourable), spelt(rules.positive)) is None:
        return False
    known = {**truth.attributes, **{k: v for k, v in row.segments.items() if v != ABSENT}}
    return any(
        all(known.get(one, ABSENT) != ABSENT for one in parts)
        for parts in (*((one,) for one in rules.fair), *rules.crossed)
    )


class FairnessMonitor:
    """The Monitor of fairness.

    By `rules` the values of dimensions of the traffic or of protected attributes are groups, and
    those of several together, which an intersection has. Groups are compared within equal values of
    strata alone. The rules also say what is favourable, how many rows a group must have and what is
    tolerated; `alpha` is this monitor's part of the error budget.
    """

    name = "fairness"

    def __init__(self, rules: OutcomeRules, alpha: float) -> None:
        self._rules = rules
        self._alpha = alpha
        # By the name under which they are told: what holds the groups.
        self._dimensions = {CROSS.join(parts): parts for parts in
                            (*((one,) for one in rules.fair), *rules.crossed)}  # fmt: skip
        self._strata = rules.strata
        self._favourable, self._positive = spelt(rules.favourable), spelt(rules.positive)
        self._groups = {name: self._none() for name in self._dimensions}
        self._blocks = dict.fromkeys(self._dimensions, 0)
        self._attributes: set[str] = set()
        self._gone: set[str] = set()

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row's truth under its groups, if it has any."""
        if row.truth is None:
            return
        seen = read(row.truth, self._favourable, self._positive)
        if seen is None:
            return
        for dimension, groups in self._groups.items():
            place = self._place(dimension, row, row.truth)
            if place is not None:
                block = pane if self._rules.pane is not None else self._blocks[dimension]
                groups.add((block, at), place.group, place.stratum, seen, place.others)
                if self._rules.pane is None:
                    self._settle(dimension, groups, at)

    def add_alike(self, run: Alike, pane: int) -> None:
        """Count the truths of rows by their kinds."""
        seen, residuals = self._read(run)
        which = np.array(run.which, dtype=np.intp)
        times = run.times()
        for dimension, groups in self._groups.items():
            places = [
                None if one is None or row.truth is None else self._place(dimension, row, row.truth)
                for row, one in zip(run.kinds, seen, strict=True)
            ]
            are_rated = np.array([
                place is not None and one is not None and any(rate == 0 for rate, _ in one.rates)
                for place, one in zip(places, seen, strict=True)
            ])  # fmt: skip
            rated, kinds = np.cumsum(are_rated[which]), list(zip(seen, places, strict=True))
            first = 0
            while first < len(which):
                end = len(which)
                if self._rules.pane is None:
                    lacking = due_in(groups.rows(self._blocks[dimension]), groups.closed_rows)
                    before = int(rated[first - 1]) if first else 0
                    end = min(end, int(np.searchsorted(rated, before + lacking)) + 1)
                rows = slice(first, end)
                block = pane if self._rules.pane is not None else self._blocks[dimension]
                _count(
                    groups, block, kinds,
                    which=which[rows], residuals=residuals[rows], times=times[rows],
                )  # fmt: skip
                if self._rules.pane is None:
                    self._settle(dimension, groups, float(times[end - 1]))
                first = end

    def _read(self, run: Alike) -> tuple[list[Seen | None], Ints]:
        """What rows of each kind say, and the residual of each row, 0 without one."""
        truths = [row.truth for row in run.kinds]
        seen = [
            None if one is None else read(one, self._favourable, self._positive) for one in truths
        ]
        found = np.zeros(len(run.which), dtype=np.int64)
        for place, (kind, score) in enumerate(zip(run.which, run.scores, strict=True)):
            one, truth = seen[kind], truths[kind]
            if (
                one is not None
                and one.residual is not None
                and truth is not None
                and score is not None
            ):
                found[place] = residual(truth, score, self._favourable, self._positive)
        return seen, found

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`: what was bet on them is settled."""
        for dimension, groups in in_turns(list(self._groups.items())):
            if self._rules.pane is not None:
                groups.close(last, end)
            else:
                groups.close(self._blocks[dimension], lambda _: end(last))
                self._blocks[dimension] += 1

    def merge(self, other: Self) -> None:
        """Add what `other` counted; raises ValueError where it has closed a pane or a block."""
        refuse(is_closed=any(groups.has_closed for groups in other._groups.values()))
        for dimension, groups in self._groups.items():
            groups.merge(other._groups[dimension])
        self._attributes |= other._attributes

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        state = dict.fromkeys(self._gone, b"")
        state[ALL] = msgspec.msgpack.encode(_All(self._blocks, sorted(self._attributes)))
        self._gone = set()
        for dimension, groups in in_turns(list(self._groups.items())):
            if groups.is_changed:
                state[msgspec.json.encode(dimension).decode()] = groups.saved()
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
        if ALL in state:
            kept = msgspec.msgpack.decode(state[ALL], type=_All)
            self._attributes = set(kept.attributes)
            self._blocks |= {one: kept.blocks.get(one, 0) for one in self._dimensions}
        for name, entry in in_turns(state.items()):
            if name == ALL or not entry:
                continue
            dimension = msgspec.json.decode(name, type=str)
            if dimension in self._groups and all(
                keeps((self.name, one, "")) for one in self._dimensions[dimension]
            ):
                self._groups[dimension] = Groups.restored(entry, self._none(), place)
            else:
                self._gone.add(name)

    def findings(self) -> list[Fairness]:
        """Every group by every measure; those that were not looked at are left out."""
        looks = {
            (dimension, group, measure): look
            for dimension, groups in self._groups.items()
            for group in self._spoken_of(dimension, groups)
            for measure in MEASURES
            if (look := self._look(groups, group, measure)) is not None
        }
        bars = self._bars(looks)
        return [self._finding(key, look, bars[key]) for key, look in in_turns(list(looks.items()))]

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """The gaps, and what is believed of them."""
        for found in in_turns(self.findings()):
            labels = {
                "endpoint": endpoint, "dimension": found.dimension, "value": found.value,
                "measure": found.measure,
            }  # fmt: skip
            if found.gap is not None:
                yield Measurement("monitor_fairness_gap", labels, found.gap)
            yield from outcome_status.measurements(
                endpoint, self.name, found.measure, (found.dimension, found.value),
                (found.status, found.log_evidence),
            )  # fmt: skip

    def _place(self, dimension: str, row: Row, truth: Truth) -> _Place | None:
        """Where a row belongs; None where it did not say so: it is no group, and no rest."""
        parts = self._dimensions[dimension]
        values = [self._value(row.segments, truth, one) for one in parts]
        if ABSENT in values:
            return None
        stratum = ", ".join(visible(row.segments.get(one, ABSENT)) for one in self._strata)
        others = [
            (visible(name), visible(there)) for name, there in row.segments.items()
            if name not in parts and there != ABSENT
        ]  # fmt: skip
        return _Place(CROSS.join(map(visible, values)), stratum, others)

    def _value(self, segments: Mapping[str, str], truth: Truth, name: str) -> str:
        """The value of a dimension, or of a protected attribute, of which it is noted that it is
        one."""
        value = segments.get(name, ABSENT)
        if value == ABSENT and name in truth.attributes:
            self._attributes.add(name)
            return truth.attributes[name]
        return value

    def _none(self) -> Groups:
        rules = self._rules
        return Groups(
            rules.fair_tolerance, rules.patience, ratio=rules.fair_ratio,
            stratified=bool(self._strata),
        )  # fmt: skip

    def _settle(self, dimension: str, groups: Groups, at: float) -> None:
        """Close the block of rows that is open where it is long enough."""
        block = self._blocks[dimension]
        if is_due(groups.rows(block), groups.closed_rows):
            groups.close(block, lambda _: at)
            self._blocks[dimension] += 1

    def _spoken_of(self, dimension: str, groups: Groups) -> Iterator[str]:
        for group in groups.names():
            if (
                not self._attributes.isdisjoint(self._dimensions[dimension])
                and max(groups.beside(group, place)[0] for place in (0, SCALED)) < SHOWN_FROM
            ):
                continue
            yield group

    def _look(self, groups: Groups, group: str, measure: str) -> _Look | None:
        place, minimum = MEASURES.index(measure), self._rules.fair_minimum
        counts = groups.beside(group, place)
        if not counts[0]:
            return None
        gap = (
            gaps.of_residuals(*groups.residual(group), minimum)
            if measure == CALIBRATION
            else gaps.of_rates(counts, minimum)
        )
        evidence, since = groups.log_evidence(group, place)
        lack = self._lack(groups, group, measure)
        return _Look(gap, min(counts[0], counts[2]), evidence, since, lack)

    def _lack(self, groups: Groups, group: str, measure: str) -> str:
        """What is missing among predictions or labels without which a measure says nothing; most
        often the favourable class has another name."""
        n, x, m, y = groups.beside(group, 0)
        if measure == "selection_rate" and x + y in (0, n + m):
            return "predictions"
        good, _, more_good, _ = groups.beside(group, 1)
        bad, _, more_bad, _ = groups.beside(group, 2)
        has_both = good + more_good and bad + more_bad
        needs_both = measure in ("false_positive_rate", CALIBRATION)
        return "labels" if needs_both and good + more_good + bad + more_bad and not has_both else ""

    def _looks_too_large(self, dimension: str, group: str, measure: str, gap: float | None) -> bool:
        """Whether a gap that is not believed is larger than tolerated by the numbers that are told:
        nobody can say that it is well. Those of strata are not told."""
        if self._strata or gap is None:
            return False
        place, ratio = MEASURES.index(measure), self._rules.fair_ratio
        if ratio is None or place >= len(GOOD):
            return abs(gap) > self._rules.fair_tolerance
        n, x, m, y = self._groups[dimension].beside(group, place)
        return min(x * m, y * n) < ratio * max(x * m, y * n)

    def _bars(
        self, looks: Mapping[tuple[str, str, str], _Look]
    ) -> dict[tuple[str, str, str], float]:
        """The evidence from which on each gap is believed. Dimensions and intersections have one
        half each, where there are both; in it each of them, then measures, then groups share
        evenly."""
        sizes: dict[tuple[str, str], int] = {}
        for dimension, _, measure in looks:
            sizes[dimension, measure] = sizes.get((dimension, measure), 0) + 1
        kinds = Counter(len(parts) > 1 for parts in self._dimensions.values())
        even = {
            name: len(kinds) * kinds[len(parts) > 1] * len(MEASURES)
            for name, parts in self._dimensions.items()
        }
        shares = {key: 1 / even[key[0]] / sizes[key[0], key[2]] for key in looks}
        logs = {key: look.log_evidence for key, look in looks.items()}
        return thresholds(logs, shares, self._alpha) if looks else {}

    def _finding(self, key: tuple[str, str, str], look: _Look, bar: float) -> Fairness:
        dimension, group, measure = key
        status: OutcomeStatus = "alarm" if look.log_evidence >= bar else "ok"
        reason = ""
        minimum, said = self._rules.fair_minimum, "fairness.minimum"
        if len(self._dimensions[dimension]) > 1 and minimum < CROSSED:
            minimum, said = CROSSED, "the least of an intersection"
        if look.rows < minimum:
            status = "insufficient"
            reason = f"{look.rows:,} rows in the group or the rest; {said} is {minimum:,}"
        elif look.lack:
            status = "insufficient"
            what = f"{self._rules.favourable!r} (fairness.favourable)"
            reason = f"all {look.lack} or none are {what}"
        elif group == OTHER and status == "alarm":
            reason = "of groups that had no place of their own"
        number = look.gap.number
        found = []
        tolerance = self._rules.fair_tolerance
        is_judged = status != "insufficient" and measure != CALIBRATION
        if status == "ok" and self._looks_too_large(dimension, group, measure, number):
            status, reason = "insufficient", "more than is tolerated, and not certain yet"
        if is_judged and number is not None and abs(number) > tolerance:  # adding up takes long
            mixes = self._groups[dimension].mixes(group, RATES.index(measure))
            found = gaps.drivers(mixes, number, tolerance)
        return Fairness(
            dimension, group, measure, number, look.gap.lower, look.gap.upper, look.log_evidence,
            status, found, reason, look.since if status == "alarm" else None,
        )  # fmt: skip


def _count(
    groups: Groups,
    block: int,
    kinds: Sequence[tuple[Seen | None, _Place | None]],
    *,
    which: Ints,
    residuals: Ints,
    times: Floats,
) -> None:
    """Count rows, `which` say of which kind each is, kind by kind."""
    sizes = np.bincount(which, minlength=len(kinds))
    sums, squares = np.zeros(len(kinds), dtype=np.int64), np.zeros(len(kinds), dtype=np.int64)
    np.add.at(sums, which, residuals)
    np.add.at(squares, which, residuals * residuals)
    first = earliest(which, times, len(kinds))
    for kind in np.flatnonzero(sizes).tolist():
        one, place = kinds[kind]
        if one is not None and place is not None:
            together = Together(int(sizes[kind]), int(sums[kind]), int(squares[kind]))
            groups.add(
                (block, float(first[kind])), place.group, place.stratum, one, place.others,
                together=together,
            )  # fmt: skip
