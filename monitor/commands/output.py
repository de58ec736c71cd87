"""What commands write beside their answer: files that a user names, and notes."""

from __future__ import annotations

import sys
from pathlib import Path

from monitor.errors import UsageError
from monitor.places import unwritable
from monitor.texts import printable
from monitor.urls import named


def need(*names: str | None) -> None:
    """Raise UsageError where a file cannot be written, before the work of hours whose result it is
    to hold. Nothing is written yet; `-` and no name are no files."""
    for name in names:
        if name and name != "-" and (why := unwritable(Path(name))):
            raise UsageError(f"{named(name)}: cannot be written: {why}")


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
