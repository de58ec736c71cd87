"""The data directory: made at first use, and used by one command at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from monitor.errors import ConfigError

LOCK = "lock"


def made(directory: Path) -> Path:
    """Make the directory with mode 0700; raises ConfigError if that fails."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"data: {directory}: {error.strerror}") from None
    return directory


@contextlib.contextmanager
def held(directory: Path) -> Generator[None]:
    """Hold the directory's lock: two commands in one would deliver each other's spool.

    The lock ends with this process, however that ends. Raises ConfigError if another has it.
    """
    try:
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"data: {directory}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "?"
            raise ConfigError(
                f"data: {directory} is in use by process {holder}; give each its own --data"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
