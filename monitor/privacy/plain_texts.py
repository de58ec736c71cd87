"""Many texts → those in which certainly nothing is found, by one look at all of them together.

`Scrub` does nothing to such a text, whatever else is in its Record. What this does not clear is for
`Scrub` to look at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from monitor.privacy.blobs import TRIGGER, shadow
from monitor.privacy.patterns import Scanner
from monitor.privacy.views import normalise, unescape, unplus

SHORTEST = 7
"""Characters of a text that is looked at: of shorter ones some are numbers."""

_BETWEEN = "\n"


def _is_escaped(text: str) -> bool:
    return unescape(text) is not None


_SIGNS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("<", lambda text: True),  # it may be a mark
    ("%", _is_escaped), ("&", _is_escaped), ("\\", _is_escaped),
    ("+", lambda text: unplus(text) is not None),
    ('"', lambda text: ":" in text),  # it may hold members of JSON
    (";base64,", lambda text: True),
)  # fmt: skip
"""What is to be looked at more closely, and whether it is anything."""


def are_plain(texts: Sequence[str], scanner: Scanner) -> list[bool]:
    """Whether nothing is in each text that a recognizer looks at, no other spelling, no encoding,
    and no mark."""
    joined = _BETWEEN.join(texts)
    ends = scanner.ends(joined)
    if ends is None:
        return [False] * len(texts)
    # Where each begins, and the last ends with what would stand behind it.
    begins = list(accumulate((len(text) + 1 for text in texts), initial=0))
    plain = [len(text) >= SHORTEST for text in texts]
    for end in ends:
        plain[bisect_right(begins, end) - 1] = False
    if not joined.isascii():
        for place, text in enumerate(texts):
            if not text.isascii() and plain[place]:
                plain[place] = _is_usual(text)
    for sign, is_something in _SIGNS:
        at = joined.find(sign)
        while at >= 0:
            place = bisect_right(begins, at) - 1
            if plain[place] and is_something(texts[place]):
                plain[place] = False
            at = joined.find(sign, begins[place + 1])
    marked = shadow(joined)
    at = marked.find(TRIGGER)
    while at >= 0:
        place = bisect_right(begins, at) - 1
        plain[place] = False
        at = marked.find(TRIGGER, begins[place + 1])
    return plain


def _is_usual(text: str) -> bool:
    """Whether a text beyond ASCII has no character that is spelled another way, nor half of one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return normalise(text) is None
