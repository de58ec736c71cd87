"""A file at rest → its bytes, unpacked, and in UTF-8 where they are UTF-16: it is known by its
content, whatever it is called."""

from __future__ import annotations

import bz2
import contextlib
import errno
import io
import lzma
import re
import zlib
from codecs import IncrementalDecoder
from collections import deque
from collections.abc import Callable
from encodings import utf_8, utf_16_be, utf_16_le
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from monitor import zstd
from monitor.places import Remote

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SUFFIXES = ("", ".gz", ".bz2", ".xz", ".zst")
"""How the names of files end that are packed, or not."""

_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError)
"""What decompressors raise."""

DOUBT = ", so what was read may be wrong"
"""How the reason ends why a damaged file cannot be read any further, where something was read. What
is cut off is right as far as it goes; of what is damaged some may be rubbish."""

_READ = _UNPACKED = 1 << 14
"""Bytes that are read of a packed file at once, and that come out at once, at most: so many are
lost with an error."""


class _Gzip:
    """zlib's decompressor of a member, called as those of the other packings are."""

    def __init__(self) -> None:
        self._one = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._one.eof

    @property
    def unused_data(self) -> bytes:
        return self._one.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._one.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._one.decompress(self._one.unconsumed_tail + data, max_length)


class _Packing(NamedTuple):
    """A way to pack: its name, how a member begins, and what undoes one. Of what is damaged up to
    `held` bytes come out before that is noticed."""

    name: str
    begin: re.Pattern[bytes]
    decompressor: Callable[[], Any]
    held: int


