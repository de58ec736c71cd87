"""The name of a charset → the codec that reads it, of a closed list.

Python remembers every name that it was ever asked for and did not know. What a client sends is
therefore never asked for: it is looked up here.
"""

from __future__ import annotations

from encodings.aliases import aliases

_NO_TEXT = frozenset({
    "base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec",
    "zlib_codec",
})  # fmt: skip
_AS_IT_IS = frozenset({"ascii", "utf_8"})
"""UTF-8 is what a body is read as anyway."""
_UNNAMED = ("cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_t", "koi8_u")
"""Codecs that have no other name."""

CHARSETS = {
    name.replace("_", "-"): codec
    for alias, codec in (*aliases.items(), *((codec, codec) for codec in _UNNAMED))
    if codec not in _NO_TEXT | _AS_IT_IS
    for name in (alias, codec)
} | {f"windows-{page}": f"cp{page}" for page in (874, 932, 949)}
"""Every name that Python has for a charset, in lower case with dashes."""


def codec(name: str) -> str | None:
    """The codec for a charset in lower case; None: read it as it is, as UTF-8.

    >>> codec("iso-8859-1"), codec("shift_jis"), codec("utf-8"), codec("nonsense"), codec("zip")
    ('latin_1', 'shift_jis', None, None, None)
    """
    return CHARSETS.get(name.replace("_", "-"))
