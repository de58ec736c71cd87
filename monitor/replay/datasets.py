"""Places that a user names → Datasets: stores and files, opened as the options say."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from monitor.analysis.join.items import Item
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Table
from monitor.places import STDIN, is_store
from monitor.replay import files, joined, stored
from monitor.replay.files import File, ReadOptions
from monitor.replay.statements import statements
from monitor.rows import Row
from monitor.sources.archive import Opener
from monitor.tables.blocks import Block
from monitor.types import Record, Segment
from monitor.urls import named


@dataclass(frozen=True)
class Dataset:
    """Somebody's log, to be read as often as need be; `files` and `tables` are those of tables.

    `truths` are its rows with what became of each, in the order in which that was due; `is_told`
    says whether there is anybody to tell that. `records` are the Records that rows are made of,
    none of a table; what cannot be read is told when rows are read.

    `absence` says why there may be no rows at all, where somebody knows. `lost` are the files and
    directories of which something could not be read when it was opened.
    """

    name: str
    is_table: bool
    files: tuple[File, ...]
    tables: tuple[Table, ...]
    rows: Callable[[ReadOptions], Iterator[Row | Block]]
    truths: Callable[[ReadOptions], Iterator[Row]]
    is_told: Callable[[ReadOptions], bool]
    records: Callable[[ReadOptions], Iterator[Record]]
    absence: Callable[[], str] = str
    lost: frozenset[str] = frozenset()

    @property
    def is_foreign(self) -> bool:
        """Whether there are logs of others among its files, which may tell no time."""
        return any(source.exchanges is not None for _, source in self.files)

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns of all tables."""
        return frozenset(name for table in self.tables for name in table.names)

    def segments(self, options: ReadOptions) -> Iterator[Row | Block]:
        """The same rows with their segments only."""
        columns = msgspec.structs.replace(options.columns, segments_only=True)
        return self.rows(dataclasses.replace(options, features=(), columns=columns))


def open_dataset(
    places: Sequence[str],
    said: str,
    endpoint: str,
    shards: int,
    clock: Callable[[], float],
    *,
    damage: Damage,
    start: float | None = None,
    end: float | None = None,
    opener: Opener | None = None,
) -> Dataset:
    """Find out what the places are; `said` is the format of files, or `auto`.

    A store is read up to the present of `clock`, so that every reading of it is the same. Of an
    archive only what began from `start` until before `end` (Unix seconds) is looked for. Raises
    SourceError for what is not there, and for tables mixed with records; files among others that
    cannot be read are told to `damage`. The `opener` reads what is sealed in an archive.
    """
    stores = [
        stored.Store.parse(place, endpoint, shards, clock()) for place in places if is_store(place)
    ]
    at_rest = [place for place in places if not is_store(place)]
    told = Damage()
    found = files.find(at_rest, said, told, start=start, end=end, opener=opener)
    is_table = files.is_table(found)
    if is_table and stores:
        raise SourceError(
            f"{found[0][0]} is a table and {stores[0].name} holds records: choose one"
        )
    tables = files.open_tables(found, told)
    damage.renew(told)

    def rows(options: ReadOptions) -> Iterator[Row | Block]:
        for store in stores:
            yield from files.observe(store.records(options.start, options.end), options)
        if is_table:
            yield from files.read_tables(tables, options)
        else:
            yield from files.read_records(found, options)

    def truths(options: ReadOptions) -> Iterator[Row]:
        if is_table:
            return files.read_truths(tables, options)
        return _joined(stores, found, options)

    def is_told(options: ReadOptions) -> bool:
        if is_table and any(arm in table.names for table in tables for arm in options.truth.arms):
            return True
        if is_table or options.joining is None:
            return options.truth.is_told
        if options.joining.is_asked_for or options.joining.files:
            return True
        return any(next(_said(one, options.joining), None) is not None for one in stores)

    name = stores[0].name if stores else _shown(places[0])

    def absence() -> str:
        return next(filter(None, (stored.absence(one.url, one.endpoint) for one in stores)), "")

    records = partial(_records, stores, () if is_table else found)
    return Dataset(
        name,
        is_table,
        tuple(found),
        tuple(tables),
        rows,
        truths,
        is_told,
        records,
        absence,
        frozenset(told.files),
    )


