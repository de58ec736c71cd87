"""Recorded traffic, sent again through the sidecar that recorded it: it is told apart from traffic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.cli import main


def test_what_was_recorded_is_sent_again_and_is_no_traffic(
    start: Any, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Chats, streamed and not, and tensors: the sidecar answers as its model does, its records say which run
    sent them, and no feature has seen one value more."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0")
    with httpx.Client(base_url=system.url) as client:
        for number in range(30):
            ask = {
                "messages": [
                    {"role": "user", "content": f"Where is {number}? I am me@example.org."}
                ]
            }
            more = {"model": "small", "temperature": 0, "stream": number % 2 == 0}
            client.post("/v1/chat/completions", json=ask | more).raise_for_status()
            tensor = {"name": "income", "datatype": "FP64", "shape": [1], "data": [number / 2]}
            client.post("/v2/models/scorer/infer", json={"inputs": [tensor]}).raise_for_status()
    analyzed = "monitor_records_analyzed_total"
    system.until(lambda: system.page().total(analyzed) == 60)
    before = system.settled().total("monitor_drift_samples")
    found = tmp_path / "found.json"
    code = main(
        ["redrive", system.redis, "--against", system.url, "--baseline", model, "--json", str(found),
         "--margin", "0.5", "--margin", "latency=9", "--fail-on", "insufficient,failed"]
    )  # fmt: skip
    document = json.loads(found.read_bytes())
    assert (code, document["paired"], document["left_out"]) == (0, 60, {})
    assert all(
        one["status"] == "same" for one in document["features"] if one["feature"] != "latency"
    )
    system.until(lambda: system.page().total(analyzed) == 120)
    again = [one for one in system.records() if one["lineage"].get("replay")]
    assert len(again) == 60
    assert {one["lineage"]["replay"] for one in again} == {document["run"]}
    page = system.settled()
    assert page.total("monitor_exchanges_total") == 120
    assert page.total("monitor_drift_samples") == before
    assert "me@example.org" not in capsys.readouterr().out
