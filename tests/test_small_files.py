"""A small file is read at once, or there is one line that names its setting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor import small_files
from monitor.errors import ConfigError


def test_a_file_is_read_with_its_mode(tmp_path: Path) -> None:
    """Of a larger one no more than shows that it is one."""
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    path.chmod(0o640)
    data, mode = small_files.read(path, "k", 10)
    assert (data, mode & 0o777) == (b"0123456789", 0o640)
    assert small_files.read(path, "k", 4)[0] == b"01234"


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    """Also a pipe to which nobody writes, and a name that no file can have."""
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("pipe", ": is not a file"), ("gone", ": No such file or directory"),
        ("a/../pipe/b", ": No such file or directory"), ("\0", " is not the name of a file"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"^privacy.key_file: .*{why}$"):
            small_files.read(tmp_path / name, "privacy.key_file", 10)
