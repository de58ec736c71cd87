"""A Comparison → one document: what the analysis says of all rows, and of each chunk.

A row is folded once. The other readings of a side only count, or make the reference. How often a
side is read, beside its first thousand rows, which say how columns are to be read (and more of a
column that these leave open, see `tables.inference`):

| side | reading | when |
|---|---|---|
| current | rows and segments are counted (`census`) | `--by`, `--chunks` or `--timeline` |
| current | the first values of each feature make a reference | chunks without a reference |
| current | rows are judged; scores and Evidently's sample are taken on the way | always |
| reference | segments are counted | `--by` |
| reference | a profile is made; scores and Evidently's sample are taken on the way | always |
| reference | values spread over all of it make new bins | it stands in order, no `--by` |
| reference | values are counted in these bins | it stands in order |
| reference | parts as long as chunks are judged | `--timeline` |
| reference | Records are judged as they came | a part of what came drifts, and not the whole |

So a side of a table is read three times at most, or four with `--timeline`, and of its rows none
is kept but for a sample of a thousand. What was seen of Records of a reference is kept where it is
little (`remembered`), and so they are looked at once.
What became of rows is read beside that (`outcomes`), and of Records once more for Evidently.
Dask's workers judge rows of tables where they are; where scores or a sample are asked for, the
current side is then read once more, here. At Records they look for each reading of a side.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from monitor.analysis.drift.findings import together, undated, verdict
from monitor.analysis.drift.judgement import MINIMUM, Rules
from monitor.analysis.drift.performance import Scores, perform
from monitor.analysis.drift.profiles import Profile, profile_of
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.drift.windows import INNER_BINS
from monitor.errors import SourceError, UsageError
from monitor.findings import Finding
from monitor.replay import dask, data_quality, outcomes, reference, terms, timeline
from monitor.replay.census import Census, within_budget
from monitor.replay.comparison import Comparison
from monitor.replay.document import Chunk, Replay, WhatIf, lacking
from monitor.replay.files import ReadOptions
from monitor.replay.parts import Begin, Fold, Part, counts, cut, summed
from monitor.replay.periods import USUAL, Period, fitting
from monitor.replay.plan import Plan, Variant
from monitor.replay.reference import Tap, Watch, tapped
from monitor.replay.unlabelled import without_missing
from monitor.replay.usual_course import NOTHING, Usual, course
from monitor.replay.wholes import Wholes
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.tables.times import EARLIEST

Usually = Callable[[ReadOptions], Iterator[Row | Block]]
"""What reads the reference, once it has been counted."""


def judge(
    plan: Plan,
    both: Comparison,
    watch: Watch,
    *,
    of_reference: Sequence[Tap] = (),
    of_current: Sequence[Tap] = (),
) -> Replay:
    """Fold the current side, chunks beside it, against the reference.

    Records are judged as they would have been live: what is said is what was known when the last
    had come. A table need not be in order of time: it is one window, as is each chunk. `watch`
    shows how far a reading has come; `of_reference` and `of_current` are told every row of a side.
    Raises UsageError and SourceError with one line for a person.
    """
    if plan.score and not plan.label:
        raise UsageError("--score: needs a --reference SOURCE with a --label, or a --label")
    both = _looked_at_elsewhere(plan, both)
    if not (plan.score and both.reference is not None):
        found, plan = _read(plan, both, watch, of_reference, of_current)
        return outcomes.with_outcomes(found, plan, both, watch)
    said = next((name for name in plan.prediction if name != plan.score), "")
    usual, now = (Scores(plan.score, said, plan.label[0]) for _ in range(2))
    found, plan = _read(plan, both, watch, [*of_reference, usual.add], [*of_current, now.add])
    found = _with_performance(found, plan, usual, now)
    return outcomes.with_outcomes(found, plan, both, watch)


def profile(plan: Plan, both: Comparison, watch: Watch) -> Profile:
    """The profile of the current side, with how its columns were read."""
    census = _census(plan, both, watch)
    (found,) = reference.build(
        both.current, both.options, census, watch, bins=(plan.bins,), limit=plan.most_references,
        labels=_late(plan, both),
    )  # fmt: skip
    return reference.with_types(found, both)


def _read(
    plan: Plan,
    both: Comparison,
    watch: Watch,
    of_reference: Sequence[Tap],
    of_current: Sequence[Tap],
) -> tuple[Replay, Plan]:
    """What the fold finds, and the plan with what it was cut into; SourceError where there are no
    rows, or none that can be read."""
    found, plan = _folded(plan, both, watch, of_reference, of_current)
    if not found.records:
        raise SourceError(both.usual.damage.first() or both.nothing())
    return found, plan


def _folded(
    plan: Plan,
    both: Comparison,
    watch: Watch,
    of_reference: Sequence[Tap],
    of_current: Sequence[Tap],
) -> tuple[Replay, Plan]:
    """What the fold finds, and the plan with what it was cut into."""
    shards = _shards(plan, both)
    census = shards.census() if shards is not None else _census(plan, both, watch)
    plan = _as_cut(plan, both, census)
    profiles = dict.fromkeys(plan.each_bins, both.profile)
    if both.reference is not None:
        made = _profiles(plan, both, census, watch, of_reference)
        profiles.update(zip(plan.each_bins, made, strict=True))
    profile = profiles[plan.bins]

    def rows(taps: Sequence[Tap] = ()) -> Iterator[Row | Block]:
        kept = within_budget(both.current.rows(both.options), census.kept())
        if both.current.is_table and not both.judged.rows:
            kept = both.judged.passing(kept, are_table=True)
        return tapped(watch(kept, "replaying", census.rows), taps)

    def usually(options: ReadOptions) -> Iterator[Row | Block]:
        assert both.reference is not None  # noqa: S101  asked for only when there is one
        kept = within_budget(both.reference.rows(options), census.kept())
        return watch(kept, "reading it in its order")

    if shards is None and (profile is None or not both.current.is_table):
        found = _in_order(
            plan, both, profiles, rows, of_current, usually=usually, total=census.rows
        )
        return found, plan
    begins = [_begin(plan, both, plan.at_once, profiles[bins]) for bins in plan.each_bins]
    begins[1:] = [dataclasses.replace(one, with_facts=False) for one in begins[1:]]
    limits: dict[str, Any] = {
        "chunks": plan.chunks or 1, "total": census.rows, "period": plan.period,
    }  # fmt: skip
    if shards is None:
        counted = [counts(rows(of_current), begins, **limits)]
    else:
        # Taps have the rows read here as well, once the workers are done.
        dependence = None if of_current else both.judged.dependence
        counted = list(shards.count(begins, census.kept(), dependence=dependence, **limits))
    chunks, *others = zip(*counted, strict=True)
    found, whole = gather(chunks, begins[0], chunks=plan.chunks, period=plan.period)
    wholes = dict(zip(plan.each_bins, (whole, *map(summed, others, begins[1:])), strict=True))
    found = _with_variants(
        found, plan, lambda one: wholes[one.bins].findings_by(_other(plan.at_once, one))
    )
    for _ in rows(of_current) if shards is not None and of_current else ():
        pass  # the taps have what they need
    beside = _usual_course(plan, both, found, begins[0], usually)
    return _with_course(found, plan, both, profile, beside), plan


def _as_cut(plan: Plan, both: Comparison, census: Census) -> Plan:
    """The plan with what the rows are cut into, where a timeline leaves that open.

    Raises SourceError where there are too few rows for so many chunks, or too many periods.
    """
    if plan.timeline and not (plan.chunks or plan.period):
        has_times = (
            bool(plan.columns.timestamp) if both.current.is_table else census.last >= EARLIEST
        )
        period = fitting(census.first, census.last) if has_times else None
        runs = 0 if period else max(1, min(USUAL, census.rows // MINIMUM))
        plan = dataclasses.replace(plan, period=period, chunks=runs)
    if plan.period is not None:
        if both.current.is_foreign and census.rows and census.last < EARLIEST:
            raise UsageError(f"--chunks {plan.period.name}: no record says when it was")
        plan.period.check(census.first, census.last, (census.first_row, census.last_row))
    check(plan.chunks, census.rows)
    return plan


def _usual_course(
    plan: Plan, both: Comparison, found: Replay, begin: Begin, usually: Usually
) -> Usual:
    """The course of the reference itself, which a timeline is held against."""
    if both.reference is None or not (plan.timeline and found.chunks):
        return NOTHING
    return course(both, found.chunks, plan.period, begin, usually)


def _with_course(
    found: Replay, plan: Plan, both: Comparison, profile: Profile | None, usual: Usual
) -> Replay:
    """The document with the timeline, and what the reference's columns held."""
    if plan.timeline:
        found = timeline.with_timeline(found, plan.rules.tolerance, usual)
    if profile is not None and found.data_quality is not None:
        found = data_quality.beside(found, profile)
    return terms.with_words(found, both)


