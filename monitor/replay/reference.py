"""The rows of a reference → its Profile, which the current side is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import numpy as np

from monitor.analysis.drift.profiles import LIMIT, Learners, Profile
from monitor.analysis.drift.reference import BUFFER
from monitor.analysis.drift.windows import INNER_BINS
from monitor.errors import SourceError
from monitor.picks import is_picked, pick
from monitor.replay.census import Census, within_budget
from monitor.replay.comparison import Comparison, Tally
from monitor.replay.datasets import Dataset
from monitor.replay.files import ReadOptions
from monitor.replay.unlabelled import without_missing
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.tables.facts import TableFacts
from monitor.types import WHOLE, Segment

NOTHING = "--reference: holds nothing to compare with; give records or rows of the same kind"

Tap = Callable[[Row | Block], None]
"""What is told of every row of one reading, as they come."""


class Watch(Protocol):
    """What shows how far a reading has come, of a `total` of rows where it is known."""

    def __call__(
        self, rows: Iterable[Row | Block], what: str, total: int = 0, /
    ) -> Iterator[Row | Block]:
        """The same rows, each on its way once."""


def tapped(rows: Iterable[Row | Block], taps: Sequence[Tap]) -> Iterator[Row | Block]:
    """The rows, each told to the taps on its way."""
    for one in rows:
        for tap in taps:
            tap(one)
        yield one


def build(
    dataset: Dataset,
    options: ReadOptions,
    census: Census,
    watch: Watch,
    taps: Sequence[Tap] = (),
    *,
    nothing: str = NOTHING,
    tally: Tally | None = None,
    bins: Sequence[int] = (INNER_BINS,),
    limit: int = LIMIT,
    labels: frozenset[str] = frozenset(),
) -> list[Profile]:
    """A profile of a dataset for each number of `bins`, made together, each with `limit` features
    and segments at most; the rows are told to `taps`
    and counted by `tally`; `census` counted it, where it did.

    Bins are made of the first values. Of what stands in order, as in a sorted table, they are made
    anew from values spread over all of it: one of each so many rows, which the first reading keeps
    where the number of rows is known. Raises SourceError, which says `nothing`, where there is
    nothing to compare with.
    """
    kept, by = census.kept(), options.columns.by

    def rows(what: str) -> Iterator[Row | Block]:
        return watch(within_budget(dataset.rows(options), kept), what)

    step, some = -(-census.rows // BUFFER), list[Row | Block]()
    first, seen = tapped(rows("reading the reference"), taps), TableFacts()
    first = first if tally is None else tally.passing(first, are_table=dataset.is_table)
    first = without_missing(seen.passing(first), labels) if dataset.is_table else first
    profiles = _learned(
        _sampled(first, step, some) if step else first,
        [Learners(by, inner=inner, limit=limit) for inner in bins],
    )
    if not profiles[0].references:
        raise SourceError(nothing)
    facts = seen.facts()
    ordered = [
        {key[0] for key, one in profile.references.items() if one.is_lopsided}
        for profile in profiles
    ]
    if any(ordered):
        needed = -(-max(one.samples for one in profiles[0].references.values()) // BUFFER)
        if needed != step:
            some = list[Row | Block]()
            again_read = without_missing(rows("reading it again"), labels)
            for _ in _sampled(again_read, needed, some):
                pass
        spread = _learned(some, [Learners(by, inner=inner, limit=limit) for inner in bins])
        again = _learned(
            without_missing(rows("reading it again"), labels),
            [
                Learners(
                    by,
                    bins=Profile({k: r for k, r in one.references.items() if k[0] in names}),
                    limit=limit,
                )
                for one, names in zip(spread, ordered, strict=True)
            ],
        )
        profiles = [
            Profile(one.references | new.references)
            for one, new in zip(profiles, again, strict=True)
        ]
    return [msgspec.structs.replace(one, facts=facts, labels=labels) for one in profiles]


def _learned(rows: Iterable[Row | Block], each: Sequence[Learners]) -> list[Profile]:
    """What each learns of the same rows."""
    for one in rows:
        for learners in each:
            learners.fold(one)
    return [learners.profile() for learners in each]


def _sampled(
    rows: Iterable[Row | Block], step: int, some: list[Row | Block]
) -> Iterator[Row | Block]:
    """The rows, of which one of each `step` is kept in `some`: BUFFER of them at most."""
    number = 0
    for one in rows:
        if isinstance(one, Block):
            groups = range(number // step, (number + len(one)) // step + 1)
            places = np.array([group * step + pick(group, step) - number for group in groups])
            places = places[(places >= 0) & (places < len(one))]
            some += [one.take(places)] if len(places) else []
            number += len(one)
        else:
            some += [one] if is_picked(number, step) else []
            number += 1
        yield one


def with_types(profile: Profile, both: Comparison) -> Profile:
    """A profile of the current side that says how its columns were read."""
    types = both.usual.types
    read = {
        both.usual.sanitizer.text(name): types.by_column[name]
        for name in types.expected
        if both.looks_at(name)
    }
    return msgspec.structs.replace(profile, types=read)


def of_others(profile: Profile, segment: Segment, kept: Mapping[str, set[str]]) -> Profile:
    """The profile of a segment, as the reference of the others of its dimension, too."""
    references = {
        key: one for key, one in profile.references.items() if key[1] != segment.dimension
    }
    for value in sorted(kept.get(segment.dimension, set()) - {segment.value}):
        references |= {
            (key[0], segment.dimension, value): one
            for key, one in profile.references.items()
            if key[1] == WHOLE.dimension
        }
    return msgspec.structs.replace(profile, references=references)
