"""Places that a user names → files, each with the Source that reads it; files → Rows."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from monitor import packing
from monitor.analysis.observed import KNOWN, Wanted, segment
from monitor.analysis.rows import observed
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.extras import advice
from monitor.interfaces import Feature, Head, Source, Table
from monitor.places import STDIN, Remote, is_url, local, piped
from monitor.places import found as found_at
from monitor.replay import archives, logs, record_files, record_shards
from monitor.replay.joined import Joining
from monitor.rows import Row
from monitor.sources import SOURCES, archive
from monitor.sources import records as records_source
from monitor.tables import by_column, headless, truths
from monitor.tables.blocks import Block, count
from monitor.tables.cells import LARGE, Sanitizer
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from monitor.tables.partitions import within
from monitor.tables.truths import TruthColumns
from monitor.types import EDGE_CASE, Observation, Record
from monitor.urls import named, shown

FORMATS = tuple(source.name for source in SOURCES)
"""What `--format` may say, beside `auto`."""

SUFFIXES = tuple(sorted({suffix for source in SOURCES for suffix in source.suffixes}))
"""Files of a directory that are taken to be meant."""

USUAL = (".csv", ".parquet", ".jsonl", ".json", ".log", ".xlsx")
"""What files of most people end in, of all that are read."""

JSON = packing.named(".json")
"""Files of a directory that are meant only where they are somebody's log."""

ARCHIVE = archive.SOURCE.name

HEAD = 1 << 16
"""Bytes of a file that say what it is."""

EMPTY = "is empty"
"""What is said of a file without anything in it."""

LARGEST = 1e40
"""No number of so many digits is anybody's."""

File = tuple[Path, Source]


@dataclass(frozen=True)
class ReadOptions:
    """What is to be seen in what is read.

    `columns` say what a table's columns are for, `truth` which of them say what became of a row;
    `joining` finds that out of Records. `features` look at Records. Rows from `start` (Unix
    seconds) until before `end` are kept. `sanitizer` makes values safe, and what `recording` gives
    makes Records of other people's logs. Who looks at Records elsewhere comes by `ahead`, if at
    all. How columns are read is learned into `types`, what cannot be read is told to `damage`.
    `told` comes to hold which of `durations` and `sizes` the logs of others tell.
    """

    features: Sequence[Feature] = ()
    columns: Columns = field(default_factory=Columns)
    truth: TruthColumns = field(default_factory=TruthColumns)
    joining: Joining | None = None
    start: float | None = None
    end: float | None = None
    sanitizer: Sanitizer = field(kw_only=True)
    recording: logs.Make | None = None
    ahead: record_shards.Ahead | None = None
    types: ColumnTypes = field(default_factory=ColumnTypes)
    damage: Damage = field(default_factory=Damage)
    told: set[str] = field(default_factory=set)

    def includes(self, at: float) -> bool:
        """Whether a time is in the range that is looked at."""
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)

    def included(self, one: Row | Block) -> Iterator[Row | Block]:
        """What of a row or a block is in that range."""
        if not isinstance(one, Block):
            if self.includes(one.at):
                yield one
            return
        start = -math.inf if self.start is None else self.start
        end = math.inf if self.end is None else self.end
        part = one.take(np.flatnonzero((one.at >= start) & (one.at < end)))
        if len(part):
            yield part


# --- finding files -------------------------------------------------------------------------------


def find(
    places: Iterable[str],
    said: str = "auto",
    damage: Damage | None = None,
    *,
    start: float | None = None,
    end: float | None = None,
    opener: archive.Opener | None = None,
) -> list[File]:
    """The files that places mean, directories opened, in order.

    `said` is the name of the source that reads all of them, or `auto`. Raises SourceError for what
    is not there or cannot be told, and for tables among records. In a directory only what most
    files are is meant: tables, or records; what else is there is told to `damage`. Of an archive
    those files are meant that its manifests list and that may hold Records of a range. What is
    sealed in one is read by the `opener`.
    """
    found: list[File] = []
    for place in places:
        damage = damage or Damage()
        if (
            said in {"auto", ARCHIVE}
            and (listed := archives.found(place, start, end, opener)) is not None
        ):
            found += listed
            continue
        inside, base = _inside(place, damage)
        if base is None:
            found += ((one, _source(one, said)) for one in inside)
        else:
            found += _among(inside, base, place, said, damage)
    kinds = {source.is_table: (str(path), source.name) for path, source in found}
    if len(kinds) == 2:
        (table, of_table), (log, of_log) = kinds[True], kinds[False]
        raise SourceError(
            f"{table} is a table and {log} holds records: choose one; they were read as {of_table} "
            f"and {of_log}, and --format says otherwise"
        )
    if opener is None:
        return found
    ours = archive.opened_by(archive.SOURCE, opener)
    return [(path, ours if source is archive.SOURCE else source) for path, source in found]


