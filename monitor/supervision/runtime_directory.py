"""The private runtime directory of a supervisor: sockets and settings, in the temporary directory.

The supervisor and each child hold a shared lock on its lock file while they run. The next start
removes the directories whose lock is free: killed supervisors left them. A lock, unlike a process
id, works across containers that share a temporary directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from pathlib import Path

from monitor.errors import ConfigError

PREFIX = "monitor-"
LONGEST = 85
"""Bytes of its path: the path of a Unix socket may have 107, and 21 are for the socket's name."""
_LOCK = "lock"
_FLAGS = os.O_RDWR | os.O_NOFOLLOW


def create() -> tuple[Path, int]:
    """Make the directory (mode 0700); return it and the descriptor of its lock.

    Raises ConfigError if the temporary directory cannot be written, or if its name is too long.
    """
    import tempfile  # children need `hold` alone

    try:
        made = Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        raise ConfigError(
            f"TMPDIR: no directory can be made there: {error.strerror}; set TMPDIR to one that "
            "can be written to"
        ) from None
    if len(os.fsencode(made)) > LONGEST:
        made.rmdir()
        raise ConfigError(
            f"TMPDIR: {made.parent} is too long for the name of a socket; set TMPDIR to a shorter "
            "path, as /tmp"
        )
    new = made / f".{_LOCK}"
    try:
        descriptor = os.open(new, _FLAGS | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        new.rename(made / _LOCK)  # so a lock file is never seen without its lock
    except OSError as error:
        new.unlink(missing_ok=True)
        made.rmdir()
        raise ConfigError(f"TMPDIR: {made} cannot be used: {error.strerror}") from None
    return made, descriptor


def hold(directory: Path) -> int:
    """Keep the directory until this process ends; return the descriptor of the lock.

    Raises OSError if the directory is gone or is being removed.
    """
    descriptor = os.open(directory / _LOCK, _FLAGS | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def remove_abandoned() -> None:
    """Remove the directories of this user whose processes have all ended, and no other."""
    import shutil  # as in `create`
    import tempfile

    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                continue
            descriptor = os.open(directory / _LOCK, _FLAGS)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(descriptor)