def _looked_at_elsewhere(plan: Plan, both: Comparison) -> Comparison:
    """The same, with Records looked at by Dask's workers where the plan says so."""
    if plan.engine != "dask":
        if plan.scheduler:
            raise UsageError("--scheduler: is for --engine dask")
        return both
    if both.current.is_table:
        return both
    files = [*both.current.files, *(both.reference.files if both.reference is not None else ())]
    ahead = dask.ahead(files, plan.scheduler)
    return dataclasses.replace(
        both,
        usual=dataclasses.replace(both.usual, ahead=ahead),
        options=dataclasses.replace(both.options, ahead=ahead),
    )


def _shards(plan: Plan, both: Comparison) -> dask.Shards | None:
    if plan.engine != "dask" or not both.current.is_table:
        return None
    if not both.has_reference:
        raise UsageError("--engine dask: needs a --reference SOURCE or profile")
    opened = {table.path for table in both.current.tables}
    files = [one for one in both.current.files if one[0] in opened]
    return dask.Shards(files, both.options, plan.scheduler, plan.versus)


def _census(plan: Plan, both: Comparison, watch: Watch) -> Census:
    census = Census()
    if plan.by or plan.is_cut:
        census.count(watch(both.current.segments(both.options), "counting"))
    return census


def _profiles(
    plan: Plan, both: Comparison, census: Census, watch: Watch, taps: Sequence[Tap]
) -> list[Profile]:
    """The profile of the reference for each number of bins; its segments are added to the values
    that `census` counted."""
    assert both.reference is not None  # noqa: S101  asked for only when there is one
    counted = Census(values=census.values)
    counted.count(both.reference.segments(both.usual) if plan.by else ())
    nothing = reference.NOTHING
    if plan.parted is not None:
        nothing = "--before-after: nothing began before that time"
    profiles = reference.build(
        both.reference, both.usual, counted, watch, taps,
        nothing=nothing, tally=both.compared, bins=plan.each_bins, limit=plan.most_references,
        labels=_labels(plan, both),
    )  # fmt: skip
    if plan.versus is not None and both.current.is_table:
        kept = counted.kept()
        return [reference.of_others(one, plan.versus, kept) for one in profiles]
    return profiles


