"""The dashboard: what Grafana's own linter asks, catalogue names only, and no empty panel."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, get_args

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.build import BOARDS, render, stale
from monitor.commands.files import CONSOLE, RUNBOOK
from monitor.exporters.prometheus import render as expose
from monitor.findings import Verdict
from monitor.metrics import BY_NAME, CATALOGUE
from monitor.supervision.ports import free_port
from monitor.types import Measurement

ROOT = Path(__file__).parent.parent.parent
MADE: dict[str, dict[str, Any]] = {board.name: json.loads(render(board)) for board in BOARDS}
SUFFIX = re.compile(r"_(?:bucket|count|sum)$")


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", ())


OF = [(name, panel) for name, board in MADE.items() for panel in panels(board)]
PANELS = [panel for _, panel in OF]
TARGETS = [
    (f"{name}: {panel['title']}", target["expr"])
    for name, panel in OF
    for target in panel["targets"]
]
ANNOTATIONS = [
    (f"{name}: {one['name']}", one["expr"])
    for name, board in MADE.items()
    for one in board["annotations"]["list"]
]


def plain(expr: str) -> str:
    """An expression as Grafana would send it, with every variable set to everything."""
    for variable, value in (
        ("$__rate_interval", "1m"), ("$__range", "1h"), ("$dimension", "population"),
        ("$measure", "psi"),
    ):  # fmt: skip
        expr = expr.replace(variable, value)
    return re.sub(r"\$\{?\w+\}?", ".+", expr)


def names(expr: str) -> set[str]:
    """Catalogue names in it; recorded series (`a:b:c`) are tested with the rules."""
    found = re.findall(r"(?<![:\w])monitor_\w+(?![:\w])", expr)
    return {name if name in BY_NAME else SUFFIX.sub("", name) for name in found}


def test_generated_files_are_not_stale() -> None:
    """The committed JSON and METRICS.md are what the code makes."""
    assert stale() == []


@pytest.mark.parametrize("board", MADE.values(), ids=MADE)
def test_a_board_survives_grafanas_own_types(board: dict[str, Any]) -> None:
    """The SDK reads the JSON back to the same board."""
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    for one, known in zip(
        again["annotations"]["list"], board["annotations"]["list"], strict=True
    ):  # Prometheus's own keys, of which the SDK knows none
        one |= {
            key: known[key]
            for key in ("titleFormat", "textFormat", "useValueForTime")
            if key in known
        }
    assert again == board
    assert board["uid"]
    assert board["editable"] is False


def test_boards_are_told_apart() -> None:
    """Addresses and titles are unique, and every number of a panel is so in its board."""
    assert len({board["uid"] for board in MADE.values()}) == len(MADE)
    assert len({board["title"] for board in MADE.values()}) == len(MADE)
    for board in MADE.values():
        every = [one for panel in board["panels"] for one in (panel, *panel.get("panels", ()))]
        assert len({one["id"] for one in every}) == len(every)


@pytest.mark.parametrize("board", MADE.values(), ids=MADE)
def test_one_datasource_variable_serves_every_panel(board: dict[str, Any]) -> None:
    """The board can be pointed at any Prometheus."""
    sources = [v for v in board["templating"]["list"] if v["type"] == "datasource"]
    assert [v["name"] for v in sources] == ["datasource"]
    assert all(panel["datasource"]["uid"] == "$datasource" for panel in panels(board))
    assert all(
        target["datasource"]["uid"] == "$datasource"
        for panel in panels(board)
        for target in panel["targets"]
    )


@pytest.mark.parametrize("board", MADE.values(), ids=MADE)
@pytest.mark.parametrize("name", ["job", "instance", "endpoint"])
def test_targets_can_be_narrowed(name: str, board: dict[str, Any]) -> None:
    """job, instance and endpoint: several at once, everything by default."""
    (variable,) = (v for v in board["templating"]["list"] if v["name"] == name)
    assert variable["multi"]
    assert variable["allValue"] == ".+"
    assert variable["refresh"] == 2


@pytest.mark.parametrize("board", MADE.values(), ids=MADE)
def test_a_board_has_the_variables_that_it_asks_for(board: dict[str, Any]) -> None:
    """No `$name` is sent to Prometheus as it is, and no menu is without effect."""
    asked = " ".join(
        [target["expr"] for panel in panels(board) for target in panel["targets"]]
        + [one["expr"] for one in board["annotations"]["list"]]
        + [str(panel.get("repeat") or "") for panel in board["panels"]]
    )
    used = set(re.findall(r"\$(?!__)\{?(\w+)", asked)) - {"1"}
    known = {v["name"] for v in board["templating"]["list"]}
    assert used <= known
    assert known - used <= {"datasource", "instance"}  # the analyzer's metrics know no instance


@pytest.mark.parametrize("board", MADE.values(), ids=MADE)
def test_a_board_leads_to_the_others(board: dict[str, Any]) -> None:
    """With variables and time kept; and to the runbook and the console."""
    boards, *elsewhere = board["links"]
    assert boards["includeVars"]
    assert boards["keepTime"]
    assert set(boards["tags"]) <= set(board["tags"])
    assert [one["url"] for one in elsewhere] == [RUNBOOK, CONSOLE]


@pytest.mark.parametrize("board", MADE.values(), ids=MADE)
def test_only_the_first_row_is_open(board: dict[str, Any]) -> None:
    """A board opens quickly; Grafana drops panels of a row that is neither collapsed nor before
    them. Rows that repeat are open."""
    rows = [panel for panel in board["panels"] if panel["type"] == "row"]
    assert board["panels"][0] is rows[0]
    for number, row in enumerate(rows):
        is_open = number == 0 or bool(row.get("repeat"))
        assert row["collapsed"] is not is_open
        assert bool(row["panels"]) is not is_open


@pytest.mark.parametrize("board", MADE.values(), ids=MADE)
def test_no_panel_leaves_the_grid_or_covers_another(board: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], int] = {}
    for panel in [
        *board["panels"],
        *(one for row in board["panels"] for one in row.get("panels", ())),
    ]:
        grid = panel["gridPos"]
        assert grid["x"] >= 0, panel["title"]
        assert grid["x"] + grid["w"] <= 24, panel["title"]
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                assert taken.setdefault((x, y), panel["id"]) == panel["id"], panel["title"]


@pytest.mark.parametrize("panel", PANELS, ids=[f"{n}: {p['title']}" for n, p in OF])
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    """Title, description, unit, targets."""
    assert panel["title"]
    assert panel["description"]
    assert panel["targets"]
    if panel["type"] not in {"table", "state-timeline"}:
        assert panel["fieldConfig"]["defaults"].get("unit")


@pytest.mark.parametrize(("title", "expr"), TARGETS + ANNOTATIONS)
def test_an_expression_parses_and_names_what_exists(title: str, expr: str) -> None:
    """PromQL over catalogue metrics; rates over the interval that fits the scrape."""
    promql_parser.parse(plain(expr))
    assert names(expr) <= set(BY_NAME), title
    for call in re.findall(r"\b(?:rate|irate|increase)\(([^()]*\[[^\]]*\])", expr):
        assert call.endswith(("[$__rate_interval]", "[$__range]"))
    assert 'job=~"$job"' in expr or not names(expr)


UNITS = {"bool_yes_no", "bytes", "cps", "none", "ops", "percentunit", "reqps", "s", "short"}
"""Grafana's names of the units that are used."""

