"""What commands write beside their answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.commands.output import note, write
from monitor.errors import UsageError


def test_a_file_is_written_or_named(tmp_path: Path) -> None:
    """In one sentence with the reason."""
    write(str(tmp_path / "a"), b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    with pytest.raises(UsageError, match="/a/b: cannot be written: Not a directory"):
        write(str(tmp_path / "a" / "b"), b"x")


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
