"""What stands at rest → Rows: files of any kind that `sources` reads, found and told apart."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from monitor.analysis.rows import accepted
from monitor.errors import SourceError
from monitor.interfaces import Feature
from monitor.sources import archive, jsonl, objects, tabular
from monitor.tables import cells
from monitor.tables.cells import LARGE, Clean, Columns, Readings, Table
from monitor.tables.damage import Damage
from monitor.types import Observation, Record, Row

Format = Literal["records", "archive", "csv", "parquet", "jsonl"]
FORMATS: tuple[Format, ...] = ("records", "archive", "csv", "parquet", "jsonl")

LARGEST = 1e40
"""No number of so many digits is anybody's."""

TABLES: tuple[Format, ...] = ("csv", "parquet", "jsonl")

SUFFIXES = (
    ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet", ".pq", ".tsv",
    ".tsv.gz",
)  # fmt: skip
"""Files of a directory that are taken to be meant."""

RECORDS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
"""Files that hold a document a line: Records of ours, or the rows of a table."""

HEAD = 1 << 16
"""Bytes of a file that say what it is."""

OURS = {"endpoint", "protocol", "started", "request"}
"""Keys that every Record has."""

COMMON_DIMENSIONS = ("model", "operation", "protocol", "outcome", "endpoint")
"""Fields of a Record that are dimensions too."""


@dataclass(frozen=True)
class Look:
    """What is to be seen in what is read.

    `columns` say what a table's columns are for, `features` look at Records, `by` are dimensions.
    Rows from `start` (Unix seconds) until before `end` are kept. `clean` makes values safe.
    """

    features: Sequence[Feature] = ()
    columns: Columns = field(default_factory=Columns)
    start: float | None = None
    end: float | None = None
    clean: Clean = field(kw_only=True)
    readings: Readings = field(default_factory=Readings)
    damage: Damage = field(default_factory=Damage)


def find(
    places: Iterable[str], said: str = "auto", damage: Damage | None = None
) -> list[tuple[Path, Format]]:
    """The files that places mean, directories opened, in order; with the format of each.

    Raises SourceError for what is not there or cannot be told. In a directory that holds other
    files such a file is only told to `damage`.
    """
    found: list[tuple[Path, Format]] = []
    for place in places:
        path = Path(place)
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.name.endswith(SUFFIXES))
            if not inside:
                raise SourceError(f"{place}: holds no file that ends in {', '.join(SUFFIXES)}")
        else:
            inside = [path]
        wrong: SourceError | None = None
        before = len(found)
        for one in inside:
            try:
                found.append((one, _format(one) if said == "auto" else _said(said)))
            except SourceError as error:
                if not path.is_dir():
                    raise
                wrong = wrong or error
                if damage is not None:
                    _tell(damage, one, error)
        if wrong is not None and len(found) == before:
            raise wrong
    kinds = {form in TABLES: str(path) for path, form in found}
    if len(kinds) == 2:
        raise SourceError(f"{kinds[True]} is a table and {kinds[False]} holds records: choose one")
    return found


def _said(said: str) -> Format:
    for form in FORMATS:
        if form == said:
            return form
    raise SourceError(f"--format: {said!r} is not one of auto, {', '.join(FORMATS)}")


def _tell(damage: Damage, path: Path, error: SourceError) -> None:
    """Say of a file why nothing of it could be read."""
    place, _, reason = str(error).partition(": ")
    damage.rows(path, place, reason)


def _format(path: Path) -> Format:
    """What a file's first bytes say."""
    try:
        with path.open("rb") as stream:
            start = stream.read(HEAD)
        if start[:4] == b"PAR1":
            return "archive" if archive.claims(path) else "parquet"
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as packed:
                start = packed.read(HEAD)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "is damaged"
        raise SourceError(f"{path}: cannot be read: {reason}") from None
    if not start:
        raise SourceError(f"{path}: is empty")
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"["):
        if all(f'"{key}"'.encode() in start for key in OURS):
            raise SourceError(f"{path}: is a JSON array; an archive has one document a line")
        return "jsonl"
    if not (path.name.endswith(RECORDS) or start.startswith(b"{")):
        return "csv"
    return "jsonl" if _is_foreign(start) else "records"


