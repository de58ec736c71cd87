"""An archived JSONL file, one Record document a line, plain or gzipped → Records."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from monitor.errors import SourceError
from monitor.types import Record, decode_record


def read(path: Path) -> Iterator[Record]:
    """The records in the order they stand; raises SourceError naming file and line."""
    number = 0
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007  for the message below
                if line.strip():
                    yield decode_record(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        hint = "; a table must be CSV, Parquet or JSON objects" if number == 1 else ""
        raise SourceError(f"{path}:{number}: not a record: {_reason(error)}{hint}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise SourceError(f"{path}:{number + 1}: the file is damaged") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None


def _reason(error: Exception) -> str:
    return "not UTF-8" if isinstance(error, UnicodeError) else str(error)
