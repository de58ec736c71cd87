"""A name that strangers chose is text wherever somebody reads it, in a whole `monitor` as a user starts it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text

from monitor.cli import main
from monitor.texts import printable
from tests.console.test_pages import Tags
from tests.end_to_end.conftest import served
from tests.exporters.test_otlp import Collector

NAME = '<img src=x onerror=alert(1)>"} 9\n# EOF\r\nX-Evil: 1\x1b[31m{{ $labels.x }}{{7*7}}\u202e\', up{a=~"\\'
LABEL = '<b/onclick=x>"}{{7*7}}\',a=~"\\'
"""With a space, or longer, it would be a text and no category."""
SHOWN = printable(NAME)
RULES = Path(__file__).parents[2] / "alerts" / "drift.rules.yml"


class Model(BaseHTTPRequestHandler):
    """Calls the model, the label and a column as it was asked to; hears notifications too."""

    protocol_version = "HTTP/1.1"
    told: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/hook":
            self.told.append((dict(self.headers), body))
        said: dict[str, Any] = {"label": LABEL, NAME: 1.5}
        if "messages" in (asked := json.loads(body)):
            choice = {"index": 0, "finish_reason": NAME, "message": {"role": NAME, "content": NAME}}
            said = {
                "object": "chat.completion",
                "id": NAME,
                "model": asked["model"],
                "choices": [choice],
            }
        answer = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def told() -> list[tuple[dict[str, str], bytes]]:
    return []


@pytest.fixture
def model(told: list[tuple[dict[str, str], bytes]]) -> Generator[str]:
    handler = type("Handler", (Model,), {"told": told})
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        yield url


@pytest.fixture
def collector() -> Generator[Collector]:
    made = Collector()
    yield made
    made.close()


def test_a_hostile_name_is_text_wherever_it_is_read(
    start: Any,
    model: str,
    told: list[tuple[dict[str, str], bytes]],
    tmp_path: Path,
    collector: Collector,
) -> None:
    """Of a feature, a segment, a model, a role, a finish reason, a class and a reviewer: in metrics,
    API, console, notification, span, log, alert and report."""
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        segments={"population": {"json": "request.group"}}, reference={"learn": 50},
        windows={"pane": 1, "lateness": 0.2}, outcomes={"wait": 10, "prediction": "outputs.label"},
        notify=[{"name": "oncall", "url": f"{model}/hook"}],
        otlp={"endpoint": collector.url, "interval": 3600, "traces": {"sample": 1}},
        review={"rate": 1.0, "control": 1.0},
    )  # fmt: skip
    admin = f"http://{system.run['admin']}"
    count = 0

    def ask(client: httpx.Client, number: int, shift: float = 0.0) -> None:
        nonlocal count
        for _ in range(number):
            count += 1
            trace = {"traceparent": f"00-{count:032x}-{count:016x}-01", "x-other": "a\tb"}
            row = {NAME: count % 7 + shift, "group": NAME}
            client.post(f"{system.url}/predict?q=%0d%0a<b>", json=row, headers=trace)

    def drifts() -> bool:
        return bool(system.page().pick("monitor_drift_status", feature=SHOWN, status="drift"))

    with httpx.Client(timeout=60) as client:  # the pages give way to all else that runs
        items = [
            {"trace_id": f"{number:032x}", "label": LABEL if number % 3 else "b"}
            for number in range(1, 61)
        ]
        assert client.post(f"{admin}/api/v1/feedback", json=items).json()["accepted"] == 60
        chat = {"model": NAME, "messages": [{"role": "user", "content": NAME}], "group": NAME}
        client.post(f"{system.url}/v1/chat/completions", json=chat)
        ask(client, 200)

        def shifted() -> bool:
            ask(client, 40, 50.0)
            return bool(told)

        system.until(shifted, 90)
        of_class = {"class": LABEL}
        system.until(lambda: system.page().total("monitor_class_quality", **of_class) > 0)
        assert drifts()
        read_metrics(client, admin)
        read_api(client, admin)
        read_console(client, admin)
    read_notification(told)
    spans = {span.name for span in collector.spans()}
    assert spans == {f"chat {SHOWN}", "predict"}
    store, report = system.redis, tmp_path / "page.html"
    files = ["--html", str(report), "--json", str(tmp_path / "report.json")]
    assert main(["replay", store, "--reference", store, *files]) == 0
    harmless(report.read_text(encoding="utf-8"), links=False)
    assert system.stop() == 0
    assert not system.complaints()
    for line in system.log().splitlines():
        assert line.isprintable()
        assert not line.startswith("X-Evil")


def read_metrics(client: httpx.Client, admin: str) -> None:
    """Both pages hold what was meant and nothing that was smuggled in."""
    plain = list(read_text(client.get(f"{admin}/metrics").text))
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    strict = list(read_openmetrics(client.get(f"{admin}/metrics", headers=accept).text))
    assert [one.name for one in plain] == [one.name for one in strict]
    labels = [sample.labels for family in strict for sample in family.samples]
    for name in ("feature", "value", "model", "class"):
        shown = LABEL if name == "class" else SHOWN
        assert shown in {one.get(name) for one in labels}, name
    assert all(one.isprintable() for each in labels for one in each.values())
    assert all(family.name.startswith("monitor_") for family in strict)


def read_api(client: httpx.Client, admin: str) -> None:
    """Every list is JSON that no browser takes for a page."""
    paths = client.get(f"{admin}/api/v1/openapi.json").json()["paths"]
    lists = [path for path, verbs in paths.items() if "get" in verbs and "{" not in path]
    assert len(lists) > 10
    text = ""
    for path in lists:
        asked = {"reviewer": "kim"} if path.endswith("/next") else {}
        answer = client.get(f"{admin}{path}", params=asked)
        assert answer.status_code in (200, 204), path
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["x-content-type-options"] == "nosniff"
        text += answer.text
    assert json.dumps(SHOWN, ensure_ascii=False)[1:-1] in text
    newest = client.get(f"{admin}/api/v1/records?limit=1").json()["items"][0]
    whole = client.get(f"{admin}/api/v1/records/{newest['id']}").json()
    assert whole["segments"]["population"] == SHOWN


def read_console(client: httpx.Client, admin: str) -> None:
    """All kinds of pages that can be reached from the overview in two steps."""
    seen: dict[str, str] = {}
    steps = ["/console/"]
    for _ in range(3):
        found = [link for path in steps for link in harmless(page(client, admin + path))]
        kinds = {kind(one): one for one in found if one.startswith("/console/")}
        kinds.pop("review/", None)  # a form leads there
        steps = [one for name, one in kinds.items() if name not in seen]
        seen |= kinds
    assert {"finding?", "records/", "records?", "findings?", "health"} <= set(seen)


def kind(link: str) -> str:
    """What kind of page it leads to: its first name, and whether it asks for one thing."""
    return re.sub(r"^/console/(\w*)([/?]?).*", r"\1\2", link, flags=re.DOTALL)


def page(client: httpx.Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    if not re.search(r"/records/|/review", url):  # content is shown as it came
        assert not {"\x1b", "\u202e"} & set(answer.text)
    return answer.text


def harmless(text: str, *, links: bool = True) -> list[str]:
    """The links of a page that holds nothing of the name but text."""
    read = Tags(text)
    assert not {"img"} & {tag for tag, _ in read.tags}
    assert not any(name.startswith("on") for _, names in read.tags for name in names)
    assert not links or all(one.startswith(("/console/", "/api/v1/", "#")) for one in read.links)
    return read.links


def read_notification(told: list[tuple[dict[str, str], bytes]]) -> None:
    """The name is a label and in the sentence, and no header."""
    alerts = [one for _, body in told for one in json.loads(body)["alerts"]]
    assert SHOWN in {one["labels"].get("feature") for one in alerts}
    assert SHOWN in {one["labels"].get("value") for one in alerts}
    assert not any(name.lower() == "x-evil" for headers, _ in told for name in headers)


def test_an_alert_calls_things_as_they_are_called(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    """The rules write the name as it is: no template within it is run, and it ends no matcher."""
    quoted = SHOWN.replace("\\", "\\\\").replace('"', '\\"')
    place = f'endpoint="e", feature="{quoted}", dimension="population", value="{quoted}"'
    said = (
        f"Endpoint e, population={SHOWN}: drift in {SHOWN}, the population stability index is 0.31. "
        "Look at the panel Findings, or at /api/drift of the analyzer."
    )
    (rule, *_) = yaml.load(RULES.read_bytes(), yaml.CSafeLoader)["groups"][0]["rules"]
    fires = {
        "exp_labels": {
            "severity": "critical", "endpoint": "e", "feature": SHOWN, "dimension": "population",
            "value": SHOWN,
        },
        "exp_annotations": {
            **rule["annotations"], "description": said,
            "dashboard_url": rule["annotations"]["dashboard_url"].replace(
                "{{ $labels.endpoint }}", "e"
            ),
        },
    }  # fmt: skip
    series = [
        {"series": f'monitor_drift_status{{{place}, status="drift"}}', "values": "1x30"},
        {"series": f'monitor_drift_score{{{place}, measure="psi"}}', "values": "0.31x30"},
    ]
    looked = [{"alertname": "MonitorDrift", "eval_time": "20m", "exp_alerts": [fires]}]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": looked}
    file = tmp_path / "hostile.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}))
    found = subprocess.run(
        [program("promtool"), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
