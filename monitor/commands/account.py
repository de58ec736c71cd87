"""The process → the name of the account that it runs under, for logs of who did what."""

from __future__ import annotations

import getpass
import os


def name() -> str:
    """Return the account's name, or `uid-N`: in a container the user N need not have one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # before and since Python 3.13
        return f"uid-{os.getuid()}"
