"""Rows → boards (`overview.json` …), catalogue → `METRICS.md`, structs → `docs/reference` and
`docs/schemas`.

`python -m dashboards.build` writes them, `python -m dashboards.build --check` exits 1 when a
committed file is not what the code makes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from dashboards import (
    changes,
    checks,
    drift,
    edge_cases,
    experiments,
    latency,
    objectives,
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
from dashboards.panels import DATASOURCE, Board, of
from monitor.commands.files import CONSOLE, RUNBOOK
from monitor.commands.schema import DOCUMENTS, VERSION, published
from monitor.deploy import build as deployment

COLUMNS = 24
"""Columns of Grafana's grid."""

TAG = "monitor"
"""By it the boards find each other."""

BOARDS: tuple[Board, ...] = (
    Board(
        "overview",
        "Is the endpoint well? What users see, what was promised, what fires and what changed.",
        (traffic.SIGNALS, objectives.ROW, changes.ROW, traffic.ROW),
    ),
    Board(
        "segments",
        "Who has it worse than the rest? Each dimension, edge cases and output checks.",
        (segments.ROW, edge_cases.ROW, checks.ROW),
    ),
    Board(
        "models",
        "What do answers take and cost, model by model? Latency, tokens, cost, finish reasons.",
        (latency.ROW, tokens.ROW),
    ),
    Board(
        "drift",
        "What has changed in what users send and the model answers, where, and how certainly?",
        (drift.ROW,),
    ),
    Board(
        "outcomes",
        "Were answers right? Quality, calibration, fairness, experiments and review.",
        (*outcomes.ROWS, experiments.ROW, review.ROW),
    ),
    Board(
        "privacy", "What personal data was in the traffic, and is all of it out?", (privacy.ROW,)
    ),
    Board(
        "pipeline",
        "Is everything on record and analyzed, and what does monitoring cost?",
        (pipeline.ROW, overhead.ROW),
    ),
)

_HOUSE = Path(__file__).parent.parent


def dashboard(board: Board) -> models.Dashboard:
    """One board, whole."""
    made = (
        builders.Dashboard(f"monitor: {board.name}")
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .refresh("30s")
        .time("now-1h", "now")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
    )
    asked = [
        target.expr for row in board.rows for one in row.panels for target in one.build().targets
    ]
    for variable in _variables(" ".join(asked)):
        made.with_variable(variable)
    for annotation in _annotations(board.name):
        made.annotation(annotation)
    for link in _links():
        made.link(link)
    for number, row in enumerate(board.rows):
        band = builders.Row(row.title)
        if row.repeat or number == 0:
            made.with_row(band.repeat(row.repeat) if row.repeat else band)
            for panel in row.panels:
                made.with_panel(panel)
            continue
        for panel in row.panels:
            band.with_panel(panel)
        made.with_row(band)
    built = made.build()
    every = [one for panel in built.panels or [] for one in (panel, *getattr(panel, "panels", ()))]
    place(every)
    for number, one in enumerate(every, start=1):
        one.id_val = number
    return built


def place(panels: Iterable[Any]) -> None:
    """Put panels beside each other as long as there is room for them, in lines from the top. The
    SDK begins a line only once the last one is full, so that a wide panel would leave the grid."""
    x = y = tallest = 0
    for panel in panels:
        grid = panel.grid_pos
        if x + grid.w > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        grid.x, grid.y = x, y
        x, tallest = x + grid.w, max(tallest, grid.h)


def render(board: Board) -> str:
    """A board as Grafana's provisioning reads it."""
    tree = json.loads(json.dumps(dashboard(board), cls=JSONEncoder))
    for one in tree["annotations"]["list"]:
        one["titleFormat"], one["textFormat"] = WORDS[one["name"]]
        if one["name"] == CHANGED:
            one["useValueForTime"] = True
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