CENTRAL = ("analyzer", "archiver")

TOTALS = {
    "overview: What changed in the time shown": "asks which models and versions there are",
    "outcomes: Waiting": "what waits is told as a result of its own, which falls again",
    "pipeline: Exchanges": "the ledger adds up totals",
    "pipeline: Appended": "the ledger adds up totals",
    "pipeline: Lost": "the ledger adds up totals",
    "pipeline: Unsampled": "the ledger adds up totals",
    "pipeline: Unaccounted": "the ledger adds up totals",
    "pipeline: Archived": "the archive counts since it began, across restarts",
}
"""Panels that show a counter as it is, and why."""


def selectors(expr: str) -> list[tuple[str, str]]:
    """(name, matchers) of every selector of a catalogue metric."""
    found = re.findall(r"(?<![:\w])(monitor_\w+)(\{[^}]*\})?", expr)
    return [(name if name in BY_NAME else SUFFIX.sub("", name), said) for name, said in found]


@pytest.mark.parametrize("panel", PANELS, ids=[f"{n}: {p['title']}" for n, p in OF])
def test_a_unit_is_one_that_grafana_knows(panel: dict[str, Any]) -> None:
    """Of the panel and of each column of a table; a misspelt one is shown after every number."""
    said = [panel["fieldConfig"]["defaults"].get("unit")]
    for override in panel["fieldConfig"].get("overrides") or ():
        said += [one["value"] for one in override["properties"] if one["id"] == "unit"]
    assert {unit for unit in said if unit is not None} <= UNITS


