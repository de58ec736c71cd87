"""The names of directories that hold a column, as `region=north` → Table with this column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from monitor.damage import Damage
from monitor.interfaces import Batch, Source, Table

NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""How Hive and Spark call the directory of what has no value."""

Values = Mapping[str, str | None]


def values(path: Path, base: Path) -> Values:
    """The columns that directories between `base` and a file hold.

    >>> dict(values(Path("data/region=north/day=2026-01-01/part-0.parquet"), Path("data")))
    {'region': 'north', 'day': '2026-01-01'}
    """
    named = [name.partition("=") for name in path.relative_to(base).parts[:-1]]
    return {
        unquote(name): None if value == NOTHING else unquote(value)
        for name, equals, value in named
        if name and equals
    }


def within(source: Source, path: Path, base: Path) -> Source:
    """A source of tables that reads a file with what the directories below `base` say of it."""
    known = values(path, base)
    if not known or source.table is None:
        return source
    piece = None if source.piece is None else partial(_piece, source.piece, known)
    return replace(source, table=partial(_table, source.table, known), piece=piece)


def _table(opened: Callable[[Path], Table], known: Values, path: Path) -> Table:
    return widened(opened(path), known)


def _piece(opened: Callable[[Path, int], Table], known: Values, path: Path, number: int) -> Table:
    return widened(opened(path, number), known)


def widened(table: Table, known: Values) -> Table:
    """A table with columns of one value each; one that it has already stays as it is."""
    new = {name: value for name, value in known.items() if name not in table.names}
    if not new:
        return table

    def inner(wanted: Sequence[str]) -> list[str]:
        return [name for name in wanted if name not in new] or table.names[:1]

    def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        names = inner(wanted)
        for number, found in table.rows(names, damage):
            row = dict(zip(names, found, strict=True)) | new
            yield number, [row[name] for name in wanted]

    def batches(wanted: Sequence[str], numeric: Collection[str], damage: Damage) -> Iterator[Batch]:
        assert table.batches is not None  # noqa: S101  for the type checker
        names = inner(wanted)
        for batch in table.batches(names, [name for name in numeric if name in names], damage):
            columns = dict(zip(names, batch.columns, strict=True))
            columns |= {name: _alike(value, len(batch)) for name, value in new.items()}
            yield Batch(batch.numbers, [columns[name] for name in wanted])

    return replace(
        table,
        names=[*table.names, *new],
        rows=rows,
        batches=None if table.batches is None else batches,
    )


def _alike(value: str | None, count: int) -> Any:
    import pyarrow as pa

    return pa.repeat(pa.scalar(value, pa.string()), count)
