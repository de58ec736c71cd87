"""What a page of the console shows: a query or two, and the template for what they answer."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitor.charts import Interval
from monitor.errors import SilentError, UsageError
from monitor.findings import Fairness
from monitor.queries import (
    decisions,
    experiments,
    findings,
    outcomes,
    record,
    records,
    segments,
    slices,
    status,
    timeline,
)
from monitor.queries import templates as prompts
from monitor.queries.query import MAX_LIMIT, MissingError, Query, System, ask
from monitor.queries.segments import SegmentTraffic
from monitor.types import ABSENT, EDGE_CASE

Shown = tuple[str, dict[str, Any]]
"""A template, and what it shows."""
PAGE = "50"
ENOUGH = 50
"""Exchanges of a segment from which on its quantiles and shares say something, as in the rules of
`alerts/segments.rules.yml`; of fewer the slowest would come first by chance."""


class NavEntry(NamedTuple):
    """An entry of the navigation."""

    path: str
    title: str


NAV = (
    NavEntry("", "Overview"),
    NavEntry("findings", "Findings"),
    NavEntry("segments", "Segments"),
    NavEntry("records", "Records"),
    NavEntry("templates", "Templates"),
    NavEntry("quality", "Quality"),
    NavEntry("fairness", "Fairness"),
    NavEntry("slices", "Slices"),
    NavEntry("experiments", "Experiments"),
    NavEntry("review", "Review"),
    NavEntry("health", "Health"),
)


@dataclass(frozen=True)
class View:
    """A request for a page: who asks, and with which parameters."""

    system: System
    reader: str
    given: dict[str, str]

    async def ask(self, query: Query, *names: str, **said: str) -> Any:
        """Return what a query answers to the request's own parameters of these names, and to what
        is `said` where the request does not say it."""
        parameters = said | {name: self.given[name] for name in names if self.given.get(name)}
        return await ask(query, self.system, parameters.items(), self.reader)


async def overview(view: View) -> Shown:
    """What to look at first: what drifts, what alarms, where errors and slow answers are."""
    health = await view.ask(status.QUERY)
    drifting, alarms = None, []
    with contextlib.suppress(SilentError):  # health says so, and the rest is known
        drifting = await view.ask(findings.QUERY, status="drift", limit="8")
        alarms = [
            (name, one)
            for name, query in JUDGED.items()
            for one in (await view.ask(query, status="alarm", limit="8")).items
        ]
    rows = await view.ask(segments.QUERY, limit=str(MAX_LIMIT))
    whole = next((one for one in rows.items if one.dimension == "all"), None)
    compared = (
        one
        for one in rows.items
        if one.value != ABSENT and one.dimension not in ("all", EDGE_CASE) and _says(one)
    )
    slowest = sorted(compared, key=lambda one: -(one.duration.p95 or 0.0))[:5]
    return "overview.html", {
        "health": health, "drifting": drifting, "whole": whole, "slowest": slowest,
        "alarms": alarms, "enough": ENOUGH,
    }  # fmt: skip


async def listed(view: View) -> Shown:
    """Findings of drift: what drifts unless something else is asked for."""
    is_asked = {"status", "feature", "dimension", "value"} & set(view.given)
    state = view.given.get("status", "") if is_asked else "drift"
    found = await view.ask(
        findings.QUERY, "feature", "dimension", "value", "cursor", "limit", limit=PAGE, status=state
    )
    return "findings.html", {"found": found, "state": state}


async def finding(view: View) -> Shown:
    """One finding: its two histograms, what it came from, since when, in words; raises
    MissingError where it is gone."""
    found = await view.ask(findings.QUERY, "feature", "dimension", "value", limit="1")
    if not found.items:
        raise MissingError("There is no such finding; it may have been let go since.")
    one = found.items[0]
    beside = [
        each for each in found.together
        if (each.dimension, each.value) == (one.dimension, one.value)
    ]  # fmt: skip
    return "finding.html", {"one": one, "beside": beside}


SORTS: dict[str, Callable[[SegmentTraffic], float]] = {
    "p95": lambda one: one.duration.p95 or 0.0,
    "p99": lambda one: one.duration.p99 or 0.0,
    "first_token": lambda one: one.first_token.p95 or 0.0,
    "errors": lambda one: one.error_ratio or 0.0,
    "exchanges": lambda one: one.exchanges,
    "tokens": lambda one: sum(one.tokens.values()),
    "cost": lambda one: sum(one.cost.values()),
    "checks": lambda one: sum(one.failed_checks.values()),
}
"""By what segments may be put in order, the largest first."""
COUNTS = ("exchanges", "tokens", "cost", "checks")
"""Those that are as true of few exchanges as of many."""


def _says(one: SegmentTraffic) -> bool:
    """Whether a segment has enough exchanges to be compared by quantiles and shares."""
    return one.exchanges >= ENOUGH


async def side_by_side(view: View) -> Shown:
    """Segments side by side, those with the longest tail first; raises UsageError for an order
    that there is not."""
    sort = view.given.get("sort") or "p95"
    if sort not in SORTS:
        raise UsageError(f"sort: is not one of {', '.join(SORTS)}")
    key = SORTS[sort]
    names = ("dimension", "value", "cursor", "limit")
    found = await view.ask(segments.QUERY, *names, limit=str(MAX_LIMIT))
    rows = sorted(
        (one for one in found.items if one.exchanges),
        key=lambda one: (sort not in COUNTS and not _says(one), -key(one)),
    )
    most = {name: max(map(each, rows), default=0.0) for name, each in SORTS.items()}
    return "segments.html", {
        "found": found, "rows": rows[:200], "hidden": max(0, len(rows) - 200), "most": most,
        "sort": sort, "sorts": list(SORTS), "enough": 0 if sort in COUNTS else ENOUGH,
    }  # fmt: skip


async def browsed(view: View) -> Shown:
    """Records of the stream, newest first, filtered."""
    names = ("from", "to", "segment", "outcome", "edge_case", "model", "cursor", "limit")
    return "records.html", {"found": await view.ask(records.QUERY, *names, limit=PAGE)}


async def whole_record(view: View) -> Shown:
    """One record with its texts, pseudonymized."""
    return "record.html", {"record": await view.ask(record.QUERY, "id")}


async def prompt_templates(view: View) -> Shown:
    """Prompt templates and how many records each has, and edge cases."""
    found = await view.ask(prompts.QUERY, "cursor", "limit", limit=PAGE)
    cases = await view.ask(segments.QUERY, dimension="edge_case", limit=str(MAX_LIMIT))
    return "templates.html", {
        "found": found,
        "cases": [one for one in cases.items if one.exchanges],
    }


async def prompt_template(view: View) -> Shown:
    """One prompt template with its text."""
    return "template.html", {"one": await view.ask(prompts.ONE, "id")}


async def quality(view: View) -> Shown:
    """Quality, calibration and coverage, with reliability diagrams."""
    names = ("dimension", "value")
    return "quality.html", {
        "quality": await view.ask(outcomes.QUALITY, *names, "cursor", "limit", limit=PAGE),
        "calibration": await view.ask(outcomes.CALIBRATION, *names, limit="12"),
        "coverage": await view.ask(outcomes.COVERAGE, *names, limit=PAGE),
    }


async def fairness(view: View) -> Shown:
    """Gaps between groups, a chart for each measure of each dimension."""
    names = ("dimension", "measure", "cursor", "limit")
    found = await view.ask(outcomes.FAIRNESS, *names, limit="200")
    groups: dict[tuple[str, str], list[Fairness]] = {}
    for one in found.items:
        groups.setdefault((one.dimension, one.measure), []).append(one)
    charts = {
        place: [Interval(one.value, one.gap, one.lower, one.upper, one.status) for one in several]
        for place, several in groups.items()
    }
    return "fairness.html", {"found": found, "groups": groups, "charts": charts}


async def worse(view: View) -> Shown:
    """Slices of the traffic in which something is worse than elsewhere."""
    found = await view.ask(slices.QUERY, "measure", "status", "cursor", "limit", limit=PAGE)
    charts = [
        Interval(
            " and ".join(f"{each.dimension} {each.value}" for each in one.conditions),
            one.effect, one.lower, one.upper, one.status,
        )
        for one in found.items
    ]  # fmt: skip
    return "slices.html", {"found": found, "charts": charts}


async def trials(view: View) -> Shown:
    """Experiments: each arm's effects with intervals and verdicts."""
    found = await view.ask(experiments.QUERY, "cursor", "limit", limit="200")
    groups: dict[str, list[Any]] = {}
    for one in found.items:
        groups.setdefault(one.name, []).append(one)
    charts = {
        name: [
            Interval(f"{one.variant}: {one.metric}", one.effect, one.lower, one.upper, one.verdict)
            for one in several
        ]
        for name, several in groups.items()
    }
    return "experiments.html", {"found": found, "groups": groups, "charts": charts}