@pytest.mark.parametrize(("title", "expr"), TARGETS)
def test_every_selector_can_be_narrowed(title: str, expr: str) -> None:
    """By job and endpoint; by instance unless analyzer or archiver tell it, which are one for all sidecars.
    Recorded series and ALERTS have an endpoint at most."""
    for name, matchers in selectors(expr):
        assert 'job=~"$job"' in matchers, title
        assert 'endpoint=~"$endpoint"' in matchers, title
        assert ('instance=~"$instance"' in matchers) is (BY_NAME[name].role not in CENTRAL), title
    for recorded in re.findall(r"\w+:monitor_\w+:\w+(?:\{[^}]*\})?", expr):
        assert 'endpoint=~"$endpoint"' in recorded


def test_counters_are_read_as_rates() -> None:
    """But where a total is meant, with a reason; no reason is left over."""
    bare = set()
    for title, expr in TARGETS:
        counted = re.sub(r"\b(?:rate|irate|increase)\([^()]*\)", "", expr)
        if any(BY_NAME[name].kind == "counter" for name, _ in selectors(counted)):
            bare.add(title)
    assert bare == set(TOTALS)


def test_every_metric_is_drawn() -> None:
    """What nobody looks at need not be measured."""
    drawn = set().union(*(names(expr) for _, expr in TARGETS))
    assert set(BY_NAME) - drawn == set(), (
        "add a panel for it to a row in dashboards/*.py, then `make fix` writes the JSON anew"
    )


FIXED = {
    "outcome": ("ok", "server_error"),
    "direction": ("input", "output"),
    "place": ("buffer", "spool"),
    "measure": ("psi", "psi"),
    "status": ("drift", "ok"),
    "dimension": ("population", "all", "edge_case"),
    "value": ("north", "all", "refusal"),
    "role": ("recorder", "proxy"),
    "result": ("hit", "miss"),
    "reason": ("sampled", "buffer_full"),
    "feature": ("feature-0", "check.check-0", "feature-2"),
    "state": ("waiting", "leased"),
    "objective": ("availability", "latency", "first_token"),
}
"""Labels whose values the expressions name, for the three variants of every series."""

OF_CHECKS = {"check": ["check-0"] * 4, "result": ["failed", "passed", "skipped", "left_out"]}
"""The same of a check: a share needs all results of one."""

OF_ITEMS = {"given": ("own", "other", "own"), "result": ("right", "right", "wrong")}
"""The same of what a check looks at."""

OF_SLICES = {"status": ("alarm", "ok", "insufficient")}
"""The same of slices."""

OF_QUALITY = {"measure": ("accuracy", "reader_agreement", "reader_agreement_failed")}
"""The same of quality."""

