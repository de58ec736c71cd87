"""What commands write beside their answer: files that a user names, and notes."""

from __future__ import annotations

import sys
from pathlib import Path

from monitor.errors import UsageError
from monitor.texts import printable
from monitor.urls import named


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
