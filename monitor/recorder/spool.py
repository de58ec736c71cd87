"""Record ↔ disk, while the store is away: files of `length, crc32, JSON`, oldest first.

A file is deleted once all its records are in the stream and acknowledged. Its name,
`NUMBER-SINCE-DONE.spool`, is all that a successor needs after a crash: the Unix time from which on
its records may be in the stream, and how many of its bytes are settled.

An append counts once the operating system has it: it survives the death of this process, but not a
power cut. Damage costs only the damaged records; reading goes on at the next one.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.errors import StreamError
from monitor.types import Outcome, Record, decode_record, encode_record

FILE_BYTES = 8 << 20
PART = 256
_HEAD = 8
_BEGINNING = b'{"id":"'


class SpooledEntry(msgspec.Struct, frozen=True):
    """The fields of a spooled record that the ledger needs; cheaper to decode than the record."""

    id: str
    protocol: str
    operation: str
    outcome: Outcome


_decode_entry = msgspec.json.Decoder(SpooledEntry).decode
_encode = msgspec.json.Encoder().encode


class SpooledPart(NamedTuple):
    """Some records of a file, up to byte `end` of it. `unreadable` records have another form,
    for example of another version."""

    records: list[Record]
    unreadable: list[SpooledEntry]
    end: int


class SpoolFile(NamedTuple):
    """A file of the spool. `since` is the Unix time from which on its records may be in the stream;
    None: they are not in it."""

    path: Path
    parts: list[SpooledPart]
    since: float | None


class Spool:
    """The spool of one recorder, in a directory of its own; at most `max_bytes` on disk."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._files = sorted(directory.glob("*.spool")) if directory.is_dir() else []
        self.bytes = sum(path.stat().st_size for path in self._files)
        self._current: Path | None = None
        self.refusal = ""
        """Why the last `append` wrote nothing."""

    def __bool__(self) -> bool:
        return bool(self._files)

    def adopt(self, directory: Path) -> None:
        """Take over the files of a recorder that no longer exists, behind our own."""
        for path in sorted(directory.glob("*.spool")):
            with contextlib.suppress(OSError):
                size = path.stat().st_size
                self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                name = _Name.of(path)._replace(number=self._next())
                self._files.append(path.rename(self._directory / str(name)))
                self.bytes += size
        with contextlib.suppress(OSError):
            directory.rmdir()

    def append(self, records: Sequence[Record], *, since: float | None = None) -> bool:
        """Write all records, or none: return False if there is no room or the disk fails, and leave
        in `refusal` which.

        With `since` (Unix seconds) the records may be in the stream already, appended at that time
        or later; they share no file with others.
        """
        data = b"".join(_frame(encode_record(record)) for record in records)
        if self.bytes + len(data) > self._max_bytes:
            self.refusal = f"spool.max_bytes, {self._max_bytes:,}, is reached"
            return False
        try:
            path = self._open(since)
            with path.open(
                "ab", buffering=0
            ) as file:  # a buffer writes what it has left at the end
                size = file.tell()
                try:
                    left = memoryview(data)
                    while left:
                        left = left[file.write(left) :]
                except OSError:
                    with contextlib.suppress(OSError):
                        os.truncate(path, size)
                    raise
        except OSError as error:
            self._current = None  # its directory may have been removed
            reason = (error.strerror or str(error)).lower()
            self.refusal = f"{self._directory} cannot be written to: {reason}"
            return False
        self.bytes += len(data)
        if path not in self._files:
            self._files.append(path)
        if size + len(data) >= FILE_BYTES:
            self._current = None
        return True

    def oldest(self, now: float) -> SpoolFile | None:
        """Return what is not settled of the oldest file, or None if the spool is empty.

        Closes the file: later appends go to another. Writes `now` (Unix seconds) into its name,
        because its records may be in the stream from now on. Raises StreamError if it cannot be
        read.
        """
        if not self._files:
            return None
        path = self._files[0]
        if path == self._current:
            self._current = None
        name = _Name.of(path)
        if name.since is None:
            path = self._rename(path, name._replace(since=int(now)))
        since = None if name.since is None else float(name.since)
        return SpoolFile(path, list(_parts(path, name.done)), since)

    def settle(self, path: Path, end: int) -> Path:
        """Mark the bytes up to `end` as settled; return the file's new path."""
        return self._rename(path, _Name.of(path)._replace(done=end))

    def forget(self, path: Path) -> None:
        """Delete a file whose records are all settled."""
        with contextlib.suppress(OSError):
            self.bytes -= path.stat().st_size
            path.unlink()
        self._files.remove(path)

    def entries(self) -> Iterator[tuple[list[SpooledEntry], int]]:
        """Yield the unsettled entries of each file and its number of damaged places; nothing
        of a file that cannot be read."""
        for path in list(self._files):
            found = []
            damaged = 0
            with contextlib.suppress(StreamError):
                for document, _ in _documents(path, _Name.of(path).done):
                    try:
                        found.append(_decode_entry(document))
                    except msgspec.DecodeError:
                        damaged += 1
            yield found, damaged

    def _next(self) -> int:
        return _Name.of(self._files[-1]).number + 1 if self._files else 1

    def _open(self, since: float | None) -> Path:
        if self._current is None or not _Name.of(self._current).takes(since):
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            name = _Name(self._next(), None if since is None else int(since), 0)
            self._current = self._directory / str(name)
        return self._current

    def _rename(self, path: Path, name: _Name) -> Path:
        with contextlib.suppress(OSError):
            place = self._files.index(path)
            self._files[place] = path = path.rename(path.with_name(str(name)))
        return path


