"""From requests to an archive: through real processes, some of which are killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import psutil

from monitor.cli import main


def test_all_that_passed_is_archived_once_although_archivers_are_killed(
    start: Any, model: str, tmp_path: Path, capsys: Any
) -> None:
    """Two kills while requests pass; then a stop, which archives what is left, and a replay of a
    directory that has no other Parquet in it."""
    place = tmp_path / "archive"
    archive = {"url": f"file://{place}", "every": 1, "rows": 7}
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0", archive=archive)
    (pid,) = system.run["pids"]["archiver"]
    assert psutil.Process(pid).cmdline()[0] == "monitor: archiver"

    def archived() -> float:
        return float(system.page().total("monitor_archive_rows_total"))

    with httpx.Client(base_url=system.url) as client:
        for sent in (20, 40):
            for _ in range(20):
                client.post("/200", content=b"{}").raise_for_status()
            system.until(lambda least=sent - 20: archived() > least)
            (pid,) = system.run["pids"]["archiver"]
            os.kill(pid, signal.SIGKILL)
            system.until(lambda pid=pid: system.run["pids"]["archiver"] not in ([pid], []))
        client.post("/200", content=b"{}").raise_for_status()
    system.settled()
    stored = [record["id"] for record in system.records()]
    assert system.stop() == 0
    assert not system.complaints()
    assert len(stored) == 41
    assert main(["replay", str(place), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 41
    manifests = sorted(place.rglob("*.json"))
    paths = [json.loads(path.read_bytes())["manifest"].get("file") for path in manifests]
    listed = {file["path"] for file in paths if file}
    assert {str(path.relative_to(place)) for path in place.rglob("*.parquet")} == listed
    assert sum(file["rows"] for file in paths if file) == 41
