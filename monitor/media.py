"""Media that stand in a text: carried by the text in memory, until `privacy` makes digests of them.

A dialect writes `[image image/png 48211 bytes]` and has no key. So the text that it writes carries
what it stands for, and is equal to any other text of the same characters.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from typing import NamedTuple

_STANDARD = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n\v\f"


class Media(NamedTuple):
    """An image, a sound or a file that came whole: base64 (`str`) or bytes, in one piece or in
    several. `type` is what was said of it, and comes from outside."""

    type: str
    pieces: tuple[str | bytes, ...]

    def letters(self) -> bytes:
        """Its bytes in standard base64 without padding: the same however they were sent.

        To bring base64 into one spelling takes less than to decode it.

        >>> Media("image/png", (b"abcd",)).letters(), Media("", ("YWJj", "ZA==")).letters()
        (b'YWJjZA', b'YWJjZA')
        """
        if len(self.pieces) == 1 and isinstance(self.pieces[0], str):
            return spelled(self.pieces[0])
        raw = b"".join(one if isinstance(one, bytes) else _decoded(one) for one in self.pieces)
        return binascii.b2a_base64(raw, newline=False).rstrip(b"=")


class WithMedia(str):
    """A text with the media that stand in it, in their order.

    As with `bodies.Kept` the mark is on the object: what is cut or stripped of it has none, and
    then nothing is known of the media but what the text says.
    """

    __slots__ = ("media",)
    media: tuple[Media, ...]

    @classmethod
    def of(cls, text: str, media: Iterable[Media]) -> WithMedia:
        """Return a text with media in it."""
        found = cls(text)
        found.media = tuple(media)
        return found


def joined(separator: str, texts: list[str]) -> str:
    """Return texts as one, with the media of all; a single one as it is.

    >>> text = joined("", ["See: ", WithMedia.of("[image 3 bytes]", [Media("image", (b"abc",))])])
    >>> text, text.media
    ('See: [image 3 bytes]', (Media(type='image', pieces=(b'abc',)),))
    """
    if len(texts) == 1:
        return texts[0]
    found = separator.join(texts)
    media = [one for text in texts if isinstance(text, WithMedia) for one in text.media]
    return WithMedia.of(found, media) if media else found


def spelled(base64: str) -> bytes:
    """Return base64 in its standard letters, without padding and white space.

    >>> spelled("-_8=\\n"), spelled("+/8")
    (b'+/8', b'+/8')
    """
    data = base64.encode("utf-8", "surrogatepass")
    if b"-" in data or b"_" in data or any(bytes((one,)) in data for one in _BLANKS):
        data = data.translate(_STANDARD, _BLANKS)
    return data.rstrip(b"=")


def size_of(letters: bytes) -> int:
    """Bytes that base64 without padding stands for.

    >>> size_of(spelled("aGVsbG8=")), size_of(b"")
    (5, 0)
    """
    return len(letters) * 3 // 4


def _decoded(base64: str) -> bytes:
    letters = spelled(base64)
    try:
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return letters
