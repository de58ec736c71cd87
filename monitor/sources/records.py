"""An archived JSONL file, one Record document a line, plain or gzipped → Records."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Head, Source
from monitor.types import Record, decode_record

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


def read(path: Path, damage: Damage) -> Iterator[Record]:
    """The records in the order they stand; lines that are none are told to `damage`.

    Raises SourceError when the file cannot be opened.
    """
    damage.begin(path)
    number = 0
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    record = decode_record(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    hint = "; a table must be CSV, Parquet or JSON objects" if number == 1 else ""
                    damage.rows(path, f"{path}:{number}", f"not a record: {_reason(error)}{hint}")
                else:
                    yield record
    except (gzip.BadGzipFile, EOFError, zlib.error):
        damage.rows(path, f"{path}:{number + 1}", "the file is damaged")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None


def _reason(error: Exception) -> str:
    return "not UTF-8" if isinstance(error, UnicodeError) else str(error)


SOURCE = Source("records", (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"), claims, records=read)
