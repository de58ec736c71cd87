"""Commands whose stdout is full, closed, gone or of few characters: no traceback, no `found`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor import cli
from monitor.commands import replay, replay_options, streams

COMMANDS = [
    ["--help"], ["--version"], ["schema", "replay"], ["keys", "pair", "--out", "{tmp}/k"], ["files", "{tmp}/d"],
    ["replay", "{tmp}/a.csv", "--reference", "{tmp}/a.csv"],
    ["replay", "{tmp}/a.csv", "--reference", "{tmp}/a.csv", "--json", "-"],
]  # fmt: skip


IMPORTED = (replay, replay_options)  # before a process is forked


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table without drift."""
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "".join(f"{n * 37 % 101},{'ab'[n % 2]}\n" for n in range(300)))
    return path


class Run:
    """`main` in a process of its own, forked from this one, which has imported all."""

    def __init__(
        self, out: Callable[[], int | None], *arguments: str, tmp: Path, encoding: str = "utf-8"
    ) -> None:
        err = tmp / "err"
        process = os.fork()
        if not process:  # pragma: no cover
            status = 99
            try:
                os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
                sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115  until the process ends
                where = out()
                if where is None:
                    os.close(1)
                    sys.stdout = None  # type: ignore[assignment]  # as Python starts with a closed one
                else:
                    os.dup2(where, 1)
                    sys.stdout = open(1, "w", closefd=False, encoding=encoding)  # noqa: SIM115  until the process ends
                try:
                    status = cli.main([one.format(tmp=tmp) for one in arguments])
                except SystemExit as left:
                    status = int(left.code or 0)
                sys.stdout.flush()
            finally:
                os._exit(status)
        self.status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        self.err = err.read_text()


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def gone() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize(
    ("stdout", "reason"),
    [(full, "No space left on device"), (lambda: None, "Bad file descriptor")],
    ids=["full", "closed"],
)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_stdout_that_takes_nothing_is_said_in_a_sentence(
    arguments: list[str],
    stdout: Callable[[], int | None],
    reason: str,
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Full or closed, as other tools say it. Exit code 2: it is not 1, which means that something
    was found."""
    monkeypatch.chdir(table.parent)
    run = Run(stdout, *arguments, tmp=table.parent)
    assert run.status == 2
    assert f"stdout: {reason}" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone_ends_a_command_quietly(
    arguments: list[str], table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the code that a shell gives to SIGPIPE."""
    monkeypatch.chdir(table.parent)
    run = Run(gone, *arguments, tmp=table.parent)
    assert run.status == streams.GONE == 141
    assert "Traceback" not in run.err
    assert "Broken pipe" not in run.err


def test_a_report_degrades_to_the_characters_of_its_stream(table: Path) -> None:
    """A whole process whose stdout knows few characters prints what looks alike."""
    run = subprocess.run(
        [sys.executable, "-m", "monitor", "replay", str(table), "--reference", str(table)],
        capture_output=True, timeout=200, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert b"Traceback" not in run.stderr
    assert "a.csv" in "".join(run.stdout.decode("ascii").split())  # the path may be wrapped


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_other_streams_of_few_characters_take_a_report_too(encoding: str, table: Path) -> None:
    """Whatever they are called."""
    out = table.with_name("out")
    run = Run(
        lambda: os.open(out, os.O_WRONLY | os.O_CREAT),
        *("replay", str(table), "--reference", str(table)),
        tmp=table.parent, encoding=encoding,
    )  # fmt: skip
    assert run.status == 0, run.err
    assert "Traceback" not in run.err
    assert "a.csv" in "".join(out.read_bytes().decode(encoding).split())


@pytest.mark.parametrize(
    ("said", "written"),
    [("a → b", b"a -> b"), ("“x” ▁█…", b'"x" _#...'), ("é", b"\\xe9"), ("\udc80", b"\\udc80")],
)
def test_what_a_stream_cannot_write_looks_alike_or_is_a_number(said: str, written: bytes) -> None:
    """Nothing is lost, and nothing raises."""
    streams.prepare()
    assert said.encode("ascii", "monitor-twins") == written


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "Permission denied", "/proc/1/cwd"), "/proc/1/cwd: Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(2, "No such file", "http://u:pw@h/a?token=x"), "http://h/a: No such file"),
        (MemoryError(), "there is not enough memory"),
        (ValueError("a secret"), "a defect of monitor: ValueError at "),
    ],
)
def test_what_no_command_has_words_for_is_a_sentence(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one line, without data; exit code 2."""

    def fails(_: object) -> int:
        raise error

    monkeypatch.setattr(cli, "_schema", fails)
    assert cli.main(["schema", "replay"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"monitor: {line}")
    assert said.count("\n") == 1
    assert "secret" not in said