_PACKINGS = (
    _Packing("gzip", re.compile(rb"\x1f\x8b"), _Gzip, 1 << 16),
    _Packing("bzip2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor, 1 << 20),
    _Packing("xz", re.compile(rb"\xfd7zXZ\0"), lzma.LZMADecompressor, 1 << 14),
    _Packing(  # some writers put frames between that hold nothing
        "zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), zstd.ZstdDecompressor,
        1 << 14,
    ),
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


def opened(path: Path) -> io.BufferedReader:
    """The bytes of a file, unpacked where gzip, bzip2, xz or zstd has packed it, and in UTF-8
    without a mark where it `is_broad`; raises OSError.

    Reading raises OSError, whose `strerror` says why, where a packed file is cut off, damaged, or
    goes on as something else: what comes before has been read then. Of what is damaged the last
    bytes before the place are left out, because some of them may be rubbish; as the rest may be, it
    ends with `DOUBT`.
    """
    far = path.open() if isinstance(path, Remote) else None  # once: to open it is a request
    stream = path.open("rb") if far is None else far
    try:
        start = stream.peek(_LONGEST)[:_LONGEST] if far is not None else stream.read(_LONGEST)
        if far is None:
            stream.seek(0)
    except OSError:
        stream.close()
        raise
    packing = next((one for one in _PACKINGS if one.begin.match(start)), None)
    if packing is None:
        return _narrow(stream, start)
    return _unpacked(io.BufferedReader(_Unpacked(stream, packing), 1 << 16))


def why(error: OSError) -> str:
    """What to say of a file that cannot be read, or no further."""
    return error.strerror or "cannot be read"


def some(stream: io.BufferedReader, size: int) -> bytes:
    """Up to so many of the next bytes: where a file breaks off those that come before. Raises
    OSError where none do."""
    found = [stream.read1(size)]
    room = size - len(found[0])
    with contextlib.suppress(OSError):  # which is raised again by the next reading
        while room and (more := stream.read1(room)):
            found.append(more)
            room -= len(more)
    return b"".join(found)


def beginning(stream: io.BufferedReader, size: int) -> bytes:
    """The first bytes of what `opened` gave, so many at most: of a file that was cut off those that
    are there. Raises OSError where these are fewer than `_TELLING`."""
    found = some(stream, size)
    if len(found) < min(size, _TELLING):
        stream.read1(1)  # which raises it
    return found


class _Unpacked(io.RawIOBase):
    """What stands in a packed file, whose members come one behind the other."""

    def __init__(self, stream: io.BufferedReader, packing: _Packing) -> None:
        self._stream, self._packing = stream, packing
        self._member = packing.decompressor()
        self._packed = b""
        self._at = 0
        self._out, self._held = deque[memoryview](), deque[bytes]()
        self._size = 0  # of what is held
        self._has_given = False
        self._wrong: OSError | None = None
        self._is_over = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        """Fill a buffer as far as there is something; raises OSError where nothing more comes."""
        while not (self._out or self._is_over):
            try:
                self._go_on()
            except _DAMAGED as error:
                self._end(error)
        if not self._out:
            if self._wrong is not None:
                raise self._wrong
            return 0
        room = memoryview(into).cast("B")
        size = min(len(room), len(self._out[0]))
        room[:size] = self._out[0][:size]
        if size == len(self._out[0]):
            self._out.popleft()
        else:
            self._out[0] = self._out[0][size:]
        return size

    def close(self) -> None:
        """Close it, and the stream."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _go_on(self) -> None:
        """Unpack some more, or find out that nothing comes; raises what a decompressor does."""
        if self._member.eof and not self._has_another():
            self._is_over = True
            return
        data, is_last = b"", False
        if self._member.needs_input:
            data = self._packed or self._read()
            self._packed, is_last = b"", not data
        found = self._member.decompress(data, _UNPACKED)
        if found:
            self._held.append(found)
            self._size += len(found)
        elif is_last and not self._member.eof:
            raise EOFError
        if self._member.eof:
            self._packed = self._member.unused_data
            self._give(0)
        self._give(self._packing.held)

    def _read(self) -> bytes:
        data = self._stream.read1(_READ)
        self._at += len(data)
        return data

    def _has_another(self) -> bool:
        """Whether a member follows, after zeros that fill up, or none; raises OSError of something
        else."""
        while not (rest := self._packed.lstrip(b"\0")) and (more := self._read()):
            self._packed = more
        while len(rest) < _LONGEST and (more := self._read()):
            rest += more
        self._packed = rest
        if rest and not self._packing.begin.match(rest):
            at = self._at - len(rest)
            raise OSError(
                errno.EIO, f"goes on with something else than {self._name} at byte {at:,}"
            )
        self._member = self._packing.decompressor()
        return bool(rest)

    @property
    def _name(self) -> str:
        return self._packing.name

    def _give(self, held: int) -> None:
        """Let what is held come out, up to so many bytes of it."""
        while self._held and self._size - len(self._held[0]) >= held:
            found = self._held.popleft()
            self._size -= len(found)
            self._out.append(memoryview(found))
            self._has_given = True

    def _end(self, error: Exception) -> None:
        """Nothing more comes, for a reason."""
        self._is_over, near = True, f"near byte {self._at:,}"
        if isinstance(error, OSError) and error.strerror:
            say = error.strerror
        elif isinstance(error, EOFError):
            say = f"is cut off within what {self._name} has packed"
        elif "check" in str(error):
            say = f"is damaged: a checksum of {self._name} {near} does not hold"
        else:
            say = f"is damaged: {self._name} cannot unpack it any further {near}"
            self._held.clear()
        self._give(0)
        if say.startswith("is damaged") and self._has_given:
            say += DOUBT
        self._wrong = OSError(errno.EIO, say)


def _unpacked(stream: io.BufferedReader) -> io.BufferedReader:
    try:
        start = stream.peek(_LONGEST)
    except OSError:  # which is raised again where it is read
        start = b""
    return _narrow(stream, start)


def _narrow(stream: io.BufferedReader, start: bytes) -> io.BufferedReader:
    encoding = next((one for begin, one in _BROAD if begin.match(start)), None)
    if encoding is None:
        return stream
    return io.BufferedReader(_Narrow(stream, encoding))


def is_broad(stream: object) -> bool:
    """Whether what `opened` gave is UTF-16 at rest: with a mark of its order, or JSON."""
    return isinstance(stream, io.BufferedReader) and isinstance(stream.raw, _Narrow)


class _Narrow(io.RawIOBase):
    """UTF-16 as UTF-8 without a mark. Half of a character, which is none, is no UTF-8 either: so
    the line that it stands in is told by who reads it. UTF-8 that stands behind it, where another
    program went on with a file, comes as so many lines that are none."""

    def __init__(self, stream: io.BufferedReader, encoding: ModuleType) -> None:
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
        data = some(self._stream, _AT_ONCE)
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
