"""str → what base64, hexadecimal and compressed runs in it hold: text to be scanned, or media."""

from __future__ import annotations

import binascii
import bz2
import lzma
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import brotli

from monitor import zstd
from monitor.errors import PrivacyError
from monitor.turns import in_turns

SHORTEST = 14
"""Characters, without padding, from which on a run may be base64: ten bytes, a telephone number."""

_CERTAIN = 24
"""Characters from which on a run that is all of one case may be base64 too: no word is so long."""

MEDIA_BYTES = 1024
"""Bytes from which on a run that holds no text is taken for media and only described."""


@dataclass(frozen=True, slots=True)
class Blob:
    """`text[start:end]` and what it holds: `content` when that is text, else a media `kind`."""

    start: int
    end: int
    kind: str
    content: str | None


_RUN = bytes(
    97 if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "+/_-") else 32
    for code in range(256)
)
TRIGGER = b"a" * SHORTEST
"""How a run begins in the `shadow` of a text."""

_run = re.compile(
    r"(?P<media>data:(?P<type>[\w.+-]{1,63}/[\w.+-]{1,63})?[^,\s\"'<>]{0,200}?;base64,"
    r"(?P<data>(?:[A-Za-z0-9+/]{60,76}\r?\n)*[A-Za-z0-9+/_-]*={0,2}))"
    r"|(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]*={0,2}"
    r"|[A-Za-z0-9+/_-]{14,}={0,2}"
)
_hex = re.compile(r"(?:[0-9A-Fa-f]{2}){7,}")
_letter = re.compile(r"[A-Za-z]")
_words = re.compile(rb"[ -~]{6,}")
_space = re.compile(r"\s+")

_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "application/riff"),
    (b"%PDF", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
)


def may_hold(text: str) -> bool:
    """Whether there may be a run in a text; most have none.

    >>> may_hold("Where is my parcel?"), may_hold("see aGVsbG8gd29ybGQ"), may_hold("a;base64,b")
    (False, True, True)
    """
    return ";base64," in text or TRIGGER in shadow(text)


def blobs(text: str, limit: int) -> Iterator[Blob]:
    """Runs of `text` that hold text or media, in order, not overlapping.

    At most `limit` bytes are decompressed from one run; raises PrivacyError("bomb") beyond.
    """
    for match in in_turns(_runs(text)):
        if match["media"] is not None:
            kind = (match["type"] or "text/plain").lower()
            data = _space.sub("", match["data"])
            content = (
                None if kind.startswith(("image/", "audio/", "video/")) else _read(data, limit)
            )
            yield Blob(match.start(), match.end(), kind, content)
        else:
            yield from _decode(match[0], match.start(), limit)


def _runs(text: str) -> Iterator[re.Match[str]]:
    """The matches of `_run`; most texts have none, and those have few."""
    if ";base64," in text:
        yield from _run.finditer(text)
        return
    marked = shadow(text)
    at = marked.find(TRIGGER)
    while at >= 0 and (match := _run.match(text, at)):
        yield match
        at = marked.find(TRIGGER, match.end())


def shadow(text: str) -> bytes:
    """The same with one letter for all that runs are made of."""
    return text.encode("latin-1", "replace").translate(_RUN)


def _decode(run: str, start: int, limit: int) -> Iterator[Blob]:
    if len(run) < _CERTAIN and not _letter.search(run) and not _hex.fullmatch(run):
        return  # a number with dashes
    content = _read(run, limit)
    if content is not None:
        yield Blob(start, start + len(run), "text/plain", content)
        return
    if len(run) * 3 // 4 >= MEDIA_BYTES:
        data = _bytes(run)
        kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")
        yield Blob(start, start + len(run), kind or "application/octet-stream", None)
        return
    # `/`, `-` and `_` belong to the alphabets and to paths and names: try what stands between.
    found = False
    for separator in "/-_":
        if separator in run:
            at = 0
            for piece in run.split(separator):
                if len(piece) >= SHORTEST and (content := _read(piece, limit)) is not None:
                    here = start + at
                    yield Blob(here, here + len(piece), "text/plain", content)
                    found = True
                at += len(piece) + 1
    if not found and len(run) >= _CERTAIN and (content := _strings(run)):
        yield Blob(start, start + len(run), "application/octet-stream", content)


