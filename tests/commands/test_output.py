"""What commands write beside their answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.commands.output import need, note, write
from monitor.errors import UsageError


def test_a_file_is_written_or_named(tmp_path: Path) -> None:
    """In one sentence with the reason."""
    write(str(tmp_path / "a"), b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    with pytest.raises(UsageError, match="/a/b: cannot be written: Not a directory"):
        write(str(tmp_path / "a" / "b"), b"x")


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    """Nothing is written by that, and what is no file is left alone."""
    (tmp_path / "a").write_bytes(b"x")
    need(None, "-", str(tmp_path / "a"), str(tmp_path / "new"), "/dev/stdout")
    assert (tmp_path / "a").read_bytes() == b"x"
    assert not (tmp_path / "new").exists()
    for name, why in [
        (tmp_path, "Is a directory"),
        (tmp_path / "a" / "b", "Not a directory"),
        (tmp_path / "c" / "b", "No such file or directory"),
        (tmp_path / ("c" * 300), "File name too long"),
    ]:
        with pytest.raises(UsageError, match=f"{name}: cannot be written: {why}"):
            need(str(name))


@pytest.mark.parametrize(
    "command",
    [
        "replay --json", "replay --html", "replay --junit", "reference build --out",
        "redrive --against http://127.0.0.1:9 --json", "verify no-archive --checkpoints",
    ],
)  # fmt: skip
def test_a_command_looks_at_its_file_first(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it looks at its source, of which the work may take hours or cost money."""
    file = str(tmp_path / "none" / "x")
    source = [] if command.startswith("verify") else ["no-source.csv"]
    with pytest.raises(SystemExit) as ended:
        sys.exit(main([*command.split(), file, *source]))
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"monitor: {file}: cannot be written: No such file or directory\n"
    )


def test_a_note_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever somebody's file has in a name."""
    note("read \x1b[2Ja\nb")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("monitor: read ")
    assert said.err.count("\n") == 1
    assert "\x1b" not in said.err


@pytest.mark.parametrize("name", ["http://u:PW@127.0.0.1:9/x.html", "http:/u:PW@h/x?token=PW"])
def test_a_file_that_is_a_url_is_named_without_its_password(name: str) -> None:
    """It was meant for an upload, which there is not."""
    with pytest.raises(UsageError, match="cannot be written: No such file") as raised:
        write(name, b"x")
    assert "PW" not in str(raised.value)
