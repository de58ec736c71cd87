"""A whole system on a Redis Cluster, as a user who may do no more than is stated."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.cli import main
from monitor.streams.connection import ROLE
from tests.streams.servers import Cluster

SHARDS = 3
ASKED = 12
CHAT = {"model": "m", "messages": [{"role": "user", "content": "write to jo@example.org"}]}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "cluster", 3, replicas=False)
    for one in made.servers:
        one.ask("ACL", "SETUSER", "least", "on", ">secret", "~monitor:*", *ROLE.split())
        one.ask("ACL", "SETUSER", "default", ">root")
        one.login = {"password": "root"}
        one.ask("ACL", "LOG", "RESET")
    yield made
    made.close()


def test_the_least_that_a_user_may_do_is_enough(
    cluster: Cluster, start: Any, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Records, analysis, archive, queue, verdicts, feedback, silences, notifier, looking and replay,
    verification: nothing is refused to that user, and nothing of it is asked for that a managed
    service forbids."""
    place = tmp_path / "archive"
    url = cluster.urls[0].replace("//", "//least:secret@")
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0", "--redis", url,
        stream={"shards": SHARDS}, review={"control": 1.0}, outcomes={"wait": 0.1},
        archive={"url": f"file://{place}", "every": 1},
        notify=[{"name": "hook", "url": f"{model}/hook"}],
    )  # fmt: skip

    def page(name: str, **labels: str) -> float:
        return float(system.page().total(name, **labels))

    with httpx.Client(base_url=system.url) as client:
        for _ in range(ASKED):
            client.post("/v1/chat/completions", json=CHAT).raise_for_status()
    system.settled()
    system.until(lambda: page("monitor_records_analyzed_total") == ASKED)
    system.until(lambda: page("monitor_review_queue", state="waiting") == ASKED)
    system.until(lambda: page("monitor_archive_rows_total") == ASKED)
    admin = f"http://{system.run['admin']}/api/v1"
    with urllib.request.urlopen(f"{admin}/review/next?reviewer=ben", timeout=60) as response:
        item = json.loads(response.read())["item"]
    answer = {"reviewer": "ben", "passed": True}
    assert httpx.post(f"{admin}/review/{item}", json=answer, timeout=30).status_code == 200
    feedback = {"id": item, "label": "good", "key": "k"}
    assert httpx.post(f"{admin}/feedback", json=feedback, timeout=30).json()["accepted"] == 1
    system.until(lambda: page("monitor_reviews_total", result="passed") == 1)

    options = ("--redis", url, "--data", str(system.data))
    shown: list[str] = []
    for command in (
        ("records", "list", "--json"),
        ("records", "show", item),
        ("notify", "silence", "alertname=X"),
        ("notify", "silences"),
        ("replay", f"{url}?shards={SHARDS}", "--json", "-"),
    ):
        assert main([*command, *options[: 0 if command[0] == "replay" else None]]) == 0, command
        shown.append(capsys.readouterr().out)
    assert len(shown[0].splitlines()) >= 1
    assert json.loads(shown[-1])["records"] == ASKED
    assert system.stop() == 0
    assert not system.complaints()
    assert "secret" not in system.log()
    assert main(["verify", str(place)]) in (0, 2)
    counts = re.findall(r": ([0-9]+) records", capsys.readouterr().out)
    assert sum(map(int, counts)) == ASKED
    for one in cluster.servers:
        with one.client() as client:
            refused: Any = client.acl_log()
            assert {entry["object"] for entry in refused} <= {"cluster|slots"}
    held = [one for one in cluster.servers if one.ask("DBSIZE")]
    assert len(held) > 1
