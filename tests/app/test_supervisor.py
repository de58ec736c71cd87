"""What a supervisor needs of the machine is said before anything starts."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.supervision import runtime_directory


@pytest.mark.parametrize("wrong", ["too long", "not there"])
def test_a_temporary_directory_that_cannot_be_used_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: str,
) -> None:
    """And nothing is left in it."""
    place = tmp_path / ("x" * runtime_directory.LONGEST)
    if wrong == "too long":
        place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    upstream = ["--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0"]
    data = ["--admin", "127.0.0.1:0", "--data", str(tmp_path / "data")]
    assert main(["run", *upstream, *data]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "TMPDIR: " in line
    assert not place.exists() or not list(place.iterdir())
