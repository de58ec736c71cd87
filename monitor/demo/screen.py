"""What the demo shows: plain data → things that rich can print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.demo.page import Page
from monitor.types import ABSENT

SHOWN = 8
"""Values of a dimension that have a row of their own."""
BESIDE = 110
"""Columns from which on two things have room beside each other."""


def welcome() -> RenderableType:
    """Return the panel that says what the demo is about to do."""
    return Panel(
        "Two models stand behind one sidecar: a classifier (scikit-learn, V2 protocol) and a chat "
        "endpoint (OpenAI protocol; a stand-in with canned sentences). Real clients send requests "
        "of two populations and three prompt templates, with personal data in the prompts. "
        "Half-way the scanner of population [b]south[/b] is calibrated anew. The sidecar is not "
        "told; it must find out.",
        title="monitor demo",
        box=box.ROUNDED,
    )


def running(
    models: str,
    traffic: str,
    admin: str,
    run: dict[str, Any],
    *,
    what: str = "models (classifier, chat)",
) -> RenderableType:
    """A table of what runs where."""
    table = _table("running", "what", "where", "process")
    table.columns[1].no_wrap = True
    pids = {role: ", ".join(map(str, ids)) for role, ids in run["pids"].items()}
    table.add_row(what, models, "")
    table.add_row("traffic, to the sidecar", traffic, f"proxy {pids['proxy']}")
    table.add_row("records, pseudonymized", "embedded Valkey", f"recorder {pids['recorder']}")
    table.add_row("drift, in words", f"{admin}/api/drift", f"analyzer {pids['analyzer']}")
    table.add_row("metrics for Prometheus", f"{admin}/metrics", f"pages {pids['pages']}")
    return table


def latency(page: Page) -> RenderableType:
    """Requests and latency per population and template, as on the dashboard; of each the `SHOWN`
    with the most requests."""
    table = _table(
        "latency by segment",
        "segment",
        "requests",
        "errors",
        "p50 ms",
        "p95 ms",
        "first token ms",
    )
    for name in ("population", "template"):
        exchanges = _by_value(page, "monitor_segment_exchanges_total", name)
        ranked = sorted(exchanges, key=lambda value: (-exchanges[value], value))
        for value in sorted(ranked[:SHOWN]):
            where = {"dimension": name, "value": value}
            total = exchanges[value]
            fine = page.total("monitor_segment_exchanges_total", **where, outcome="ok")
            duration = "monitor_segment_duration_seconds"
            first = "monitor_segment_time_to_first_token_seconds"
            table.add_row(
                _segment(name, value),
                f"{total:,.0f}",
                f"{total - fine:,.0f}",
                _milliseconds(page.quantile(0.5, duration, **where)),
                _milliseconds(page.quantile(0.95, duration, **where)),
                _milliseconds(page.quantile(0.5, first, **where)),
            )
        if others := ranked[SHOWN:]:
            total = sum(exchanges[value] for value in others)
            table.add_row(_segment(name, f"{len(others)} others"), f"{total:,.0f}", "", "", "", "")
    return table


def meaning(page: Page) -> RenderableType:
    """What the chats cost by template, of which edge cases they are, and which checks they fail."""
    table = _table("what the chats meant", "", "")
    table.show_header = False
    cost = _by_value(page, "monitor_segment_cost_total", "template")
    table.add_row(
        "cost by template", _listed({name: f"${paid:.2f}" for name, paid in cost.items()})
    )
    cases = _by_value(page, "monitor_segment_exchanges_total", "edge_case")
    table.add_row(
        "of edge cases", _listed({name: f"{count:,.0f}" for name, count in cases.items()})
    )
    failed = {}
    for labels, count in page.pick("monitor_output_checks_total", result="failed"):
        passed = page.total("monitor_output_checks_total", check=labels["check"], result="passed")
        failed[labels["check"]] = f"{count:,.0f}/{count + passed:,.0f}"
    table.add_row("failed checks", _listed(failed))
    return table


def _by_value(page: Page, metric: str, dimension: str) -> dict[str, float]:
    """What a metric says by value of a dimension, the most first, without those that have none."""
    found: dict[str, float] = {}
    for labels, count in page.pick(metric, dimension=dimension):
        if count and labels["value"] != ABSENT:
            found[labels["value"]] = found.get(labels["value"], 0) + count
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def _listed(said: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in said.items())


def record(sent: str, stored: dict[str, Any], width: int) -> RenderableType:
    """One prompt as it crossed the wire beside what is kept of it; above it where the screen's
    `width` would break ids and pseudonyms."""
    kept = {key: stored[key] for key in ("id", "operation", "model", "segments", "pseudonyms")}
    kept["inputs"] = stored["inputs"][-1:]
    kept["time_to_first_token"] = round(stored["time_to_first_token"] or 0, 4)
    kept["tokens"] = stored["tokens"]
    before, after = "what was sent, and reached the model unchanged", "what is stored"
    document = Text(json.dumps(kept, indent=1))
    if width < BESIDE:
        return Group(
            Panel(Text(sent), title=before, title_align="left", box=box.ROUNDED),
            Panel(document, title=after, title_align="left", box=box.ROUNDED),
        )
    table = Table(box=box.ROUNDED, title="one exchange", title_justify="left", title_style="bold")
    table.add_column(before, ratio=2)
    table.add_column(after, ratio=3, overflow="fold")
    table.add_row(Text(sent), document)
    return table


def finding(page: Page, findings: dict[str, Any]) -> RenderableType:
    """The finding in the analyzer's words, then every drift with its segment."""
    words = {
        (found["feature"], found["dimension"], found["value"]): found.get("words", "")
        for found in findings.get("features", [])
    }
    drifts = sorted(page.drifts(), key=lambda labels: -_score(page, labels))
    if not drifts:
        return Panel("nothing was found", title="drift", box=box.ROUNDED)
    first = drifts[0]
    told = words.get((first["feature"], first["dimension"], first["value"]), "")
    table = _table("", "feature", "segment", "PSI", "evidence", "samples")
    for labels in drifts:
        where = {key: labels[key] for key in ("feature", "dimension", "value")}
        table.add_row(
            where["feature"],
            _segment(where["dimension"], where["value"]),
            f"{_score(page, labels):.3f}",
            f"e^{page.total('monitor_drift_log_evidence', **where):.0f}",
            f"{page.total('monitor_drift_samples', **where):,.0f}",
        )
    watched = len(list(page.pick("monitor_drift_status", status="drift")))
    quiet = Text(f"{watched - len(drifts)} of {watched} features in segments did not drift")
    return Panel(Group(Text(told, style="bold red"), table, quiet), title="drift", box=box.ROUNDED)


