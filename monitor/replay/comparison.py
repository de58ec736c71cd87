"""A Plan → a Comparison: both sides opened, options checked, columns understood."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from monitor.analysis.drift.profiles import Profile, load_profile
from monitor.damage import Damage
from monitor.errors import SourceError, UsageError
from monitor.places import is_store
from monitor.replay.datasets import Dataset, is_profile, open_dataset, split
from monitor.replay.files import ReadOptions
from monitor.replay.logs import Make
from monitor.replay.plan import Plan
from monitor.replay.remembered import Remembered
from monitor.rows import Row
from monitor.tables.blocks import Block, count
from monitor.tables.cells import Sanitizer
from monitor.tables.dependence import Dependence
from monitor.texts import visible
from monitor.types import EDGE_CASE, WHOLE


@dataclass
class Tally:
    """How many rows have passed, the latest time of any, and how they depend on each other."""

    rows: int = 0
    latest: float = -math.inf
    dependence: Dependence = field(default_factory=Dependence)

    def passing(self, rows: Iterable[Row | Block], *, are_table: bool) -> Iterator[Row | Block]:
        """The rows, counted on their way."""
        for one in self.dependence.passing(rows) if are_table else rows:
            self.rows += count(one)
            latest = float(one.at.max()) if isinstance(one, Block) else one.at
            self.latest = max(self.latest, latest)
            yield one


@dataclass(frozen=True)
class Comparison:
    """What is judged, and what it is compared with: a dataset, a profile, or neither.

    The reference is read with the options `usual`, the current side with `options`, which have the
    range of time besides; both have the same column types and the same damage. `compared` counts
    the rows of the reference when they are read for the first time, `judged` those of the current
    side.
    """

    current: Dataset
    reference: Dataset | None
    profile: Profile | None
    usual: ReadOptions
    options: ReadOptions
    compared: Tally = field(default_factory=Tally)
    judged: Tally = field(default_factory=Tally)

    @property
    def has_reference(self) -> bool:
        """Whether the current side is compared with something else than its own beginning."""
        return self.reference is not None or self.profile is not None

    def looks_at(self, name: str) -> bool:
        """Whether the values of a column are watched."""
        return self.usual.columns.looks_at(name) and not self.usual.sanitizer.drops(name)

    def nothing(self) -> str:
        """Return the sentence for a person whose current side has nothing to judge."""
        what = "rows" if self.current.is_table else "records"
        ranged = not self.current.files or not (self.options.start is self.options.end is None)
        when = "in the time that was asked for" if ranged else "to judge"
        return f"{self.current.name}: {self.current.absence() or f'holds no {what} {when}'}"

    def gone(self) -> set[str]:
        """Columns of the reference that no table has now, as they may be called."""
        gone = set(self.usual.types.expected) - self.current.columns
        return {self.usual.sanitizer.text(name) for name in gone if self.looks_at(name)}

    def is_of_other_columns(self) -> bool:
        """Whether tables have no column of the reference: somebody took the wrong file, or one that
        is no table."""
        return bool(self.usual.types.expected) and self.current.columns.isdisjoint(
            self.usual.types.expected
        )

    def times(self) -> frozenset[str]:
        """The features of a table whose values are times, as they may be shown."""
        types, safe = self.usual.types.by_column, self.usual.sanitizer.text
        dated = (name for name, how in types.items() if how.kind == "datetime")
        return frozenset(visible(safe(name)) for name in dated)


def compare(
    plan: Plan, sanitizer: Sanitizer, clock: Callable[[], float], recording: Make | None = None
) -> Comparison:
    """Open both sides. Raises UsageError and SourceError with one line for a person."""
    damage = Damage()
    usual = ReadOptions(
        plan.features, plan.columns, plan.truth, plan.joining, sanitizer=sanitizer, damage=damage,
        recording=recording,
    )  # fmt: skip
    options = dataclasses.replace(usual, start=plan.start, end=plan.end)
    if plan.parted is not None:
        usual = dataclasses.replace(usual, start=plan.start, end=plan.parted)
        options = dataclasses.replace(options, start=plan.parted)

    def opened(*places: str, start: float | None = None, end: float | None = None) -> Dataset:
        return open_dataset(
            places, plan.form, plan.endpoint, plan.shards, clock, damage=damage, start=start,
            end=end, opener=plan.opener,
        )  # fmt: skip

    current = opened(*plan.sources, start=plan.start, end=plan.end)
    reference, profile = None, None
    if plan.parted is not None:
        if current.is_table and not plan.columns.timestamp:
            raise UsageError("--before-after: needs a --timestamp COLUMN for a table")
        reference = current
    elif plan.reference is None:
        if plan.versus is not None and current.is_table:
            reference, current = split(current, plan.versus)
    elif is_store(plan.reference) or not is_profile(Path(plan.reference)):
        reference = opened(plan.reference)
        if reference.is_table != current.is_table:
            raise SourceError(
                f"--reference: a table is compared with a table, records with records; "
                f"{_read_as(current)}, {_read_as(reference)}; --format says what files hold"
            )
    else:
        profile = load_profile(Path(plan.reference).read_bytes(), plan.reference)
        shapes = {key[0]: one.bins.shape for key, one in profile.references.items()}
        usual.types.shapes.update(shapes)
    if plan.versus is not None and plan.versus.dimension == EDGE_CASE and not current.is_table:
        raise UsageError(
            f"--reference {EDGE_CASE}={plan.versus.value}: a record may be of several edge cases, "
            f"so they are no groups to be compared; --by {EDGE_CASE} judges each"
        )
    if reference is not None and not reference.is_table:
        reference = dataclasses.replace(reference, rows=Remembered(reference.rows))
    found = Comparison(current, reference, profile, usual, options)
    _check(plan, found)
    if current.is_table:
        _learn(plan, found)
    return found


def _read_as(side: Dataset) -> str:
    """What a side was taken for, by its first file."""
    if not side.files:
        return f"{side.name} holds records"
    path, source = side.files[0]
    return f"{path} was read as {source.name}"


def _check(plan: Plan, found: Comparison) -> None:
    """Raise UsageError for columns that are named and in no table."""
    known = found.current.columns
    if found.reference is not None:
        known |= found.reference.columns
    crossed = {name for parts in plan.outcomes.crossed for name in parts}
    for option, names in (
        ("timestamp", (plan.columns.timestamp,)),
        ("types", plan.types),
        ("score", (plan.score,)),
        ("ignore", plan.columns.ignore),
        ("prediction", plan.prediction),
        ("label", plan.label),
        ("intersection", [name for name in plan.protected if name in crossed]),
        ("protected", plan.protected),
        ("experiment", plan.arms if found.current.is_table else ()),
    ):
        for name in filter(None, names):
            if not found.current.is_table:
                raise UsageError(
                    f"--{option}: is for tables, and {found.current.name} holds records"
                )
            if name not in known:
                raise UsageError(f"--{option}: no table has a column {name!r}")
    if both := [name for name in plan.label if name in plan.prediction]:
        raise UsageError(f"--label: {both[0]!r} is what the model said, so it is no truth")
    if found.current.is_table:
        _check_groups(plan, crossed)


def _check_groups(plan: Plan, crossed: AbstractSet[str]) -> None:
    """Raise UsageError where groups are to be made of what became of them: they would differ in
    that by themselves."""
    became = dict.fromkeys(plan.label, "the truth")
    became |= dict.fromkeys(plan.prediction, "what the model said")
    became |= {plan.score: "the score"} if plan.score else {}
    for where, names in (
        ("--intersection", [name for name in plan.protected if name in crossed]),
        ("--protected", plan.protected),
        ("fairness.intersections", sorted(crossed)),
        ("fairness.dimensions", plan.outcomes.fair),
    ):
        for name in names:
            if name in became:
                raise UsageError(
                    f"{where}: {name!r} is {became[name]}, so it makes no groups that could be "
                    "treated alike"
                )


def _learn(plan: Plan, found: Comparison) -> None:
    """Decide how columns are read, by the reference and what is compared together."""
    types, sanitizer, tables = found.usual.types, found.usual.sanitizer, found.current.tables
    types.by_column.update(plan.types)
    if found.reference is not None:
        types.learn(found.reference.tables, tables, sanitizer)
        names = [name for table in found.reference.tables for name in table.names]
    elif found.profile is not None:
        # A profile has the names that may be seen.
        known = {sanitizer.text(name): name for name in sorted(found.current.columns)}
        for name, how in found.profile.types.items():
            if plan.types.get(known.get(name, name), how).words != how.words:
                raise UsageError(f"--types: the reference was built with {name!r} as {how.words}")
            types.by_column[known.get(name, name)] = how
        names = list(found.profile.types) or _columns_of(found.profile)
        names = [known.get(name, name) for name in names]
        types.learn(tables, sanitizer=sanitizer)
    else:
        types.learn(tables, sanitizer=sanitizer)
        names = [name for table in tables for name in table.names]
    # The truth comes later, if at all.
    types.expected = tuple(name for name in dict.fromkeys(names) if name not in plan.label)


def _columns_of(profile: Profile) -> list[str]:
    """The columns of a table that a profile was made of which does not say how they were read."""
    names = {key[0] for key in profile.references if key[1] == WHOLE.dimension}
    return sorted(
        name
        for name in names
        if not (name.endswith((".length", ".unknown_words")) and name.rpartition(".")[0] in names)
    )
