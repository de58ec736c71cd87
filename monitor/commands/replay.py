"""`monitor replay`, `monitor reference build`: what stands at rest → the analyzer's own fold."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from monitor import __version__
from monitor.analysis.drift.findings import moment, together
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.performance import calibrate, judged, perform
from monitor.analysis.drift.profiles import Profile, dump_profile, load_profile, profile_of
from monitor.analysis.drift.reference import BUFFER
from monitor.app.analyzer import features_of, rules_of
from monitor.app.cells import Cells
from monitor.app.shards import Begin, Shards
from monitor.app.sources import (
    Source,
    is_profile,
    is_store,
    open_source,
    part,
    segment_of,
    without_password,
)
from monitor.distances import MEASURES
from monitor.errors import SourceError, UsageError
from monitor.replay import evidently_report, report
from monitor.replay.rest import Look
from monitor.replay.run import (
    Census,
    check,
    cut,
    explained,
    gather,
    replay,
    undated,
    within_budget,
)
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.tables.cells import Columns
from monitor.tables.damage import Damage
from monitor.types import WHOLE as TRAFFIC
from monitor.types import Replay, Row, Segment

EXIT_FOUND = 1

SILENT = {"identifier": "nearly all values differ", "unknown": "no values"}
"""Kinds of columns that say nothing by what their values are."""

WHOLE = 10**12
"""Values in a window, of which there is then only one."""


# --- the commands --------------------------------------------------------------------------------


def run(options: argparse.Namespace, settings: Settings) -> int:
    """`monitor replay`; returns the exit code. Raises UsageError with one line for a person."""
    with _sources(options, settings):
        job = _Job(options, settings)
        if options.evidently:
            evidently_report.need()
        found = job.judge()
        if options.evidently:
            if job.reference is None:
                raise UsageError(
                    "--evidently: compares raw values, so --reference must be a SOURCE"
                )
            job.show_evidently(Path(options.evidently))
        _tell(found, options, title=job.current.name, facts=job.facts(found))
    return EXIT_FOUND if options.fail_on == found.verdict else 0


def build(options: argparse.Namespace, settings: Settings) -> int:
    """`monitor reference build`; returns the exit code."""
    with _sources(options, settings):
        profile = _Job(options, settings).build()
    _write(options.out, dump_profile(profile))
    samples = max(reference.samples for reference in profile.references.values())
    print(
        f"{options.out}: {len(profile.references)} references of up to {samples} values",
        file=sys.stderr,
    )
    return 0


@contextlib.contextmanager
def _sources(options: argparse.Namespace, settings: Settings) -> Generator[None]:
    """Where no SOURCE is named, the store that the settings mean is the one."""
    if options.source:
        yield
        return
    with opened(settings.redis, Path(settings.data)) as url:
        options.source = [url]
        yield


class _Job:
    """What a command line asks for: sources opened, columns checked."""

    def __init__(self, options: argparse.Namespace, settings: Settings) -> None:
        self._options = options
        self._settings = settings
        place = getattr(options, "reference", None)
        self._versus = segment_of(place) or _versus(settings)
        by = list(options.by)
        if self._versus is not None and self._versus.dimension not in by:
            by.append(self._versus.dimension)
        self._by = tuple(by)
        columns = Columns(self._by, options.timestamp, tuple(options.ignore))
        written = (*options.prediction, *options.label, options.score)
        clean = Cells(settings, frozenset(filter(None, written)))
        self._damage = Damage()
        self._usual = Look(features_of(settings), columns, clean=clean, damage=self._damage)
        self._look = dataclasses.replace(self._usual, start=options.start, end=options.end)
        self.current = self._open(options.source)
        self.reference: Source | None = None
        self._profile: Profile | None = None
        self._find_reference(settings.reference.file if place is None else place)
        self._check()
        self._learn()

    def judge(self) -> Replay:
        """Fold the current source, chunks beside it, against the reference.

        Records are judged as they would have been live: what is said is what was known when the
        last had come. A table need not be in order of time: it is one window, as is each chunk.
        """
        options = self._options
        shards = self._shards()
        census = self._census() if shards is None else shards.census()
        if options.chunks:
            check(options.chunks, census.rows)
        if self.reference is not None:
            both = Census(values=census.values)
            both.count(self.reference.segments(self._usual) if self._by else ())
            self._profile = self._profile_of(self.reference, self._usual, census)
            if self._versus is not None and self.current.is_table:
                self._profile = _against(self._profile, self._versus, census)
        live = dataclasses.replace(rules_of(self._settings), measures=MEASURES)
        at_once = dataclasses.replace(live, pane=None, samples=WHOLE)
        limits = {"chunks": options.chunks or 1, "total": census.rows}
        if shards is not None:
            begin = self._begin(at_once, self._profile)
            counted = shards.count(begin, census.kept(), **limits)
            found = gather(counted, begin, chunks=options.chunks)
        elif self.current.is_table and self._profile is not None:
            begin = self._begin(at_once, self._profile)
            parts = cut(self._rows(census), begin, **limits)
            found = gather([parts], begin, chunks=options.chunks)
        else:
            found = self._in_order(at_once if self.current.is_table else live, at_once, census)
        if not found.records and (wrong := self._damage.first()):
            raise SourceError(wrong)
        found = self._with_remarks(found)
        return self._with_performance(found, census) if options.score else found

    def facts(self, found: Replay) -> list[tuple[str, str]]:
        """What was compared with what, and how: the head of a report."""
        options, drift, usual = self._options, self._settings.drift, self._settings.reference
        learned = f"the first {usual.learn} values of each feature and segment"
        ends = (("from", options.start), ("to", options.end))
        ranged = [f"{name} {moment(at)}" for name, at in ends if at is not None]
        return [
            ("records of", ", ".join([*map(without_password, options.source), *ranged])),
            (
                "reference",
                without_password(options.reference) or self._settings.reference.file or learned,
            ),
            ("by", ", ".join(self._by) or "the whole alone"),
            ("chance of any false alarm", f"{drift.alpha:.2g}"),
            ("tolerance", f"PSI {drift.tolerance:g}"),
            ("made", f"{moment(time.time())} by monitor {__version__}"),
        ]

    def _with_performance(self, found: Replay, census: Census) -> Replay:
        """Estimate how well the classifier does, of the whole and of each chunk."""
        score, label, reference = self._options.score, self._options.label, self.reference
        if reference is None or not label:
            raise UsageError("--score: needs a --reference SOURCE with a --label")
        said = next((name for name in self._options.prediction if name != score), "")
        names = (score, said, label[0])
        usual = judged(_watched(reference.rows(self._usual), "reading again"), *names)
        known = [one for one in usual if one is not None and one.truth is not None]
        if not known:
            raise UsageError(
                f"--score: no row of the reference has {score!r} and 0 or 1 in {label[0]!r}"
            )
        fit = calibrate([one.score for one in known], [bool(one.truth) for one in known])
        rows = judged(self._rows(census), *names)
        chunks, start = [], 0
        for chunk in found.chunks or ():
            part = rows[start : start + chunk.records]
            start += chunk.records
            chunks.append(msgspec.structs.replace(chunk, performance=perform(part, usual, fit)))
        whole = perform(rows, usual, fit)
        return msgspec.structs.replace(found, performance=whole, chunks=chunks or None)

    def _in_order(self, rules: Rules, at_once: Rules, census: Census) -> Replay:
        """Fold row after row; a chunk is one window against the reference that the whole has."""
        options, profile = self._options, self._profile
        if options.chunks and profile is None:
            learn = self._settings.reference.learn
            profile = profile_of(self._rows(census), self._by, learn=learn)
        found = replay(
            self._rows(census),
            self._begin(rules, self._profile),
            chunks=options.chunks,
            total=census.rows,
            begin_chunk=self._begin(at_once, profile),
        )
        if rules is not at_once:
            return found
        features = [undated(one) for one in found.features]
        return msgspec.structs.replace(found, features=features, together=together(features))

    def _begin(self, rules: Rules, profile: Profile | None) -> Begin:
        usual, table = self._settings.reference, self.current.is_table
        versus, against = (None, self._versus) if table else (self._versus, None)
        return Begin(
            rules, profile, usual.learn, self._by, versus, usual.hour_of_week and not table,
            f"{against.dimension} {against.value}" if against else "",
        )  # fmt: skip

    def _rows(self, census: Census) -> Iterator[Row]:
        rows = within_budget(self.current.rows(self._look), census.kept())
        return _watched(rows, "replaying", census.rows)

    def _census(self) -> Census:
        census = Census()
        if self._by or self._options.chunks:
            census.count(_watched(self.current.segments(self._look), "counting"))
        return census

    def _shards(self) -> Shards | None:
        options = self._options
        if options.engine != "dask":
            if options.scheduler:
                raise UsageError("--scheduler: is for --engine dask")
            return None
        if not self.current.is_table:
            raise UsageError("--engine dask: is for tables; records are judged one after the other")
        if self.reference is None and self._profile is None:
            raise UsageError("--engine dask: needs a --reference SOURCE or profile")
        if self._versus is not None:
            raise UsageError("--engine dask: is not for a segment as reference; use --engine local")
        opened = {table.path for table in self.current.tables}
        files = [one for one in self.current.files if one[0] in opened]
        return Shards(files, self._look, options.scheduler or "")

    def _with_remarks(self, found: Replay) -> Replay:
        """The same with what was not judged and why, how columns were read, what was not read."""
        clean, readings = self._usual.clean, self._usual.readings.by_column
        named = {clean.text(name): how for name, how in readings.items()}
        silent = {name: SILENT[how.kind] for name, how in named.items() if how.kind in SILENT}
        found = explained(found, silent)
        remarks = list(dict.fromkeys(self._remarks(found)))
        for one in remarks:
            _note(one)
        read = {name: how.words for name, how in sorted(named.items()) if self._looks_at(name)}
        return msgspec.structs.replace(
            found, columns=read, remarks=remarks, unreadable=self._damage.listed()
        )

    def _looks_at(self, name: str) -> bool:
        return self._usual.columns.looks_at(name) and not self._usual.clean.drops(name)

    def _remarks(self, found: Replay) -> Iterator[str]:
        """What a reader of the verdict should know."""
        if not found.records:
            yield f"there are no records to judge: {self.current.name} has none"
        elif self._profile is None:
            learn = self._settings.reference.learn
            yield f"no --reference: the first {learn} values of each feature are taken for usual"
        names = {one.feature for one in found.features if one.samples and not one.scores}
        if names and self._profile is not None:
            yield f"not in the reference, and so not judged: {_listed(names)}"
        names = {one.feature for one in found.features} - {
            one.feature for one in found.features if one.samples
        }
        names |= self._gone()
        if names and found.records and self._profile is not None:
            yield f"in the reference, but did not come: {_listed(names)}"
        yield from self._remarks_on_columns()
        if self._settings.reference.hour_of_week and self.current.is_table:
            yield "reference.hour_of_week: a table is one window, its hours are not told apart"
        for name in self._by:
            values = {one.value for one in found.features if one.dimension == name}
            if found.records and not values:
                yield f"--by {name}: no record has such a dimension"
        for one in self._damage.listed():
            count = f"; {one.count:,} such" if one.count > 1 else ""
            yield f"could not be read: {one.place}: {one.error}{count}"

    def _remarks_on_columns(self) -> Iterator[str]:
        """How columns were read, where that is a guess or should be said otherwise."""
        readings, clean = self._usual.readings.by_column, self._usual.clean
        seen = {name: how for name, how in readings.items() if self._looks_at(name)}
        dates = {clean.text(name) for name, how in seen.items() if how.kind == "datetime"}
        if dates:
            say = "--ignore" if self._options.timestamp else "--timestamp or --ignore"
            yield f"times are judged as they stand: say {say} {_listed(dates)}"
        told = {*seen, self._options.timestamp}
        for name, how in sorted(readings.items()):
            if how.note and name in told:
                yield f"{clean.text(name)}: {how.note}"
        sources = filter(None, (self.reference, self.current))
        apart = {
            clean.text(name) for one in sources for table in one.tables for name in table.apart
        }
        if apart:
            yield f"not looked at, for what they hold: {_listed(apart)}"

    def _gone(self) -> set[str]:
        """Columns of the reference that no table has now."""
        gone = set(self._usual.readings.expected) - self.current.columns
        return {self._usual.clean.text(name) for name in gone if self._looks_at(name)}

    def build(self) -> Profile:
        """The profile of the current source, with how its columns were read."""
        profile = self._profile_of(self.current, self._look, self._census())
        for one in self._remarks_on_columns():
            _note(one)
        for place in self._damage.listed():
            _note(f"could not be read: {place.place}: {place.error}")
        readings = self._usual.readings
        read = {
            self._usual.clean.text(name): readings.by_column[name]
            for name in readings.expected
            if self._looks_at(name)
        }
        return msgspec.structs.replace(profile, readings=read)

    def show_evidently(self, path: Path) -> None:
        """Write Evidently's report."""
        assert self.reference is not None  # noqa: S101  asked for only when there is one
        reference = evidently_report.frame(
            _watched(self.reference.rows(self._usual), "reading again")
        )
        current = evidently_report.frame(_watched(self.current.rows(self._look), "reading again"))
        for line in evidently_report.write(reference, current, path):
            _note(line)

    def _profile_of(self, source: Source, look: Look, census: Census) -> Profile:
        """The profile of a source. Cells are made of the first values; of what stands in order, as
        in a sorted table, they are made anew from values spread over all of it."""
        kept = census.kept()

        def rows(what: str) -> Iterator[Row]:
            return _watched(within_budget(source.rows(look), kept), what)

        profile = profile_of(rows("reading the reference"), self._by)
        if not profile.references:
            raise SourceError(
                "--reference: holds nothing to compare with; give records or rows of the same kind"
            )
        ordered = {key[0] for key, one in profile.references.items() if one.is_lopsided}
        if not ordered:
            return profile
        step = -(-max(one.samples for one in profile.references.values()) // BUFFER)
        spread = profile_of(islice(rows("reading it again"), 0, None, step), self._by)
        cells = {key: one for key, one in spread.references.items() if key[0] in ordered}
        again = profile_of(rows("reading it again"), self._by, cells=Profile(cells))
        return Profile(profile.references | again.references)

    def _open(self, places: list[str]) -> Source:
        options, settings = self._options, self._settings
        shards = settings.stream.shards
        return open_source(
            places, options.format, settings.endpoint, shards, time.time, damage=self._damage
        )

    def _find_reference(self, place: str | None) -> None:
        if segment_of(place) is not None or (place is None and self._versus is not None):
            if self.current.is_table and self._versus is not None:
                self.reference, self.current = part(self.current, self._versus)
            return
        if place is None:
            return
        if is_store(place) or not is_profile(Path(place)):
            self.reference = self._open([place])
            if self.reference.is_table != self.current.is_table:
                raise SourceError(
                    "--reference: a table is compared with a table, records with records"
                )
            return
        self._profile = load_profile(Path(place).read_bytes(), place)
        shapes = {key[0]: one.cells.shape for key, one in self._profile.references.items()}
        self._usual.readings.shapes.update(shapes)

    def _learn(self) -> None:
        """Decide how columns are read, by the reference and what is compared together."""
        if not self.current.is_table:
            return
        readings, usual = self._usual.readings, self.reference
        if usual is not None:
            readings.learn(usual.tables, self.current.tables, self._usual.clean)
            names = list(dict.fromkeys(name for table in usual.tables for name in table.names))
        elif self._profile is not None:
            # A profile has the names that may be seen.
            known = {self._usual.clean.text(name): name for name in sorted(self.current.columns)}
            for name, how in self._profile.readings.items():
                readings.by_column[known.get(name, name)] = how
            names = list(self._profile.readings) or _columns_of(self._profile)
            names = [known.get(name, name) for name in names]
            readings.learn(self.current.tables, clean=self._usual.clean)
        else:
            readings.learn(self.current.tables, clean=self._usual.clean)
            names = list(
                dict.fromkeys(name for table in self.current.tables for name in table.names)
            )
        labels = self._options.label  # the truth comes later, if at all
        readings.expected = tuple(name for name in names if name not in labels)

    def _check(self) -> None:
        """Raise UsageError for options that fit no table."""
        options = self._options
        known = self.current.columns | (self.reference.columns if self.reference else frozenset())
        for name in ("timestamp", "score", "ignore", "prediction", "label"):
            said = getattr(options, name)
            if said and not self.current.is_table:
                raise UsageError(f"--{name}: is for tables, and {self.current.name} holds records")
            for column in said if isinstance(said, list) else filter(None, [said]):
                if column not in known:
                    raise UsageError(f"--{name}: no table has a column {column!r}")


def _versus(settings: Settings) -> Segment | None:
    return Segment(*settings.reference.versus) if settings.reference.versus else None


def _columns_of(profile: Profile) -> list[str]:
    """The columns of a table that a profile was made of which does not say how they were read."""
    names = {key[0] for key in profile.references if key[1] == TRAFFIC.dimension}
    return sorted(
        name
        for name in names
        if not (name.endswith((".length", ".unknown_words")) and name.rpartition(".")[0] in names)
    )


def _against(profile: Profile, segment: Segment, census: Census) -> Profile:
    """The profile of a segment, as the reference of the others of its dimension, too."""
    references = {
        key: one for key, one in profile.references.items() if key[1] != segment.dimension
    }
    for value in sorted(census.kept().get(segment.dimension, set()) - {segment.value}):
        references |= {
            (key[0], segment.dimension, value): one
            for key, one in profile.references.items()
            if key[1] == TRAFFIC.dimension
        }
    return Profile(references)


# --- what is said --------------------------------------------------------------------------------


def _tell(
    found: Replay, options: argparse.Namespace, title: str, facts: list[tuple[str, str]]
) -> None:
    if options.json == "-":
        sys.stdout.write(_document(found).decode())
    elif options.json:
        _write(options.json, _document(found))
    if options.html:
        _write(options.html, report.html(found, title, facts).encode())
    stream = sys.stderr if options.json == "-" else sys.stdout
    console = Console(file=stream, width=None if stream.isatty() else 140)
    for one in report.tables(found, title):
        console.print(one)


def _document(found: Replay) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def _write(name: str, content: bytes) -> None:
    try:
        Path(name).write_bytes(content)
    except OSError as error:
        raise UsageError(f"{name}: cannot be written: {error.strerror}") from None


def _listed(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def _note(text: str) -> None:
    print(f"monitor: {text}", file=sys.stderr)


def _watched(rows: Iterable[Row], what: str, total: int = 0) -> Iterator[Row]:
    """The rows, with their number on the screen where there is one."""
    if not sys.stderr.isatty():
        yield from rows
        return
    of = f" of {total:,}" if total else ""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what)
        for number, row in enumerate(rows):
            if number % 1000 == 0:
                progress.update(task, description=f"{what} {number:,}{of}")
            yield row