def _inside(place: str, damage: Damage) -> tuple[list[Path], Path | None]:
    """(the files at a place, the directory that they are in where there may be several).

    Names that begin with a point or `_` are those of programs, as Spark and Hadoop have it.
    """
    path = Path(place)
    try:
        if is_url(place):
            inside, base = found_at(place)
            if len(inside) != 1 or base is not None or not inside[0].is_dir():
                damage.begin(base or path)
                return inside, base
            path = inside[0]
        elif (pipe := piped(place)) is not None:
            return [pipe], None
        elif named(place) == place:
            inside, base = local(place)
            if base is not None and not inside:
                raise SourceError(f"{place}: is a pattern that the name of no file fits")
            if base is not None:
                damage.begin(base)
                return inside, base
    except ImportError:
        raise SourceError(advice("replay", f"{shown(place)}: URLs")) from None
    except OSError as error:
        name = "stdin" if place == STDIN else named(place)
        raise SourceError(f"{name}: cannot be read: {error.strerror}") from None
    if not os.path.isdir(path):  # noqa: PTH112  says no where it may not look
        return [_named_safely(place, path)], None
    damage.begin(path)
    return sorted(_below(path, damage)), path


def _below(top: Path, damage: Damage) -> Iterator[Path]:
    """The files in a directory and below; a directory that may not be read is told."""

    def tell(error: OSError) -> None:
        if error.filename == str(top):
            raise SourceError(f"{top}: cannot be read: {error.strerror}")
        damage.ends(top, str(error.filename), f"cannot be read: {error.strerror}")

    for directory, inside, names in os.walk(top, onerror=tell):
        inside[:] = [name for name in inside if not name.startswith((".", "_"))]
        yield from (Path(directory, name) for name in names)


def _named_safely(place: str, path: Path) -> Path:
    """A file by its name; raises SourceError for what is nearly a URL, which no message may show
    as it was given, and is not there."""
    if (safe := named(place)) != place and not os.path.exists(path):  # noqa: PTH110  says no too
        raise SourceError(f"{safe}: cannot be read: No such file or directory")
    return path


def _is_special(path: Path) -> bool:
    """Whether what is there is no file to be read, such as a socket."""
    try:
        return not isinstance(path, Remote) and not stat.S_ISREG(path.stat().st_mode)
    except OSError:  # whoever opens it says why
        return False


def _among(inside: Sequence[Path], base: Path, place: str, said: str, damage: Damage) -> list[File]:
    """The files of a directory that are meant: those of the kind that most are of. The others, and
    what is no file, are told; raises SourceError where nothing is left."""
    suffixes = SUFFIXES if said == "auto" else _named(said).suffixes
    found: list[File] = []
    wrong: SourceError | None = None
    for one in inside:
        if any(part.startswith((".", "_")) for part in one.relative_to(base).parts):
            continue
        if not one.name.endswith(suffixes):
            damage.rows(base, str(one), "is not called like a table, an archive or a log")
        elif _is_special(one):
            damage.rows(base, str(one), "is no file")
        else:
            try:
                source = _source(one, said)
            except SourceError as error:
                wrong = wrong or error
                _tell(damage, one, error)
                continue
            if source.exchanges is not None or not one.name.endswith(JSON):
                found.append((one, within(source, one, base)))
            # A JSON file of another kind lies beside data, such as a schema.
    if not found:
        usual = ", ".join(one for one in USUAL if one in suffixes) or suffixes[0]
        more = " (docs/tables.md and docs/foreign-logs.md have all)" if said == "auto" else ""
        raise wrong or SourceError(f"{shown(place)}: holds no file that ends in {usual}{more}")
    tables = [file for file in found if file[1].is_table]
    others = [file for file in found if not file[1].is_table]
    most, least = (others, tables) if len(others) > len(tables) else (tables, others)
    for one, source in least:
        kinds = ("a table", "records") if source.is_table else ("records", "tables")
        damage.rows(base, str(one), f"is {kinds[0]}; most files here are {kinds[1]}")
    return most


MARKED = {"parquet", "arrow", "excel"}
"""Sources that claim a file by marks that no text begins with."""


def _source(path: Path, said: str) -> Source:
    """The source that reads a file; raises SourceError where it certainly is of another kind."""
    if said == "auto":
        return _claimed(path)
    chosen, head = _named(said), Head(path, b"" if _is_special(path) else _start(path))
    for source in SOURCES if head.start and chosen.name not in MARKED else ():
        if source.name in MARKED and source.claims(head):
            raise SourceError(
                f"{path}: is {source.name} and no {said}; --format says how all files are read: "
                "leave it out, and each tells what it is"
            )
    return chosen


def _named(said: str) -> Source:
    for source in SOURCES:
        if source.name == said:
            return source
    raise SourceError(f"--format: {said!r} is not one of auto, {', '.join(FORMATS)}")


def _claimed(path: Path) -> Source:
    """The first source that claims a file; raises SourceError where none does."""
    head = Head(path, _start(path))
    if not head.start:
        raise SourceError(f"{path}: {EMPTY}")
    for source in SOURCES:
        if source.claims(head):
            return source
    reason = packing.strange(head.start) or (headless.WHY if headless.is_headless(head) else "")
    known = f"is of no known format; --format says which: {', '.join(FORMATS)}"
    raise SourceError(f"{path}: {reason or known}")


def _start(path: Path) -> bytes:
    try:
        with packing.opened(path) as stream:
            found = packing.beginning(stream, HEAD)
        if not found and path.name.endswith(packing.SUFFIXES[1:]) and not path.stat().st_size:
            raise SourceError(f"{path}: is cut off: it should be packed, and holds not a byte")
    except OSError as error:  # and so nothing of it is
        reason = packing.why(error).removesuffix(packing.DOUBT)
        raise SourceError(f"{path}: cannot be read: {reason}") from None
    return found


def _tell(damage: Damage, path: Path, error: SourceError) -> None:
    """Say of a file why nothing of it could be read; where it is empty, or a program's log beside
    tables, nothing is lost."""
    place, _, reason = str(error).partition(": ")
    if reason in {EMPTY, headless.WHY}:
        damage.rows(path, place, reason)
    else:
        damage.ends(path, place, reason)


def is_table(files: Iterable[File]) -> bool:
    """Whether these files hold rows of columns rather than Records."""
    return any(source.is_table for _, source in files)


def open_tables(files: Iterable[File], damage: Damage) -> list[Table]:
    """The tables among files. One that is none is told to `damage`; where all are, SourceError."""
    found: list[Table] = []
    wrong: SourceError | None = None
    for path, source in files:
        if source.table is not None:
            try:
                found.append(source.table(path))
            except SourceError as error:
                wrong = wrong or error
                _tell(damage, path, error)
    if wrong is not None and not found:
        raise wrong
    return found


# --- reading them --------------------------------------------------------------------------------


def read(files: Sequence[File], options: ReadOptions) -> Iterator[Row]:
    """The rows of all files, one after the other; rows of tables are numbered through."""
    if is_table(files):
        for one in read_tables(open_tables(files, options.damage), options):
            yield from one.rows() if isinstance(one, Block) else (one,)
    else:
        for one in read_records(files, options):
            yield from one.rows() if isinstance(one, Block) else (one,)


def read_records(files: Iterable[File], options: ReadOptions) -> Iterator[Row | Block]:
    """The rows of files of Records; raises SourceError where there are only broken ones."""
    places = {feature.name: place for place, feature in enumerate(KNOWN)}
    own = any(feature not in KNOWN for feature in options.features)  # may remember what it saw
    if own or EDGE_CASE in options.columns.by:
        yield from observe(records(files, options.damage, options.recording, options.told), options)
        return
    safe = options.sanitizer.text
    reader = record_files.Reader(
        Wanted(
            tuple(places[feature.name] for feature in options.features), options.columns.by,
            -math.inf if options.start is None else options.start,
            math.inf if options.end is None else options.end,
        ),
        observe=partial(observe, options=options), clean=partial(_sanitized, safe=safe),
        text=safe, damage=options.damage, told=options.told,
    )  # fmt: skip
    if options.ahead is not None:
        yield from record_shards.read(files, reader, options.ahead)
        files = ()
    for source, paths in _by_source(files):
        if source.exchanges is not None:
            log = logs.Log(paths, source.exchanges, options.damage)
            yield from logs.read(log, _recording(options.recording, source), reader)
            continue
        for path in paths:
            if source is records_source.SOURCE:
                yield from reader.read(path)
            elif source.records is not None:
                yield from observe(reader.counted(source.records(path, options.damage)), options)
    if not reader.records and (wrong := options.damage.first()):
        raise SourceError(wrong)


