"""The commands as a user meets them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli import main

COMMANDS = ("run", "sidecar", "analyze", "check", "replay", "reference", "demo", "keys", "reveal")


def monitor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        capture_output=True, text=True, timeout=60, env={"PATH": ""}, check=False,
    )  # fmt: skip


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` is the map."""
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command}" in text for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each says what it does and exits 0."""
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert "usage: monitor " + command in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["run"], "upstream"),
        (["sidecar", "--upstream", "http://127.0.0.1:1"], "redis"),
        (["analyze"], "redis"),
        (["run", "--upstream", "http://127.0.0.1:1", "--listen", "nowhere"], "listen"),
        (["run", "--colour"], "--colour"),
        (["run", "--workers", "many"], "--workers"),
        (["check", "--config", "missing.yaml"], "missing.yaml"),
        (["fly"], "fly"),
        ([], "COMMAND"),
    ],
)
def test_bad_usage_is_one_line_that_names_it_and_exit_code_2(
    arguments: list[str], name: str
) -> None:
    """No traceback, no page of usage."""
    result = monitor(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert name in result.stderr


def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    """The line names the option and the address."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        result = monitor(
            "run", "--upstream", "http://127.0.0.1:1", "--listen", where, "--data", str(tmp_path)
        )
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        f"monitor: listen: cannot listen on {where}: address already in use"
    ]
