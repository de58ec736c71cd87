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
        if not name or name == "-":
            continue
        path = Path(name)
        if path.is_dir():
            wrong = errno.EISDIR
        elif path.exists() or path.parent.is_dir():
            wrong = (
                0 if os.access(path if path.exists() else path.parent, os.W_OK) else errno.EACCES
            )
        else:
            wrong = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
        if wrong:
            raise UsageError(f"{named(name)}: cannot be written: {os.strerror(wrong)}")


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