def _begin(
    plan: Plan, both: Comparison, rules: Rules, profile: Profile | None, bins: int = INNER_BINS
) -> Begin:
    """How an analysis begins. Of a table the segment to compare with is the profile."""
    baseline = Baseline(profile, plan.learn, inner=bins, is_learned=both.reference is None)
    if not both.current.is_table:
        baseline = dataclasses.replace(baseline, versus=plan.versus, hourly=plan.hourly)
    else:
        name = f"{plan.versus.dimension} {plan.versus.value}" if plan.versus else ""
        baseline = dataclasses.replace(baseline, name=name)
        rules = dataclasses.replace(rules, times=both.times())
    labels = _labels(plan, both)
    return Begin(rules, baseline, plan.by, with_facts=both.current.is_table, labels=labels)


def _labels(plan: Plan, both: Comparison) -> frozenset[str]:
    """The columns of a table of which what is missing is no value, but comes later. A profile says
    of which it has not counted that: of others it is a value, as it is in the profile."""
    if both.profile is not None and both.current.is_table:
        return both.profile.labels
    return _late(plan, both)


def _late(plan: Plan, both: Comparison) -> frozenset[str]:
    """The labels of a table, which may come later than the rest of a row."""
    names = plan.label if both.current.is_table else ()
    return frozenset(map(both.usual.sanitizer.text, names))