OUTPUTS: dict[str, Callable[[], str]] = {
    **{f"dashboards/{board.name}.json": partial(render, board) for board in BOARDS},
    "METRICS.md": document,
    "docs/reference/record.md": reference.record,
    "docs/reference/replay-document.md": reference.replay,
    "docs/reference/feedback.md": reference.feedback,
    "docs/reference/api.md": reference.api,
    "docs/reference/protocols.md": reference.protocols,
    **{f"docs/schemas/{name}-v{VERSION}.json": partial(published, name) for name in DOCUMENTS},
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
    return deployment.main([])  # the chart holds copies of the boards


def _variables(asked: str) -> list[builders.DatasourceVariable | builders.QueryVariable]:
    every = models.VariableOption(selected=True, text="All", value="$__all")
    datasource = builders.DatasourceVariable("datasource").label("Data source").type("prometheus")
    found = "monitor_build_info"
    several = [
        _labels("job", f"label_values({found}, job)"),
        _labels("instance", f'label_values({found}{{job=~"$job"}}, instance)'),
        _labels("endpoint", f'label_values({found}{{job=~"$job"}}, endpoint)'),
    ]
    if "$dimension" in asked:
        dimensions = f"label_values({of('monitor_segment_exchanges_total')}, dimension)"
        several.append(_labels("dimension", dimensions).regex("/^(?!all$).*/"))
    measure = []
    if "$measure" in asked:
        measure.append(
            _labels("measure", f"label_values({of('monitor_drift_threshold')}, measure)")
            .multi(False)
            .include_all(False)
            .current(models.VariableOption(selected=True, text="psi", value="psi"))
        )
    return [datasource, *(variable.current(every) for variable in several), *measure]


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


def _annotations(board: str) -> list[builders.AnnotationQuery]:
    """Vertical lines in every panel: what fires, what was judged anew, what is new."""
    alerts = 'ALERTS{alertname=~"Monitor.*", alertstate="firing", endpoint=~"$endpoint|"}'
    drift, outcome = "monitor_drift_status", "monitor_outcome_status"
    by, judged = (
        "endpoint, feature, dimension, value",
        "endpoint, monitor, measure, dimension, value",
    )
    version, seen = of("monitor_build_info"), of("monitor_exchanges_total")
    lineage = of("monitor_lineage_change_timestamp_seconds")
    kinds = (
        ("Alerts", "red", alerts, True),
        (
            "Drift", "orange", f"""max by ({by}) ({of(drift, 'status="drift"')}) == 1""",
            board == "drift",
        ),
        (
            "Outcomes", "purple", f"""max by ({judged}) ({of(outcome, 'status="alarm"')}) == 1""",
            board == "outcomes",
        ),
        ("New versions", "blue", f"{version} unless {version} offset 5m", True),
        ("New models", "green", _new("endpoint, model", seen), True),
        # The value is the moment of the change, on whichever screen it is looked for.
        (
            CHANGED, "green", f"max by (endpoint, fact, value) ({lineage}) * 1000",
            True,
        ),
    )  # fmt: skip
    return [
        builders.AnnotationQuery()
        .name(name)
        .datasource(DATASOURCE)
        .enable(is_on)
        .icon_color(color)
        .expr(expr)
        for name, color, expr, is_on in kinds
    ]


CHANGED = "New in service"
"""The annotation whose series say when, in milliseconds."""
WORDS = {
    "Alerts": ("{{alertname}}", "{{endpoint}} {{dimension}} {{value}} {{feature}}"),
    "Drift": ("Drift in {{feature}}", "{{endpoint}} {{dimension}}={{value}}"),
    "Outcomes": ("{{monitor}}: {{measure}}", "{{endpoint}} {{dimension}}={{value}}"),
    "New versions": ("monitor {{version}}", "{{endpoint}} {{instance}}"),
    "New models": ("New model {{model}}", "{{endpoint}}"),
    CHANGED: ("{{fact}} {{value}}", "{{endpoint}}"),
}
"""Title and text of each annotation. The SDK has no place for them."""


def _new(by: str, series: str) -> str:
    return f"group by ({by}) ({series}) unless group by ({by}) ({series} offset 5m)"


def _links() -> list[builders.DashboardLink]:
    """To the other boards, with variables and time kept; to the runbook and the console."""
    boards = (
        builders.DashboardLink("Boards")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
    elsewhere = (
        ("Runbook", RUNBOOK, "What to do about each alert"),
        ("Console", CONSOLE, "Findings in words, records, review"),
    )
    return [
        boards,
        *(
            builders.DashboardLink(title)
            .type(models.DashboardLinkType.LINK)
            .icon("external link")
            .tooltip(tooltip)
            .url(url)
            .target_blank(True)
            for title, url, tooltip in elsewhere
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
