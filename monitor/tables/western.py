"""Bytes of a text that is not UTF-8 → UTF-8, where it is certainly Windows-1252, or Latin-1."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from monitor import packing

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SAMPLE = 1 << 20
"""Bytes that are looked at, from the first that is no ASCII on."""

LEAST = 2
"""So many words in it must be of no other encoding."""

_FARTHEST = 4
"""Samples that are read to find that first byte."""

_LONGEST = 1 << 24
_LINE = re.compile(rb"(?<![^\r\n])[^\r\n\x80-\xff]*+[\x80-\xff][^\r\n]*")
"""A line that is not all ASCII. It is looked for only where lines begin: else a long line of ASCII
would be gone through once for each of its bytes."""

_LETTERS = "À-ÖØ-öø-ÿŠšŽžŒœŸ"
_WORD = re.compile(rf"[A-Za-z{_LETTERS}]+")
_HALF = re.compile(rf"[a-z][{_LETTERS}]|[{_LETTERS}][a-z]|[A-Z][À-ÖØ-ÞŠŽŒ]|[À-ÖØ-ÞŠŽŒ][A-Z]")
_ODD = re.compile(
    rf"[a-zß-öø-ÿ][À-ÖØ-ÞŠŽŒŸ]|[{_LETTERS}]{{3}}"
    rf"|[A-Za-z{_LETTERS}][^\x00-\x7f{_LETTERS}’·\xa0\xad][A-Za-z{_LETTERS}]|[\x00-\x08\x0e-\x1f\x7f]"
)
"""What nobody writes in a western language: of another encoding it is what most words look like."""


def is_western(stream: io.BufferedReader) -> bool:
    """Whether a text that is not all UTF-8 is Windows-1252, by its first words beyond ASCII.

    >>> is_western(io.BytesIO("Zürich;Genève".encode("latin-1")))
    True
    >>> is_western(io.BytesIO("Москва;Киев".encode("cp1251")))
    False
    """
    for _ in range(_FARTHEST):
        sample = packing.beginning(stream, SAMPLE)
        if len(sample) < SAMPLE or not sample.isascii():
            break
    words = odd = 0
    for line in _LINE.findall(sample[:SAMPLE]):
        try:
            line.decode()
        except UnicodeDecodeError:
            text = line.decode("cp1252", "replace")
            odd += len(_ODD.findall(text)) + text.count("\ufffd")
            words += sum(_HALF.search(word) is not None for word in _WORD.findall(text))
    return words >= LEAST and odd * 20 <= words


class Western(io.RawIOBase):
    """Such a text in UTF-8, line by line: lines that are UTF-8 already stay as they are."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._held = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        """Fill a buffer as far as one step does; raises what reading raises."""
        if not self._held:
            block = packing.some(self._stream, SAMPLE)
            with suppress(OSError):  # which is raised again where nothing comes before it
                block += self._stream.readline(_LONGEST) if block else b""
            self._held = memoryview(block if block.isascii() else _LINE.sub(_utf8, block))
        room = memoryview(into).cast("B")
        size = min(len(room), len(self._held))
        room[:size] = self._held[:size]
        self._held = self._held[size:]
        return size

    def close(self) -> None:
        """Close what it reads, too."""
        self._stream.close()
        super().close()


def _utf8(match: re.Match[bytes]) -> bytes:
    line = match[0]
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "surrogateescape").encode("utf-8", "surrogateescape")
    return line
