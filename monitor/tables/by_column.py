"""A table's batches of columns → Blocks: what is read of a column at once, and what value by value.

| a column of | is read |
|---|---|
| numbers, typed or plainly written, also such as count time; typed dates and times | at once |
| identifiers: whole numbers, or texts | at once |
| long texts and lists, of which is observed what depends on the row | value by value |
| all else; and of the first two what is missing, large or spelled otherwise | each value once |

Whatever is not read at once goes through the functions that rows are made by, and of the rest it is
known what they would give. So Blocks hold what Rows would, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import compress
from typing import Any, NamedTuple

import numpy as np

from monitor.damage import Damage
from monitor.interfaces import Batch, Table
from monitor.rows import Row
from monitor.tables import arrays, rows
from monitor.tables.blocks import (
    NUMBER,
    Block,
    Column,
    Floats,
    Ints,
    Labels,
    Numbers,
    relabelled,
)
from monitor.tables.cells import LARGE, Sanitizer, clock, named, segment
from monitor.tables.column_types import ALIKE, ColumnType, is_spoilt
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from monitor.tables.rows import Look, Looks
from monitor.types import Observation

VARYING = -2
"""The code of a value of which is observed what depends on the row."""


def read(
    table: Table,
    columns: Columns,
    types: ColumnTypes,
    sanitizer: Sanitizer,
    *,
    damage: Damage,
    first: int = 0,
) -> Iterator[Row | Block]:
    """The rows of a table as `rows.read` gives them, in Blocks where the table comes in batches.

    Raises SourceError naming the file for a column that is not there.
    """
    if table.batches is None:
        yield from rows.read(table, columns, types, sanitizer, damage=damage, first=first)
        return
    names = rows.needed(table, columns, types, sanitizer)
    looks = rows.looks(names, columns, sanitizer, types)
    reader = _Reader(table, looks, sanitizer, damage)
    damage.begin(table.path)
    numeric = [names[one.place] for one in looks.columns if _is_plain(one)]
    for batch in _ahead(partial(table.batches, names, numeric), damage):
        block = reader.block(reader.placed(batch, first), first)
        first += len(block)
        if len({column.feature for column in block.columns}) < len(block.columns):
            yield from block.rows()  # two columns are one feature, whose values come by turns
        elif len(block):
            yield block


class Placed(NamedTuple):
    """Rows of a batch that have a time, with it and with their values of each dimension."""

    at: Floats
    segments: dict[str, Labels]
    batch: Batch


def placed(
    table: Table,
    names: Sequence[str],
    looks: Looks,
    sanitizer: Sanitizer,
    *,
    damage: Damage,
    first: int = 0,
) -> Iterator[Placed]:
    """The columns `names` of a table that comes in batches, their values as they stand."""
    assert table.batches is not None  # noqa: S101  who asks has looked
    reader = _Reader(table, looks, sanitizer, damage)
    damage.begin(table.path)
    for batch in _ahead(partial(table.batches, list(names), []), damage):
        found = reader.placed(batch, first)
        first += len(found.at)
        yield found


def _ahead(batches: Callable[[Damage], Iterator[Batch]], damage: Damage) -> Iterator[Batch]:
    """The batches, each read and unpacked in a thread while the one before it is worked on; what is
    told of them is told in order."""
    told = Damage()
    coming = batches(told)

    def step() -> tuple[Batch | None, Damage]:
        batch = next(coming, None)
        before = Damage(dict(told.files))
        told.files.clear()
        return batch, before

    with ThreadPoolExecutor(1) as thread:
        batch: Batch | None = Batch((), [])
        while batch is not None:
            waiting = thread.submit(step)
            if len(batch):
                yield batch
            batch, before = waiting.result()
            damage.merge(before)


class _Reader:
    """Batches of one table → Blocks."""

    def __init__(self, table: Table, looks: Looks, sanitizer: Sanitizer, damage: Damage) -> None:
        self._table = table
        self._looks = looks
        self._sanitizer = sanitizer
        self._damage = damage
        self._time_of = clock(looks.when[2]) if looks.when is not None else None

    def placed(self, batch: Batch, first: int) -> Placed:
        """Where the rows of a batch belong; the first is the `first` of the table."""
        at, batch = self._timed(batch, first)
        segments = {
            name: self._labels(batch.columns[place], name, how)
            for place, name, how in self._looks.dimensions
        }
        return Placed(at, segments, batch)

    def block(self, some: Placed, first: int) -> Block:
        """What is seen in rows, whose first is the `first` of the table."""
        at, segments, batch = some
        found = [
            Column(one.feature, np.zeros(len(batch), dtype=np.intp), [one])
            for one in self._looks.gone
        ]
        for look in self._looks.columns:
            found += self._columns(look, batch, first)
        return Block(at, segments, found)

    def _timed(self, batch: Batch, first: int) -> tuple[Floats, Batch]:
        """The times of a batch, and it without the rows that have none; these are told."""
        if self._looks.when is None or self._time_of is None:
            return np.arange(first, first + len(batch), dtype=np.float64), batch
        place, name, how = self._looks.when
        array = batch.columns[place]
        if how is not None and how.kind == "identifier":
            how = ColumnType("numeric")  # a moment is its value, whatever is observed of it
        found, rest = _at_once(array, how)
        at: Floats = np.zeros(len(batch)) if found is None else found.astype(np.float64)
        if not len(rest):
            return at, batch
        codes, values = arrays.distinct(arrays.take(array, rest))
        times = [self._time_of(value) for value in values]
        at[rest] = np.array([np.nan if time is None else time for time in times])[codes]
        timeless = np.flatnonzero(np.isnan(at))
        for row in timeless.tolist():
            where = self._table.place(batch.numbers[row])
            self._damage.rows(self._table.path, where, rows.NO_TIME.format(name))
        if not len(timeless):
            return at, batch
        timed = np.flatnonzero(~np.isnan(at))
        return at[timed], _taken(batch, timed)

    def _labels(self, array: Any, name: str, how: ColumnType | None) -> Labels:
        codes, values = arrays.distinct(array)

        def label(value: Any) -> str:
            return segment(name, named(value, how), self._sanitizer)

        return relabelled(codes, [label(value) for value in values])

    def _columns(self, look: Look, batch: Batch, first: int) -> list[Column]:
        """The features that are seen in a column, in order."""
        array, seen = batch.columns[look.place], list[Observation]()
        numbers, rest = _at_once(array, None if look.is_ruled else look.how)
        codes = np.full(len(batch), NUMBER)
        if look.kind == "identifier" and not look.is_ruled:
            there = arrays.present(array)
            if there is not None:
                seen += rows.observed(look.feature, look.kind, ALIKE, first, self._sanitizer)
                codes[there] = 0
                rest = np.flatnonzero(~there)
        if not len(rest):
            return [Column(look.feature, codes, seen, numbers)]
        different, values = arrays.distinct(arrays.take(array, rest))
        taken = [look.take(value) for value in values]
        spoilt = np.array([is_spoilt(value, look.kind) for value in taken])
        if spoilt.any():
            cells = rest[spoilt[different]]
            where = self._table.place(batch.numbers[int(cells[0])])
            self._damage.cell(self._table.path, look.feature, where, look.kind, len(cells))
        varies = np.array([rows.varies(value, look.kind) for value in taken])
        places = np.full(len(values), VARYING)
        places[~varies] = np.arange(len(seen), len(seen) + len(values) - varies.sum())
        for value in compress(taken, ~varies):
            seen += rows.observed(look.feature, look.kind, value, first, self._sanitizer)
        codes[rest] = places[different]
        columns = [Column(look.feature, codes, seen, numbers)]
        if not varies.any():
            return columns
        alone = [
            (row, one)
            for row, code in zip(rest.tolist(), different.tolist(), strict=True)
            if varies[code]
            for one in rows.observed(
                look.feature, look.kind, taken[code], first + row, self._sanitizer
            )
        ]
        return _with(columns[0], alone)


def _is_plain(look: Look) -> bool:
    """Whether numbers in texts of a column are written as Python writes them."""
    how = look.how
    return how is not None and how.kind == "numeric" and how.decimal == "." and not look.is_ruled


def _at_once(array: Any, how: ColumnType | None) -> tuple[Numbers | None, Ints]:
    """(the numbers of a column, None without any; the places that are to be read by value)."""
    found = None if how is None else arrays.numbers(array, how, LARGE)
    if found is None:
        return None, np.arange(len(array))
    return found[0], np.flatnonzero(~found[1])


def _with(column: Column, alone: list[tuple[int, Observation]]) -> list[Column]:
    """A column with what was observed at its `VARYING` places, by row, and what else was there."""
    by_feature: dict[str, list[tuple[int, Observation]]] = {column.feature: []}
    for row, one in alone:
        by_feature.setdefault(one.feature, []).append((row, one))
    columns = []
    for feature, found in sorted(by_feature.items()):
        places = np.array([row for row, _ in found], dtype=np.intp)
        codes, seen = np.arange(len(found)), [one for _, one in found]
        if feature == column.feature:
            steady = np.flatnonzero(column.codes != VARYING)
            places = np.concatenate((steady, places))
            codes = np.concatenate((column.codes[steady], codes + len(column.seen)))
            seen = column.seen + seen
            order = np.argsort(places, kind="stable")
            places, codes = places[order], codes[order]
        columns.append(Column(feature, codes, seen, rows=places))
    return columns


def _taken(batch: Batch, places: Ints) -> Batch:
    """Some rows of a batch."""
    numbers = [batch.numbers[place] for place in places.tolist()]
    return Batch(numbers, [arrays.take(array, places) for array in batch.columns])
