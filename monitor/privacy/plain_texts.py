"""Many texts → where recognizers look closer at each, by one look at all of them together.

That is all there is to know of a plain text, which has no other spelling, encoding or mark. Where
no trigger fires, nothing is done to it, whatever else is in its Record. All others are for `Scrub`
to look at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import accumulate

from monitor.privacy.blobs import TRIGGER, shadow
from monitor.privacy.patterns import Located, Scanner
from monitor.privacy.text_tables import has_cells
from monitor.privacy.views import normalise, unescape, unplus, unprint

SHORTEST = 7
"""Characters of a text that is looked at: of shorter ones some are numbers."""

_BETWEEN = "\n"
_NOWHERE: dict[int, list[int]] = {}


def _is_escaped(text: str) -> bool:
    return unescape(text) is not None


_SIGNS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("<", lambda text: True),  # it may be a mark
    ("%", _is_escaped), ("&", _is_escaped), ("\\", _is_escaped),
    ("+", lambda text: unplus(text) is not None), ("=", lambda text: unprint(text) is not None),
    ('"', lambda text: ":" in text),  # it may hold members of JSON
    ("\n", has_cells),
    (";base64,", lambda text: True),
)  # fmt: skip
"""What is to be looked at more closely, and whether it is anything."""


def located(texts: Sequence[str], scanner: Scanner) -> list[Located | None]:
    """Where triggers fire in each plain text; None of a text with another spelling, an encoding or
    a mark in it, or where that cannot be said."""
    joined = _BETWEEN.join(texts)
    events = scanner.events(joined)
    if events is None:
        return [None] * len(texts)
    # Where each begins, and the last ends with what would stand behind it.
    begins = list(accumulate([len(text) + 1 for text in texts], initial=0))
    plain = [len(text) >= SHORTEST for text in texts]
    found: list[dict[int, list[int]]] = [_NOWHERE] * len(texts)
    for index, start, end in events:
        place = bisect_right(begins, end - 1) - 1
        begin = begins[place]
        if start < begin or end >= begins[place + 1]:  # something across an edge
            plain[place] = False
        else:
            if found[place] is _NOWHERE:
                found[place] = defaultdict(list)
            found[place][index].append(start - begin)
    if not joined.isascii():
        for place in [place for place, text in enumerate(texts) if not text.isascii()]:
            if plain[place]:
                plain[place] = _is_usual(texts[place]) and not scanner.is_beyond(texts[place])
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
    return [each if is_plain else None for each, is_plain in zip(found, plain, strict=True)]


def _is_usual(text: str) -> bool:
    """Whether a text beyond ASCII has no character that is spelled another way, nor half of one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return normalise(text) is None
