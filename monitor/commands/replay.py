"""`monitor replay`, `monitor reference build`: options and settings → a Plan; what is printed."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import os
import sys
import time
from collections.abc import Callable, Generator
from functools import lru_cache
from pathlib import Path

import msgspec
from rich.console import Console

from monitor import __version__, stopping, turns
from monitor.analysis.classes import spelt
from monitor.analysis.drift.findings import moment
from monitor.analysis.drift.profiles import dump_profile
from monitor.analysis.drift.windows import INNER_BINS
from monitor.analysis.experiments.declared import (
    Experiment,
    Source,
    compared,
    horizons_of,
    units_of,
)
from monitor.analysis.monitors import shares
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.slices.losses import MEASURES
from monitor.archive.sealing import opener_of
from monitor.assembly import build as parts
from monitor.assembly import keyring
from monitor.assembly.analysis import features_of, rules_of
from monitor.assembly.check import wrong_intersection
from monitor.assembly.experiments import experiments_of
from monitor.assembly.log_recording import LogRecording
from monitor.assembly.outcomes import is_asked_for
from monitor.assembly.outcomes import rules_of as outcome_rules_of
from monitor.assembly.sanitizer import Sanitizer
from monitor.commands import arguments
from monitor.commands.output import document, need, note, write
from monitor.commands.progress import far, watched
from monitor.errors import SourceError, UsageError
from monitor.feedback import Feedback, Statement
from monitor.privacy.pseudonyms import Keyring
from monitor.privacy.records import Privacy
from monitor.replay import (
    archives,
    evidently_report,
    judge,
    junit,
    outcomes,
    reasons,
    report,
    types,
)
from monitor.replay.comparison import Comparison, compare
from monitor.replay.datasets import segment_of, without_password
from monitor.replay.document import SCHEMA, Compared, Replay
from monitor.replay.joined import Joining, MakeSafe
from monitor.replay.periods import PERIODS
from monitor.replay.plan import Plan, Variant
from monitor.replay.remarks import broken_off, may_be_wrong, on_columns, with_remarks
from monitor.reports.page import page
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.tables.columns import Columns
from monitor.texts import printable
from monitor.types import Segment
from monitor.urls import named

EXIT_FOUND = 1

_PSEUDONYM = f":{keyring.OF_THIS_RUN}:".encode()
WIDTH = 140
"""Columns of what is printed where no screen says how many it has."""


def run(options: argparse.Namespace, settings: Settings) -> int:
    """`monitor replay`; returns the exit code. Raises UsageError with one line for a person."""
    need(options.html, options.json, options.junit)
    arguments.check_range(options)
    warned: list[str] = []

    def warn(text: str) -> None:
        note(text)  # at once: what comes may be an error
        warned.append(text)

    with turns.alone(), _sources(options, settings):
        with stopping.leaves(lambda: _so_far("nothing was judged, and nothing written")):
            plan, both = _opened(options, settings, warn)
            outcomes.check(options.fail_on, plan, both)
            if options.evidently:
                found = _judged_beside_evidently(plan, both, Path(options.evidently))
            else:
                found = judge.judge(plan, both, watched)
            found = with_remarks(found, plan, both)
        for remark in found.remarks:
            note(remark)
        remarks = [*warned, *found.remarks]
        found = msgspec.structs.replace(found, remarks=remarks, compared=_compared(plan, options))
        with stopping.leaves("what it was to write may be missing or cut off; run it again"):
            _tell(found, options, both.current.name, _facts(plan))
    so = outcomes.conditions(found, is_labelled=bool(options.label and plan.is_told))
    if so & options.fail_on:
        return EXIT_FOUND
    if nothing := outcomes.untold(options.fail_on, found):
        raise UsageError(nothing)
    return 0


def _so_far(so: str) -> str:
    """How far it had come, and what is so."""
    return "; ".join(filter(None, (far(), so)))


def build(options: argparse.Namespace, settings: Settings) -> int:
    """`monitor reference build`; returns the exit code."""
    need(options.out)
    arguments.check_range(options)
    with (
        turns.alone(),
        _sources(options, settings),
        stopping.leaves(lambda: _so_far("nothing was written")),
    ):
        plan, both = _opened(options, settings, note)
        profile = judge.profile(plan, both, watched)
    for remark in on_columns(plan, both):
        note(remark)
    for place in both.usual.damage.listed():
        note(f"could not be read: {place.place}: {place.error}")
    if broken := broken_off(both.usual.damage):
        raise SourceError(
            f"{broken}: nothing was written, for all that comes would be compared with a part; "
            "mend that file, or leave it out"
        )
    if len(profile.references) >= plan.most_references:
        note(
            f"a profile has {plan.most_references:,} pairs of feature and segment at most, and "
            "this one has so many: what is beyond, if anything, is not in it"
        )
    write(options.out, dump_profile(profile))
    samples = max(reference.samples for reference in profile.references.values())
    told = f"{len(profile.references):,} references of up to {samples:,} values"
    print(printable(f"{named(options.out)}: {told}"), file=sys.stderr)
    return 0


@contextlib.contextmanager
def _sources(options: argparse.Namespace, settings: Settings) -> Generator[None]:
    """Where no SOURCE is named, the store that the settings mean is the one. Of archives the
    endpoint is meant that `--endpoint` names."""
    if options.source:
        options.source = [archives.selected(one, options.endpoint) for one in options.source]
        if given := getattr(options, "reference", None):
            options.reference = archives.selected(given, options.endpoint)
        yield
        return
    with opened(settings.redis, Path(settings.data)) as url:
        options.source = [url]
        yield


# --- what is asked -------------------------------------------------------------------------------


def _opened(
    options: argparse.Namespace, settings: Settings, warn: Callable[[str], None]
) -> tuple[Plan, Comparison]:
    """What is asked for, and both sides; what is found out only while they are read, `warn` is
    told."""
    ring = lru_cache(maxsize=1)(lambda: keyring.at_rest(settings))
    plan = _plan(options, settings, ring, warn)
    written = frozenset(filter(None, (*plan.prediction, *plan.label, plan.score)))
    sanitizer = Sanitizer(settings, written)
    recording = LogRecording(settings, ring, sanitizer.scanner)
    both = compare(plan, sanitizer, time.time, recording)
    if plan.joining is not None and plan.joining.files and both.current.is_table:
        raise UsageError("--feedback: is for records; name the columns of a table with --label")
    if plan.period is not None and both.current.is_table and not plan.columns.timestamp:
        raise UsageError(f"--chunks {plan.period.name}: needs a --timestamp COLUMN for a table")
    if options.bins and both.profile is not None:
        raise UsageError(
            "--bins: the profile's bins are made; give the SOURCE itself as --reference, or build "
            "another with `monitor reference build --bins N`"
        )
    is_told = both.current.is_told(both.options)
    if options.intersection and not is_told:
        raise UsageError(
            "--intersection: groups are compared by what became of them, so it needs a "
            "--prediction, a --label or a --score"
        )
    return _with_rules(plan, options, settings, is_told=is_told), both


def _with_rules(
    plan: Plan, options: argparse.Namespace, settings: Settings, *, is_told: bool
) -> Plan:
    """The plan with how it is judged: as the settings say, but for what the options do."""
    alphas = options.alpha or (settings.drift.alpha,)
    tolerances = options.tolerance or (settings.drift.tolerance,)
    variants = tuple(
        Variant(alpha, shares(alpha, outcomes=is_told)[0], tolerance, bins)
        for alpha, tolerance, bins in itertools.product(
            alphas, tolerances, options.bins or (INNER_BINS,)
        )
    )
    usual = rules_of(settings, outcomes=is_told)
    first = variants[0]
    rules = dataclasses.replace(usual, alpha=first.part, tolerance=first.tolerance)
    outcomes = dataclasses.replace(plan.outcomes, alpha=shares(first.alpha, outcomes=True)[1])
    several = variants if len(variants) > 1 else ()
    return dataclasses.replace(
        plan, rules=rules, outcomes=outcomes, is_told=is_told, variants=several, alpha=first.alpha,
        bins=first.bins,
    )  # fmt: skip


def _plan(
    options: argparse.Namespace,
    settings: Settings,
    ring: Callable[[], Keyring],
    warn: Callable[[str], None],
) -> Plan:
    """What the command line asks for; what it leaves out is as the settings say."""
    usual = settings.reference
    place = getattr(options, "reference", None)
    versus = segment_of(place) or (Segment(*usual.versus) if usual.versus else None)
    parted = getattr(options, "before_after", None)
    if parted is not None and place is not None:
        raise UsageError("--before-after: is instead of a --reference; give one of them")
    if place is None and parted is None:
        place = usual.file
    if parted is not None:
        versus = None
    by = [*options.by, *([versus.dimension] if versus is not None else [])]
    outcome_rules, experiments = _outcome_rules(options, settings), _experiments(options, settings)
    slices = getattr(options, "slices", 0)
    grouped = (
        *outcome_rules.grouped, *outcome_rules.strata, *(one.dimension for one in experiments)
    )  # fmt: skip
    return Plan(
        sources=options.source,
        endpoint=settings.endpoint,
        shards=settings.stream.shards,
        features=features_of(settings),
        rules=rules_of(settings),
        learn=usual.learn,
        reference=None if segment_of(place) is not None else place,
        versus=versus,
        hourly=usual.hour_of_week,
        form=options.format,
        columns=Columns(tuple(dict.fromkeys(by)), options.timestamp, tuple(options.ignore)),
        types=types.read(options.types) if options.types else {},
        prediction=tuple(options.prediction),
        label=tuple(options.label),
        score=options.score,
        protected=tuple(dict.fromkeys(itertools.chain(options.protected, *options.intersection))),
        outcomes=outcome_rules,
        joining=Joining(
            parts.prediction_reader(settings),
            _make_safe(settings, ring, warn),
            settings.outcomes.wait,
            settings.outcomes.records,
            tuple(map(Path, getattr(options, "feedback", ()))),
            is_asked_for(settings) or bool(slices),
            grouped,
            units_of(experiments),
            bool(slices),
            horizons_of(experiments),
        ),
        experiments=experiments,
        arms=tuple(dimension for dimension, _ in getattr(options, "experiment", ())),
        start=options.start,
        end=options.end,
        opener=opener_of(options.private_key),
        parted=parted,
        chunks=options.chunks if isinstance(options.chunks, int) else 0,
        period=PERIODS.get(options.chunks) if isinstance(options.chunks, str) else None,
        timeline=getattr(options, "timeline", False) or _dates_a_page(options),
        slices=slices,
        engine=getattr(options, "engine", "local"),
        scheduler=getattr(options, "scheduler", None) or "",
    )


def _dates_a_page(options: argparse.Namespace) -> bool:
    """Whether a page should say since when, although nobody asked for chunks: where a table has
    times, and something to be compared with."""
    if options.chunks or not getattr(options, "html", None) or options.timeline:
        return False
    return bool(options.timestamp and (options.reference or options.before_after))


def _as_asked(found: Replay, options: argparse.Namespace) -> Replay:
    """The document without the chunks that were made for the page alone."""
    if not _dates_a_page(options):
        return found
    return msgspec.structs.replace(found, chunks=None, timeline=None)


def _make_safe(
    settings: Settings, ring: Callable[[], Keyring], warn: Callable[[str], None]
) -> MakeSafe:
    """What pseudonymizes feedback as the Records are. Where the key of their pseudonyms is not at
    hand `warn` is told, once, that values which have some are not joined."""

    @lru_cache(maxsize=1)
    def privacy() -> Privacy:
        return parts.privacy(settings, ring())

    @lru_cache(maxsize=1)
    def warn_once() -> None:
        warn(
            f"{keyring.key_file(settings)}: there is no such key file, so personal data in "
            "feedback (business keys, labels) is not found in the records; "
            "say --data or privacy.key_file"
        )

    def make_safe(said: Statement) -> Feedback:
        made = privacy().feedback(said)
        if made.pseudonymized == keyring.OF_THIS_RUN and _PSEUDONYM in msgspec.json.encode(made):
            warn_once()
        return made

    return make_safe


def _experiments(options: argparse.Namespace, settings: Settings) -> tuple[Experiment, ...]:
    """Those of the configuration, and what the options compare beside."""
    found = list(experiments_of(settings))
    known = {(one.dimension, one.control) for one in found}
    told: list[Source] = []
    told += ["label"] if options.label else []
    told += ["score"] if options.score else []
    told += ["prediction"] if any(one != options.score for one in options.prediction) else []
    for dimension, control in getattr(options, "experiment", ()):
        if (dimension, control) not in known:
            found.append(compared(dimension, control, told or ("label", "score", "prediction")))
    return tuple(found)


def _outcome_rules(options: argparse.Namespace, settings: Settings) -> OutcomeRules:
    """How what became of rows is judged: as live, but for what the options say."""
    rules = outcome_rules_of(settings)
    if wrong := wrong_intersection(options.intersection):
        raise UsageError(f"--intersection: {wrong[1]}")
    positive = spelt(options.positive or rules.positive)
    favourable = rules.favourable
    if favourable == rules.positive:
        favourable = positive
    fair = tuple(dict.fromkeys((*rules.fair, *options.protected)))
    known = set(map(frozenset, rules.crossed))
    asked = (parts for parts in options.intersection if frozenset(parts) not in known)
    crossed = (*rules.crossed, *map(tuple, asked))
    sliced = rules.sliced or MEASURES if getattr(options, "slices", 0) else ()
    return dataclasses.replace(
        rules,
        positive=positive,
        favourable=favourable,
        fair=fair,
        sliced=sliced,
        crossed=crossed,
        overdue=None,  # of a past that is read at once no label is late
    )


def _judged_beside_evidently(plan: Plan, both: Comparison, path: Path) -> Replay:
    """What is found, and Evidently's report on the same rows."""
    evidently_report.need(path)
    if both.reference is None:
        raise UsageError("--evidently: compares raw values, so --reference must be a SOURCE")
    usual, now = evidently_report.Sample(), evidently_report.Sample()
    found = judge.judge(plan, both, watched, of_reference=[usual.add], of_current=[now.add])
    if may_be_wrong(both.usual.damage):
        remark = f"--evidently: {path} was not written, because {reasons.DAMAGED}"
        return msgspec.structs.replace(found, remarks=[*found.remarks, remark])
    said, positive = None, plan.outcomes.positive
    if both.current.is_table:
        if plan.truth.label and plan.truth.prediction:
            said = evidently_report.Said(plan.truth.label, plan.truth.prediction, positive)
    elif plan.is_told:
        usual.add_outcomes(both.reference.truths(both.usual))
        now.add_outcomes(both.current.truths(both.options))
        said = evidently_report.Said(evidently_report.LABEL, evidently_report.PREDICTION, positive)
    told = evidently_report.write(usual.frame(), now.frame(), path, said)
    return msgspec.structs.replace(found, remarks=[*found.remarks, *told])


