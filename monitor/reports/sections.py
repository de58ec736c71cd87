"""A replay's document → what the sections of the page show: the worst, rows, charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from monitor.analysis.drift.findings import moment
from monitor.charts import Interval
from monitor.findings import (
    BinShift,
    Calibration,
    ExperimentEffect,
    Fairness,
    Finding,
    Slice,
)
from monitor.readable import percent, rounded
from monitor.replay.document import Chunk, Confusion, Course, Replay
from monitor.replay.headline import since, when, words_of, worst
from monitor.replay.wording import (
    Judged,
    change,
    expected,
    interval,
    of_arm,
    of_segment,
    of_slice,
    performance,
    share,
    so_far,
    told,
)
from monitor.tables.column_types import ALIKE
from monitor.tables.facts import Facts
from monitor.types import WatchKey

TableRow = tuple[str, list[str]]
"""A verdict, and the cells of a row that has it."""

WORST = 20
"""Features that have a card, at most."""

OTHERS = 12
"""Segments that stand on a card beside the worst, at most."""

BINS = 24
"""Bins of a card, those that changed most."""

DRAWN = 12
"""Courses, diagrams or experiments that are drawn, at most; tables have the rest."""

ROWS = 40
"""Features in the overview of chunks, at most."""

CONFUSED = 0.05
"""A share of wrong predictions that grew by so much is marked."""

MONTH = len("2026-01")
"""How far a time is told whose range was rounded to three digits."""

MISSING = 0.05
"""A share of missing cells that changed by so much is marked."""


class Sides(NamedTuple):
    """What a report says of a column: the same before and now, and whether it should be looked
    at."""

    before: str
    now: str
    is_odd: bool

    @property
    def words(self) -> str:
        """Both, or one where they are the same or nothing is known of before."""
        if not self.before or self.before == self.now:
            return self.now
        return f"{self.before} → {self.now or '–'}"


class Group(NamedTuple):
    """A feature with its findings: the whole first, then its segments."""

    feature: str
    first: Finding
    findings: list[Finding]
    drifted: int
    psi: float


class Card(NamedTuple):
    """What changed of a feature: the whole, or else the worst segment; and its other segments."""

    worst: Finding
    others: list[Finding]


def cards(findings: Sequence[Finding]) -> list[Card]:
    """A card for each feature of which something drifts, or changed and does no harm; what the
    first sentence names first, then what drifts most. `findings` are ranked."""
    by_feature: dict[str, list[Finding]] = {}
    for one in findings:
        if one.status == "drift" or one.changed:
            by_feature.setdefault(one.feature, []).append(one)
    made, named = [], worst(findings)
    ordered = sorted(by_feature, key=lambda name: named is None or name != named.feature)
    for some in map(by_feature.__getitem__, ordered[:WORST]):
        first = next((one for one in some if one.dimension == "all"), some[0])
        first = first if first.status == some[0].status else some[0]
        made.append(Card(first, [one for one in some if one is not first]))
    return made


def said_above(found: Replay, cards: Sequence[Card], card: Card) -> str:
    """The feature of the first card with the same words that moved, where that is another one."""
    words = words_of(found, card.worst.feature)
    first = next((one for one in cards if words_of(found, one.worst.feature) is words), card)
    return "" if first is card or not words else first.worst.feature


def bins_of(one: Finding) -> tuple[list[BinShift], int]:
    """The bins of a card, in their order, and how many more there are."""
    drawn = sorted(
        range(len(one.bins)), key=lambda i: -abs(one.bins[i].after - one.bins[i].before)
    )[:BINS]
    shown = [one.bins[index] for index in sorted(drawn)] or one.moved
    return [each for each in shown if each.before or each.after], len(one.bins) - len(drawn)


def top(bins: Iterable[BinShift]) -> float:
    """Return the largest share among bins, before or after, 0 to 1; 1 where all are empty."""
    return max((max(one.before, one.after) for one in bins), default=0.0) or 1.0


def groups(findings: Sequence[Finding]) -> list[Group]:
    """Every feature, what drifts most first, with all its findings."""
    places = {one.feature: place for place, one in reversed(list(enumerate(findings)))}
    ordered = sorted(
        findings, key=lambda one: (places[one.feature], one.dimension != "all")
    )  # fmt: skip
    made = []
    for feature, some in groupby(ordered, key=lambda one: one.feature):
        inside = list(some)
        drifted = sum(one.status == "drift" for one in inside)
        psi = max(one.scores.get("psi", 0.0) for one in inside)
        made.append(Group(feature, inside[0], inside, drifted, psi))
    return made


def counts(findings: Sequence[Finding]) -> list[tuple[str, int]]:
    """How many drifted, changed, stayed, were not judged."""
    drifted = sum(one.status == "drift" for one in findings)
    harmless = sum(one.changed and one.status != "drift" for one in findings)
    few = sum(one.status == "insufficient" and not one.changed for one in findings)
    return [
        ("drifted", drifted), ("changed, harmless", harmless),
        ("as before", len(findings) - drifted - harmless - few), ("not judged", few),
    ]  # fmt: skip


def kind(one: Finding) -> str:
    """What was found of something, in a word or two."""
    return f"{one.status}, changed" if one.changed and one.status != "drift" else one.status


def together(found: Replay, known: Mapping[WatchKey, Course]) -> list[TableRow]:
    """A row for each segment in which several features drift: since when, and which."""
    rows: list[TableRow] = []
    for one in found.together:
        if len(one.features) < 2:
            continue
        keys = [(feature, one.dimension, one.value) for feature in one.features]
        onsets = [known[key].since for key in keys if key in known]
        since = min([each for each in onsets if each is not None], default=one.since)
        more = f" and {len(one.features) - ROWS} more" if len(one.features) > ROWS else ""
        name = "all" if one.dimension == "all" else f"{one.dimension} = {one.value}"
        date = "" if since is None else when(since)
        rows.append(("", [name, date, ", ".join(one.features[:ROWS]) + more]))
    return rows


# --- chunks --------------------------------------------------------------------------------------


def overview(found: Replay, findings: Sequence[Finding]) -> list[tuple[str, list[str]]]:
    """What was found of each feature in each chunk, what drifts most first."""
    chunks = found.chunks or []
    inside = [
        {one.feature: one.status for one in chunk.features if one.dimension == "all"}
        for chunk in chunks
    ]
    names = dict.fromkeys(one.feature for one in findings)
    shown = [name for name in names if any(name in one for one in inside)][:ROWS]
    return [(name, [one.get(name, "insufficient") for one in inside]) for name in shown]


def told_courses(
    findings: Sequence[Finding], known: Mapping[WatchKey, Course]
) -> list[tuple[Finding, Course]]:
    """The courses that are drawn: of what drifts most, or else of the largest scores."""
    pairs = [
        (one, known[key])
        for one in [
            *(card.worst for card in cards(findings)),
            *(each for each in findings if each.dimension == "all"),
        ]
        if (key := one.key) in known
    ]
    made = {one.key: (one, course) for one, course in pairs}
    return list(made.values())[:DRAWN]


def begun(one: Finding, known: Mapping[WatchKey, Course]) -> str:
    """Since when a course drifts, or that it does not, or cannot be judged."""
    return since(one, known) or ("not judged" if one.status == "insufficient" else "no drift")


def largest(one: Course) -> float:
    """The largest score of a course; 0 without any."""
    return max((score for score in one.scores if score is not None), default=0.0)


class Track(NamedTuple):
    """A number over chunks, with its interval where it has one."""

    name: str
    values: list[tuple[float | None, float | None, float | None]]
    low: float
    high: float
    note: str


def tracks(found: Replay) -> Iterator[Track]:
    """How measures of the whole went, chunk by chunk."""
    chunks = found.chunks or []
    names = dict.fromkeys(
        one.measure for chunk in chunks for one in chunk.quality or () if one.dimension == "all"
    )
    for name in list(names)[:DRAWN]:
        values = []
        for chunk in chunks:
            mine = [
                one for one in chunk.quality or () if one.dimension == "all" and one.measure == name
            ]
            values.append((mine[0].number, mine[0].lower, mine[0].upper) if mine else _NOTHING)
        yield from _track(name, values, "of all rows so far, with its 95 % interval")
    for side in ("estimated", "realized"):
        values = [_accuracy(chunk, side) for chunk in chunks]
        yield from _track(f"accuracy, {side}", values, "of the rows of each chunk")


_NOTHING = (None, None, None)


def _accuracy(chunk: Chunk, side: str) -> tuple[float | None, float | None, float | None]:
    one = getattr(chunk.performance, side) if chunk.performance is not None else None
    if one is None:
        return _NOTHING
    lower, upper = one.intervals.get("accuracy") or (None, None)
    return one.accuracy, lower, upper


def _track(
    name: str, values: list[tuple[float | None, float | None, float | None]], note: str
) -> Iterator[Track]:
    known = [number for each in values for number in each if number is not None]
    if known:
        yield Track(name, values, min(known), max(known), note)


def chunk_heads(found: Replay) -> list[str]:
    """The heads of the columns that `chunk_rows` fills, beside those that every chunk has."""
    performance = ["performance"] if found.performance is not None else []
    return ["drifted", *performance, *(["quality so far"] if found.quality else [])]


def chunk_rows(found: Replay) -> list[list[str]]:
    """What drifted in each chunk, and how good predictions were."""
    rows = []
    for one in found.chunks or ():
        drifted = sorted({f.feature for f in one.features if f.status == "drift"})
        more = f" and {len(drifted) - 12} more" if len(drifted) > 12 else ""
        rows.append([", ".join(drifted[:12]) + more])
        if found.performance is not None:
            told = performance(one.performance).rpartition("; ")[0] if one.performance else ""
            rows[-1].append(told)
        if found.quality:
            rows[-1].append(so_far(one.quality or ()))
    return rows


# --- outcomes ------------------------------------------------------------------------------------


def diagrams(entries: Iterable[Calibration]) -> list[Calibration]:
    """The reliability diagrams that are drawn: the whole, then alarms."""
    told = [one for one in entries if one.bins]
    ordered = sorted(told, key=lambda one: (one.dimension != "all", one.status != "alarm"))
    return ordered[:DRAWN]


def gaps(entries: Iterable[Fairness]) -> Iterator[tuple[str, list[Interval]]]:
    """By measure of fairness the gap of each group."""
    ordered = sorted(entries, key=lambda one: one.measure)
    for measure, some in groupby(ordered, key=lambda one: one.measure):
        yield (
            measure,
            [
                Interval(of_segment(one), one.gap, one.lower, one.upper, one.status)
                for one in some
                if one.gap is not None
            ],
        )


def effects(entries: Iterable[ExperimentEffect]) -> Iterator[tuple[str, list[Interval]]]:
    """By experiment and metric the effect of each arm."""
    ordered = sorted(entries, key=lambda one: (one.name, one.metric))
    for (name, metric), some in groupby(ordered, key=lambda one: (one.name, one.metric)):
        yield (
            f"{name}: {metric}",
            [
                Interval(one.variant, one.effect, one.lower, one.upper, one.verdict)
                for one in some
                if one.effect is not None
            ],
        )


def quality(found: Replay) -> list[TableRow]:
    """A row for each measure of quality, an alarm first."""
    return [
        (
            one.status or "",
            [
                one.measure, of_segment(one), one.status or "", share(one.number), interval(one),
                expected(one), f"{one.labels:,}", change(one),
            ],
        )
        for one in told(found.quality or ())
    ]  # fmt: skip


class ConfusionRow(NamedTuple):
    """A row of the confusion matrix: a class that was true, how many labels were of it, and the
    share of them that each class was predicted for."""

    name: str
    labels: Sides
    shares: list[Sides]


def confused(one: Confusion) -> list[ConfusionRow]:
    """The rows of a confusion matrix, before and now; odd is a share of what is wrong that grew."""
    rows = []
    for place, name in enumerate(one.classes):
        now, before = one.now[place], one.before[place] if one.before else []
        sizes = Sides(f"{sum(before):,}" if before else "", f"{sum(now):,}", is_odd=False)
        first, second = _shares(before, len(now)), _shares(now, len(now))
        cells = []
        for column, (was, part) in enumerate(zip(first, second, strict=True)):
            grew = was is not None and part is not None and part - was >= CONFUSED
            told = ["" if each is None else rounded(each) for each in (was, part)]
            cells.append(Sides(told[0], told[1], is_odd=grew and column != place))
        rows.append(ConfusionRow(name, sizes, cells))
    return rows


def _shares(counts: Sequence[int], size: int) -> list[float | None]:
    total = sum(counts)
    return [count / total for count in counts] if total else [None] * size


def judged(entries: Iterable[Judged], said: Callable[[Judged], list[str]]) -> list[TableRow]:
    """A row for what was judged in each segment, an alarm first."""
    rows: list[TableRow] = []
    for entry in entries:
        cells = [of_segment(entry), entry.status]
        cells += said(entry)
        rows.append((entry.status, cells))
    return sorted(rows, key=lambda row: row[0] != "alarm")


def arms(entries: Iterable[ExperimentEffect]) -> list[TableRow]:
    """A row for each arm and metric of experiments."""
    return [(one.verdict, of_arm(one)) for one in entries]


def slices(entries: Iterable[Slice]) -> list[TableRow]:
    """A row for each of the worst slices."""
    return [(one.status, of_slice(one)) for one in entries]


# --- data quality --------------------------------------------------------------------------------


def more_or_less(words: Iterable[BinShift]) -> str:
    """Words that more texts have than before, and those that fewer have."""
    told = list(words)
    sides = {
        "more texts have": [one for one in told if one.after > one.before],
        "fewer texts have": [one for one in told if one.after < one.before],
    }
    return "; ".join(
        f"{name} " + ", ".join(
            f"“{one.bin}” ({rounded(one.before)} → {rounded(one.after)})" for one in some
        )
        for name, some in sides.items()
        if some
    )  # fmt: skip


def cells(before: Facts | None, now: Facts | None) -> Sides:
    """Return how many cells of the column each side has."""
    first, second = ("" if one is None else f"{one.values:,}" for one in (before, now))
    return Sides(first, second, is_odd=False)


def commonest(before: Facts | None, now: Facts | None) -> Sides:
    """The category that most cells have, and the share of them."""
    return Sides(_commonest(before), _commonest(now), is_odd=False)


def _commonest(one: Facts | None) -> str:
    if one is None or not one.categories:
        return ""
    name, count = max(one.categories.items(), key=itemgetter(1))
    return "" if name == ALIKE else f"{name} ({rounded(count / max(one.values, 1))})"


def missing(before: Facts | None, now: Facts | None) -> Sides:
    """How many cells have no value."""
    first, second = _missing(before), _missing(now)
    is_odd = first is not None and second is not None and abs(second - first) >= MISSING
    told = ["" if one is None else percent(one) for one in (first, second)]
    return Sides(told[0], told[1], is_odd)


def _missing(one: Facts | None) -> float | None:
    return None if one is None else one.missing / max(one.values, 1)


def kinds(before: Facts | None, now: Facts | None) -> Sides:
    """What cells hold, where that is more than one kind in per cent."""
    first, second = (set(one.kinds) if one is not None else set() for one in (before, now))
    is_odd = bool(first and second and second - first)
    return Sides(_kinds(before), _kinds(now), is_odd)


def different(before: Facts | None, now: Facts | None) -> Sides:
    """How many different values there are."""
    return Sides(_different(before), _different(now), is_odd=False)


def ranges(before: Facts | None, now: Facts | None, *, are_times: bool = False) -> Sides:
    """From where to where numbers go, times by the month; odd is what lies outside by half of what
    was usual."""
    odd = False
    if before is not None and now is not None:
        ends = before.smallest, before.largest, now.smallest, now.largest
        low, high, least, most = ends
        if low is not None and high is not None and least is not None and most is not None:
            room = (high - low) / 2
            odd = least < low - room or most > high + room
    first, second = (_range(one, are_times=are_times) for one in (before, now))
    return Sides(first, second, is_odd=odd)


def _different(one: Facts | None) -> str:
    return "" if one is None or one.different is None else f"{one.different:,}"


def _range(one: Facts | None, *, are_times: bool) -> str:
    if one is None or one.smallest is None or one.largest is None:
        return ""
    ends = (one.smallest, one.largest)
    if are_times and all(moment(end)[:1].isdigit() for end in ends):
        return " to ".join(moment(end)[:MONTH] for end in ends)
    return f"{one.smallest:g} to {one.largest:g}"


def _kinds(one: Facts | None) -> str:
    if one is None or not one.kinds:
        return ""
    total = sum(one.kinds.values())
    if len(one.kinds) == 1:
        return next(iter(one.kinds))
    return ", ".join(f"{name} {percent(count / total)}" for name, count in one.kinds.items())
