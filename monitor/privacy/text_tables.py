"""str → the cells of tables in it, each with the name of its column: CSV, Markdown, tabs.

People paste tables into prompts. Above a column stands what its values are, as it does beside a
field, and in the cells there is no other word for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.turns import in_turns

_CELL = r"[ \w\"'()#/-]{1,32}+"
_HEADER = re.compile(
    rf" {{0,3}}(?:\|{_CELL}(?:\|{_CELL})*\|?|{_CELL}(?P<sign>[,;|\t]){_CELL}(?:(?P=sign){_CELL})*)"
    r"[ \r]{0,3}\n"
)
_BEGIN = re.compile(r"\n[ \w\"'()#/-]{0,35}+(?:[|\t]|[,;](?![ \n]))")
"""How a line begins that may name columns; in prose there is a space after a comma."""
_RULE = re.compile(r"(?=[ \t|:+]*[-=])[ \t|:=+-]*+\r?\n")
_AROUND = " \"'\t\r"


def cells(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the name, the start and the end of each cell below a line that may name columns, as
    long as lines have as many cells; of quotes and spaces around it a cell has none.

    >>> text = "| name | ssn |\\n|---|---|\\n| Ada | 536221234 |\\n"
    >>> [(name, text[start:end]) for name, start, end in cells(text)]
    [('name', 'Ada'), ('ssn', '536221234')]
    """
    at = 0
    while at >= 0:
        match = _HEADER.match(text, at)
        if match is None:
            at = _next(text, at)
            continue
        sign, done = match["sign"] or "|", match.end()
        if rule := _RULE.match(text, done):
            done = rule.end()
        many = text.count(sign, at, match.end())
        names: list[str] = []
        while done < len(text):
            end = text.find("\n", done) + 1 or len(text)
            if text.count(sign, done, end) != many:
                break
            names = names or [text[a:b] for a, b in _spans(text, at, match.end(), sign)]
            for name, (first, last) in zip(names, _spans(text, done, end, sign), strict=False):
                if first < last:
                    yield name, first, last
            done = end
        at = _next(text, done - 1)


def _next(text: str, position: int) -> int:
    """Where the next line begins that may name columns, behind a line end at `position` or later;
    -1 where there is none."""
    found = _BEGIN.search(text, position)
    return found.start() + 1 if found else -1


def has_cells(text: str) -> bool:
    """Whether there is one."""
    return next(cells(text), None) is not None


def _spans(text: str, start: int, end: int, sign: str) -> list[tuple[int, int]]:
    """Where the cells of a line stand, without what is around them."""
    line = text[start:end]
    found, at = [], start
    for cell in in_turns(line.split(sign)):
        bare = cell.strip(_AROUND + "\n")
        first = at + cell.find(bare) if bare else at
        found.append((first, first + len(bare)))
        at += len(cell) + 1
    if sign == "|":  # before the first bar and behind the last stands nothing
        found = found[not line.split(sign, 1)[0].strip() :]
        if found and not line.rsplit(sign, 1)[-1].strip():
            found.pop()
    return found
