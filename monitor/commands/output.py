"""What commands write beside their answer: files that a user names, and notes."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from monitor.errors import UsageError
from monitor.texts import printable
from monitor.urls import named


def need(*names: str | None) -> None:
    """Raise UsageError where a file cannot be written, before the work of hours whose result it is
    to hold. Nothing is written yet; `-` and no name are no files."""
    for name in names:
        if name and name != "-" and (why := _obstacle(Path(name))):
            raise UsageError(f"{named(name)}: cannot be written: {why}")


def _obstacle(path: Path) -> str | None:
    try:
        there = path if path.exists() else path.parent
        is_directory = there.is_dir()
        is_fixed = os.statvfs(there).f_flag & os.ST_RDONLY
    except OSError as error:
        return error.strerror
    if is_directory is (there == path):
        return os.strerror(errno.EISDIR if is_directory else errno.ENOTDIR)
    if os.access(there, os.W_OK):
        return None
    return os.strerror(errno.EROFS if is_fixed else errno.EACCES)


def write(name: str, content: bytes) -> None:
    """Write a file. Raises UsageError where that fails."""
    try:
        Path(name).write_bytes(content)
    except OSError as error:
        raise UsageError(f"{named(name)}: cannot be written: {error.strerror}") from None


def document(content: bytes) -> None:
    """Write JSON to stdout, in UTF-8 whatever is usual there (RFC 8259 8.1); an OSError names
    stdout."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, "stdout") from None


def note(text: str) -> None:
    """Say something that is no part of the answer."""
    print(f"monitor: {printable(text)}", file=sys.stderr)
