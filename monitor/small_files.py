"""A small file that a setting names, such as keys and tokens → its bytes and its mode, at once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from monitor.errors import ConfigError


def read(path: Path, key: str, most: int) -> tuple[bytes, int]:
    """Return what is in a file, of a larger one `most` bytes and one more, and its mode.

    Raises ConfigError in one line that names the setting `key`. It waits for nobody who would have
    to write into a pipe.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(most + 1) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise ConfigError(f"{key}: {path}: {error.strerror}") from None
    except ValueError:  # a NUL in it
        raise ConfigError(f"{key}: {str(path)!r} is not the name of a file") from None
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{key}: {path}: is not a file")
    return data, mode


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
