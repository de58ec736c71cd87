"""What was found in a text and is to be replaced: in order, apart from each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import msgspec

from monitor.privacy.views import View
from monitor.turns import in_turns

_GLUE = frozenset("_+@%/-")


class Hit(msgspec.Struct, frozen=True, gc=False):
    """`text[start:end]` is to be replaced: by the pseudonyms of `values`, else by `mark`."""

    start: int
    end: int
    values: tuple[tuple[str, str], ...] = ()
    mark: str = ""


def glued(text: str, hits: Iterable[Hit]) -> bool:
    """Whether something stands right beside a value, which may have hidden another one there: a
    letter, a digit, a sign of addresses, or a stop with a letter or digit behind it."""
    for hit in in_turns(hits):
        before, after = text[hit.start - 1 : hit.start], text[hit.end : hit.end + 1]
        if before in _GLUE or before.isalnum() or after in _GLUE or after.isalnum():
            return True
        if after and after in ".:,":
            behind = text[hit.end + 1 : hit.end + 2]
            if behind == "_" or behind.isalnum():
                return True
    return False


def apart(hit: Hit, marks: list[tuple[int, int]]) -> bool:
    """Whether a hit touches none of the marks, which are in order."""
    place = bisect_left(marks, (hit.end, 0))  # the first that begins behind it
    return place == 0 or marks[place - 1][1] <= hit.start


def blanked(text: str, hits: Iterable[Hit]) -> str:
    """`text` with spaces for what was found."""
    out: list[str] = []
    done = 0
    for hit in in_turns(sorted(hits, key=lambda hit: hit.start)):
        start = max(done, hit.start)
        end = max(done, hit.end)
        out += (text[done:start], " " * (end - start))
        done = end
    out.append(text[done:])
    return "".join(out)


def back(view: View, hits: Iterable[Hit]) -> list[Hit]:
    """Hits in a view → hits in what the view was made from."""
    return [Hit(*view.origin(hit.start, hit.end), hit.values, hit.mark) for hit in in_turns(hits)]


def merged(hits: list[Hit]) -> list[Hit]:
    """Hits in order and apart: of those that overlap, the longest speaks for all they cover."""
    if len(hits) < 2:
        return hits
    hits.sort(key=lambda hit: (hit.start, -hit.end))
    apart = [hits[0]]
    for hit in in_turns(hits[1:]):
        last = apart[-1]
        if hit.start >= last.end:
            apart.append(hit)
        elif hit.end > last.end:
            longest = max(last, hit, key=lambda one: one.end - one.start)
            apart[-1] = Hit(last.start, hit.end, longest.values, longest.mark)
    return apart
