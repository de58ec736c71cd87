"""`monitor files --config`: rules as bad as configurations say, and a dashboard of their rows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from monitor.cli import main
from monitor.commands import own_files
from monitor.settings import load
from monitor.settings.alerts import Alert

ROOT = Path(__file__).parents[2]
WARD = "endpoint: ward\nalerts: {severities: {MonitorDrift: warning, MonitorCostSurge: none}}\n"
SHOP = (
    "endpoint: shop\nalerts: {severities: {MonitorCostSurge: critical, MonitorReviewUnread: warning}}\n"
    'dashboards: {rows: [Experiments, Now, "Tails by $dimension"]}\n'
)
COST = "endpoint_currency:monitor_cost:increase1h"


@pytest.fixture
def wrote(tmp_path: Path) -> Path:
    """What is written for two endpoints."""
    options = []
    for name, text in (("ward", WARD), ("shop", SHOP)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        options += ["--config", str(tmp_path / f"{name}.yaml")]
    there = str(tmp_path / "new")
    assert main(["files", there, *options, "--grafana", "https://g.example"]) == 0
    assert main(["files", there, *options, "--grafana", "https://g.example"]) == 0, "as they are"
    return tmp_path / "new"


def test_a_rule_is_as_bad_as_the_endpoint_says(
    wrote: Path, program: Callable[[str], str], tmp_path: Path
) -> None:
    """By promtool: two endpoints of one Prometheus, and one of which nobody says anything."""
    paths = [wrote / "alerts" / f"{name}.rules.yml" for name in ("drift", "meaning")]
    promtool = program("promtool")
    for path in paths:
        subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", path], check=True)
    drifts = "monitor_drift_score{{endpoint='{0}', measure='psi'}}", "monitor_drift_status{{endpoint='{0}', status='drift'}}"  # fmt: skip
    series = [one.format(name) for one in drifts for name in ("ward", "shop", "other")]
    case = {
        "interval": "1m",
        "input_series": [{"series": one, "values": "1x30"} for one in series],
        "promql_expr_test": [
            {
                "expr": "count by (endpoint, severity) (ALERTS{alertname='MonitorDrift'})",
                "eval_time": "20m",
                "exp_samples": [
                    {"labels": f"{{endpoint='{endpoint}', severity='{severity}'}}", "value": 1}
                    for endpoint, severity in (
                        ("ward", "warning"), ("shop", "critical"), ("other", "critical"),
                    )
                ],
            }
        ],
    }  # fmt: skip
    file = tmp_path / "severities.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(one) for one in paths], "tests": [case]}))
    subprocess.run([promtool, "test", "rules", file], check=True, capture_output=True)


def test_all_else_in_the_rules_is_as_it_was(wrote: Path) -> None:
    """Comments too; the chart's copies say the same, and a rule of which nobody says more than it
    says itself stays as it is."""
    changed = set()
    for path in sorted((ROOT / "alerts").glob("*.rules.yml")):
        before = path.read_text(encoding="utf-8").replace(
            "http://localhost:3000", "https://g.example"
        )
        after = (wrote / "alerts" / path.name).read_text(encoding="utf-8")
        pairs = list(zip(before.splitlines(), after.splitlines(), strict=True))
        changed |= {(path.name, new.strip()) for old, new in pairs if old != new}
        chart = wrote / "deploy/helm/monitor/files/rules" / path.name
        found, said = (
            yaml.load(text, yaml.CSafeLoader) for text in (chart.read_text("utf-8"), after)
        )
        assert [_labels(one) for one in found["groups"]] == [_labels(one) for one in said["groups"]]
    drift = """labels: {severity: '{{ if eq $labels.endpoint "ward" }}warning{{ else }}critical{{ end }}'}"""
    cost = (
        """labels: {severity: '{{ if eq $labels.endpoint "ward" }}none"""
        """{{ else if eq $labels.endpoint "shop" }}critical{{ else }}warning{{ end }}'}"""
    )
    assert changed == {("drift.rules.yml", drift), ("meaning.rules.yml", cost)}


def _labels(group: dict[str, Any]) -> list[Any]:
    return [rule.get("labels") for rule in group["rules"]]


def test_every_rule_is_found() -> None:
    """However it is written, and whichever alert is named."""
    every = dict.fromkeys(get_args(Alert), "none")
    told = [load.checked({"alerts": {"severities": every}})]
    for path in (ROOT / "alerts").glob("*.rules.yml"):
        text = path.read_text(encoding="utf-8")
        for group in yaml.load(own_files.rules(text, told), yaml.CSafeLoader)["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") in every:
                    assert 'eq $labels.endpoint "default" }}none{{' in rule["labels"]["severity"]


def test_the_rows_make_a_dashboard(wrote: Path) -> None:
    """Open, in their order, each below the one before; the chart has it, too."""
    board = json.loads((wrote / "dashboards/first.json").read_text("utf-8"))
    rows = [one for one in board["panels"] if one["type"] == "row"]
    assert [one["title"] for one in rows] == ["Experiments", "Now", "Tails by $dimension"]
    assert not any(one["collapsed"] or one["panels"] for one in rows)
    assert [one["id"] for one in board["panels"]] == list(range(1, len(board["panels"]) + 1))
    tops = [one["gridPos"]["y"] for one in board["panels"]]
    assert tops == sorted(tops)
    assert len({tuple(one["gridPos"].values()) for one in board["panels"]}) == len(tops)
    names = {one["name"] for one in board["templating"]["list"]}
    assert names == {"datasource", "job", "instance", "endpoint", "dimension"}
    assert (board["uid"], board["title"]) == ("monitor-first", "monitor: first")
    assert "shop" in board["description"]
    assert "ward" not in board["description"]
    chart = json.loads((wrote / "deploy/helm/monitor/files/boards/first.json").read_text("utf-8"))
    assert chart["panels"] == board["panels"]


def test_without_rows_there_is_no_dashboard_and_without_endpoints_no_choice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two configurations of one endpoint cannot both be right; one that is named twice is one."""
    file, other = tmp_path / "ward.yaml", tmp_path / "other.yaml"
    file.write_text(WARD, encoding="utf-8")
    other.write_text(WARD, encoding="utf-8")
    assert main(["files", str(tmp_path / "a"), "--config", str(file), "--config", str(file)]) == 0
    assert not (tmp_path / "a/dashboards/first.json").exists()
    capsys.readouterr()
    assert main(["files", str(tmp_path / "b"), "--config", str(file), "--config", str(other)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("monitor: --config: ")
    assert "is of the endpoint ward, as one before is" in said
    assert not (tmp_path / "b").exists()


def test_a_file_is_no_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named as what it is, not by the first file that would have gone into it."""
    file = tmp_path / "a"
    file.touch()
    assert main(["files", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"monitor: DIRECTORY: {file} is a file; name a ")