async def trial(view: View) -> Shown:
    """One experiment from its beginning on: a chart for each effect, and who decided what when."""
    found = await view.ask(timeline.QUERY, "id")
    log = await view.ask(decisions.QUERY, "cursor", "limit", limit=PAGE, experiment=found.name)
    return "experiment.html", {"found": found, "log": log}


async def health(view: View) -> Shown:
    """Processes, the ledger, lag and the store."""
    return "health.html", {"health": await view.ask(status.QUERY)}


JUDGED = {
    "quality": outcomes.QUALITY,
    "calibration": outcomes.CALIBRATION,
    "coverage": outcomes.COVERAGE,
    "fairness": outcomes.FAIRNESS,
    "slices": slices.QUERY,
}
"""What may alarm, by name."""

VIEWS: dict[str, Callable[[View], Awaitable[Shown]]] = {
    "": overview,
    "findings": listed,
    "finding": finding,
    "segments": side_by_side,
    "records": browsed,
    "records/{id}": whole_record,
    "templates": prompt_templates,
    "templates/{id}": prompt_template,
    "quality": quality,
    "fairness": fairness,
    "slices": worse,
    "experiments": trials,
    "experiments/{id}": trial,
    "health": health,
}
"""Pages by path below `/console/`."""
TAKES: dict[str, tuple[str, ...]] = {
    "findings": ("feature", "dimension", "value", "status", "cursor", "limit"),
    "finding": ("feature", "dimension", "value"),
    "segments": ("dimension", "value", "sort", "cursor", "limit"),
    "records": ("from", "to", "segment", "outcome", "edge_case", "model", "cursor", "limit"),
    "templates": ("cursor", "limit"),
    "quality": ("dimension", "value", "cursor", "limit"),
    "fairness": ("dimension", "measure", "cursor", "limit"),
    "slices": ("measure", "status", "cursor", "limit"),
    "experiments": ("cursor", "limit"),
    "experiments/{id}": ("cursor", "limit"),
}
"""The parameters of a page by its path; any other page takes none."""


def parameters(path: str, given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the parameters of a request for a page; raises UsageError for one that it does not
    take, or that is there twice."""
    known = TAKES.get(path, ())
    said: dict[str, str] = {}
    for name, value in given:
        if name not in known:
            takes = f"its parameters are {', '.join(known)}" if known else "it takes none"
            raise UsageError(f"{name[:50]!r}: is not a parameter of this page; {takes}")
        if name in said:
            raise UsageError(f"{name}: is given twice; give it once")
        said[name] = value
    return said
