"""What a replay found → the words of its reports: on the screen, on a page and in JUnit's XML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from monitor.findings import (
    BinShift,
    Calibration,
    Coverage,
    Estimate,
    ExperimentEffect,
    Fairness,
    Finding,
    OfSegment,
    Performance,
    Quality,
    Slice,
)
from monitor.readable import rounded
from monitor.replay.document import Replay, SchemaChange

SHOWN = 40
"""Rows of a table on the screen, at most; drift and alarms are always shown."""

OF_A_KIND = 12
"""Columns of one kind that are named, at most."""

NAMED = 5
"""So many of what was not judged are named in the verdict."""

MEASURES = ("psi", "jensen_shannon", "wasserstein")
"""Distances that reports show."""

Judged = TypeVar("Judged", Calibration, Coverage, Fairness)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Drift first, then what changed, then by size."""
    return sorted(
        findings,
        key=lambda one: (
            one.status != "drift", not one.changed, -one.scores.get("psi", 0.0),
            one.feature, one.dimension, one.value,
        ),
    )  # fmt: skip


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
        named: dict[str, list[str]] = {}
        for name in sorted(missing)[:NAMED]:
            named.setdefault(missing[name], []).append(name)
        why = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in named.items())
        more = f"; and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        text += f"; {len(missing)} not judged ({why}{more})"
    lost = sum(one.count for one in found.unreadable)
    what = "row or cell" if lost == 1 else "rows or cells"
    return f"{text}; {lost:,} {what} could not be read" if lost else text


def schema(found: Replay) -> str:
    """How the columns were read, by kind, and the text of files, where it is not UTF-8.

    >>> schema(Replay("ok", 1, [], columns={"age": "numeric", "city": "categorical"}))
    'categorical: city; numeric: age'
    """
    by_kind: dict[str, list[str]] = {}
    for name, how in found.columns.items():
        by_kind.setdefault(how, []).append(name)
    said = [
        f"{how}: {', '.join(names[:OF_A_KIND])}"
        + (f" and {len(names) - OF_A_KIND} more" if len(names) > OF_A_KIND else "")
        for how, names in sorted(by_kind.items())
    ]
    encodings = sorted(set(found.encodings.values()))
    return "; ".join([*said, *([f"encoding: {', '.join(encodings)}"] if encodings else [])])


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


CALIBRATION = ("ece", "brier", "temperature", "ece after it", "ln E", "labels")
"""What reports say of calibration."""


def calibrated(one: Calibration) -> list[str]:
    """The numbers of calibration, in the order of `CALIBRATION`."""
    numbers = (one.ece, one.brier, one.temperature, one.ece_after)
    return [*map(share, numbers), f"{one.log_evidence:.1f}", f"{one.labels:,}"]


COVERAGE = ("coverage", "target", "size", "width", "ln E", "labels")
"""What reports say of coverage."""


def covered(one: Coverage) -> list[str]:
    """The numbers of coverage, in the order of `COVERAGE`."""
    numbers = [*map(share, (one.coverage, one.target, one.size)), width(one)]
    return [*numbers, f"{one.log_evidence:.1f}", f"{one.labels:,}"]


def width(one: Coverage) -> str:
    """The mean width of intervals, and how many have none."""
    told = ["-" if one.width is None else f"{one.width:.4g}"]
    apart = {"unbounded": one.unbounded, "empty": one.empty}
    return ", ".join([*told, *(f"{number:,} {name}" for name, number in apart.items() if number)])


FAIRNESS = ("measure", "gap", "95 % interval", "ln E", "why")
"""What reports say of fairness."""

WORDS = {"measure", "why"}
"""Columns that hold words."""


def compared(one: Fairness) -> list[str]:
    """The words and numbers of fairness, in the order of `FAIRNESS`."""
    mix = ", ".join(f"{d.dimension} = {d.value}" for d in one.drivers)
    why = "; ".join(filter(None, (one.reason, f"by the mix of {mix}" if mix else "")))
    return [one.measure, share(one.gap), interval(one), f"{one.log_evidence:.1f}", why]


EXPERIMENTS = ("experiment", "arm", "metric", "verdict", "effect", "interval", "samples", "why")
"""What reports say of experiments."""


def of_arm(one: ExperimentEffect) -> list[str]:
    """The words and numbers of an arm, in the order of `EXPERIMENTS`."""
    verdict = one.verdict.replace("_", " ")
    relative = (
        "" if one.relative is None else f" ({'+' * (one.relative > 0)}{rounded(one.relative)})"
    )
    numbers = [share(one.effect) + relative, interval(one), f"{one.samples:,}"]
    return [one.name, one.variant, one.metric, verdict, *numbers, one.reason]


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
    """What is to be expected by the scores, with its interval; empty where nothing is."""
    if one.estimated is None:
        return ""
    return share(one.estimated) + _between(one.estimated_lower, one.estimated_upper)


def change(one: Quality) -> str:
    """What changed of a measure, or why that is not judged."""
    if one.status == "insufficient":
        return f"change not judged: {one.reason or 'too few labels'}"
    return one.words if one.status == "alarm" or one.improved else ""


def of_segment(one: OfSegment | Finding) -> str:
    """The segment that a finding is of, as a report names it."""
    return "all" if one.dimension == "all" else f"{one.dimension} = {one.value}"


def performance(known: Performance) -> str:
    """One sentence about estimated, realized and usual performance."""
    parts = [("estimated", known.estimated), ("realized", known.realized)]
    told = [
        f"{name} accuracy {_told(one, 'accuracy')}, AUC {_told(one, 'auc')}"
        for name, one in [*parts, ("of the reference", known.reference)]
        if one is not None
    ]
    return "; ".join(told)


def _told(one: Estimate, measure: str) -> str:
    """A measure, with its interval where it has one."""
    number: float | None = getattr(one, measure)
    return share(number) + _between(*(one.intervals.get(measure) or (None, None)))


def _between(lower: float | None, upper: float | None) -> str:
    return "" if lower is None or upper is None else f" ({share(lower)} to {share(upper)})"


def share(value: float | None) -> str:
    """A share or another number to three places; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def what(one: Finding, date: str = "", words: Sequence[BinShift] = ()) -> str:
    """The end of the sentence that says what moved, and since when; why nothing can be said, if
    so. Of texts whose `words` moved it names these, of all segments together, and no hashed
    cells."""
    if one.status == "insufficient":
        return f"not judged: {one.reason}" if one.reason else "no values" * (not one.samples)
    if not one.changed:
        return ""
    said = one.words.partition(" values")[2].lstrip(" ,;")
    if words:
        named = ", ".join(
            f"“{each.bin}” {rounded(each.before)} → {rounded(each.after)}" for each in words[:3]
        )
        said = f"texts with {named}" if one.dimension == "all" else "other words"
    return f"{date}, {said}" if date and date not in said else said


def counted(found: Replay) -> str:
    """How many records there were, in words.

    >>> counted(Replay("ok", 1, [])), counted(Replay("ok", 1210, [], records_estimated=12034))
    ('1 record', '1,210 records, a sample of about 12,034 exchanges')
    """
    said = f"{found.records:,} record" + ("s" if found.records != 1 else "")
    if found.records_estimated is not None:
        said += f", a sample of about {found.records_estimated:,} exchanges"
    return said