def erase(directory: Path, is_meant: Callable[[bytes], bool], *, for_good: bool) -> int:
    """Return how many records of a spool are meant. With `for_good` only what the ledger needs is
    left of each: its recorder, which may be running, counts it as lost, reason unreadable.

    A record is written over in its place, at once with its checksum. Raises StreamError where a
    file cannot be read or written.
    """
    count = 0
    for path in sorted(directory.glob("*.spool")):
        for document, end in _documents(path, 0):
            if not document or not is_meant(document):
                continue
            count += 1
            if for_good:
                left = _left(document)
                try:
                    with path.open("r+b", buffering=0) as file:
                        file.seek(end - len(document) - _HEAD)
                        file.write(_frame(left))
                        os.fsync(file.fileno())
                except FileNotFoundError:  # its records are in the stream
                    continue
                except OSError as error:
                    raise StreamError(f"the spool cannot be written ({error.strerror})") from None
    return count


def _left(document: bytes) -> bytes:
    """What is left of a record that is erased, of the same length."""
    try:
        left = _encode(_decode_entry(document))
    except msgspec.DecodeError:  # the ledger cannot use it either
        left = b""
    return left.ljust(len(document))


class _Name(NamedTuple):
    number: int
    since: int | None
    done: int

    @classmethod
    def of(cls, path: Path) -> _Name:
        number, since, done = (*path.stem.split("-"), "", "")[:3]
        return cls(int(number), int(since) if since else None, int(done or 0))

    def takes(self, since: float | None) -> bool:
        """Return whether records appended with this `since` may join this file."""
        if since is None or self.since is None:
            return since is self.since
        return since >= self.since

    def __str__(self) -> str:
        since = "" if self.since is None else f"-{self.since}"
        done = f"-{self.done}" if self.done else ""
        return f"{self.number:012}{since}{done}.spool"


def _frame(document: bytes) -> bytes:
    return len(document).to_bytes(4, "big") + zlib.crc32(document).to_bytes(4, "big") + document


def _parts(path: Path, start: int) -> Iterator[SpooledPart]:
    records: list[Record] = []
    unreadable: list[SpooledEntry] = []
    end = start
    for document, end in _documents(path, start):
        try:
            records.append(decode_record(document))
        except msgspec.DecodeError:
            with contextlib.suppress(msgspec.DecodeError):  # else it is damaged
                unreadable.append(_decode_entry(document))
        if len(records) + len(unreadable) == PART:
            yield SpooledPart(records, unreadable, end)
            records, unreadable = [], []
    if records or unreadable:
        yield SpooledPart(records, unreadable, end)


def _documents(path: Path, start: int) -> Iterator[tuple[bytes, int]]:
    """Yield the documents of a file from byte `start` on, each with its end; an empty one for a
    damaged place."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:  # it was deleted; the ledger will miss its records
        return
    except OSError as error:
        raise StreamError(f"the spool cannot be read ({error.strerror})") from None
    is_lost = False
    while start < len(data):
        end = start + _HEAD + int.from_bytes(data[start : start + 4], "big")
        document = data[start + _HEAD : end]
        if document and zlib.crc32(document) == int.from_bytes(
            data[start + 4 : start + _HEAD], "big"
        ):
            yield document, end
            start = end
            is_lost = False
        else:  # torn or corrupt: the next frame is just before the next beginning of a record
            found = data.find(_BEGINNING, start + _HEAD + 1)
            if not is_lost:
                yield b"", start
            is_lost = True
            if found < 0:
                return
            start = found - _HEAD
