"""A Table → Rows: which columns are looked at, and what is observed in each value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Table
from monitor.languages import language
from monitor.picks import pick
from monitor.rows import Row
from monitor.tables.cells import Sanitizer, clock, flat, named, segment, taker
from monitor.tables.column_types import ColumnType, is_figure, is_spoilt, plain_value
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from monitor.texts import CATEGORY, observe_text, observe_words, plain
from monitor.types import Observation


def read(
    table: Table,
    columns: Columns,
    types: ColumnTypes,
    sanitizer: Sanitizer,
    *,
    damage: Damage,
    first: int = 0,
) -> Iterator[Row]:
    """The rows of a table, numbered from `first`; those that cannot be read are told to `damage`.

    Raises SourceError naming the file for a column that is not there.
    """
    names = needed(table, columns, types, sanitizer)
    spoilt: list[tuple[str, str]] = []
    observe = observer(
        names,
        columns,
        sanitizer,
        str(table.path),
        types=types,
        spoilt=lambda *cell: spoilt.append(cell),
    )
    damage.begin(table.path)
    index = first
    for number, values in table.rows(names, damage):
        try:
            row = observe(values, index, "")
        except SourceError as error:
            damage.rows(table.path, table.place(number), str(error).removeprefix(": "))
            spoilt.clear()
            continue
        if spoilt:
            for column, kind in spoilt:
                damage.cell(table.path, column, table.place(number), kind)
            spoilt.clear()
        index += 1
        yield row


def needed(table: Table, columns: Columns, types: ColumnTypes, sanitizer: Sanitizer) -> list[str]:
    """The columns of a table that have to be read, how to read them decided.

    Raises SourceError naming the file for a column that is not there.
    """
    if any(name not in types.by_column for name in table.names):
        types.learn([table], sanitizer=sanitizer)
    _check(table.names, columns, str(table.path))
    return [name for name in table.names if columns.wants(name)] or table.names[:1]


class Look(NamedTuple):
    """A column that is looked at: its place among those that are read, the feature that it is, how
    it is read (with its `kind`, empty where none is said), and the function (value as it stands) →
    value to look at."""

    place: int
    feature: str
    how: ColumnType | None
    kind: str
    take: Callable[[Any], Any]
    is_ruled: bool


class Looks(NamedTuple):
    """What is looked at in rows of some columns: the columns, what is observed of those that are
    gone, and (place, name, column type) of the dimensions and of the time."""

    columns: list[Look]
    gone: list[Observation]
    dimensions: list[tuple[int, str, ColumnType | None]]
    when: tuple[int, str, ColumnType | None] | None


def looks(
    names: Sequence[str], columns: Columns, sanitizer: Sanitizer, types: ColumnTypes | None
) -> Looks:
    """What is looked at in rows of the columns `names`."""

    def how(name: str) -> ColumnType | None:
        return None if types is None else types.of(name)

    def is_seen(name: str) -> bool:
        seen = columns.looks_at(name) and not sanitizer.drops(name)
        return seen and not _counts_rows(name, how(name))

    def placed(name: str) -> tuple[int, str, ColumnType | None]:
        return names.index(name), name, how(name)

    return Looks(
        [
            Look(
                place,
                sanitizer.text(name),
                way,
                "" if way is None else way.kind,
                taker(name, way, sanitizer),
                sanitizer.minds(name),
            )
            for place, (name, way) in enumerate(zip(names, map(how, names), strict=True))
            if is_seen(name)
        ],
        [
            Observation(sanitizer.text(name), "categorical", None)
            for name in (types.expected if types is not None else ())
            if name not in names and is_seen(name)
        ],
        [placed(name) for name in columns.by],
        placed(columns.timestamp) if columns.timestamp else None,
    )


def observer(
    names: Sequence[str],
    columns: Columns,
    sanitizer: Sanitizer,
    where: str,
    *,
    types: ColumnTypes | None = None,
    spoilt: Callable[[str, str], None] | None = None,
) -> Callable[[Sequence[Any], int, str], Row]:
    """The function (values of a row, its number, its place for a message) → Row.

    Values are read as `types` say; without them those of a typed table are taken as they are.
    `spoilt` is told the column and its kind of a cell that cannot be read so. Raises SourceError
    naming `where` for a column that is not there; the function raises it, naming the place, for a
    time that is none.
    """
    _check(names, columns, where)
    looked_at, gone, dimensions, when = looks(names, columns, sanitizer, types)
    time_of = clock(when[2]) if when is not None else None

    def observe(values: Sequence[Any], number: int, place: str) -> Row:
        at = float(number)
        if time_of is not None and when is not None:
            found = time_of(values[when[0]])
            if found is None:
                raise SourceError(f"{place}: {NO_TIME.format(when[1])}")
            at = found
        segments = {
            name: segment(name, named(values[index], how), sanitizer)
            for index, name, how in dimensions
        }
        observations = list(gone)
        for index, name, _, kind, take, _ in looked_at:
            value = take(values[index])
            type_ = type(value)
            if type_ is float or type_ is int or value is None:
                observations.append(Observation(name, "numeric", value))
            elif type_ is str and kind == "categorical" and len(value) <= CATEGORY:
                observations.append(Observation(name, "categorical", plain(value)))
            else:
                if spoilt is not None and is_spoilt(value, kind):
                    spoilt(name, kind)
                observations += observed(name, kind, value, number, sanitizer)
        return Row(at, segments, observations)

    return observe


NO_TIME = "column {!r} holds no time (RFC 3339, Unix seconds)"


def varies(value: Any, kind: str) -> bool:
    """Whether what is observed of a value depends on the row, or is more than one thing."""
    if type(value) is str:
        return kind == "text" or (not is_figure(kind) and len(plain(value)) > CATEGORY)
    return type(value) is list and kind == "list"


def observed(
    name: str, kind: str, value: Any, number: int, sanitizer: Sanitizer
) -> Iterable[Observation]:
    """What is seen in a value that was taken of a column of some kind, in order of feature."""
    type_ = type(value)
    if type_ is str:
        if is_figure(kind):
            return (Observation(name, "categorical", value[:CATEGORY]),)
        look = _text if kind == "text" else observe_text
        return look(name, plain(value), str(number))
    if type_ is bool:
        return (Observation(name, "boolean", value),)
    if type_ is list:
        if kind == "list":
            unfolded = _unfolded(name, value, number, sanitizer)
            return sorted(unfolded, key=lambda seen: seen.feature)
        return (Observation(name, "vector", value),)
    return (Observation(name, "numeric", value),)


def _text(name: str, text: str, seed: str) -> Iterator[Observation]:
    """A value of a column of texts, however short, and the language of it."""
    word, *rest = observe_words(name, text, seed)
    yield word
    yield Observation(f"{name}.language", "categorical", language(text))
    yield from rest


def _check(names: Sequence[str], columns: Columns, where: str) -> None:
    for name in columns.needed():
        if name not in names:
            raise SourceError(f"{where}: no column {name!r}; there are {_listed(names)}")


def _counts_rows(name: str, how: ColumnType | None) -> bool:
    """Whether a column is the index that pandas has written into a CSV file."""
    unnamed = name.startswith("Unnamed: ")
    return unnamed and how is not None and how.kind == "identifier"


def _unfolded(
    name: str, values: Sequence[Any], number: int, sanitizer: Sanitizer
) -> Iterator[Observation]:
    """A list whose length varies, or which holds no numbers: its length, and one of its elements.

    The elements of one list belong together, so only one of them is evidence.
    """
    yield Observation(f"{name}.length", "numeric", len(values))
    one = values[pick(number, len(values))] if values else None
    for inner, value in flat(one, name):
        found = sanitizer.cell(inner, plain_value(value)) if _is_scalar(value) else value
        if type(found) is str:
            yield from observe_text(sanitizer.text(inner), plain(found), str(number))
        elif type(found) is bool:
            yield Observation(sanitizer.text(inner), "boolean", found)
        else:
            yield Observation(sanitizer.text(inner), "numeric", found)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bytes | date)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(no name)" for name in names[:12])
    return f"{shown}, …" if len(names) > 12 else shown
