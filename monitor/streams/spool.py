"""Record ↔ disk, while the store is away: segment files of `length, crc32, JSON`, oldest first.

A segment is deleted once all of it is in the stream and acknowledged; a crash in between leaves it,
and its records are recognised by their ids. Every append reaches the operating system before it
counts (it survives the death of this process, not a power cut).
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from monitor.types import Record, decode_record, encode_record

SEGMENT_BYTES = 8 << 20
_HEAD = 8


class Spool:
    """The spool of one recorder, in a directory of its own; at most `max_bytes` on disk."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._segments = sorted(directory.glob("*.spool")) if directory.is_dir() else []
        self.bytes = sum(path.stat().st_size for path in self._segments)
        self._current: Path | None = None

    def __bool__(self) -> bool:
        return bool(self._segments)

    def append(self, records: Sequence[Record]) -> bool:
        """Write all, or nothing: False where there is no room or the disk refuses."""
        data = b"".join(_frame(encode_record(record)) for record in records)
        if self.bytes + len(data) > self._max_bytes:
            return False
        try:
            path = self._open()
            with path.open("ab") as file:
                size = file.tell()
                try:
                    file.write(data)
                    file.flush()
                except OSError:
                    with contextlib.suppress(OSError):
                        os.truncate(path, size)
                    raise
        except OSError:
            return False
        self.bytes += len(data)
        if path not in self._segments:
            self._segments.append(path)
        if size + len(data) >= SEGMENT_BYTES:
            self._current = None
        return True

    def oldest(self) -> tuple[Path, list[Record]] | None:
        """The oldest segment and its records, a torn or corrupt end left out; None when empty.

        It is closed: what is appended from now on goes to another.
        """
        if not self._segments:
            return None
        path = self._segments[0]
        if path == self._current:
            self._current = None
        return path, list(_records(path))

    def forget(self, path: Path) -> None:
        """Delete a segment whose records have all been acknowledged."""
        with contextlib.suppress(OSError):
            self.bytes -= path.stat().st_size
            path.unlink()
        self._segments.remove(path)

    def ids(self) -> set[str]:
        """Ids of all that is spooled."""
        return {record.id for path in self._segments for record in _records(path)}

    def _open(self) -> Path:
        if self._current is None:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            last = int(self._segments[-1].stem) if self._segments else 0
            self._current = self._directory / f"{last + 1:012}.spool"
        return self._current


def _frame(document: bytes) -> bytes:
    return len(document).to_bytes(4, "big") + zlib.crc32(document).to_bytes(4, "big") + document


def _records(path: Path) -> Iterator[Record]:
    try:
        data = path.read_bytes()
    except OSError:
        return
    start = 0
    while start + _HEAD <= len(data):
        end = start + _HEAD + int.from_bytes(data[start : start + 4], "big")
        document = data[start + _HEAD : end]
        if zlib.crc32(document) != int.from_bytes(data[start + 4 : start + _HEAD], "big"):
            return
        with contextlib.suppress(msgspec.DecodeError):
            yield decode_record(document)
        start = end