def _in_order(
    plan: Plan,
    both: Comparison,
    profiles: Mapping[int, Profile | None],
    rows: Callable[[Sequence[Tap]], Iterator[Row | Block]],
    taps: Sequence[Tap],
    *,
    usually: Usually,
    total: int,
) -> Replay:
    """Fold row after row; a chunk is one window against the reference that the whole has."""
    rules = plan.at_once if both.current.is_table else plan.live
    usual, latest = profiles[plan.bins], Latest()
    if plan.is_cut and usual is None:
        usual = profile_of(
            without_missing(rows(()), _labels(plan, both)),
            plan.by,
            learn=plan.learn,
            inner=plan.bins,
            limit=plan.most_references,
        )
    begin = _begin(plan, both, rules, profiles[plan.bins], plan.bins)
    begins = [
        _begin(plan, both, _other(rules, one), profiles[one.bins], one.bins)
        for one in plan.variants
    ]
    others = [Part(dataclasses.replace(one, with_facts=False)) for one in begins]
    passing: Iterable[Row | Block] = latest.passing(rows(taps))
    for part in others:
        passing = part.passing(passing)
    begin_chunk = dataclasses.replace(
        _begin(plan, both, plan.at_once, usual, plan.bins), with_facts=False
    )
    wholes = _wholes(plan, both, profiles, usually)
    found = in_order(
        passing if wholes is None else wholes.passing(passing),
        begin,
        chunks=plan.chunks,
        total=total,
        begin_chunk=begin_chunk,
        period=plan.period,
    )
    judged = {one: part.findings() for one, part in zip(plan.variants, others, strict=True)}
    if wholes is not None:
        found = wholes.replaced(found, begin, plan.at_once, plan.bins)
        for one, each in zip(plan.variants, begins, strict=True):
            judged[one], *_ = wholes.instead(judged[one], each, _other(plan.at_once, one), one.bins)
    found = _with_variants(found, plan, judged.__getitem__)
    beside = _usual_course(plan, both, found, begin_chunk, usually)
    found = _with_course(found, plan, both, usual, beside)
    is_undated = both.current.is_table or (both.current.is_foreign and latest.at < EARLIEST)
    return _undated(found) if is_undated else found


def _wholes(
    plan: Plan, both: Comparison, profiles: Mapping[int, Profile | None], usually: Usually
) -> Wholes | None:
    """What judges both sides as wholes, beside how Records came; None of a table, which is judged
    so anyway, and where the reference is none that could be read as it came."""
    if both.reference is None or both.current.is_table:
        return None
    begins = {
        bins: dataclasses.replace(
            _begin(plan, both, plan.at_once, profiles[bins], bins), with_facts=False
        )
        for bins in plan.each_bins
    }
    return Wholes(begins, lambda: usually(both.usual))


class Latest:
    """The latest time of rows; where it is before any log, rows are numbered instead."""

    def __init__(self) -> None:
        self.at = -math.inf

    def passing(self, rows: Iterable[Row | Block]) -> Iterator[Row | Block]:
        """The rows, each looked at on its way."""
        for one in rows:
            self.at = max(self.at, float(one.at.max()) if isinstance(one, Block) else one.at)
            yield one


def _with_performance(found: Replay, plan: Plan, usual: Scores, now: Scores) -> Replay:
    """Estimate how well the classifier does, of the whole and of each chunk."""
    calibration = usual.calibration()
    if calibration is None:
        raise UsageError(
            f"--score: no row of the reference has {plan.score!r} and 0 or 1 in {plan.label[0]!r}"
        )
    realized = usual.realized()
    chunks, start = [], 0
    for chunk in found.chunks or ():
        if plan.period is not None:
            part = now.between(chunk.start, chunk.end)
        else:
            part = now.part(start, chunk.records)
        performance = perform(part, realized, calibration) if chunk.records else None
        start += chunk.records
        chunks.append(msgspec.structs.replace(chunk, performance=performance))
    return msgspec.structs.replace(
        found, performance=perform(now, realized, calibration), chunks=chunks or None
    )


# --- counts → a document -------------------------------------------------------------------------


