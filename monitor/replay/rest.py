"""What stands at rest → Rows: files of any kind that `sources` reads, found and told apart."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from monitor import parquet
from monitor.analysis.rows import accepted
from monitor.errors import SourceError
from monitor.interfaces import Feature
from monitor.sources import archive, jsonl, tabular
from monitor.tables import LARGE, Clean, Columns, Readings
from monitor.types import Observation, Record, Row

Format = Literal["records", "archive", "csv", "parquet"]
FORMATS: tuple[Format, ...] = ("records", "archive", "csv", "parquet")

LARGEST = 1e40
"""No number of so many digits is anybody's."""

TABLES: tuple[Format, ...] = ("csv", "parquet")

SUFFIXES = (
    ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet", ".pq", ".tsv",
    ".tsv.gz",
)  # fmt: skip
"""Files of a directory that are taken to be meant."""

RECORDS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
"""Files that hold a document a line, and must be ours."""

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


def find(places: Iterable[str], said: str = "auto") -> list[tuple[Path, Format]]:
    """The files that places mean, directories opened, in order; with the format of each.

    Raises SourceError for what is not there or cannot be told.
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
        for one in inside:
            found.append((one, _format(one) if said == "auto" else _said(said)))  # noqa: PERF401
    kinds = {form in TABLES: str(path) for path, form in found}
    if len(kinds) == 2:
        raise SourceError(f"{kinds[True]} is a table and {kinds[False]} holds records: choose one")
    return found


def _said(said: str) -> Format:
    for form in FORMATS:
        if form == said:
            return form
    raise SourceError(f"--format: {said!r} is not one of auto, {', '.join(FORMATS)}")


def _format(path: Path) -> Format:
    """What a file's first bytes say."""
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
        if start == b"PAR1":
            return "archive" if archive.claims(path) else "parquet"
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as packed:
                start = packed.read(4)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "is damaged"
        raise SourceError(f"{path}: cannot be read: {reason}") from None
    if not start:
        raise SourceError(f"{path}: is empty")
    if start.lstrip().startswith(b"["):
        raise SourceError(f"{path}: is a JSON array; an archive has one document a line")
    said = path.name.endswith(RECORDS)
    return "records" if said or start.lstrip().startswith(b"{") else "csv"


def is_table(files: Iterable[tuple[Path, Format]]) -> bool:
    """Whether these files hold rows of columns rather than Records."""
    return any(form in TABLES for _, form in files)


def read(files: Sequence[tuple[Path, Format]], look: Look) -> Iterator[Row]:
    """The rows of all files, one after the other; rows of tables are numbered through."""
    number = 0
    for path, form in files:
        if form not in TABLES:
            records = archive.read(path) if form == "archive" else jsonl.read(path)
            yield from observe(records, look)
            continue
        if not look.columns.timestamp and not (look.start is look.end is None):
            raise SourceError("--from and --to need --timestamp COLUMN for a table")
        for row in read_table(path, form, look, number):
            number += 1
            if within(row.at, look):
                yield row


def read_table(
    path: Path, form: Format, look: Look, first: int = 0, group: int | None = None
) -> Iterator[Row]:
    """All rows of one table, or of one row group of it, whatever their times."""
    if form == "parquet":
        return tabular.read_parquet(path, look.columns, look.clean, first, group)
    return tabular.read_csv(path, look.columns, look.readings, look.clean, first)


def column_names(files: Iterable[tuple[Path, Format]]) -> set[str]:
    """The names of the columns of all tables."""
    found: set[str] = set()
    for path, form in files:
        if form in TABLES:
            found.update(tabular.names(path) if form == "csv" else parquet.names(path))
    return found


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
