"""Alert rules: valid, tested one by one, named in the runbook, routed where they belong."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.commands.files import GRAFANA, RUNBOOK
from monitor.metrics import BY_NAME
from monitor.metrics.labels import LOSS_REASONS, REDACTION_REASONS, SET_ASIDE_REASONS
from tests.alerts.silence import asked, recording, taken_apart
from tests.alerts.stack import alerting

ROOT = Path(__file__).parent.parent.parent
RULES = sorted((ROOT / "alerts").glob("*.rules.yml"))
TESTS = sorted(Path(__file__).parent.glob("*.test.yml"))
BOARDS = {
    board["uid"]: board
    for board in map(json.loads, (one.read_text("utf-8") for one in ROOT.glob("dashboards/*.json")))
}
SUFFIX = re.compile(r"_(?:bucket|count|sum)$")

Program = Callable[[str], str]


def rules(path: Path) -> list[dict[str, Any]]:
    document = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    return [rule for group in document["groups"] for rule in group["rules"]]


ALERTS = [rule for path in RULES for rule in rules(path) if "alert" in rule]


def run(*command: object) -> None:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_are_valid_and_lint_clean(path: Path, program: Program) -> None:
    """promtool finds nothing to say."""
    run(program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", path)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_rules_fire_when_they_should_and_only_then(
    path: Path, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Series in, alerts out, by promtool, which collects garbage only where there is much of it."""
    monkeypatch.setenv("GOGC", "off")
    monkeypatch.setenv("GOMEMLIMIT", "256MiB")
    run(program("promtool"), "test", "rules", *taken_apart(path, tmp_path))


def test_only_a_recording_rule_that_records_nothing_is_left_out() -> None:
    """Kept are what reads a series that is there or recorded from one, and what may tell something
    of nothing."""
    rules = [
        {"record": "late", "expr": "sum(early) > 0"},
        {"record": "early", "expr": "rate(seen[5m])"},
        {"record": "gone", "expr": 'sum(other{name="seen"}) or 0 * other'},
        {"record": "absent", "expr": "absent(other)"},
        {"record": "constant", "expr": "1"},
        {"record": "clock", "expr": "hour()"},
        {"record": "firing", "expr": "count(ALERTS)"},
        {"record": "any", "expr": '{__name__=~"s.*"}'},
        {"record": "gone", "expr": "monitor_other / on (monitor) seen"},
        {"record": "gone", "expr": "rate(of:other[1h]) and early"},
        {"record": "either", "expr": "monitor_other or seen unless of:other"},
        {"record": "a:record", "expr": "seen"},
        {"record": "further", "expr": "a:record / seen"},
        {"alert": "Alert", "expr": "other"},
    ]
    (group,) = recording([{"name": "g", "rules": rules}], {"seen"})
    assert group["rules"] == [one for one in rules if one.get("record") != "gone"]


def test_only_a_rule_that_nothing_asked_for_is_made_of_is_left_out() -> None:
    """Kept are the alerts that a test names, the records that it reads, and what those read."""
    rules = [
        {"record": "first", "expr": "rate(seen[5m])"},
        {"record": "second", "expr": "sum(first)"},
        {"record": "third", "expr": "second + 1"},
        {"alert": "Named", "expr": 'second{name="third"} > 1'},
        {"alert": "Other", "expr": "third > 1"},
    ]
    groups, named = [{"name": "g", "rules": rules}], {"alert_rule_test": [{"alertname": "Named"}]}
    (group,) = asked(groups, named)
    assert group["rules"] == [rules[0], rules[1], rules[3]]
    (group,) = asked(groups, named | {"promql_expr_test": [{"expr": "max(third)"}]})
    assert group["rules"] == rules[:4]
    assert asked([*groups, {"name": "h", "rules": [rules[2]]}], named) == asked(groups, named)
    assert asked(groups, {"promql_expr_test": [{"expr": "count(ALERTS)"}]}) == groups


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_mean_the_same_to_prometheus_2_and_3(path: Path) -> None:
    """No edge of a histogram is named (3 writes `1` as `1.0`), and every range holds two scrapes at
    least without one that falls on its left end, which 3 leaves out."""
    for rule in rules(path):
        assert not re.search(r"\ble\s*=", rule["expr"])
        for number, unit in re.findall(r"\[(\d+)([smhd])", rule["expr"]):
            assert int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] >= 300