# --- what is said --------------------------------------------------------------------------------


def _compared(plan: Plan, options: argparse.Namespace) -> Compared:
    """What the document says was compared."""
    tells = bool(plan.label or plan.score)
    return Compared(
        __version__,
        SCHEMA,
        list(map(without_password, plan.sources)),
        _reference(plan),
        plan.alpha,
        plan.rules.tolerance,
        plan.start,
        plan.end,
        list(plan.by),
        str(options.chunks or ""),
        plan.columns.timestamp,
        list(plan.columns.ignore),
        list(plan.prediction),
        list(plan.label),
        plan.score,
        plan.outcomes.positive if tells else "",
        plan.bins if options.bins else None,
        list(plan.protected),
        [f"{one.dimension}={one.control}" for one in plan.experiments],
        plan.slices,
        {name: how.words for name, how in plan.types.items()},
    )


def _reference(plan: Plan) -> str:
    """What is usual, in words."""
    if plan.parted is not None:
        return f"what began before {moment(plan.parted)}"
    if plan.reference:
        return without_password(plan.reference)
    if plan.versus is not None:
        return f"{plan.versus.dimension}={plan.versus.value}"
    return f"the first {plan.learn:,} values of each feature and segment"


def _facts(plan: Plan) -> list[tuple[str, str]]:
    """What was compared with what, and how: the head of a report."""
    ends = (("from", plan.start), ("to", plan.end))
    ranged = [f"{name} {moment(at)}" for name, at in ends if at is not None]
    return [
        ("records of", ", ".join([*map(without_password, plan.sources), *ranged])),
        ("reference", _reference(plan)),
        ("by", ", ".join(plan.by) or "the whole alone"),
        ("chance of any false alarm", f"{plan.alpha:.2g}"),
        ("tolerance", f"PSI {plan.rules.tolerance:g}"),
        ("made", f"{moment(time.time())} by monitor {__version__}"),
    ]


def _tell(
    found: Replay, options: argparse.Namespace, title: str, facts: list[tuple[str, str]]
) -> None:
    if options.html:
        write(options.html, page(found, title, facts).encode())
    found = _as_asked(found, options)
    if options.json == "-":
        document(_document(found))
    elif options.json:
        write(options.json, _document(found))
    if options.junit:
        write(options.junit, junit.page(found, title).encode())
    stream = sys.stderr if options.json == "-" else sys.stdout
    given = stream.isatty() or "COLUMNS" in os.environ
    console = Console(file=stream, width=None if given else WIDTH)
    for one in report.tables(found, title, console.width):
        console.print(one)


def _document(found: Replay) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
