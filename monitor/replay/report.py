"""A replay's document → tables on the screen, and the words of both reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from rich.table import Table
from rich.text import Text

from monitor.analysis.drift.findings import moment
from monitor.findings import (
    Calibration,
    Coverage,
    ExperimentEffect,
    Fairness,
    Finding,
    OfSegment,
    Performance,
    Quality,
    Slice,
)
from monitor.replay.document import Replay, SchemaChange

SHOWN = 40
"""Findings in a table on the screen; drift is always shown."""

OF_A_KIND = 12
"""Columns of one kind that are named, at most."""

NAMED = 5
"""So many of what was not judged are named in the verdict."""

Judged = TypeVar("Judged", Calibration, Coverage, Fairness)

STYLES = {
    "worse": "bold red",
    "invalid": "bold red",
    "better": "green",
    "drift": "bold red",
    "alarm": "bold red",
    "insufficient": "dim",
    "ok": "green",
}
MEASURES = ("psi", "jensen_shannon", "wasserstein")


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Drift first, then what changed, then by size."""
    return sorted(
        findings,
        key=lambda one: (
            one.status != "drift", not one.changed, -one.scores.get("psi", 0.0),
            one.feature, one.dimension, one.value,
        ),
    )  # fmt: skip


def tables(found: Replay, title: str) -> Iterator[Table | Text]:
    """What to print: the findings, the chunks, the verdict."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("feature", "segment", "status"):
        table.add_column(name)
    for name in ("psi", "js", "w1/sd", "ln E", "values"):
        table.add_column(name, justify="right")
    table.add_column("what moved", overflow="fold")
    findings = ranked(found.features)
    drifted = sum(one.status == "drift" for one in findings)
    shown = findings[: max(SHOWN, drifted)]
    for one in shown:
        scores = [f"{one.scores[name]:.3f}" if name in one.scores else "" for name in MEASURES]
        table.add_row(
            Text(one.feature), Text(where(one)), Text(one.status, STYLES[one.status]), *scores,
            f"{one.log_evidence:.1f}", f"{one.samples:,}", Text(_what(one)),
        )  # fmt: skip
    yield table
    if len(shown) < len(findings):
        yield Text(f"and {len(findings) - len(shown)} more, none of them drift", "dim")
    if found.chunks is not None:
        yield _chunks(found)
    if found.performance is not None:
        yield Text(f"\n{performance(found.performance)}")
    yield from _of_outcomes(found)
    yield from _schema(found)
    yield Text.assemble(
        f"\n{counted(found)}: ",
        (found.verdict, STYLES[found.verdict]),
        f", {drifted} of {len(findings)} features and segments drifted" if drifted else "",
        f": {judged(found)}",
    )


def _of_outcomes(found: Replay) -> Iterator[Table]:
    """What monitors of outcomes say."""
    if found.quality:
        yield _quality(found.quality)
    if found.calibration:
        yield _judged("calibration", CALIBRATION, found.calibration, calibrated)
    if found.coverage:
        yield _judged("coverage", COVERAGE, found.coverage, covered)
    if found.fairness:
        yield _judged("fairness", FAIRNESS, found.fairness, compared)
    if found.experiments:
        yield experiments(found.experiments)
    if found.slices is not None:
        yield slices(found.slices)


def judged(found: Replay) -> str:
    """How much of what there is was judged, why the rest was not, and what could not be read.

    >>> judged(Replay("insufficient", 0, []))
    '0 of 0 features judged'
    """
    reasons: dict[str, str] = {}
    whole = [one for one in found.features if one.dimension == "all"] or found.features
    for one in sorted(whole, key=lambda one: (one.feature, one.status == "insufficient")):
        name = _column(one.feature, found)
        if one.status != "insufficient":
            reasons[name] = ""
        else:
            reasons.setdefault(name, one.reason or "too few values")
    missing = {name: reason for name, reason in reasons.items() if reason}
    what = "columns" if found.columns else "features"
    text = f"{len(reasons) - len(missing)} of {len(reasons)} {what} judged"
    if missing:
        named = [f"{name}: {reason}" for name, reason in sorted(missing.items())]
        more = f", and {len(named) - NAMED} more" if len(named) > NAMED else ""
        text += f"; {len(missing)} not judged ({', '.join(named[:NAMED])}{more})"
    lost = sum(one.count for one in found.unreadable)
    what = "row or cell" if lost == 1 else "rows or cells"
    return f"{text}; {lost:,} {what} could not be read" if lost else text


def _schema(found: Replay) -> Iterator[Text]:
    """How columns were read, and what is otherwise than in the reference."""
    if found.columns:
        yield Text(f"\nread as {schema(found)}", "dim")
    for one in found.schema:
        yield Text(f"column {changed(one)}")


def schema(found: Replay) -> str:
    """How the columns were read, by kind.

    >>> schema(Replay("ok", 1, [], columns={"age": "numeric", "city": "categorical"}))
    'categorical: city; numeric: age'
    """
    by_kind: dict[str, list[str]] = {}
    for name, how in found.columns.items():
        by_kind.setdefault(how, []).append(name)
    return "; ".join(
        f"{how}: {', '.join(names[:OF_A_KIND])}"
        + (f" and {len(names) - OF_A_KIND} more" if len(names) > OF_A_KIND else "")
        for how, names in sorted(by_kind.items())
    )


def changed(one: SchemaChange) -> str:
    """What is otherwise with a column than in the reference.

    >>> changed(SchemaChange("age", "gone")), changed(SchemaChange("x", "type", "numeric", "list"))
    ("'age' is gone", "'x' was numeric, and its values are list now")
    """
    match one.change:
        case "gone":
            return f"{one.column!r} is gone"
        case "new":
            return f"{one.column!r} is new: {one.now}"
    return f"{one.column!r} was {one.was}, and its values are {one.now} now"


def _column(feature: str, found: Replay) -> str:
    """The column that a feature was seen in: `note` of `note.length`."""
    name = feature
    while name not in found.columns:
        name, dot, _ = name.rpartition(".")
        if not dot:
            return feature
    return name


def _chunks(found: Replay) -> Table:
    table = Table(title="\nchunks", title_justify="left", box=None, pad_edge=False)
    for name in ("chunk", "from", "to", "records", "verdict", "drifted"):
        table.add_column(name, justify="right" if name == "records" else "left")
    if found.performance is not None:
        table.add_column("performance")
    if found.quality:
        table.add_column("quality so far")
    for one in found.chunks or ():
        drifted = [f for f in ranked(one.features) if f.status == "drift"]
        names = list(dict.fromkeys(finding.feature for finding in drifted))
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        table.add_row(
            str(one.index), at(one.start), at(one.end), f"{one.records:,}",
            Text(one.verdict, STYLES[one.verdict]), Text(", ".join(names[:5]) + more),
            *([performance(one.performance).rpartition("; ")[0]] if one.performance else []),
            *([so_far(one.quality or [])] if found.quality else []),
        )  # fmt: skip
    return table


def _quality(entries: list[Quality]) -> Table:
    """How good predictions were; the whole first, an alarm always."""
    table = Table(title="\nquality", title_justify="left", box=None, pad_edge=False)
    for name in ("measure", "segment", "status"):
        table.add_column(name)
    for name in ("number", "95 % interval", "expected", "labels"):
        table.add_column(name, justify="right")
    table.add_column("what changed", overflow="fold")
    for one in told(entries):
        status = one.status or ""
        table.add_row(
            Text(one.measure), Text(of_segment(one)), Text(status, STYLES.get(status, "")),
            share(one.number), interval(one), expected(one), f"{one.labels:,}", Text(change(one)),
        )  # fmt: skip
    return table


def _judged(
    title: str,
    names: Iterable[str],
    entries: Iterable[Judged],
    told: Callable[[Judged], list[str]],
) -> Table:
    """What was judged in each segment; an alarm always."""
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    for name in ("segment", "status"):
        table.add_column(name)
    for name in names:
        table.add_column(name, justify="left" if name in WORDS else "right", overflow="fold")
    for number, one in enumerate(sorted(entries, key=lambda one: one.status != "alarm")):
        if number < SHOWN or one.status == "alarm":
            status = Text(one.status, STYLES[one.status])
            table.add_row(Text(of_segment(one)), status, *map(Text, told(one)))
    return table


CALIBRATION = ("ece", "brier", "temperature", "ece after it", "ln E", "labels")
"""What reports say of calibration."""


def calibrated(one: Calibration) -> list[str]:
    """The numbers of calibration, in the order of `CALIBRATION`."""
    numbers = (one.ece, one.brier, one.temperature, one.ece_after)
    return [*map(share, numbers), f"{one.log_evidence:.1f}", f"{one.labels:,}"]


COVERAGE = ("coverage", "target", "size", "ln E", "labels")
"""What reports say of coverage."""


def covered(one: Coverage) -> list[str]:
    """The numbers of coverage, in the order of `COVERAGE`."""
    numbers = (one.coverage, one.target, one.size)
    return [*map(share, numbers), f"{one.log_evidence:.1f}", f"{one.labels:,}"]


FAIRNESS = ("measure", "gap", "95 % interval", "ln E", "why")
"""What reports say of fairness."""

WORDS = {"measure", "why"}
"""Columns that hold words."""


def compared(one: Fairness) -> list[str]:
    """The words and numbers of fairness, in the order of `FAIRNESS`."""
    why = one.reason or ", ".join(f"{d.dimension} = {d.value}" for d in one.drivers)
    return [one.measure, share(one.gap), interval(one), f"{one.log_evidence:.1f}", why]


EXPERIMENTS = ("experiment", "arm", "metric", "verdict", "effect", "interval", "samples", "why")
"""What reports say of experiments."""


def of_arm(one: ExperimentEffect) -> list[str]:
    """The words and numbers of an arm, in the order of `EXPERIMENTS`."""
    verdict = one.verdict.replace("_", " ")
    relative = "" if one.relative is None else f" ({one.relative:+.0%})"
    numbers = [share(one.effect) + relative, interval(one), f"{one.samples:,}"]
    return [one.name, one.variant, one.metric, verdict, *numbers, one.reason]


def experiments(entries: Iterable[ExperimentEffect]) -> Table:
    """What arms do, beside their control."""
    rows = ((of_arm(one), one.verdict) for one in entries)
    return _listed("experiments", EXPERIMENTS, {"effect", "interval", "samples"}, "verdict", rows)


SLICES = (
    "measure",
    "slice",
    "status",
    "share",
    "elsewhere",
    "95 % of the difference",
    "ln E",
    "rows",
)
"""What reports say of slices."""


def of_slice(one: Slice) -> list[str]:
    """The words and numbers of a slice, in the order of `SLICES`."""
    conditions = ", ".join(f"{each.dimension} = {each.value}" for each in one.conditions)
    numbers = [share(one.share), share(one.elsewhere), interval(one)]
    return [
        one.measure, conditions, one.status, *numbers, f"{one.log_evidence:.1f}", f"{one.rows:,}"
    ]  # fmt: skip


def slices(entries: Iterable[Slice]) -> Table:
    """A row for each slice, what is believed first."""
    numbers = set(SLICES) - {"measure", "slice", "status"}
    rows = ((of_slice(one), one.status) for one in entries)
    return _listed("worst slices", SLICES, numbers, "status", rows)


def _listed(
    title: str,
    names: Sequence[str],
    numbers: Collection[str],
    judged: str,
    rows: Iterable[tuple[list[str], str]],
) -> Table:
    """A table of rows, each with its verdict, which colours the cell of the column `judged`."""
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for words, verdict in rows:
        cells = [Text(cell) for cell in words]
        cells[names.index(judged)].stylize(STYLES.get(verdict, ""))
        table.add_row(*cells)
    return table


def told(entries: Iterable[Quality]) -> list[Quality]:
    """What of quality is told on a screen: so much, and every alarm."""
    ranked = sorted(entries, key=lambda one: one.status != "alarm")
    alarms = sum(one.status == "alarm" for one in ranked)
    return ranked[: max(SHOWN, alarms)]


def so_far(entries: Iterable[Quality]) -> str:
    """The first measure of the whole in a few words: how good predictions were up to some chunk.

    >>> so_far([Quality("all", "all", "accuracy", 0.9, 0.88, 0.92, 1200, "alarm")]), so_far([])
    ('accuracy 0.900, alarm', '')
    """
    first = next((one for one in entries if one.dimension == "all"), None)
    if first is None:
        return ""
    return f"{first.measure} {share(first.number)}" + ", alarm" * (first.status == "alarm")


def interval(one: Quality | Fairness | ExperimentEffect | Slice) -> str:
    """The 95 % interval of a measure or gap; empty without one."""
    if one.lower is None or one.upper is None:
        return ""
    return f"{share(one.lower)} to {share(one.upper)}"


def expected(one: Quality) -> str:
    """What is to be expected by the scores; empty where nothing is."""
    return "" if one.estimated is None else share(one.estimated)


def change(one: Quality) -> str:
    """What changed of a measure, or why that is not judged."""
    if one.status == "insufficient":
        return f"change not judged: {one.reason or 'too few labels'}"
    return one.words if one.status == "alarm" or one.improved else ""


def of_segment(one: OfSegment) -> str:
    """The segment that a measure is of, as a report names it."""
    return "all" if one.dimension == "all" else f"{one.dimension} = {one.value}"


def performance(known: Performance) -> str:
    """One sentence about estimated, realized and usual performance."""
    parts = [("estimated", known.estimated), ("realized", known.realized)]
    told = [
        f"{name} accuracy {share(one.accuracy)}, AUC {share(one.auc)}"
        for name, one in [*parts, ("of the reference", known.reference)]
        if one is not None
    ]
    return "; ".join(told)


def share(value: float | None) -> str:
    """A share or another number to three places; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def _what(one: Finding) -> str:
    """The end of the sentence that says what moved; why nothing can be said, if so."""
    if one.status == "insufficient":
        return f"not judged: {one.reason}" if one.reason else "no values" * (not one.samples)
    return one.words.partition(" values")[2].lstrip(" ,;") if one.changed else ""


def at(time: float) -> str:
    """A time, or the number of a row."""
    return moment(time) if abs(time) > 1e8 else f"row {time:.0f}"


def counted(found: Replay) -> str:
    """How many records there were, in words.

    >>> counted(Replay("ok", 1, [])), counted(Replay("ok", 1210, [], records_estimated=12034))
    ('1 record', '1,210 records, a sample of about 12,034 exchanges')
    """
    said = f"{found.records:,} record" + ("s" if found.records != 1 else "")
    if found.records_estimated is not None:
        said += f", a sample of about {found.records_estimated:,} exchanges"
    return said


def where(one: Finding) -> str:
    """The segment that a finding speaks of, as a report names it."""
    return "all" if one.dimension == "all" else f"{one.dimension} = {one.value}"
