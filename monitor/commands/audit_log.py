"""Who did what to personal data, when and why → a line of a file that is on the disk before it is
done."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

from monitor.commands import account
from monitor.errors import ConfigError
from monitor.texts import visible


def append(path: Path, what: dict[str, Any], refusal: str) -> None:
    """Append a line with the time and `what`, and wait until it is on the disk. Raises ConfigError,
    which ends with `refusal`, where that fails."""
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    entry = {"at": at, **what}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"--audit: {path}: {error.strerror}; {refusal}") from None


def who() -> str:
    """Return who runs this: a name, and a number that says it where there is no name."""
    return f"{visible(account.name())} (uid {os.getuid()})"
