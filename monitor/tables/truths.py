"""A Table → Rows with a Truth: what a model said of each row, and what was true."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Table
from monitor.rows import Row, Truth
from monitor.tables import arrays, by_column, numerals
from monitor.tables.cells import Sanitizer, named, segment, taker
from monitor.tables.column_types import ColumnType, Kind
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from monitor.tables.rows import looks, needed, observer
from monitor.texts import numbered
from monitor.types import Outcome

AS_TRUTH: dict[Kind, Kind] = {"identifier": "numeric", "boolean": "categorical"}
"""How columns of some kinds are read here: where nearly all values differ each still counts, and
`yes` keeps its name."""

SLICED: frozenset[Kind] = frozenset({"numeric", "boolean", "categorical"})
"""Columns that slices are made of."""

LONGEST = 64
"""Characters of a value that is one of many."""


class TruthColumns(msgspec.Struct, frozen=True):
    """The columns of a table that say what became of a row; empty: there is none.

    `score` is the probability of a positive, or those of all classes: a list of the classes 0, 1
    and so on, or an object by their names, which may be written as JSON.
    `protected` are attributes of whom the row is about. `events` are columns in which anything but
    nothing, 0 or false says that something happened, and a number how much. `duration` is in
    seconds, `outcome` is how an exchange ended. `arms` are dimensions of experiments, `units` what
    these count by, such as a user. With `is_sliced` all other columns are dimensions too, numbers
    in bins.
    """

    prediction: str = ""
    label: str = ""
    score: str = ""
    protected: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    duration: str = ""
    outcome: str = ""
    arms: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    is_sliced: bool = False

    @property
    def is_told(self) -> bool:
        """Whether they say what was predicted, and what was true or for whom it was."""
        return bool((self.prediction or self.score) and (self.label or self.protected))

    @property
    def names(self) -> tuple[str, ...]:
        """Those that there may be, protected attributes and what experiments ask for last."""
        alone = (self.prediction, self.label, self.score, self.duration, self.outcome)
        return tuple(filter(None, (*alone, *self.protected, *self.events, *self.arms, *self.units)))


def read(
    table: Table,
    columns: Columns,
    said: TruthColumns,
    types: ColumnTypes,
    sanitizer: Sanitizer,
    *,
    damage: Damage,
    first: int = 0,
) -> Iterator[Row]:
    """The rows of a table without observations, numbered from `first` as `rows.read` numbers them.

    A column that this table does not have is missing in each row. Raises SourceError naming the
    file for a dimension or a time that is not there.
    """
    arms = [one for one in said.arms if one in table.names and one not in columns.by]
    columns = msgspec.structs.replace(columns, by=(*columns.by, *arms))
    needed(table, columns, types, sanitizer)
    sliced = [
        name for name in table.names if said.is_sliced and name not in said.names
        and columns.looks_at(name) and not sanitizer.drops(name)
        and types.of(name).kind in SLICED
    ]  # fmt: skip
    wanted = {*said.names, *columns.needed(), *sliced}
    names = [name for name in table.names if name in wanted] or table.names[:1]
    bare = msgspec.structs.replace(columns, segments_only=True)
    members = [
        *_members(names, said, types, sanitizer), *_conditions(names, sliced, types, sanitizer)
    ]  # fmt: skip
    if table.batches is not None:
        looked_at = looks(names, bare, sanitizer, types)
        for some in by_column.placed(
            table, names, looked_at, sanitizer, damage=damage, first=first
        ):
            yield from _rows(some, members, first, is_sliced=said.is_sliced)
            first += len(some.at)
        return
    place = observer(names, bare, sanitizer, str(table.path), types=types)
    damage.begin(table.path)
    index = first
    for number, values in table.rows(names, damage):
        try:
            row = place(values, index, "")
        except SourceError as error:
            damage.rows(table.path, table.place(number), str(error).removeprefix(": "))
            continue
        found = [one.read(values[one.place]) for one in members]
        yield _row(row, members, found, str(index) if said.is_sliced else "")
        index += 1


class _Member(NamedTuple):
    """A member of a Truth, and the key in it where it holds several (a condition is a segment); the
    place of a column among those that are read, and the function (its value) → what is told, None
    for nothing."""

    name: str
    key: str
    place: int
    read: Callable[[Any], Any]


_CONDITION = "condition"


def _rows(
    some: by_column.Placed, members: Sequence[_Member], first: int, *, is_sliced: bool
) -> Iterator[Row]:
    """The rows of a batch; each different value of a column is read once."""
    columns = []
    for one in members:
        codes, different = arrays.distinct(some.batch.columns[one.place])
        read = list(map(one.read, different))
        columns.append([read[code] for code in codes.tolist()])
    labels = [[one.values[code] for code in one.codes.tolist()] for one in some.segments.values()]
    names, nothing = list(some.segments), [()] * len(some.at)
    segments, found = (list(zip(*of, strict=True)) or nothing for of in (labels, columns))
    parts = zip(some.at.tolist(), segments, found, strict=True)
    for index, (at, values, told) in enumerate(parts, first):
        row = Row(at, dict(zip(names, values, strict=True)), [])
        yield _row(row, members, told, str(index) if is_sliced else "")


def _row(row: Row, members: Sequence[_Member], found: Sequence[Any], id_: str) -> Row:
    """The row with what became of it."""
    told: dict[str, Any] = {"id": id_}
    conditions: dict[str, str] = {}
    for (name, key, _, _), value in zip(members, found, strict=True):
        if value is None:
            continue
        if not key:
            told[name] = value
        elif name == _CONDITION:
            conditions[key] = value
        elif name in told:
            told[name][key] = value
        else:
            told[name] = {key: value}
    segments = row.segments | conditions if conditions else row.segments
    return Row(row.at, segments, [], truth=Truth(**told))


def _conditions(
    names: Sequence[str], sliced: Sequence[str], types: ColumnTypes, sanitizer: Sanitizer
) -> Iterator[_Member]:
    """The columns that slices are made of; numbers are in bins."""

    def condition(name: str, how: ColumnType, value: Any) -> str | None:
        value = named(value, how)
        if type(value) in (int, float) and how.kind == "numeric" and math.isfinite(value):
            return numerals.octave(float(value))
        if isinstance(value, str | bool):
            return segment(name, value, sanitizer)[:LONGEST]
        return None

    for name in sliced:
        read = partial(condition, name, types.of(name))
        yield _Member(_CONDITION, sanitizer.text(name), names.index(name), read)


def _members(
    names: Sequence[str], said: TruthColumns, types: ColumnTypes, sanitizer: Sanitizer
) -> Iterator[_Member]:
    """What the columns of a table say of the truth of a row."""

    def member(
        name: str, column: str, told: Callable[[Any], Any], key: str = ""
    ) -> Iterator[_Member]:
        if column not in names:
            return
        how = types.of(column)
        if how.kind in AS_TRUTH:
            how = ColumnType(AS_TRUTH[how.kind])
        take = taker(column, how, sanitizer)
        yield _Member(name, key, names.index(column), lambda value: told(take(value)))

    yield from member("prediction", said.prediction, _scalar)
    yield from member("score", said.score, _score)
    yield from member("label", said.label, _scalar)
    for one in said.events:
        yield from member("events", one, lambda value: _event(value) or None, one)
    yield from member("duration", said.duration, _seconds)
    yield from member("outcome", said.outcome, _ended)

    def attribute(name: str, how: ColumnType, value: Any) -> str:
        return segment(name, named(value, how), sanitizer)

    def unit(how: ColumnType, value: Any) -> int | None:
        found = named(value, how)
        return None if found in (None, "") else numbered(str(found))

    for one in said.protected:
        if one in names:
            read = partial(attribute, one, types.of(one))
            yield _Member("attributes", sanitizer.text(one), names.index(one), read)
    for one in said.units:
        if one in names:
            yield _Member("units", one, names.index(one), partial(unit, types.of(one)))


def _scalar(value: Any) -> str | float | None:
    """A value that can be compared; a truth value is 1 or 0, and a list is none."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float | str):
        return value
    return None


def _event(value: Any) -> float:
    """How much of an event there was; 0 where there was none.

    >>> [_event(value) for value in (None, "", 0, False, "false", 2.5, "3", True, "yes")]
    [0.0, 0.0, 0.0, 0.0, 0.0, 2.5, 3.0, 1.0, 1.0]
    """
    if value is None or str(value).strip().lower() in _NOTHING:
        return 0.0
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 1.0
    return number if math.isfinite(number) else 0.0


_NOTHING = {"", "false", "no", "none"}


def _seconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _ended(value: Any) -> Outcome | None:
    try:
        return Outcome(str(value))
    except ValueError:
        return None


def _score(value: Any) -> float | dict[str, float] | None:
    """A probability, or those of classes by their name or number, which may be written as JSON; NaN
    for what is neither."""
    if value is None:
        return None
    if isinstance(value, str) and value[:1] in ("[", "{"):
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            value = msgspec.json.decode(value)
    if isinstance(value, list):
        value = {str(place): one for place, one in enumerate(value)}
    if isinstance(value, dict):
        return {name: _number(one) for name, one in value.items()}
    return _number(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an integer beyond any float
        return math.inf
