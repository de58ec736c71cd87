"""Text → a byte for each of its characters, which says where digits are, and where sentences and
rows end.

What looks for those in the bytes does so at the speed of C, however often. To look for them in the
text with an expression takes longer than all that is done with what it finds.
"""

from __future__ import annotations

DIGIT, EDGE = b"\1", b"\2"
"""A digit of ASCII; where a sentence or a row ends."""

_STOP, _SPACE, _BRACE = b"\3", b"\4", b"\5"
"""What ends a sentence where a space or a line's end follows, and what does so in any case."""
_OTHER_SPACES = "\u1680\u2028\u2029\u202f\u205f\u3000”" + "".join(map(chr, range(0x2000, 0x200B)))
_LATIN = "".join(map(chr, range(256)))


def _kind(sign: str, stops: str) -> bytes:
    if "0" <= sign <= "9":
        return DIGIT
    if sign in "\n}":
        return EDGE if sign == "\n" else _BRACE
    return _STOP if sign in stops else _SPACE if sign.isspace() or sign in '")' else b"\0"


_KINDS = b"".join(_kind(sign, ".!?") for sign in _LATIN)
_OF_WIDE = b"".join(_kind(sign, ".!") for sign in _LATIN)  # there ? is what is not in Latin-1


def marks(text: str) -> bytes:
    """Return the kind of each character: `DIGIT`, `EDGE` or another.

    A sentence ends with a sign that a space, a closing quote or a bracket follows; a row with its
    line, and an object of JSON with its brace.

    >>> [place for place, one in enumerate(marks("At 1.5. (So!) {2}")) if one == EDGE[0]]
    [6, 11, 16]
    """
    kinds = _KINDS
    if not text.isascii():
        kinds, text = _OF_WIDE, text.replace("?", "!")
        for sign in _OTHER_SPACES:
            text = text.replace(sign, " ")
    found = text.encode("latin-1", "replace").translate(kinds)
    found = found.replace(_STOP + EDGE, EDGE + EDGE)
    return found.replace(_STOP + _SPACE, EDGE + _SPACE).replace(_BRACE, EDGE)