def _strings(run: str) -> str | None:
    """What is text among the bytes that `run` holds (a message of protobuf, a pickle), if any."""
    data = bytes.fromhex(run) if _hex.fullmatch(run) else _bytes(run)
    if not _words.search(data):
        return None
    text = data.decode("utf-8", "replace")
    return "".join([character if _is_text(character) else "\n" for character in text])


def _read(run: str, limit: int) -> str | None:
    """The text that `run` holds, or None."""
    is_hex = _hex.fullmatch(run)
    if len(run) < _CERTAIN and not is_hex and (run.islower() or run.isupper()):
        return None
    if is_hex and (content := _text(bytes.fromhex(run), limit)) is not None:
        return content
    return _text(_bytes(run), limit)


def _bytes(run: str) -> bytes:
    if "\n" in run:
        run = _space.sub("", run)
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    run = run[: len(run) - (len(run) % 4 == 1)]
    try:
        return binascii.a2b_base64(run + "=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def _text(data: bytes, limit: int) -> str | None:
    data = decompress(data, limit) or data
    if not data:
        return None
    wide = data[1::2].count(0) * 4 > len(data)  # UTF-16 of mostly Latin text
    try:
        text = data.decode("utf-16-le" if wide else "utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() or _readable(text) else None


def _readable(text: str) -> bool:
    """Mostly text: a stray control is part of real text, noise is not."""
    sample = text[:4096]
    return sum(map(_is_text, sample)) >= 0.9 * len(sample)


def _is_text(character: str) -> bool:
    """Printable, a line end or tab, a space of any width, or an invisible mark between letters."""
    return (
        character.isprintable()
        or character in "\n\r\t"
        or unicodedata.category(character) in ("Cf", "Zs", "Zl", "Zp")
    )


# --- compression -----------------------------------------------------------------------------

_COMPRESSED: tuple[tuple[bytes, Callable[[bytes, int], bytes]], ...] = (
    (b"\x1f\x8b", lambda data, most: zlib.decompressobj(31).decompress(data, most)),
    (b"x\x01", lambda data, most: zlib.decompressobj().decompress(data, most)),
    (b"x\x5e", lambda data, most: zlib.decompressobj().decompress(data, most)),
    (b"x\x9c", lambda data, most: zlib.decompressobj().decompress(data, most)),
    (b"x\xda", lambda data, most: zlib.decompressobj().decompress(data, most)),
    (b"BZh", lambda data, most: bz2.BZ2Decompressor().decompress(data, most)),
    (
        b"\xfd7zXZ",
        lambda data, most: lzma.LZMADecompressor(memlimit=1 << 26).decompress(data, most),
    ),
    (b"\x28\xb5\x2f\xfd", lambda data, most: zstd.decompressor().decompress(data, most)),
)
_FIRST_BYTES = frozenset(magic[:1] for magic, _ in _COMPRESSED)
_ERRORS = (zlib.error, OSError, EOFError, lzma.LZMAError, zstd.ZstdError, brotli.error)


def decompress(data: bytes, limit: int) -> bytes | None:
    """gzip, zlib, bzip2, xz, zstd or Brotli undone, None when `data` is none of them.

    Raises PrivacyError("bomb") when more than `limit` bytes would come out.
    """
    opened: bytes | None = None
    undo = None
    if data[:1] in _FIRST_BYTES:
        undo = next((undo for magic, undo in _COMPRESSED if data.startswith(magic)), None)
    if undo is not None:
        opened = _attempt(undo, data, limit)
    elif 12 <= len(data) <= limit and not data.isascii():  # fewer bytes of Brotli are chance
        opened = _attempt(_brotli, data, limit)
    if opened is not None and len(opened) > limit:
        raise PrivacyError("bomb")
    return opened


def _attempt(undo: Callable[[bytes, int], bytes], data: bytes, limit: int) -> bytes | None:
    try:
        return undo(data, limit + 1)
    except _ERRORS:
        return None


def _brotli(data: bytes, most: int) -> bytes:
    stream = brotli.Decompressor()
    opened: bytes = stream.process(data, output_buffer_limit=most)
    if len(opened) < most and not stream.is_finished():
        raise brotli.error("not a whole Brotli stream")
    return opened
