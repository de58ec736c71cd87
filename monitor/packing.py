"""A file at rest → its bytes, unpacked, and in UTF-8 where they are UTF-16: it is known by its
content, whatever it is called."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import zlib
from codecs import IncrementalDecoder
from encodings import utf_8, utf_16_be, utf_16_le
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from monitor import zstd
from monitor.places import Remote

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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
    (b"\xff\xfe\0\0", "is UTF-32: save it as UTF-8"),
    (b"\0\0\xfe\xff", "is UTF-32: save it as UTF-8"),
)
_LONGEST = 10
"""Bytes that say how a file is packed."""

_TELLING = 1024
"""Bytes of a damaged file without which nobody can be sure what it was."""

_BROAD = (
    (re.compile(rb"\xff\xfe(?!\0\0)|[{\[]\0(?!\0)"), utf_16_le),
    (re.compile(rb"\xfe\xff|\0[{\[]"), utf_16_be),
)
"""How text in UTF-16 begins: with its mark, or as JSON does."""

UTF_16 = "UTF-16"
"""How its encoding is called."""

_AT_ONCE = 1 << 16
"""Bytes of UTF-16 that are turned into UTF-8 at once."""

_FOREIGN = 64
"""So many bytes that are UTF-8 with several ends of lines, and have none in UTF-16, are UTF-8."""


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked where gzip, bzip2, xz or zstd has packed it, and in UTF-8
    without a mark where it `is_broad`; raises OSError."""
    if isinstance(path, Remote):  # which is opened once: to open it is a request
        far = path.open()
        start = far.peek(_LONGEST)[:_LONGEST]
        opener = _opener(start)
        if opener is None:
            return _narrow(far, start)
        return _unpacked(opener(far, "rb"))
    with path.open("rb") as stream:
        start = stream.read(_LONGEST)
        opener = _opener(start)
    if opener is None:
        return _narrow(path.open("rb"), start)
    return _unpacked(opener(path, "rb"))


def beginning(stream: Any, size: int) -> bytes:
    """The first bytes of what `opened` gave, so many at most: of a file that was cut off those that
    are there. Raises one of BROKEN where these are fewer than `_TELLING`."""
    found = b""
    try:
        while len(found) < size and (more := stream.read1(size - len(found))):
            found += more
    except BROKEN:
        if len(found) < _TELLING:
            raise
    return found


def _unpacked(stream: Any) -> BinaryIO:
    try:
        start = stream.peek(_LONGEST)
    except BROKEN:  # which is raised again where it is read
        start = b""
    return _narrow(cast("BinaryIO", stream), start)


def _narrow(stream: BinaryIO, start: bytes) -> BinaryIO:
    encoding = next((one for begin, one in _BROAD if begin.match(start)), None)
    if encoding is None:
        return stream
    return cast("BinaryIO", io.BufferedReader(_Narrow(stream, encoding)))


def is_broad(stream: object) -> bool:
    """Whether what `opened` gave is UTF-16 at rest: with a mark of its order, or JSON."""
    return isinstance(stream, io.BufferedReader) and isinstance(stream.raw, _Narrow)


class _Narrow(io.RawIOBase):
    """UTF-16 as UTF-8 without a mark. Half of a character, which is none, is no UTF-8 either: so
    the line that it stands in is told by who reads it. UTF-8 that stands behind it, where another
    program went on with a file, comes as so many lines that are none."""

    def __init__(self, stream: BinaryIO, encoding: ModuleType) -> None:
        self._stream = stream
        self._encoding = encoding
        self._decoder: IncrementalDecoder = encoding.IncrementalDecoder("surrogatepass")
        self._ready = b""
        self._is_first, self._is_over = True, False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        """Fill a buffer as far as there is something; raises what the stream raises."""
        room = memoryview(into).cast("B")
        while not self._ready and not self._is_over:
            self._ready = self._next()
        some, self._ready = self._ready[: len(room)], self._ready[len(room) :]
        room[: len(some)] = some
        return len(some)

    def close(self) -> None:
        """Close it, and the stream."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _next(self) -> bytes:
        data = self._stream.read(_AT_ONCE)
        self._is_over = not data
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError:  # cut off
            return b"\xff"
        if self._is_first and text:
            text, self._is_first = text.removeprefix("\ufeff"), False
        before, newline, last = text.rpartition("\n")
        return (before + newline).encode("utf-8", "surrogatepass") + self._narrow(last)

    def _narrow(self, last: str) -> bytes:
        """What stands after the last end of a line."""
        raw: bytes = self._encoding.encode(last, "surrogatepass")[0]
        if len(raw) >= _FOREIGN and b"\0" not in raw and raw.count(b"\n") > 1:
            whole = raw[:3].lstrip(bytes(range(0x80, 0xC0))) + raw[3:]  # a character may be cut
            with contextlib.suppress(UnicodeDecodeError):
                utf_8.IncrementalDecoder().decode(whole)
                return b"\xff\n" * raw.count(b"\n") + b"\xff" * (not raw.endswith(b"\n"))
        return last.encode("utf-8", "surrogatepass")


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
