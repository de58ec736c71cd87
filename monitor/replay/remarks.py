"""What a reader of the verdict should know: what was not judged, how columns were read, what was
not read. Where most of a side was not read, or a file breaks off, the verdict is not `ok`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Literal

import msgspec

from monitor import packing
from monitor.damage import Damage, Unreadable
from monitor.features.latency import FEATURE as LATENCY
from monitor.findings import Finding
from monitor.interfaces import Table
from monitor.readable import decimal, percent
from monitor.replay import schema
from monitor.replay.comparison import Comparison
from monitor.replay.datasets import Dataset
from monitor.replay.document import DataQuality, FailedPart, LeftOut, Replay, Unread, lacking
from monitor.replay.plan import Plan
from monitor.replay.reasons import explained, unbelieved
from monitor.types import WHOLE

SILENT = {"identifier": "nearly all values differ", "unknown": "no values"}
"""Kinds of columns that say nothing by what their values are."""

NAMED_SO = "an identifier, as --types says"
APART = "what it holds is not looked at"
"""Why columns are not judged."""

LOGS = {
    "litellm": {"call_type", "custom_llm_provider", "model_group", "completionStartTime",
                "api_base", "cache_hit", "end_user", "requester_ip_address", "total_tokens"},
    "langfuse": {"traceId", "parentObservationId", "usageDetails", "costDetails", "statusMessage",
                 "completionStartTime", "modelParameters", "promptName", "providedModelName"},
    "helicone": {"request_created_at", "response_created_at", "request_body", "response_body",
                 "response_status", "delay_ms", "request_path", "request_model", "response_id"},
}  # fmt: skip
"""Names in logs of others by format; so many of one make a table look like such a log."""
ALIKE = 4

ENCODINGS = 20
"""Files whose encoding is told, at most."""

NAMED = 8
"""Columns that a remark names, at most."""


def with_remarks(found: Replay, plan: Plan, both: Comparison) -> Replay:
    """The same with what was not judged and why, how columns were read, what was not read."""
    sanitizer, types = both.usual.sanitizer, both.usual.types.by_column
    named = {sanitizer.text(name): how for name, how in types.items()}
    silent = {name: SILENT[how.kind] for name, how in named.items() if how.kind in SILENT}
    silent |= {
        sanitizer.text(name): NAMED_SO
        for name, how in plan.types.items()
        if how.kind == "identifier"
    }
    found = explained(_with_columns(found, _beyond(both)), silent)
    is_wrong = may_be_wrong(both.usual.damage)
    read = {name: how.words for name, how in sorted(named.items()) if both.looks_at(name)}
    unread = _unread(found, plan, both)
    if found.left_out or any(one.is_most or one.ends for one in unread):
        found = _doubted(found)
    found = msgspec.structs.replace(
        found,
        features=[*found.features, *_apart(both)],
        columns=read,
        schema=schema.changes(plan, both),
        remarks=list(dict.fromkeys(_remarks(found, plan, both))),
        unreadable=both.usual.damage.listed(),
        unread=unread,
        alike=_alike(plan, both),
        erased=both.usual.damage.erasures,
        failed_parts=_failed(both),
        encodings=dict(
            [(str(one.path), one.encoding) for one in _tables(both) if one.encoding][:ENCODINGS]
        ),
    )
    return unbelieved(found) if is_wrong else found


def broken_off(damage: Damage) -> str:
    """Where the first file cannot be read any further, and why, as one sentence; empty where all
    could be."""
    ends = sorted(damage.ends_of(damage.files), key=lambda one: not _is_doubtful(one))
    return f"{ends[0].place}: {ends[0].error}" if ends else ""


def may_be_wrong(damage: Damage) -> bool:
    """Whether a file is damaged so that what was read of it may be wrong."""
    return any(map(_is_doubtful, damage.listed()))


def _is_doubtful(one: Unreadable) -> bool:
    """Whether a file breaks off so that what was read of it may be wrong."""
    return not one.count and one.error.endswith(packing.DOUBT)


def _apart(both: Comparison) -> list[Finding]:
    """A finding for each column that nobody looked at: it is not judged."""
    names = sorted({both.usual.sanitizer.text(name) for one in _tables(both) for name in one.apart})
    return [
        Finding(
            name, WHOLE.dimension, WHOLE.value, 0, 0, {}, 0.0, "insufficient", reason=APART
        )
        for name in names
    ]  # fmt: skip


def _beyond(both: Comparison) -> list[LeftOut]:
    """Columns that no table has read because there are too many."""
    return [
        LeftOut(str(one.path), len(one.names), "columns", one.beyond)
        for one in _tables(both)
        if one.beyond
    ]


def _with_columns(found: Replay, beyond: list[LeftOut]) -> Replay:
    """The same, which lacks the columns `beyond` those that were read, as each chunk does."""
    chunks = found.chunks and [
        msgspec.structs.replace(one, left_out=one.left_out + lacking(beyond))
        for one in found.chunks
    ]
    left_out = [*found.left_out, *beyond]
    return msgspec.structs.replace(found, left_out=left_out, chunks=chunks)


def _failed(both: Comparison) -> list[FailedPart]:
    """The parts that raised on exchanges of logs."""
    return [
        FailedPart(kind, both.usual.sanitizer.text(name), many)
        for (kind, name), many in both.usual.damage.failures().items()
    ]


def _tables(both: Comparison) -> list[Table]:
    """The tables of both sides, each once."""
    tables = [*both.current.tables, *(both.reference.tables if both.reference else ())]
    return list({str(table.path): table for table in tables}.values())


def _unread(found: Replay, plan: Plan, both: Comparison) -> list[Unread]:
    """What of each side could not be read, where there is something."""
    told = {str(path) for path in plan.joining.files} if plan.joining is not None else set()
    current, usual = both.current, both.reference
    if usual is None or {*usual.files} - {*current.files}:
        sides = [_of_side("current", current, found.records, both, told)]
        sides += [_of_side("reference", usual, both.compared.rows, both)] if usual else []
    else:
        rows = found.records + both.compared.rows
        sides = [_of_side("both", current, rows, both, told)]
    return [one for one in sides if one.rows or one.ends]


def _of_side(
    name: Literal["current", "reference", "both"],
    side: Dataset,
    read: int,
    both: Comparison,
    told: AbstractSet[str] = frozenset(),
) -> Unread:
    """The same of a side of which so many rows were read; files that `told` what became of them are
    looked at for where they break off."""
    damage, files = both.usual.damage, {str(path) for path, _ in side.files}
    rows = damage.rows_of(files)
    ends = sorted(damage.ends_of(files | side.lost | told), key=lambda one: not _is_doubtful(one))
    wrong = any(map(_is_doubtful, ends))
    return Unread(name, rows, rows + read, [f"{one.place}: {one.error}" for one in ends], wrong)


def _doubted(found: Replay) -> Replay:
    """The same, in which nothing is said to be well as a whole."""
    told = [
        msgspec.structs.replace(one, verdict="insufficient") if one.verdict == "ok" else one
        for one in found.what_if or ()
    ]
    verdict = "insufficient" if found.verdict == "ok" else found.verdict
    return msgspec.structs.replace(found, verdict=verdict, what_if=told or None)


def _on_names(found: Replay, both: Comparison) -> Iterator[str]:
    """What is said where a reference and what is compared with it differ in their columns."""
    come = {one.feature for one in found.features if one.samples}
    names = {one.feature for one in found.features if one.samples and not one.scores}
    if names:
        yield f"not in the reference, and so not judged: {_listed(names)}"
    names = {one.feature for one in found.features} - come | both.gone()
    if names:
        yield f"in the reference, but did not come: {_listed(names)}"
    if both.current.is_table and both.is_of_other_columns():
        yield (
            f"{both.current.name}: no column of it is in the reference; is it the right file, and "
            "does its first line name the columns?"
        )


def _remarks(found: Replay, plan: Plan, both: Comparison) -> Iterator[str]:
    yield from found.remarks
    if not both.has_reference:
        first = f"the first {plan.learn:,} values of each feature"
        if plan.versus is None:
            yield f"no --reference: {first} are taken for usual (reference.learn)"
        else:
            dimension, value = plan.versus.dimension, plan.versus.value
            yield (
                f"the others of {dimension} are compared with {value}, all else with {first} "
                "(reference.learn)"
            )
    if both.has_reference:
        yield from _on_names(found, both)
    yield from on_columns(plan, both)
    yield from _on_dependence(plan, both)
    yield from _on_ranges(found.data_quality or (), both.times())
    if unseen := sorted(both.options.told - {"durations" if LATENCY in plan.features else ""}):
        say = (
            ""
            if unseen == ["sizes"]
            else "; drift.features: [latency] in --config judges durations"
        )
        yield f"the log tells {' and '.join(unseen)}, which were not looked at{say}"
    if plan.hourly and both.current.is_table:
        yield "reference.hour_of_week: a table is one window, its hours are not told apart"
    if plan.label and not (plan.prediction or plan.score):
        yield "--label: there is no --prediction or --score, so nothing says what was right"
    yield from _on_places(found, plan)
    if erased := both.usual.damage.erasures:
        yield f"{erased:,} records were erased on request; nothing here counts them"
    for part in _failed(both):
        many = f"{part.exchanges:,} exchanges, which were"
        many = "an exchange, which was" if part.exchanges == 1 else many
        yield f"the {part.kind} {part.name} failed on {many} judged without it"
    for one in both.usual.damage.listed():
        count = f"; {one.count:,} such" if one.count > 1 else ""
        yield f"could not be read: {one.place}: {one.error}{count}"


def _on_places(found: Replay, plan: Plan) -> Iterator[str]:
    """What had no place, and where a dimension has no value."""
    yield from (one.words for one in found.left_out)
    for name in plan.by:
        values = {one.value for one in found.features if one.dimension == name}
        if not values:
            yield f"--by {name}: no record has such a dimension"


def on_columns(plan: Plan, both: Comparison) -> Iterator[str]:
    """How columns were read, where that is a guess or should be said otherwise."""
    types, sanitizer = both.usual.types.by_column, both.usual.sanitizer
    seen = {name: how for name, how in types.items() if both.looks_at(name)}
    dates = {sanitizer.text(name) for name, how in seen.items() if how.kind == "datetime"}
    if dates:
        say = "--ignore" if plan.columns.timestamp else "--timestamp or --ignore"
        yield f"times are judged as they stand: say {say} {_listed(dates)}"
    told = {*seen, plan.columns.timestamp}
    for name, how in sorted(types.items()):
        if how.note and name in told:
            yield f"{sanitizer.text(name)}: {how.note}"
    tables = _tables(both)
    notes = [(table.path, sanitizer.text(note)) for table in tables for note in table.notes]
    for path, note in list(dict.fromkeys(notes))[:NAMED]:
        yield f"{path}: {note}"
    for table in tables:
        outer = {name.partition(".")[0] for name in table.names}
        for name, own in LOGS.items():
            if len(own & outer) >= ALIKE:
                yield (
                    f"{table.path}: looks like a log of {name} that lacks what its rows are known "
                    "by; it was read as a table"
                )
    apart = {sanitizer.text(name) for table in tables for name in table.apart}
    if apart:
        yield f"not looked at, for what they hold: {_listed(apart)}"


def _on_ranges(columns: Iterable[DataQuality], times: AbstractSet[str]) -> Iterator[str]:
    """Which columns have numbers far outside the reference's range: bins tell how many these are,
    and not how far off."""
    found = []
    for one in columns:
        if one.before is None or one.now is None or one.feature in times:
            continue
        low, high, least, most = (
            one.before.smallest, one.before.largest, one.now.smallest, one.now.largest,
        )  # fmt: skip
        if low is None or high is None or least is None or most is None:
            continue
        if max(low - least, most - high) > high - low > 0:
            reach, usual = (
                f"{decimal(a)} to {decimal(b)}" for a, b in ((least, most), (low, high))
            )
            found.append(f"{one.feature} ({reach}, in the reference {usual})")
    if found:
        yield (
            f"numbers lie far outside the range of the reference: {_listed(found)}; how many "
            "counts as drift where it is certain, how far off they are does not"
        )


def _on_dependence(plan: Plan, both: Comparison) -> Iterator[str]:
    """Where rows are not independent of each other, as evidence and intervals take them to be."""
    known = plan.rules.design_effect
    for side, tally in (("reference", both.compared), ("current rows", both.judged)):
        if (copies := tally.dependence.copies()) is not None and copies.times > known:
            yield (
                f"{side}: {percent(copies.share)} of the rows are copies of others, more than "
                "chance makes; evidence and intervals count each: take the copies out, or say "
                f"drift.design_effect: {copies.times} in --config"
            )
        found = [one for one in tally.dependence.neighbours() if one.times > known]
        if found:
            names = _listed(f"{one.feature} {one.correlation:.1f}" for one in found[:NAMED])
            yield (
                f"{side}: neighbouring rows are alike (correlation: {names}); if they stand in the "
                "order in which they came, they tell less than so many independent ones, and "
                f"chance looks like drift: say drift.design_effect: {found[0].times} in --config"
            )


def _alike(plan: Plan, both: Comparison) -> int:
    """How many rows tell what an independent one would, of the side where these are most, where
    they are more than the settings say; else 0."""
    found = [0]
    for side in (both.compared, both.judged):
        copies = side.dependence.copies()
        found += [copies.times] if copies is not None else []
        found += [one.times for one in side.dependence.neighbours()]
    return most if (most := max(found)) > plan.rules.design_effect else 0


def _listed(names: Iterable[str]) -> str:
    names = sorted(names)
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown
