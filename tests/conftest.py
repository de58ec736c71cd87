"""What all tests share: programs that are not Python."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a program, or a skipped test that says what to install; an error in CI."""

    def find(name: str) -> str:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
        if path is None:
            if os.environ.get("CI"):
                pytest.fail(f"{name} is not installed; `make debian` does it as root on Debian")
            pytest.skip(f"{name} is not installed")
        return path

    return find
