"""The data directory is one command's at a time, and nobody's after its death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.supervision import data_lock


def test_who_comes_second_is_told_who_has_it(tmp_path: Path) -> None:
    """In one line that says what to do; afterwards it is free."""
    with data_lock.held(tmp_path):
        line = f"data: {tmp_path} is in use by process {os.getpid()}; give each its own --data"
        with pytest.raises(ConfigError) as caught, data_lock.held(tmp_path):
            pass
        assert str(caught.value) == line
    with data_lock.held(tmp_path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """Whatever killed it: nobody has to remove a file."""
    code = (
        "import pathlib, signal, sys; from monitor.supervision import data_lock\n"
        "with data_lock.held(pathlib.Path(sys.argv[1])): print(flush=True); signal.pause()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder, holder.stdout:
        holder.stdout.readline()
        with pytest.raises(ConfigError, match=f"process {holder.pid};"), data_lock.held(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with data_lock.held(tmp_path):
        pass


def test_a_directory_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """With its name."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match=f"data: {file}"):
        data_lock.made(file / "data")
    with pytest.raises(ConfigError, match=f"data: {file}"), data_lock.held(file):
        pass
