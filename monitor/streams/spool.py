"""Record ↔ disk, while the store is away: segment files of `length, crc32, JSON`, oldest first.

A segment is deleted once all of it is in the stream and acknowledged. One that a crash left in
between has the time in its name since when its records may be in the stream, so that nobody need
look further back. Every append reaches the operating system before it counts (it survives the
death of this process, not a power cut).
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.types import Record, decode_record, encode_record

SEGMENT_BYTES = 8 << 20
_HEAD = 8


class _Id(msgspec.Struct):
    id: str


_decode_id = msgspec.json.Decoder(_Id).decode


class Segment(NamedTuple):
    """A file of the spool; `since` when its records may be in the stream, None when they are not
    (Unix seconds)."""

    path: Path
    records: list[Record]
    since: float | None


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

    def append(self, records: Sequence[Record], *, since: float | None = None) -> bool:
        """Write all, or nothing: False where there is no room or the disk refuses.

        With `since` they may be in the stream already, appended at that time or later; they get
        a segment of their own.
        """
        data = b"".join(_frame(encode_record(record)) for record in records)
        if self.bytes + len(data) > self._max_bytes:
            return False
        try:
            path = self._open(since)
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
        if since is not None or size + len(data) >= SEGMENT_BYTES:
            self._current = None
        return True

    def oldest(self, now: float) -> Segment | None:
        """The oldest segment, a torn or corrupt end left out; None when the spool is empty.

        It is closed: what is appended from now on goes to another. The time `now` is written into
        its name, since its records may be in the stream from now on.
        """
        if not self._segments:
            return None
        path = self._segments[0]
        if path == self._current:
            self._current = None
        since = _since(path)
        if since is None:
            tried = _named(path.parent, _number(path), now)
            with contextlib.suppress(OSError):
                self._segments[0] = path = path.rename(tried)
        return Segment(path, list(_records(path)), since)

    def forget(self, path: Path) -> None:
        """Delete a segment whose records have all been acknowledged."""
        with contextlib.suppress(OSError):
            self.bytes -= path.stat().st_size
            path.unlink()
        self._segments.remove(path)

    def ids(self) -> set[str]:
        """Ids of all that is spooled."""
        documents = (one for path in self._segments for one in _documents(path))
        return {_decode_id(one).id for one in documents}

    def _open(self, since: float | None) -> Path:
        if self._current is None or since is not None:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            last = _number(self._segments[-1]) if self._segments else 0
            self._current = _named(self._directory, last + 1, since)
        return self._current


def _named(directory: Path, number: int, since: float | None) -> Path:
    tried = "" if since is None else f"-{int(since)}"
    return directory / f"{number:012}{tried}.spool"


def _number(path: Path) -> int:
    return int(path.stem.partition("-")[0])


def _since(path: Path) -> float | None:
    tried = path.stem.partition("-")[2]
    return float(tried) if tried else None


def _frame(document: bytes) -> bytes:
    return len(document).to_bytes(4, "big") + zlib.crc32(document).to_bytes(4, "big") + document


def _records(path: Path) -> Iterator[Record]:
    for document in _documents(path):
        with contextlib.suppress(msgspec.DecodeError):  # written by another version of ours
            yield decode_record(document)


def _documents(path: Path) -> Iterator[bytes]:
    """The records of a segment as they were written, up to where it is torn or corrupt."""
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
        yield document
        start = end
