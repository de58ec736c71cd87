"""Extras of the package: what is installed on request, and the one sentence where it is not."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Generator
from typing import Any


def advice(extra: str, what: str) -> str:
    """Return the line that says how to install what `what` (an option, key or command) needs.

    It names the clone because no registry has a release yet.

    >>> advice("dask", "--engine dask")
    "--engine dask: install what it needs: in a clone of monitor, pip install '.[dask]'"
    """
    return f"{what}: install what it needs: in a clone of monitor, pip install '.[{extra}]'"


def is_there(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


@contextlib.contextmanager
def without(*packages: str) -> Generator[None]:
    """Let what is imported meanwhile go without packages that it only uses where they are there.

    What is loaded already stays.
    """
    modules: dict[str, Any] = sys.modules  # None in it says that there is no such module
    absent = [name for name in packages if name not in modules]
    modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del modules[name]
