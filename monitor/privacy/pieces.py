"""Parts that came in pieces → the same Parts with a pseudonym for each value that an edge cuts.

The answer of a model comes in pieces that end anywhere: `{"tok": "ada@exam"}`, `{"tok":
"ple.org"}`. A protocol puts them together. Where none knows the dialect they stay apart, so the
strings of one name are read one after the other here, and then each by itself as any text is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import msgspec

from monitor.columns import Piece
from monitor.privacy.hits import Hit
from monitor.privacy.scrub import Scrub
from monitor.turns import in_turns
from monitor.types import Part

_JSON = re.compile(r"\s*(?:\w{1,8}:)?[{[\"]")
_STRING = re.compile(
    r'"(?P<said>(?>[^"\\]*(?:\\.[^"\\]*)*))(?:"|\Z)(?P<names>\s{0,8}:)?', re.DOTALL
)
_DECIMAL = re.compile(r"\s*[-+]?\d{1,3}\.\d{2,}\s*")
"""A piece that is a number by itself: no value is made of such alone."""
_MOST_NAMES = 32
"""Names under which strings are put together; each costs a look at all of them."""


def joined(scrub: Scrub, parts: list[Part]) -> list[Part]:
    """The parts with a pseudonym for each value that stands in several pieces, where the first of
    them was; the rest of the value is gone, and no other character is changed. Never raises."""
    if not any(map(_is_piece, parts)):
        return parts
    lines: list[str] = []
    homes: list[tuple[int, int]] = []  # the part, and which of its values; -1 of a text
    for place, part in enumerate(parts):
        if type(part.text) is Piece:
            found = part.text.split("\n")
            lines += found
            homes += [(place, -1)] * len(found)
        for item, value in enumerate(part.data or ()):
            if type(value) is Piece:
                lines.append(value)
                homes.append((place, item))
    edits: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    columns = _columns(parts)
    for spans in _by_name(lines, [columns[place] for place, _ in homes]):
        pieces = [lines[line][start:end] for line, start, end in spans]
        for (line, start, end), before, after in zip(
            spans, pieces, across(scrub, pieces), strict=True
        ):
            if after != before:
                edits[line].append((start, end, after))
    for line, changes in edits.items():
        lines[line] = edited(lines[line], changes)
    return _rebuilt(parts, homes, lines)


def across(scrub: Scrub, pieces: list[str]) -> list[str]:
    """The pieces of one text with a pseudonym for each value that goes over an edge. Where the text
    cannot be scanned, what stands for it is in the first piece, and the others are empty.

    A piece that is a value by itself ends where it ends: rows of a table are no pieces, nor are
    decimal numbers, coordinates say. A message
    that ends with an address is not the beginning of a longer one, though the next one begins with
    a letter. Many short words together look like the letters of media, which are not looked for.
    """
    text = "".join(pieces)
    edges = list(accumulate(map(len, pieces), initial=0))
    done = list(pieces)
    try:
        for hit in in_turns(reversed(scrub.found(text))):
            first = bisect_right(edges, hit.start) - 1
            last = bisect_right(edges, hit.end - 1) - 1
            if (
                first == last
                or not hit.values
                or all(map(_DECIMAL.fullmatch, pieces[first : last + 1]))
                or any(_is_value(scrub, pieces[place]) for place in range(first, last + 1))
            ):
                continue
            start, end = hit.start - edges[first], hit.end - edges[last]
            if text[edges[first + 1]].isalpha() and _ends_there(scrub, pieces[first], start, hit):
                continue
            done[last] = done[last][end:]
            done[first] = pieces[first][:start] + _mark(scrub, hit)
            done[first + 1 : last] = [""] * (last - first - 1)
    except Exception as error:  # noqa: BLE001  fail closed
        mark = scrub.failed(text, error)
        scrub.own.add(mark)
        return [mark] + [""] * (len(pieces) - 1)
    return done


def edited(line: str, changes: list[tuple[int, int, str]]) -> str:
    """A line with other texts in some places, which are apart.

    >>> edited("a b c", [(4, 5, "z"), (0, 1, "")])
    ' b z'
    """
    found: list[str] = []
    done = 0
    for start, end, text in sorted(changes):
        found += line[done:start], text
        done = end
    return "".join((*found, line[done:]))


def _is_piece(part: Part) -> bool:
    if part.data is None:
        return type(part.text) is Piece
    if part.datatype != "BYTES":
        return False
    return type(next((one for one in part.data if isinstance(one, str)), None)) is Piece


def _is_value(scrub: Scrub, piece: str) -> bool:
    """Whether all of a piece is something that is found in it alone."""
    bare = piece.strip()
    return bool(bare) and [(hit.start, hit.end) for hit in scrub.found(bare)] == [(0, len(bare))]


def _ends_there(scrub: Scrub, piece: str, start: int, hit: Hit) -> bool:
    """Whether what is found in a piece alone ends it, with a letter, where a longer value of that
    kind would go on."""
    return piece[-1].isalpha() and any(
        own.start <= start and own.end == len(piece)
        and [entity for entity, _ in own.values] == [entity for entity, _ in hit.values]
        for own in scrub.found(piece)
    )  # fmt: skip


def _mark(scrub: Scrub, hit: Hit) -> str:
    """What stands for a value, which is known for ours when the piece is scanned."""
    marks = [scrub.token(*value) for value in hit.values]
    scrub.own.update(marks)
    return "".join(marks)


def _columns(parts: list[Part]) -> list[str | None]:
    """The column of each part. A long text is a part without a name, in the midst of its column."""
    names: list[str | None] = []
    for part in parts:
        names.append(part.name or (names[-1] if names else None))
    first = next((name for name in names if name), None)
    return [name or first for name in names]


def _by_name(lines: list[str], columns: list[str | None]) -> Iterator[list[tuple[int, int, int]]]:
    """Where the strings of each name stand: (line, start, end). Of names that have several
    different ones the first."""
    found: dict[tuple[str | None, str], list[tuple[int, int, int]]] = defaultdict(list)
    for number, (line, column) in enumerate(zip(in_turns(lines), columns, strict=True)):
        for name, start, end in _strings(line):
            found[column, name].append((number, start, end))
    several = [
        spans for spans in found.values()
        if len(spans) > 1 and len({lines[line][start:end] for line, start, end in spans}) > 1
    ]  # fmt: skip
    yield from several[:_MOST_NAMES]


def _strings(line: str) -> Iterator[tuple[str, int, int]]:
    """The strings of a line of JSON, each with the name before it; else all of the line.

    >>> list(_strings('{"a": {"b": ["x", "y"]}}')), list(_strings("Hi "))
    ([('b', 14, 15), ('b', 19, 20)], [('', 0, 3)])
    """
    if not _JSON.match(line):
        yield "", 0, len(line)
        return
    name = ""
    for match in _STRING.finditer(line):
        if match["names"]:
            name = match["said"]
        elif match["said"]:
            yield name, *match.span("said")


def _rebuilt(parts: list[Part], homes: list[tuple[int, int]], lines: list[str]) -> list[Part]:
    """The parts with these lines in the place of their pieces, as usual texts."""
    texts: dict[int, list[str]] = defaultdict(list)
    values: dict[int, list[Any]] = {
        place: list(part.data) for place, part in enumerate(parts) if part.data is not None
    }
    for (place, item), line in zip(homes, lines, strict=True):
        if item < 0:
            texts[place].append(line)
        else:
            values[place][item] = str(line)
    return [
        msgspec.structs.replace(
            part,
            text="\n".join(texts[place]) if place in texts else part.text,
            data=values.get(place, part.data),
        )
        for place, part in enumerate(parts)
    ]
