"""A file at rest → its bytes, unpacked: it is known by its content, whatever it is called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

from monitor import zstd
from monitor.places import Remote

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError)
"""What is raised where a packed file cannot be read any further."""

SUFFIXES = ("", ".gz", ".bz2", ".xz", ".zst")
"""How the names of files end that are packed, or not."""

_OPENERS = (
    (re.compile(rb"\x1f\x8b"), gzip.open), (re.compile(rb"BZh[1-9]1AY&SY"), bz2.open),
    (re.compile(rb"\xfd7zXZ\0"), lzma.open), (re.compile(rb"\x28\xb5\x2f\xfd"), zstd.ZstdFile),
)  # fmt: skip

_STRANGE = (
    (b"PK\x03\x04", "is a ZIP archive, or a spreadsheet: unpack it, or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "is an old spreadsheet: save it as CSV"),
    (b"7z\xbc\xaf'\x1c", "is a 7z archive: unpack it"),
    (b"ARROW1", "is an Arrow file: save it as Parquet"),
    (b"FEA1", "is an old Feather file: save it as Parquet"),
    (b"\x89PNG", "is an image"),
    (b"\xff\xd8\xff", "is an image"),
    (b"GIF8", "is an image"),
    (b"%PDF", "is a PDF document"),
    (b"ORC", "is an ORC file: save it as Parquet"),
)
_LONGEST = 10
"""Bytes that say how a file is packed."""


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked where gzip, bzip2, xz or zstd has packed it; raises OSError."""
    if isinstance(path, Remote):  # which is opened once: to open it is a request
        far = path.open()
        start = far.peek(_LONGEST)[:_LONGEST]
        opener = _opener(start)
        return far if opener is None else cast("BinaryIO", opener(far, "rb"))
    with path.open("rb") as stream:
        opener = _opener(stream.read(_LONGEST))
    return path.open("rb") if opener is None else cast("BinaryIO", opener(path, "rb"))


def _opener(start: bytes) -> Any:
    return next((opener for magic, opener in _OPENERS if magic.match(start)), None)


def is_packed(stream: BinaryIO) -> bool:
    """Whether `opened` unpacks what it reads, or gets it from afar: it is no open file.

    >>> is_packed(io.BufferedReader(io.BytesIO(b"x")))
    True
    """
    return not (isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO))


def strange(start: bytes) -> str:
    r"""What is to be said of a file with such a start that nothing here reads; empty for others.

    >>> strange(b"7z\xbc\xaf'\x1c"), strange(b"a,b")
    ('is a 7z archive: unpack it', '')
    """
    is_text = all(byte >= 32 or byte in b"\t\r\n" for byte in start[:64])
    if is_text and not start.startswith(b"%PDF-"):
        return ""
    return next((words for magic, words in _STRANGE if start.startswith(magic)), "")


def named(*suffixes: str) -> tuple[str, ...]:
    """Endings of names, each as it is and packed.

    >>> named(".csv")
    ('.csv', '.csv.gz', '.csv.bz2', '.csv.xz', '.csv.zst')
    """
    return tuple(suffix + packed for suffix in suffixes for packed in SUFFIXES)
