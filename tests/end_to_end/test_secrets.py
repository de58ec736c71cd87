"""No password of the configuration gets out: not to a screen, a file for scripts, a page, a child."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psutil
import pytest

from monitor.cli import main

CANARY, ENCODED = "canary-secret", "canary%2Dsecret"
STORES = (
    f"redis://:{CANARY}@127.0.0.1:1/0", f"redis://user:{ENCODED}@127.0.0.1:1/0", f"rediss://:{CANARY}@127.0.0.1:1/0",
    f"redis://127.0.0.1:1/0?password={CANARY}", f"rediss://127.0.0.1:1/0?password={ENCODED}&username=u",
    f"redis+sentinel://:{CANARY}@127.0.0.1:1,127.0.0.1:2/main/0", f"unix://:{CANARY}@/nowhere/redis.sock?db=0",
    f"redis://:{CANARY}@127.0.0.1:bad/0", f"redis://:{CANARY}@[bad/0", f"redis://:{CANARY}@127.0.0.1:1/zero",
)  # fmt: skip
SHOWN = "redis://127.0.0.1:1/0"
UPSTREAMS = (
    f"http://user:{CANARY}@127.0.0.1:9", f"http://user:{ENCODED}@127.0.0.1:bad", f"ftp://user:{CANARY}@127.0.0.1/",
    f"https://{CANARY}@127.0.0.1:9", f"http://127.0.0.1:9/?key={CANARY}",
)  # fmt: skip


def assert_silent(where: str, text: str) -> None:
    assert not re.search("canary.{0,3}secret", text), (where, text)


@pytest.mark.parametrize("store", STORES)
def test_no_command_says_the_stores_password(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` says where the store is, `replay` why it cannot be read."""
    upstream = ["--upstream", "http://127.0.0.1:9"]
    main(["check", "--redis", store, "--data", str(tmp_path), *upstream])
    written = tmp_path / "found.json"
    main(["replay", store, "--json", str(written), "--data", str(tmp_path)])
    main(["replay", store, "--reference", store, "--from", "2026-01-01", "--data", str(tmp_path)])
    said = capsys.readouterr()
    assert "monitor" in said.err
    assert_silent(store, said.out + said.err)
    assert not written.exists() or "canary" not in written.read_text()


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_no_command_says_the_upstreams_user(
    upstream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether it can be used or is wrong."""
    main(["check", "--upstream", upstream, "--data", str(tmp_path)])
    said = capsys.readouterr()
    assert_silent(upstream, said.out + said.err)


def test_a_running_system_shows_no_password(
    start: Any, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines, run.json, its pages, and the environment of its children."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={CANARY}")
    system = start(
        "run", "--upstream", model.replace("://", f"://user:{CANARY}@"), "--listen", "127.0.0.1:0",
        redis=f"redis://127.0.0.1:1/0?password={ENCODED}&username=u", log="json",
        otlp={"endpoint": f"http://user:{CANARY}@127.0.0.1:1/?token={CANARY}", "interval": 1},
        is_new=True,
    )  # fmt: skip
    system.until(lambda: "otlp: measurements cannot be delivered" in system.log())
    assert_silent("run.json", json.dumps(system.run))
    for path in ("/metrics", "/api/drift", "/"):
        assert_silent(path, system.admin(path)[1])
    for child in psutil.Process(system.process.pid).children(recursive=True):
        names = {name for name in child.environ() if name.startswith("MONITOR_")}
        assert names <= {"MONITOR_TRAFFIC_FD", "MONITOR_LEDGER_FD"}
        assert_silent("a command line", " ".join(child.cmdline()))
    system.until(lambda: "waiting for the store" in system.log())
    assert system.stop() == 0
    assert_silent("the log", system.log())
    assert not (system.data / "run.json").exists()
    assert_explained(system.log())


def assert_explained(log: str) -> None:
    """As JSON, every line is an object; where things are, which store is away and why, and the
    signal."""
    lines = [json.loads(line) for line in log.splitlines()]
    assert all(list(line) == ["time", "level", "role", "message"] for line in lines)
    said = {(line["level"], line["role"], line["message"]) for line in lines}
    places = [text for _, role, text in said if role == "supervisor"]
    for start_of in ("traffic http://127.0.0.1:", "admin   http://", f"store   {SHOWN} (given)"):
        assert any(text.startswith(start_of) for text in places), start_of
    assert ("INFO", "supervisor", "SIGTERM: draining what is under way, then ending") in said
    assert any(
        level == "WARNING" and role == "analyzer" and SHOWN in text for level, role, text in said
    )
