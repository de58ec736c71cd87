"""Who did what to personal data, when and why → a line of a file that is on the disk before it is
done."""

from __future__ import annotations

import datetime
import fcntl
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitor.audit.line_chain import PREVIOUS, check, digest, is_whole
from monitor.audit.proofs import Wrong
from monitor.commands import account
from monitor.errors import ConfigError, UsageError
from monitor.texts import visible

SUFFIX = ".jsonl"
_PIECE = 1 << 16
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def append(path: Path, what: dict[str, Any], refusal: str) -> str:
    """Append a line with the time, `what` and a digest of what is before it, wait until it is
    on the disk, and return its own digest. Raises ConfigError, which ends with `refusal`, where
    that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # the time goes on from line to line, too
            at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            last = _last_lines(file)
            entry = {"at": at, **what, PREVIOUS: digest(*last)}
            begin = b"" if not last or last[-1].endswith(b"\n") else b"\n"  # a crash cut it
            line = f"{json.dumps(entry)}\n".encode()
            _write(file, begin + line)
            os.fsync(file.fileno())
            return digest(line)
    except OSError as error:
        raise ConfigError(f"--audit: {path}: {error.strerror}; {refusal}") from None


def _write(file: io.FileIO, data: bytes) -> None:
    """Write all of it at the end, or nothing: a full disk takes a part and says so at the next."""
    end = file.seek(0, os.SEEK_END)
    try:
        while data:
            data = data[file.write(data) :]
    except OSError:
        file.truncate(end)
        raise


def _last_lines(file: io.FileIO) -> list[bytes]:
    """The last whole line of a file and what crashes left after it, with their ends."""
    found: list[bytes] = []
    for line in _backwards(file):
        found.append(line)
        if is_whole(line):
            break
    return found[::-1]


def _backwards(file: io.FileIO) -> Iterator[bytes]:
    """The lines of a file with their ends, the last first. Each byte is read once."""
    end = file.seek(0, os.SEEK_END)
    parts: list[bytes] = []  # of one line, the last first
    while end > 0:
        begin = max(0, end - _PIECE)
        file.seek(begin)
        for part in reversed(io.BytesIO(file.read(end - begin)).readlines()):
            if parts and part.endswith(b"\n"):
                yield b"".join(reversed(parts))
                parts.clear()
            parts.append(part)
        end = begin
    if parts:
        yield b"".join(reversed(parts))


def lines(path: Path, anchors: list[Path]) -> Iterator[str]:
    """What `monitor verify` says of a log: its lines name one another, and it has those whose
    digests stand in files that were kept elsewhere. Raises Wrong, and UsageError for a person."""
    try:
        with path.open("rb") as file:
            found = check(file)
        kept = [one for anchor in anchors for one in _DIGEST.findall(anchor.read_text("utf-8"))]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be told: {error}") from None
    if anchors and not kept:
        raise UsageError("--anchor: holds no SHA-256 of a line, as monitor verify prints it")
    if lost := set(kept).difference(found.digests):
        raise Wrong(f"{path}: a line was kept elsewhere, and the log has it no more: {min(lost)}")
    last = found.digests[-1] if found.digests else "none"
    yield f"{path}: {found.total} lines, {found.linked} of them name the line before; last {last}"
    for number in found.cut:
        yield f"line {number} is incomplete, as a crash leaves the line that is being written"
    if found.unproved:
        yield f"lines up to {found.unproved} may have been written anew: no later line proves them"
    whole = "all that was kept elsewhere is there" if kept else "its end may be cut off (--anchor)"
    yield f"proven: no line was changed, moved or taken out from among those; {whole}"


def told(path: Path, line: str) -> str:
    """Return what to tell whoever did what a line says, so that its digest is kept elsewhere."""
    return f"{path} has this as {line}; kept with the reason, it shows if the line goes"


def who() -> str:
    """Return who runs this: a name, and a number that says it where there is no name."""
    return f"{visible(account.name())} (uid {os.getuid()})"
