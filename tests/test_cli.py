"""The commands as a user meets them."""

from __future__ import annotations

import importlib
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from monitor import cli, stopping
from monitor.cli import main

SETTINGS = {
    "run": {"config", "endpoint", "upstream", "listen", "admin", "redis", "data", "workers"},
    "sidecar": {"config", "endpoint", "upstream", "listen", "admin", "redis", "data", "workers"},
    "analyze": {"config", "endpoint", "admin", "redis", "data"},
    "check": {"config", "endpoint", "upstream", "listen", "admin", "redis", "data", "workers"},
    "records list": {"config", "endpoint", "redis", "data"},
    "records show": {"config", "endpoint", "redis", "data"},
    "records prove": {"config", "endpoint"},
    "replay": {"config", "endpoint", "redis", "data"},
    "reference build": {"config", "endpoint", "redis", "data"},
    "keys list": {"config", "data"},
    "keys rotate": {"config", "data"},
    "keys fingerprint": {"config", "data"},
    "keys pair": {"config"},
    "keys pseudonym": {"config", "data"},
    "reveal": {"config", "endpoint", "redis", "data"},
    "erase": {"config", "endpoint", "redis", "data"},
    "verify": {"config", "endpoint"},
    "inject": {"config"},
    "injector": {"config", "endpoint", "listen", "admin", "data"},
    "init": {"endpoint", "upstream"},
    "demo": set(),
    "files": {"config"},
    "schema": set(),
}
"""The settings that each command reads."""

COMMANDS = dict.fromkeys(command.split()[0] for command in SETTINGS)


def monitor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        capture_output=True, text=True, timeout=200, env={"PATH": ""}, check=False,
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


@pytest.mark.parametrize("command", SETTINGS)
def test_help_lists_the_options_that_do_something(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no others; in 80 columns, with the defaults in the sentences."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    text = capsys.readouterr().out
    listed = set(re.findall(r"^  --([a-z-]+)", text, re.MULTILINE))
    every = SETTINGS["run"]
    assert listed & every == SETTINGS[command]
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    for option, default in (
        ("listen", "127.0.0.1:8080"), ("admin", "127.0.0.1:9464"), ("endpoint", "`default`"),
    ):  # fmt: skip
        assert (default in words) == (option in SETTINGS[command])


@pytest.mark.parametrize("command", ["", *dict.fromkeys(one.split()[0] for one in SETTINGS)])
def test_every_page_of_help_fits_a_terminal(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 80 columns; examples are indented."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    examples = re.split(r"^examples?:\n", text, flags=re.MULTILINE)[1:]
    for line in "".join(examples).partition("\n\n")[0].splitlines():
        assert line.startswith("  ")


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
        (["fly"], "'fly' is not one of run, sidecar, analyze"),
        (["rnu"], "; did you mean run? (try monitor --help)"),
        (["run", "--upstram", "x"], "; did you mean --upstream? (try monitor run --help)"),
        (["records", "lst"], "'lst' is not one of list, show, prove; did you mean list?"),
        (["fly\x1b[31m\nmonitor: all is well"], "'fly\\\\x1b[31m\\\\nmonitor: all is well' is not"),
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


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["demo", "--data", "x"], "--data is not an option of `demo` (try"),
        (["demo", "--data=x"], "--data=x is not an option of `demo` (try"),
        (["demo", "--kepe"], "`demo`; did you mean --keep? (try"),
        (["keys", "list", "--dtaa", "x"], "`keys`; did you mean --data? (try"),
        (["replay", "--intersectoin", "a", "b"], "`replay`; did you mean --intersection? (try"),
    ],
)
def test_an_option_that_is_meant_is_one_of_the_command(
    arguments: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is proposed that the command would refuse, such as what was given."""
    with pytest.raises(SystemExit):
        main(arguments)
    assert name in capsys.readouterr().err


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


@pytest.fixture
def entry() -> Iterator[Callable[[], int]]:
    """What `python -m monitor` and the installed command call; SIGTERM is as it was afterwards."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield importlib.import_module("monitor.__main__").main
    finally:
        signal.signal(signal.SIGTERM, before)


def test_every_command_tells_what_a_preset_says_in_the_same_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever finds it: `check` says no other thing than what starts."""
    file = tmp_path / "monitor.yaml"
    file.write_text(
        "preset: finance\nupstream: http://127.0.0.1:9\nsegments: {product: null}\n"
        f"data: {tmp_path / 'data'}\n",
        encoding="utf-8",
    )
    said = set()
    for command in (["check"], ["run"], ["analyze", "--redis", "redis://127.0.0.1:9/0"]):
        assert main([*command, "--config", str(file)]) == 2
        said.add(capsys.readouterr().err)
    assert len(said) == 1
    assert "is not one of segments" in (line := said.pop())
    assert line.endswith("by `preset: finance`: set fairness.strata yourself or to null\n")


def test_an_interrupt_while_modules_load_is_no_traceback(
    entry: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the first second ends any command as it does later."""

    class Interrupting:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "monitor.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "monitor.cli")
    monkeypatch.delattr("monitor.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert entry() == 130


def test_sigterm_ends_a_command_as_ctrl_c_does(
    entry: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what a command does at its end it does then too, as the verdict of a redrive."""

    def command() -> NoReturn:
        assert signal.getsignal(signal.SIGTERM) is stopping.terminate
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("it went on")

    monkeypatch.setattr(cli, "main", command)
    assert entry() == 143


def test_a_crash_leaves_no_core(
    entry: Callable[[], int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In it would be raw traffic and keys. The limit is that of whatever the command starts, and
    who must have a core may raise it again."""
    before = resource.getrlimit(resource.RLIMIT_CORE)

    def command() -> int:
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell's `&` lets it be ignored
            os.kill(os.getpid(), signal.SIGQUIT)
            os._exit(1)
        return int(os.WCOREDUMP(os.waitpid(pid, 0)[1]))

    monkeypatch.setattr(cli, "main", command)
    monkeypatch.chdir(tmp_path)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
        assert entry() == 0
        assert not list(tmp_path.iterdir())
        assert resource.getrlimit(resource.RLIMIT_CORE) == (1 if before[1] else 0, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_a_signal_that_the_parent_ignores_stays_ignored(
    entry: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for every program."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    monkeypatch.setattr(cli, "main", lambda: 0)
    assert entry() == 0
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_what_is_installed_starts_there_too() -> None:
    """One place for the module and the command."""
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert 'monitor = "monitor.__main__:main"' in text