def test_every_file_of_alerts_has_tests() -> None:
    """Recording rules are tested through the alerts that use them."""
    tested = {path.name.removesuffix(".test.yml").removesuffix("-days") for path in TESTS}
    assert {path.name.removesuffix(".rules.yml") for path in RULES} - {"recording"} == tested


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    """Severity, a static summary, a description, a section of the runbook."""
    annotations = rule["annotations"]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert "{{" not in annotations["summary"]
    assert annotations["description"]
    runbook = (ROOT / "RUNBOOK.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\w+)$", runbook, re.MULTILINE)
    assert rule["alert"] in sections
    assert annotations["runbook_url"] == f"{RUNBOOK}#{rule['alert'].lower()}"
    board = re.fullmatch(rf"{GRAFANA}/d/([\w-]+)(\?\S.*)?", annotations["dashboard_url"])
    assert board
    assert board[1] in BOARDS
    asked = set(re.findall(r"var-(\w+)=", annotations["dashboard_url"]))
    assert asked <= {one["name"] for one in BOARDS[board[1]]["templating"]["list"]}
    about = re.findall(r"\$labels\.(\w+)", annotations["description"])
    assert "endpoint" not in about or "endpoint" in asked


def test_what_is_counted_is_told_in_whole_numbers() -> None:
    """`increase` says 7.049 where seven came, because it fills up the ends of its range; only what is
    no count, as a burn rate or a sum of money, may have digits after the point."""
    told = {rule["alert"] for rule in ALERTS if re.search(
        r"\$value \| humanize }}", rule["annotations"]["description"]
    )}  # fmt: skip
    assert told == {
        "MonitorErrorBudgetBurn", "MonitorLatencyBudgetBurn", "MonitorSegmentBudgetBurn",
        "MonitorCostSurge",
    }  # fmt: skip


def test_every_alert_is_tested_firing_and_silent() -> None:
    """Each severity of each fires somewhere, and somewhere else does not, by promtool."""
    fires: set[tuple[str, str]] = set()
    silent: set[tuple[str, str]] = set()
    severities: dict[str, set[str]] = {}
    for rule in ALERTS:
        severities.setdefault(rule["alert"], set()).add(rule["labels"]["severity"])
    for path in TESTS:
        document = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        for case in (case for one in document["tests"] for case in one.get("alert_rule_test", ())):
            name = case["alertname"]
            found = {one["exp_labels"]["severity"] for one in case["exp_alerts"]}
            fires |= {(name, severity) for severity in found}
            silent |= {(name, severity) for severity in severities[name] - found}
    every = {(name, each) for name, known in severities.items() for each in known}
    assert every - fires == set()
    assert every - silent == {("Watchdog", "info")}, "it always fires"


def test_the_runbook_lists_every_alert_with_its_severities() -> None:
    """The table at its top, and nothing else in it."""
    runbook = (ROOT / "RUNBOOK.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| \[\w+\]\(#(\w+)\) \| ([a-z, ]+) \|", runbook, re.MULTILINE))
    severities: dict[str, list[str]] = {}
    for rule in ALERTS:
        severities.setdefault(rule["alert"].lower(), []).append(rule["labels"]["severity"])
    assert listed == {
        name: ", ".join(sorted(set(each), key=["critical", "warning", "info"].index))
        for name, each in severities.items()
    }


@pytest.mark.parametrize(
    ("alert", "reasons"),
    [
        ("MonitorRecordsLost", LOSS_REASONS),
        ("MonitorRecordsSetAside", SET_ASIDE_REASONS),
        # A credential is taken out on purpose, and no alert counts it.
        ("MonitorRedactions", [one for one in REDACTION_REASONS if one != "credential"]),
    ],
)
def test_the_runbook_says_what_to_do_about_every_reason(alert: str, reasons: list[str]) -> None:
    """A new reason needs its line."""
    runbook = (ROOT / "RUNBOOK.md").read_text(encoding="utf-8")
    section = runbook.partition(f"\n## {alert}\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^- (`.*?):", section, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(listed))) == set(reasons)