def _joined(
    stores: Sequence[stored.Store], found: Sequence[File], options: ReadOptions
) -> Iterator[Row]:
    """The Records of stores and files with what was said of them."""
    joining = options.joining
    if joining is None:
        return iter(())
    told = (
        one.statement for path in joining.files for one in statements(path, options.damage)
    )  # fmt: skip
    return joined.joined(
        _records(stores, found, options),
        *(_said(one, joining) for one in stores),
        joined.filed(told, joining.make_safe),
        reader=joining.reader,
        wait=joining.wait,
        room=joining.room,
        dimensions=None if joining.is_detailed else (*options.columns.by, *joining.dimensions),
        units=joining.units,
        is_detailed=joining.is_detailed,
        horizons=joining.horizons,
        late=joining.late,
    )


def _records(
    stores: Sequence[stored.Store], found: Sequence[File], options: ReadOptions
) -> Iterator[Record]:
    """The Records of stores and files in the range of time that is looked at."""
    for store in stores:
        yield from store.records(options.start, options.end)
    if found:
        for one in files.records(found, Damage(), options.recording):
            if options.includes(one.started):
                yield one


def _said(store: stored.Store, joining: joined.Joining) -> Iterator[Item]:
    """What the feedback in a store says."""
    return joined.stored(store.url, store.endpoint, joining.make_safe)


def split(dataset: Dataset, segment: Segment) -> tuple[Dataset, Dataset]:
    """What of a dataset is in a segment, and the rest."""

    def inside(options: ReadOptions) -> Iterator[Row | Block]:
        return within(segment, dataset.rows(options), wanted=True)

    def outside(options: ReadOptions) -> Iterator[Row | Block]:
        return within(segment, dataset.rows(options), wanted=False)

    def truths_inside(options: ReadOptions) -> Iterator[Row]:
        return _truths_in(segment, dataset.truths(options), wanted=True)

    def truths_outside(options: ReadOptions) -> Iterator[Row]:
        return _truths_in(segment, dataset.truths(options), wanted=False)

    only = f"all rows are of {segment.dimension} {segment.value}"
    usual = dataclasses.replace(dataset, rows=inside, truths=truths_inside)
    now = dataclasses.replace(dataset, rows=outside, truths=truths_outside, absence=lambda: only)
    return usual, now


def _truths_in(segment: Segment, rows: Iterable[Row], *, wanted: bool) -> Iterator[Row]:
    for row in rows:
        if (row.segments.get(segment.dimension) == segment.value) == wanted:
            yield row


def within(segment: Segment, rows: Iterable[Row | Block], *, wanted: bool) -> Iterator[Row | Block]:
    """The rows that are in a segment where that is `wanted`, else those that are not."""
    for one in rows:
        if isinstance(one, Block):
            are = one.segments[segment.dimension].are(segment.value)
            part = one.take(np.flatnonzero(are == wanted))
            if len(part):
                yield part
        elif (one.segments.get(segment.dimension) == segment.value) == wanted:
            yield one


def _shown(place: str) -> str:
    return "stdin" if place == STDIN else without_password(place)


def segment_of(place: str | None) -> Segment | None:
    """The segment that `DIMENSION=VALUE` names; None for anything else, as a file is."""
    dimension, equals, value = (place or "").partition("=")
    if (
        not (equals and value and re.fullmatch(r"[\w .-]+", dimension))
        or Path(place or "").exists()
    ):
        return None
    return Segment(dimension, value)


def is_profile(path: Path) -> bool:
    """Whether a file is what `monitor reference build` wrote."""
    if not path.is_file():  # a pipe can be read once
        return False
    try:
        with path.open("rb") as stream:
            start = stream.read(64).lstrip()
    except OSError:
        return False
    return start.startswith(b"{") and b'"version"' in start and b'"references"' in start


def without_password(place: str | None) -> str:
    """A place as it may be shown: a URL or a file.

    >>> without_password("redis://:secret@store:6379/0"), without_password("a@b.csv")
    ('redis://store:6379/0', 'a@b.csv')
    """
    return named(place or "")
