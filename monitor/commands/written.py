"""What commands write beside their answer: files that a user names, and notes."""

from __future__ import annotations

import sys
from pathlib import Path

from monitor.errors import UsageError
from monitor.texts import printable


def write(name: str, content: bytes) -> None:
    """Write a file. Raises UsageError where that fails."""
    try:
        Path(name).write_bytes(content)
    except OSError as error:
        raise UsageError(f"{name}: cannot be written: {error.strerror}") from None


def note(text: str) -> None:
    """Say something that is no part of the answer."""
    print(f"monitor: {printable(text)}", file=sys.stderr)