def ledger(page: Page) -> RenderableType:
    """The conservation law, in numbers."""
    exchanges = page.total("monitor_exchanges_total")
    appended = page.total("monitor_records_appended_total")
    lost = page.total("monitor_exchanges_lost_total")
    sign = "=" if page.is_conserved() else "[red]is not[/red]"
    return Text.from_markup(
        f"accounted for: {exchanges:,.0f} exchanges ended {sign} {appended:,.0f} recorded "
        f"+ {lost:,.0f} lost + {page.pending():,.0f} pending"
    )


def kept(
    traffic: str, admin: str, data: str, command: str, *, endpoint: str = "clinic"
) -> RenderableType:
    """What can be looked at while everything goes on running."""
    lines = (
        f"{traffic}    clients connect here",
        f"{admin}/metrics    for Prometheus",
        f"{admin}/console/    what was found, in a browser",
        f"{data}    records, keys and log",
        "",
        f"{command} records list --endpoint {endpoint} --limit 5 --data {data}",
        "Ctrl-C ends it all",
    )
    return Panel(Group(*map(Text, lines)), title="still running", box=box.ROUNDED)


def farewell(command: str) -> RenderableType:
    """What to do next; `command` is how `monitor` is called here."""
    lines = [
        "monitor run --upstream http://HOST:PORT        in front of your own model",
        "monitor check --config FILE                    what a configuration means",
        "monitor files DIRECTORY                        dashboards, alerts, deploy",
        "monitor replay today.csv --reference last.csv  the same question, asked of files",
    ]
    if command != "monitor":
        lines += ["", f"where monitor is {command}"]
    return Panel(Group(*map(Text, lines)), title="next", box=box.ROUNDED)


def _segment(dimension: str, value: str) -> str:
    return "everything" if dimension == "all" else f"{dimension} {value}"


def _score(page: Page, labels: dict[str, str]) -> float:
    where = {key: labels[key] for key in ("feature", "dimension", "value")}
    return page.total("monitor_drift_score", **where, measure="psi")


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.1f}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    numbers = ("requests", "errors", "PSI", "evidence", "samples")
    for column in columns:
        right = column in numbers or column.endswith("ms")
        names = column in ("segment", "feature")
        table.add_column(column, justify="right" if right else "left", no_wrap=names)
    return table
