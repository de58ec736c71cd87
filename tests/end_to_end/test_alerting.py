"""From a fault to a page, and to its end: real sidecar, Prometheus, Alertmanager and webhook."""

from __future__ import annotations

import contextlib
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.alerts.stack import alerting

ROOT = Path(__file__).parents[2]
RULE = "MonitorUpstreamDown"


def short() -> dict[str, Any]:
    """The rule as it is, but over seconds instead of minutes."""
    document = yaml.load((ROOT / "alerts" / "traffic.rules.yml").read_bytes(), yaml.CSafeLoader)
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    (rule,) = (rule for rule in rules if rule.get("alert") == RULE)
    rule = {**rule, "for": "1s", "expr": re.sub(r"\[5m\]", "[12s]", rule["expr"])}
    return {"groups": [{"name": "short", "rules": [rule]}]}


def test_an_endpoint_that_fails_pages_somebody_and_they_hear_when_it_answers_again(
    start: Callable[..., Any], model: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Every request gets a 503 until the page has come, then a 200 until it is over: two calls of
    the webhook, with the endpoint and with links that lead to it."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0", endpoint="bot")
    with alerting(program, tmp_path, system.run["admin"], short(), every="3s") as heard:
        end = time.monotonic() + 180
        while len(heard) < 2 and time.monotonic() < end:
            status = 200 if heard else 503
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(f"{system.url}/{status}", b"{}", timeout=30).close()
            time.sleep(0.1)
    assert [one["status"] for one in heard] == ["firing", "resolved"]
    for message in heard:
        (alert,) = message["alerts"]
        assert alert["labels"] == {"alertname": RULE, "endpoint": "bot", "severity": "critical"}
        assert alert["annotations"]["runbook_url"].endswith("/RUNBOOK.md#monitorupstreamdown")
        assert alert["annotations"]["dashboard_url"].endswith(
            "/d/monitor-overview?var-endpoint=bot"
        )