OF_FEEDBACK = {"result": ("joined", "waiting", "unmatched")}
"""The same of feedback."""


OWN: dict[str, Mapping[str, Sequence[str]]] = {
    "monitor_output_checks_total": OF_CHECKS,
    "monitor_output_check_items_total": OF_ITEMS,
    "monitor_quality": OF_QUALITY,
    "monitor_slices": OF_SLICES,
    "monitor_feedback_total": OF_FEEDBACK,
    "monitor_audit_anchors_total": {"result": ("put", "failed")},
}
"""Values of labels that are those of a metric alone."""


def everything(step: int) -> list[Measurement]:
    """Every metric of the catalogue three times, growing with `step`."""
    made: list[Measurement] = []
    for metric in CATALOGUE:
        for variant in range(3):
            labels = {"endpoint": "e"}
            for name in metric.labels:
                known = FIXED.get(name) or [f"{name}-{number}" for number in range(3)]
                known = OWN.get(metric.name, {}).get(name, known)
                labels[name] = known[variant % len(known)]
            value = float(step + 1)
            bad = "drift" if metric.name == "monitor_drift_status" else "alarm"
            if metric.name in {"monitor_drift_status", "monitor_outcome_status"}:
                made += [
                    Measurement(
                        metric.name, {**labels, "status": status}, status in {"drift", "alarm"}
                    )
                    for status in ("ok", bad, "insufficient")
                ]
                continue
            if metric.name == "monitor_experiment_verdict":
                made += [
                    Measurement(metric.name, {**labels, "verdict": verdict}, verdict == "worse")
                    for verdict in get_args(Verdict)
                ]
                continue
            if metric.name == "monitor_experiment_units":
                made += [Measurement(metric.name, {**labels, "arms": one}, value)
                         for one in ("all", "several")]  # fmt: skip
                continue
            if metric.kind != "histogram":
                made.append(Measurement(metric.name, labels, value))
                continue
            made += [
                Measurement(f"{metric.name}_bucket", {**labels, "le": bound}, value)
                for bound in (*map(repr, metric.buckets), "+Inf")
            ]
            made.append(Measurement(f"{metric.name}_count", labels, value))
            made.append(Measurement(f"{metric.name}_sum", labels, value / 100))
    return made


@pytest.fixture(scope="module")
def prometheus(
    program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A real Prometheus that has scraped a page with every metric for a while; yields its URL."""
    directory = tmp_path_factory.mktemp("prometheus")
    scrapes = 0

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal scrapes
            scrapes += 1
            body, content_type = expose(everything(scrapes), self.headers.get("accept", ""))
            self.send_response(200)
            self.send_header("content-type", content_type)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    port = free_port()
    (directory / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{ROOT}/alerts/*.rules.yml']\n"
        "scrape_configs:\n- job_name: monitor\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{server.server_address[1]}']}}]\n"
    )
    process = subprocess.Popen(
        [
            program("prometheus"), f"--config.file={directory}/prometheus.yml",
            f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={directory}/tsdb",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 100
    while scrapes < 8 and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(0.5)  # the last scrape is being stored
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)
    server.shutdown()
    server.server_close()


def test_no_panel_stays_empty(prometheus: str) -> None:
    """Every expression, of annotations too, gives data on a real Prometheus that scraped a full page
    and evaluates all rules; on a busy machine some need a few scrapes and evaluations more."""
    end = time.monotonic() + 100
    empty = TARGETS + ANNOTATIONS
    while empty and time.monotonic() < end:
        empty = [one for one in empty if not has_data(prometheus, *one)]
        time.sleep(0.5 * bool(empty))
    assert empty == []


def has_data(prometheus: str, title: str, expr: str) -> bool:
    query = urllib.parse.urlencode({"query": plain(expr)})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query?{query}", timeout=60) as answer:
        document = json.load(answer)
    assert document["status"] == "success", (title, expr)
    return bool(document["data"]["result"])
