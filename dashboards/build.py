"""Rows → `monitor.json`, catalogue → `METRICS.md`, structs → `docs/reference`.

`python -m dashboards.build` writes them, `python -m dashboards.build --check` exits 1 when a
committed file is not what the code makes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from dashboards import (
    checks,
    drift,
    edge_cases,
    experiments,
    latency,
    outcomes,
    overhead,
    pipeline,
    privacy,
    reference,
    review,
    segments,
    tokens,
    traffic,
)
from dashboards.catalogue import document
from dashboards.panels import DATASOURCE, Row, of

ROWS: tuple[Row, ...] = (
    traffic.ROW,
    latency.ROW,
    segments.ROW,
    edge_cases.ROW,
    checks.ROW,
    drift.ROW,
    outcomes.ROW,
    experiments.ROW,
    tokens.ROW,
    review.ROW,
    privacy.ROW,
    pipeline.ROW,
    overhead.ROW,
)

_HOUSE = Path(__file__).parent.parent


def dashboard() -> models.Dashboard:
    """The whole dashboard."""
    board = (
        builders.Dashboard("monitor")
        .uid("monitor-overview")
        .description("A model endpoint as its sidecar sees it: traffic, tails, drift, privacy.")
        .tags(["monitor", "llm"])
        .readonly()
        .timezone("browser")
        .refresh("30s")
        .time("now-1h", "now")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
    )
    for variable in _variables():
        board.with_variable(variable)
    for annotation in _annotations():
        board.annotation(annotation)
    for row in ROWS:
        band = builders.Row(row.title)
        board.with_row(band.repeat(row.repeat) if row.repeat else band)
        for panel in row.panels:
            board.with_panel(panel)
    built = board.build()
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    return built


def render() -> str:
    """The dashboard as Grafana's provisioning reads it."""
    return json.dumps(dashboard(), cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"


OUTPUTS = {
    "dashboards/monitor.json": render,
    "METRICS.md": document,
    "docs/reference/record.md": reference.record,
    "docs/reference/replay-document.md": reference.replay,
    "docs/reference/feedback.md": reference.feedback,
    "docs/reference/api.md": reference.api,
    "docs/reference/protocols.md": reference.protocols,
}


def stale() -> list[str]:
    """The committed files that differ from what the code makes."""
    return [
        name
        for name, make in OUTPUTS.items()
        if not (_HOUSE / name).exists() or (_HOUSE / name).read_text(encoding="utf-8") != make()
    ]


def main(arguments: list[str]) -> int:
    """Write, or with `--check` compare; the exit code."""
    if arguments == ["--check"]:
        for name in stale():
            print(f"{name}: stale; run python -m dashboards.build", file=sys.stderr)
        return 1 if stale() else 0
    if arguments:
        print("usage: python -m dashboards.build [--check]", file=sys.stderr)
        return 2
    for name, make in OUTPUTS.items():
        (_HOUSE / name).write_text(make(), encoding="utf-8")
    return 0


def _variables() -> list[builders.DatasourceVariable | builders.QueryVariable]:
    every = models.VariableOption(selected=True, text="All", value="$__all")
    datasource = builders.DatasourceVariable("datasource").label("Data source").type("prometheus")
    found = "monitor_build_info"
    several = [
        _labels("job", f"label_values({found}, job)"),
        _labels("instance", f'label_values({found}{{job=~"$job"}}, instance)'),
        _labels("endpoint", f'label_values({found}{{job=~"$job"}}, endpoint)'),
        _labels(
            "dimension", f"label_values({of('monitor_segment_exchanges_total')}, dimension)"
        ).regex("/^(?!all$).*/"),
    ]
    measure = (
        _labels("measure", f"label_values({of('monitor_drift_threshold')}, measure)")
        .multi(False)
        .include_all(False)
        .current(models.VariableOption(selected=True, text="psi", value="psi"))
    )
    return [datasource, *(variable.current(every) for variable in several), measure]


def _labels(name: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(name.capitalize())
        .datasource(DATASOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
    )


def _annotations() -> list[builders.AnnotationQuery]:
    alerts = 'ALERTS{alertname=~"Monitor.*", alertstate="firing", endpoint=~"$endpoint"}'
    return [
        builders.AnnotationQuery()
        .name("Alerts")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("red")
        .expr(alerts),
        builders.AnnotationQuery()
        .name("New versions")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("blue")
        .expr(f"{of('monitor_build_info')} unless {of('monitor_build_info')} offset 5m"),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