def in_order(
    rows: Iterable[Row | Block],
    begin: Callable[[float], Fold],
    *,
    chunks: int = 0,
    total: int = 0,
    begin_chunk: Callable[[float], Fold] | None = None,
    period: Period | None = None,
) -> Replay:
    """Fold the rows, in order, into one analysis, and each chunk into its own."""
    check(chunks, total)
    whole = Part(begin)
    passing = whole.passing(rows)
    if chunks or period:
        parts = cut(passing, begin_chunk or begin, chunks=chunks, total=total, period=period)
        return _document(whole, parts, period)
    for _ in passing:
        pass
    return _document(whole, None)


def gather(
    counted: Iterable[Mapping[int, Part]],
    begin: Callable[[float], Fold],
    *,
    chunks: int = 0,
    period: Period | None = None,
) -> tuple[Replay, Part]:
    """Add up what shards have counted of each chunk, and the chunks to the whole, which is given
    too.

    Only counts that no pane was closed over add up: those of analyses that judge all at once.
    """
    parts: dict[int, Part] = {}
    for shard in counted:
        for index, part in shard.items():
            parts.setdefault(index, Part(begin)).merge(part)
    whole = summed([parts], begin)
    return _undated(_document(whole, parts if chunks or period else None, period)), whole


def check(chunks: int, total: int) -> None:
    """Raise SourceError where there are fewer rows than chunks, but some."""
    if chunks > total > 0:
        raise SourceError(f"--chunks {chunks}: there are only {total} rows; give at most so many")


def _other(rules: Rules, variant: Variant) -> Rules:
    return dataclasses.replace(rules, alpha=variant.part, tolerance=variant.tolerance, bins=False)


def _with_variants(
    found: Replay, plan: Plan, findings: Callable[[Variant], Sequence[Finding]]
) -> Replay:
    """The document with what other settings say, where there are any."""
    told = []
    for one in plan.variants:
        judged = findings(one)
        drifted = sum(each.status == "drift" for each in judged)
        said = verdict(judged, left_out=lacking(found.left_out))
        told.append(WhatIf(one.alpha, one.tolerance, said, drifted, one.bins))
    return msgspec.structs.replace(found, what_if=told) if told else found


def _document(
    whole: Part, parts: Mapping[int, Part] | None, period: Period | None = None
) -> Replay:
    chunks = None
    if parts is not None and period is not None:
        chunks = _periods(parts, period)
    elif parts is not None:
        chunks = [_chunk(index, part) for index, part in sorted(parts.items())]
    findings, left_out = whole.findings(), whole.left_out
    return Replay(
        verdict(findings, left_out=lacking(left_out)), whole.rows, findings, chunks,
        left_out=left_out,
        together=together(findings), records_estimated=whole.estimated,
        data_quality=None if whole.table is None else data_quality.of(whole.table),
    )  # fmt: skip


def _periods(parts: Mapping[int, Part], period: Period) -> list[Chunk]:
    """A chunk for each period from the first to the last, also where nothing came."""
    first, chunks = min(parts, default=0), []
    for place in range(first, max(parts, default=-1) + 1):
        begin, end = period.span(place, parts[first].start)
        part = parts.get(place)
        if part is None:
            chunks.append(Chunk(place - first, begin, end, 0, "insufficient", []))
        else:
            one = _chunk(place - first, part)
            chunks.append(msgspec.structs.replace(one, start=begin, end=end))
    return chunks


def _chunk(index: int, part: Part) -> Chunk:
    found = [_short(undated(finding)) for finding in part.findings()]
    left_out = lacking(part.left_out)
    return Chunk(
        index, part.start, part.end, part.rows, verdict(found, left_out=left_out), found,
        left_out=left_out, records_estimated=part.estimated,
    )  # fmt: skip


def _short(finding: Finding) -> Finding:
    """A finding of a chunk, which has its bins only where a change is believed."""
    if finding.changed or not finding.bins:
        return finding
    return msgspec.structs.replace(finding, bins=[])


def _undated(found: Replay) -> Replay:
    features = [undated(finding) for finding in found.features]
    return msgspec.structs.replace(found, features=features, together=together(features))