def test_every_panel_that_is_to_be_looked_at_exists() -> None:
    """The runbook prints panels bold; alerts name them after the word."""
    titles = {
        panel["title"]
        for board in BOARDS.values()
        for one in board["panels"]
        for panel in (one, *one.get("panels", ()))
    }
    runbook = (ROOT / "RUNBOOK.md").read_text(encoding="utf-8")
    named = {
        " ".join(name.split())
        for name in re.findall(r"\*\*([^*]+)\*\*", runbook)
        if not name.endswith(":") and name not in {"so", "Do", "It resolves"}
    }
    assert len(named) > 20
    assert named <= titles, named - titles
    for rule in ALERTS:
        for name in re.findall(r"panels? ([^,.;]+)", rule["annotations"]["description"]):
            left = name
            for title in sorted(titles, key=len, reverse=True):
                left = left.replace(title, "")
            assert left in {"", " and "}, name


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_use_metrics_of_the_catalogue_only(path: Path) -> None:
    """A renamed metric breaks here, not at night."""
    for rule in rules(path):
        for name in re.findall(r"(?<![:\w])monitor_\w+(?![:\w])", rule["expr"]):
            assert name in BY_NAME or SUFFIX.sub("", name) in BY_NAME, name


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("severity=critical", "pages"),
        ("severity=warning", "tickets"),
        ("severity=info", "information"),
        ("severity=none", "nobody"),
        ("alertname=Watchdog severity=info", "dead-man"),
    ],
)
def test_alerts_are_routed_by_severity(labels: str, receiver: str, program: Program) -> None:
    """amtool agrees with the configuration's intent."""
    config = ROOT / "alerts" / "alertmanager.yml"
    run(program("amtool"), "check-config", config)
    command = [program("amtool"), "config", "routes", "test", f"--config.file={config}"]
    result = subprocess.run([*command, *labels.split()], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == receiver


def test_a_drift_reaches_the_webhook_and_its_end_too(program: Program, tmp_path: Path) -> None:
    """Real Prometheus and Alertmanager, a page with drift on it, a webhook that hears of it, and
    hears that it is over, once each."""
    heard: list[dict[str, Any]] = []
    page = (
        'monitor_drift_status{endpoint="e",feature="f",dimension="all",value="all",'
        'status="drift"} %d\n'
        'monitor_drift_score{endpoint="e",feature="f",dimension="all",value="all",'
        'measure="psi"} 0.4\n'
    )

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_over = any(one["status"] == "firing" for one in heard)
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write((page % (not is_over)).encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    world = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=world.serve_forever, args=(0.05,), daemon=True).start()
    group = yaml.load((ROOT / "alerts" / "drift.rules.yml").read_bytes(), yaml.CSafeLoader)
    for rule in group["groups"][0]["rules"]:
        rule["for"] = "1s"  # the rule as it is, but a test does not wait two minutes,
        rule["keep_firing_for"] = "0s"  # nor a quarter of an hour
    with alerting(program, tmp_path, f"127.0.0.1:{world.server_address[1]}", group) as hook:
        end = time.monotonic() + 120
        while not any(one["status"] == "resolved" for one in heard) and time.monotonic() < end:
            time.sleep(0.2)
            heard[:] = hook
    world.shutdown()
    world.server_close()
    assert heard, "no alert arrived"
    (alert,) = (one for one in heard[0]["alerts"] if one["labels"]["severity"] == "critical")
    assert alert["labels"]["feature"] == "f"
    assert alert["status"] == "firing"
    assert alert["annotations"]["runbook_url"] == f"{RUNBOOK}#monitordrift"
    assert alert["annotations"]["dashboard_url"] == f"{GRAFANA}/d/monitor-drift?var-endpoint=e"
    assert [one["status"] for one in heard] == ["firing", "resolved"]
    (ended,) = (one for one in heard[1]["alerts"] if one["labels"]["severity"] == "critical")
    assert ended["labels"] == alert["labels"]
    assert ended["startsAt"] == alert["startsAt"] < ended["endsAt"]


def test_the_watchdog_is_not_forgotten() -> None:
    """A dead man's switch needs an alert that always fires."""
    assert any(rule["alert"] == "Watchdog" for rule in ALERTS)
