"""From requests to an archive: through real processes, some of which are killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx

from monitor.cli import main

OPENSSL = shutil.which("openssl") or "openssl"


def test_all_that_passed_is_archived_once_although_the_archiver_is_killed(
    start: Any, model: str, tmp_path: Path, capsys: Any
) -> None:
    """A kill while requests pass; then a stop, which archives what is left, and a replay of a
    directory that has no other Parquet in it."""
    place = tmp_path / "archive"
    archive = {"url": f"file://{place}", "every": 1, "rows": 7}
    key, public = tmp_path / "audit.key", tmp_path / "audit.pub"
    for path, command in (
        (key, ["genpkey", "-algorithm", "ed25519"]),
        (public, ["pkey", "-in", str(key), "-pubout"]),
    ):
        subprocess.run([OPENSSL, *command, "-out", str(path)], check=True, capture_output=True)
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0", archive=archive,
        audit={"sign": str(key)},
    )  # fmt: skip
    pid = system.child("archiver")

    def archived() -> float:
        return float(system.page().total("monitor_archive_rows_total"))

    with httpx.Client(base_url=system.url) as client:
        for _ in range(20):
            client.post("/200", content=b"{}").raise_for_status()
        system.until(lambda: archived() > 0)
        os.kill(pid, signal.SIGKILL)
        system.until(lambda: system.run["pids"]["archiver"] not in ([pid], []))
        # The stop may find the new one still starting; it archives what is left all the same.
        client.post("/200", json={"inputs": "write to ada@example.org"}).raise_for_status()
    system.settled()
    system_records = system.records()
    stored = [record["id"] for record in system_records]
    assert system.stop() == 0
    assert not system.complaints()
    assert len(stored) == 21
    assert main(["replay", str(place), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 21
    assert main(["verify", str(place), "--public-key", str(public)]) == 0
    assert "21 records" in capsys.readouterr().out
    manifests = sorted(place.rglob("*.json"))
    paths = [json.loads(path.read_bytes())["manifest"].get("file") for path in manifests]
    listed = {file["path"] for file in paths if file}
    assert {str(path.relative_to(place)) for path in place.rglob("*.parquet")} == listed
    assert sum(file["rows"] for file in paths if file) == 21
    # One of them names somebody, who is taken out of all that is at rest.
    (token,) = set(re.findall(r"<EMAIL_ADDRESS:[^>]+>", str(system_records)))
    config = ["--config", str(system.data / "monitor.yaml"), "--data", str(system.data)]
    erase = ["erase", "--pseudonym", token, "--reason", "ticket 7", "--json"]
    assert main([*erase, *config]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["stream"], found["archive"], found["spool"]) == (1, 1, 0)
    assert main(["verify", str(place), "--public-key", str(public)]) == 0
    assert "1 erased" in capsys.readouterr().out
    assert main(["replay", str(place), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["records"], found["erased"]) == (20, 1)
    at_rest = [one for one in system.data.rglob("*") if one.is_file() and one.name != "log"]
    assert not any(token.encode() in one.read_bytes() for one in at_rest)