def records(
    files: Iterable[File],
    damage: Damage,
    recording: logs.Make | None = None,
    told: set[str] | None = None,
) -> Iterator[Record]:
    """The Records of all files, what logs of others tell added to `told` (see `logs.note`).

    Raises SourceError where there are only broken ones, and for other people's logs without a
    `recording`.
    """
    number, seen = 0, set[str]() if told is None else told
    for source, paths in _by_source(files):
        if source.exchanges is not None:
            make = _recording(recording, source)
            each = [logs.records(logs.Log(paths, source.exchanges, damage), make, seen)]
        else:
            each = [source.records(path, damage) for path in paths if source.records is not None]
        for record in chain.from_iterable(each):
            number += 1
            yield record
    if not number and (wrong := damage.first()):
        raise SourceError(wrong)


def _by_source(files: Iterable[File]) -> Iterator[tuple[Source, list[Path]]]:
    """Files in order, those behind one another together that one source reads."""
    for source, some in groupby(files, itemgetter(1)):
        yield source, [path for path, _ in some]


def _recording(make: logs.Make | None, source: Source) -> logs.Make:
    if make is None:
        raise SourceError(f"{source.name}: is somebody else's log; only records are read here")
    return make


def read_tables(opened: Sequence[Table], options: ReadOptions) -> Iterator[Row | Block]:
    """The rows of tables, numbered through; raises SourceError where there are only broken ones."""
    if not options.columns.timestamp and not (options.start is options.end is None):
        raise SourceError("--from and --to need --timestamp COLUMN for a table")
    number = 0
    for table in opened:
        for one in read_table(table, options, number):
            number += count(one)
            yield from options.included(one)
    if not number and (wrong := options.damage.first()):
        raise SourceError(wrong)


def read_truths(opened: Sequence[Table], options: ReadOptions) -> Iterator[Row]:
    """The same rows, with what became of each and without observations; what cannot be read has
    been told when the rows were."""
    number, damage = 0, Damage()
    for table in opened:
        for row in truths.read(
            table, options.columns, options.truth, options.types, options.sanitizer,
            damage=damage, first=number,
        ):  # fmt: skip
            number += 1
            if options.includes(row.at):
                yield row


def read_table(table: Table, options: ReadOptions, first: int = 0) -> Iterator[Row | Block]:
    """All rows of one table, whatever their times."""
    return by_column.read(
        table, options.columns, options.types, options.sanitizer,
        damage=options.damage, first=first,
    )  # fmt: skip


def observe(records: Iterable[Record], options: ReadOptions) -> Iterator[Row]:
    """Records as rows; the range is that of their beginnings, `at` is when they ended.

    Records of ours are clean; of others who write their form nobody knows.
    """
    safe = options.sanitizer.text
    by = [name for name in options.columns.by if name != EDGE_CASE]
    has_edge_cases = len(by) < len(options.columns.by)
    for record in records:
        if options.includes(record.started):
            yield Row(
                record.started + record.duration,
                {name: safe(segment(record, name)) for name in by},
                [_sanitized(seen, safe) for seen in observed(options.features, record)],
                record.is_accepted,
                1 / record.sampled,
                list(dict.fromkeys(map(safe, record.edge_cases))) if has_edge_cases else [],
            )


def _sanitized(seen: Observation, safe: Callable[[str], str]) -> Observation:
    name, value = safe(seen.feature), seen.value
    kind = type(value)
    if kind is str:
        value = safe(value)
    elif (kind is int or kind is float) and LARGE <= abs(value) < LARGEST:
        said = str(value) if kind is int else f"{value:.0f}"
        value = value if (found := safe(said)) == said else found
    if name == seen.feature and value is seen.value:
        return seen
    return Observation(name, seen.kind, value)
