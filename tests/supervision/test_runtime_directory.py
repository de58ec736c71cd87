"""The runtime directory: a start removes those whose processes have all ended, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.supervision import runtime_directory

HOLDER = """
import sys
from pathlib import Path
from monitor.supervision import runtime_directory
runtime_directory.LONGEST = 200
if sys.argv[1:]:
    runtime_directory.hold(Path(sys.argv[1]))
    print("held", flush=True)
else:
    print(runtime_directory.create()[0], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of our own, with a short name."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(runtime_directory, "LONGEST", 200)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def holder(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Another process that makes a directory, or holds the one that is named; and what it says."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL, and wait for it."""
    process.kill()
    process.communicate()


def test_the_directory_of_a_killed_supervisor_is_removed_by_the_next_start(temporary: Path) -> None:
    """Not while one of its processes lives: a child that drains still uses it."""
    supervisor, name = holder()
    (Path(name) / "settings.json").write_text("{}")
    child, said = holder(name)
    assert said == "held"
    runtime_directory.remove_abandoned()
    assert Path(name).exists()
    kill(supervisor)
    runtime_directory.remove_abandoned()
    assert Path(name).exists(), "its child lives"
    kill(child)
    runtime_directory.remove_abandoned()
    assert not list(temporary.iterdir())


def test_nothing_else_is_removed(temporary: Path) -> None:
    """A directory without a lock file, a file, a link to elsewhere, another name, one in use."""
    made, descriptor = runtime_directory.create()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (temporary / "monitor-link").symlink_to(elsewhere)
    (temporary / "monitor-demo-data").mkdir()
    (temporary / "monitor-file").touch()
    linked = temporary / "monitor-linked-lock"
    linked.mkdir()
    (linked / "lock").symlink_to(elsewhere / "lock")
    before = sorted(temporary.rglob("*"))
    runtime_directory.remove_abandoned()
    assert sorted(temporary.rglob("*")) == before
    os.close(descriptor)
    runtime_directory.remove_abandoned()
    assert not made.exists()


def test_it_is_private_and_a_directory_that_is_gone_cannot_be_held(temporary: Path) -> None:
    """Whoever would hold it learns that it is gone."""
    made, descriptor = runtime_directory.create()
    assert made.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in made.iterdir()] == ["lock"]
    os.close(descriptor)
    runtime_directory.remove_abandoned()
    with pytest.raises(OSError, match="lock"):
        runtime_directory.hold(made)


def test_a_name_that_is_too_long_for_a_socket_is_said(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is left there."""
    monkeypatch.setattr(runtime_directory, "LONGEST", 5)
    with pytest.raises(ConfigError, match=r"TMPDIR: .* is too long for the name of a socket"):
        runtime_directory.create()
    assert not list(temporary.iterdir())
