"""A Table → Rows with a Truth: what a model said of each row, and what was true."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Table
from monitor.rows import Row, Truth
from monitor.tables import numerals
from monitor.tables.cells import Sanitizer, named, segment, taker
from monitor.tables.column_types import ColumnType, Kind
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from monitor.tables.rows import needed, observer
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
    place = observer(names, bare, sanitizer, str(table.path), types=types)
    truth = _truth_of(names, said, types, sanitizer)
    condition = _condition_of(names, sliced, types, sanitizer)
    damage.begin(table.path)
    index = first
    for number, values in table.rows(names, damage):
        try:
            row = place(values, index, "")
        except SourceError as error:
            damage.rows(table.path, table.place(number), str(error).removeprefix(": "))
            continue
        told = truth(values)
        if said.is_sliced:
            row = msgspec.structs.replace(row, segments=row.segments | condition(values))
            told = msgspec.structs.replace(told, id=str(index))
        index += 1
        yield msgspec.structs.replace(row, truth=told)


def _condition_of(
    names: Sequence[str], sliced: Sequence[str], types: ColumnTypes, sanitizer: Sanitizer
) -> Callable[[Sequence[Any]], dict[str, str]]:
    """The function (values of a row) → its values in columns that slices are made of, numbers in
    bins."""
    columns = [(sanitizer.text(name), name, names.index(name), types.of(name))
               for name in sliced]  # fmt: skip

    def condition(values: Sequence[Any]) -> dict[str, str]:
        found = {}
        for shown, name, at, how in columns:
            value = named(values[at], how)
            if type(value) in (int, float) and how.kind == "numeric" and math.isfinite(value):
                found[shown] = numerals.octave(float(value))
            elif isinstance(value, str | bool):
                found[shown] = segment(name, value, sanitizer)[:LONGEST]
        return found

    return condition


def _truth_of(
    names: Sequence[str], said: TruthColumns, types: ColumnTypes, sanitizer: Sanitizer
) -> Callable[[Sequence[Any]], Truth]:
    """The function (values of a row) → its truth."""

    def taken(name: str) -> Callable[[Sequence[Any]], Any]:
        if name not in names:
            return lambda _: None
        how = types.of(name)
        if how.kind in AS_TRUTH:
            how = ColumnType(AS_TRUTH[how.kind])
        at, take = names.index(name), taker(name, how, sanitizer)
        return lambda values: take(values[at])

    prediction, label, score = map(taken, (said.prediction, said.label, said.score))
    duration, outcome = taken(said.duration), taken(said.outcome)
    events = [(name, taken(name)) for name in said.events if name in names]
    protected = [
        (sanitizer.text(name), name, names.index(name), types.of(name))
        for name in said.protected
        if name in names
    ]

    units = [(name, names.index(name), types.of(name)) for name in said.units if name in names]

    def truth(values: Sequence[Any]) -> Truth:
        return Truth(
            prediction=_scalar(prediction(values)),
            score=_score(score(values)),
            label=_scalar(label(values)),
            events={name: happened for name, of in events if (happened := _event(of(values)))},
            duration=_seconds(duration(values)),
            outcome=_ended(outcome(values)),
            attributes={
                shown: segment(name, named(values[at], how), sanitizer)
                for shown, name, at, how in protected
            },
            units={
                name: numbered(str(found))
                for name, at, how in units
                if (found := named(values[at], how)) not in (None, "")
            },
        )

    return truth


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
