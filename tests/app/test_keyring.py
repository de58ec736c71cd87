"""`monitor keys` as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli import main


def test_keys_are_rotated_and_listed_and_never_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Id, fingerprint and state, a line each."""
    data = ["--data", str(tmp_path)]
    assert main(["keys", "rotate", *data]) == 0
    assert main(["keys", "rotate", "--id", "spring", *data]) == 0
    capsys.readouterr()
    assert main(["keys", "list", *data]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], line[2]) for line in lines] == [("spring", "current"), ("k1", "overlap")]
    assert main(["keys", "fingerprint", *data]) == 0
    out = capsys.readouterr().out
    assert out.split("\t")[:2] == lines[0][:2]
    for line in (tmp_path / "privacy.key").read_text().splitlines():
        assert line.split()[1] not in out


def test_a_missing_key_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and the file is named."""
    assert main(["keys", "list", "--data", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "privacy.key" in error
    assert len(error.splitlines()) == 1
