"""The notifier and the alert rules speak one language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import yaml

from monitor.alerting.table import ALERTS, WATCHDOG
from monitor.settings.alerts import Alert

ROOT = Path(__file__).parent.parent.parent


NEWS = ("MonitorExperimentAlarm", "info")
"""Rules are about what is wrong. Who waits for an experiment wants to hear of any verdict."""


def rules() -> dict[str, dict[str, set[str]]]:
    """Summaries of the rules, by name and severity."""
    found: dict[str, dict[str, set[str]]] = {}
    for path in (ROOT / "alerts").glob("*.rules.yml"):
        for group in yaml.load(path.read_bytes(), yaml.CSafeLoader)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    of = found.setdefault(rule["alert"], {})
                    of.setdefault(rule["labels"]["severity"], set()).add(
                        rule["annotations"]["summary"]
                    )
    return found


def test_every_alert_has_the_name_and_the_words_of_a_rule() -> None:
    """And so a section in the runbook."""
    ruled = rules()
    assert WATCHDOG in ruled
    for kind in ALERTS:
        for severity, summary in kind.summaries.items():
            if (kind.name, severity) == NEWS:
                continue
            assert summary in ruled[kind.name].get(severity, set()), (kind.name, severity)
    told = set(re.findall(r"Monitor\w+", (ROOT / "docs" / "notifications.md").read_text("utf-8")))
    assert told - {"MonitorTest"} == set(ruled) - {WATCHDOG}, "told, or by the rules alone"
    headings = (ROOT / "RUNBOOK.md").read_text("utf-8").splitlines()
    assert {f"## {kind.name}" for kind in ALERTS} <= set(headings)


def test_settings_may_say_how_bad_every_alert_of_an_endpoint_is() -> None:
    """Of the others the rules know no endpoint: nobody answers, or nothing is scraped."""
    elsewhere = {WATCHDOG, "MonitorDown", "MonitorAbsent"}
    assert set(get_args(Alert)) == rules().keys() - elsewhere
    assert {kind.name for kind in ALERTS} <= set(get_args(Alert))
