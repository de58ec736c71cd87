"""Configurations → their rules, each alert as bad as they say, and a dashboard of their rows.

One Prometheus watches many endpoints, so a severity hangs on the label `endpoint` of what fires; an
endpoint of which nobody says anything keeps the rule's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from monitor.settings.schema import Settings

BOARD = "first"
"""The name of the dashboard."""
_RULE = re.compile(
    r"(?P<before>^ *- alert: (?P<name>\w+)\n(?:(?! *- alert: ).*\n)*? *labels: \{severity: )"
    r"(?P<usual>\w+)",
    re.MULTILINE,
)


def rules(text: str, told: Sequence[Settings]) -> str:
    """A file of rules in which each alert is as bad at each endpoint as its settings say."""

    def said(found: re.Match[str]) -> str:
        others = {
            one.endpoint: severity
            for one in told
            if (severity := one.alerts.by_name.get(found["name"], found["usual"])) != found["usual"]
        }
        if not others:
            return found[0]
        cases = "{{ else if ".join(
            f'eq $labels.endpoint "{endpoint}" }}}}{severity}'
            for endpoint, severity in others.items()
        )
        template = "{{ if " + cases + "{{ else }}" + found["usual"] + "{{ end }}"
        return f"{found['before']}'{template}'"

    return _RULE.sub(said, text)


def board(boards: Iterable[Path], told: Sequence[Settings]) -> str | None:
    """A dashboard of the rows that matter first, as Grafana's provisioning reads it; None where
    nobody names any. Of several configurations the rows of the first come first."""
    titles = list(dict.fromkeys(row for one in told for row in one.dashboards.rows))
    if not titles:
        return None
    trees = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(boards)]
    rows = {one[0]["title"]: one for tree in trees for one in _rows(tree["panels"])}
    made = next(tree for tree in trees if tree["uid"] == "monitor-overview")
    variables = {one["name"]: one for tree in trees for one in tree["templating"]["list"]}
    names = ", ".join(dict.fromkeys(one.endpoint for one in told if one.dashboards.rows))
    panels: list[dict[str, Any]] = []
    top = 0
    for title in titles:
        head, *inside = rows[title]
        shift = top - head["gridPos"]["y"]
        panels += [
            {**one, "gridPos": {**one["gridPos"], "y": one["gridPos"]["y"] + shift}}
            for one in (head, *inside)
        ]
        top = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in panels)
    panels = [{**one, "id": number} for number, one in enumerate(panels, start=1)]
    asked = json.dumps(panels)
    made |= {
        "uid": f"monitor-{BOARD}",
        "title": f"monitor: {BOARD}",
        "description": f"What matters first at {names}: the rows that its configuration names.",
        "panels": panels,
        "templating": {
            "list": [
                one
                for name, one in variables.items()
                if name in ("datasource", "job", "instance", "endpoint") or f"${name}" in asked
            ]
        },
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _rows(panels: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield each row, open, with its panels behind it."""
    row: list[dict[str, Any]] = []
    for one in panels:
        if one["type"] == "row":
            if row:
                yield row
            row = [{**one, "collapsed": False, "panels": []}, *one.get("panels", ())]
        else:
            row.append(one)
    if row:
        yield row
