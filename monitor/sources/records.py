"""An archived JSONL file, one Record document a line, plain or packed → Records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from monitor import packing
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Head, Source
from monitor.types import Record, decode_record

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a line raises that is no Record."""

OURS = {"endpoint", "protocol", "started", "request"}
"""Keys that every Record has."""


def claims(head: Head) -> bool:
    """Whether the first line that is a JSON object is a Record.

    Lines among which there is no object are taken for damaged records. Raises SourceError for
    Records in a JSON array.
    """
    if head.text.startswith(b"["):
        if all(f'"{key}"'.encode() in head.text for key in OURS):
            raise SourceError(f"{head.path}: is a JSON array; an archive has one document a line")
        return False
    return head.is_lines and not _is_foreign(head.text)


def _is_foreign(start: bytes) -> bool:
    for line in start.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if type(found) is dict:
            return not found.keys() >= OURS
    return False


def read(path: Path, damage: Damage, after: int = 0) -> Iterator[Record]:
    """The records in the order they stand, `after` so many lines; lines that are none are told to
    `damage`.

    Raises SourceError when the file cannot be opened.
    """
    if not after:
        damage.begin(path)
    number = after

    def counted(lines: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal number
        for number, line in enumerate(lines, start=1):
            if number > after:
                yield line

    try:
        stream = packing.opened(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {packing.why(error)}") from None
    try:
        with stream:
            yield from decode(path, counted(stream), damage, after)
    except OSError as error:
        damage.ends(path, f"{path}:{number + 1}", packing.why(error))


def decode(path: Path, lines: Iterable[bytes], damage: Damage, after: int = 0) -> Iterator[Record]:
    """The records in lines of a file that come `after` so many others."""
    for number, line in enumerate(lines, start=after + 1):
        if not line.strip():
            continue
        try:
            record = decode_record(line)
        except UNREADABLE as error:
            hint = "; a table must be CSV, Parquet or JSON objects" if number == 1 else ""
            damage.rows(path, f"{path}:{number}", f"not a record: {_reason(error)}{hint}")
        else:
            yield record


def strictly(lines: Iterable[bytes]) -> Iterator[Record]:
    """The records in lines; raises one of UNREADABLE where there is something else."""
    for line in lines:
        if line and not line.isspace():
            yield decode_record(line)


def _reason(error: Exception) -> str:
    return "not UTF-8" if isinstance(error, UnicodeError) else str(error)


SOURCE = Source("records", packing.named(".jsonl", ".ndjson"), claims, records=read)