def _is_foreign(start: bytes) -> bool:
    """Whether the first line that is a JSON object is none of our Records."""
    for line in start.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if type(found) is dict:
            return not found.keys() >= OURS
    return False


def is_table(files: Iterable[tuple[Path, Format]]) -> bool:
    """Whether these files hold rows of columns rather than Records."""
    return any(form in TABLES for _, form in files)


def open_tables(files: Iterable[tuple[Path, Format]], damage: Damage) -> list[Table]:
    """The tables among files. One that is none is told to `damage`; where all are, SourceError."""
    found: list[Table] = []
    wrong: SourceError | None = None
    for path, form in files:
        if form in TABLES:
            try:
                found.append(open_table(path, form))
            except SourceError as error:
                wrong = wrong or error
                _tell(damage, path, error)
    if wrong is not None and not found:
        raise wrong
    return found


def open_table(path: Path, form: Format, group: int | None = None) -> Table:
    """One table, or one row group of it."""
    match form:
        case "csv":
            return tabular.open_csv(path)
        case "parquet":
            return tabular.open_parquet(path, group)
        case _:
            return objects.open_objects(path)


def read(files: Sequence[tuple[Path, Format]], look: Look) -> Iterator[Row]:
    """The rows of all files, one after the other; rows of tables are numbered through."""
    for path, form in files:
        if form not in TABLES:
            records = archive.read(path) if form == "archive" else jsonl.read(path)
            yield from observe(records, look)
    if is_table(files):
        yield from read_tables(open_tables(files, look.damage), look)


def read_tables(opened: Sequence[Table], look: Look) -> Iterator[Row]:
    """The rows of tables, numbered through; raises SourceError where there are only broken ones."""
    if not look.columns.timestamp and not (look.start is look.end is None):
        raise SourceError("--from and --to need --timestamp COLUMN for a table")
    number = 0
    for table in opened:
        for row in read_table(table, look, number):
            number += 1
            if within(row.at, look):
                yield row
    if not number and (wrong := look.damage.first()):
        raise SourceError(wrong)


def read_table(table: Table, look: Look, first: int = 0) -> Iterator[Row]:
    """All rows of one table, whatever their times."""
    return cells.read(
        table, look.columns, look.readings, look.clean, damage=look.damage, first=first
    )


def column_names(opened: Iterable[Table]) -> set[str]:
    """The names of the columns of all tables."""
    return {name for table in opened for name in table.names}


def within(at: float, look: Look) -> bool:
    """Whether a time is in the range that is looked at."""
    return (look.start is None or at >= look.start) and (look.end is None or at < look.end)


def observe(records: Iterable[Record], look: Look) -> Iterator[Row]:
    """Records as rows; the range is that of their beginnings, `at` is when they ended.

    Records of ours are clean; of others who write their form nobody knows.
    """
    clean = look.clean.text
    for record in records:
        if within(record.started, look):
            yield Row(
                record.started + record.duration,
                {name: clean(segment(record, name)) for name in look.columns.by},
                [
                    _cleaned(seen, clean)
                    for feature in look.features
                    for seen in feature.observe(record)
                ],
                accepted(record),
            )


def _cleaned(seen: Observation, clean: Callable[[str], str]) -> Observation:
    name, value = clean(seen.feature), seen.value
    kind = type(value)
    if kind is str:
        value = clean(value)
    elif (kind is int or kind is float) and LARGE <= abs(value) < LARGEST:
        said = str(value) if kind is int else f"{value:.0f}"
        value = value if (found := clean(said)) == said else found
    if name == seen.feature and value is seen.value:
        return seen
    return Observation(name, seen.kind, value)


def segment(record: Record, dimension: str) -> str:
    """A Record's value of a dimension: one of its segments, or a field that is one too."""
    value = record.segments.get(dimension)
    if value is None and dimension in COMMON_DIMENSIONS:
        value = str(getattr(record, dimension))
    return value or "none"
