"""Places that a user names → Rows: stores and files, opened as the options say."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from monitor.errors import SourceError
from monitor.replay import rest, stored
from monitor.replay.rest import Format, Look
from monitor.tables.cells import Table, moment
from monitor.tables.damage import Damage
from monitor.types import Record, Row, Segment
from monitor.urls import shown


@dataclass(frozen=True)
class Source:
    """Somebody's log, to be read as often as need be; `files` and `tables` are those of tables."""

    name: str
    is_table: bool
    files: tuple[tuple[Path, Format], ...]
    tables: tuple[Table, ...]
    read: Callable[[Look], Iterator[Row]]

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns of all tables."""
        return frozenset(rest.column_names(self.tables))

    def rows(self, look: Look) -> Iterator[Row]:
        """What is seen in it."""
        return self.read(look)

    def segments(self, look: Look) -> Iterator[Row]:
        """The same rows with their segments only."""
        columns = msgspec.structs.replace(look.columns, segments_only=True)
        return self.read(dataclasses.replace(look, features=(), columns=columns))


def open_source(
    places: Sequence[str],
    said: str,
    endpoint: str,
    shards: int,
    clock: Callable[[], float],
    *,
    damage: Damage,
) -> Source:
    """Find out what the places are; `said` is the format of files, or `auto`.

    A store is read up to the present of `clock`, so that every reading of it is the same. Raises
    SourceError for what is not there, and for tables mixed with records; files among others that
    cannot be read are told to `damage`.
    """
    stores = [Store.parse(place, endpoint, shards, clock()) for place in places if is_store(place)]
    files = rest.find([place for place in places if not is_store(place)], said, damage)
    is_table = rest.is_table(files)
    if is_table and stores:
        raise SourceError(
            f"{files[0][0]} is a table and {stores[0].name} holds records: choose one"
        )

    tables = rest.open_tables(files, damage)

    def read(look: Look) -> Iterator[Row]:
        for store in stores:
            yield from rest.observe(store.records(look.start, look.end), look)
        yield from rest.read_tables(tables, look) if is_table else rest.read(files, look)

    name = stores[0].name if stores else places[0]
    return Source(name, is_table, tuple(files), tuple(tables), read)


def part(source: Source, segment: Segment) -> tuple[Source, Source]:
    """What of a source is in a segment, and the rest."""

    def inside(look: Look) -> Iterator[Row]:
        return (row for row in source.read(look) if _is_in(row, segment))

    def outside(look: Look) -> Iterator[Row]:
        return (row for row in source.read(look) if not _is_in(row, segment))

    return dataclasses.replace(source, read=inside), dataclasses.replace(source, read=outside)


def _is_in(row: Row, segment: Segment) -> bool:
    return row.segments.get(segment.dimension) == segment.value


def is_store(place: str) -> bool:
    """Whether a place is a URL and not a file; the store says what it thinks of it."""
    return "://" in place


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
    return shown(place) if "://" in (place or "") else place or ""


@dataclass(frozen=True)
class Store:
    """The stream of an endpoint in a store; `start` and `end` are Unix seconds."""

    name: str
    url: str
    endpoint: str
    shards: int
    start: float
    end: float

    @classmethod
    def parse(cls, url: str, endpoint: str, shards: int, now: float) -> Store:
        """`redis://HOST:PORT/DB?endpoint=NAME&shards=N&from=TIME&to=TIME`, all of it optional."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise SourceError(f"{shown(url)}: is not a URL like redis://127.0.0.1:6379/0") from None
        ours = {"endpoint": endpoint, "shards": str(shards), "from": "", "to": ""}
        options = parse_qsl(parts.query)
        ours.update((name, value) for name, value in options if name in ours)
        if not ours["shards"].isdigit() or int(ours["shards"]) == 0:
            raise SourceError(
                f"{shown(url)}: shards={ours['shards']} is not a number of shards, 1 or more"
            )
        times = []
        for name, default in (("from", -math.inf), ("to", now)):
            at = moment(ours[name]) if ours[name] else default
            if at is None:
                raise SourceError(
                    f"{shown(url)}: {name}={ours[name]} is not a time such as 2024-02-29T12:00:00Z"
                )
            times.append(at)
        theirs = urlencode([(name, value) for name, value in options if name not in ours])
        plain = parts._replace(query=theirs).geturl()
        return cls(shown(url), plain, ours["endpoint"], int(ours["shards"]), *times)

    def records(self, start: float | None, end: float | None) -> Iterator[Record]:
        """The records that began in the store's range and the one given; shards in order of time.

        Raises SourceError when the store cannot be read.
        """
        start = self.start if start is None else max(self.start, start)
        end = self.end if end is None else min(self.end, end)
        return stored.records(
            self.url,
            self.endpoint,
            shards=self.shards,
            start=start if math.isfinite(start) else None,
            end=end,
        )
