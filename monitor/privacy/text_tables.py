"""str → the cells of tables in it, each with the name of its column: CSV, Markdown, tabs.

People paste tables into prompts. Above a column stands what its values are, as it does beside a
field, and in the cells there is no other word for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_CELL = r"[ \w\"'()#/-]{1,32}+"
_HEADER = re.compile(
    rf" {{0,3}}(?:\|{_CELL}(?:\|{_CELL})*\|?|{_CELL}(?P<sign>[,;|\t]){_CELL}(?:(?P=sign){_CELL})*)"
    r"[ \r]{0,3}\n"
)
_BEGIN = re.compile(r"\n[ \w\"'()#/-]{0,35}+(?:[|\t]|[,;](?![ \n]))")
"""How a line begins that may name columns; in prose there is a space after a comma."""
_RULE = re.compile(r"(?=[ \t|:+]*[-=])[ \t|:=+-]*+\r?\n")
_AROUND = " \"'\t\r\n"


def cells(text: str, is_asked: Callable[[str], bool]) -> Iterator[tuple[str, int, int]]:
    """Yield the name, the start and the end of each cell below a line that may name columns, as
    long as lines have as many cells; of the columns alone that are asked for by their name. Of
    quotes and spaces around it a cell has none.

    >>> text = "| name | ssn |\\n|---|---|\\n| Ada | 536221234 |\\n"
    >>> [(name, text[start:end]) for name, start, end in cells(text, lambda name: name == "ssn")]
    [('ssn', '536221234')]
    """
    at = 0
    while at >= 0:
        match = _HEADER.match(text, at)
        if match is None:
            at = _next(text, at)
            continue
        sign, done = match["sign"] or "|", match.end()
        head = text[at:done]
        if rule := _RULE.match(text, done):
            done = rule.end()
        many, asked = head.count(sign), None
        while done < len(text):
            end = text.find("\n", done) + 1 or len(text)
            if text.count(sign, done, end) != many:
                break
            if asked is None:
                names = [cell.strip(_AROUND) for cell in head.split(sign)]
                asked = [(place, name) for place, name in enumerate(names) if is_asked(name)]
            if asked:
                yield from _of_line(text[done:end], done, sign, asked)
            done = end
        at = _next(text, done - 1)


def _next(text: str, position: int) -> int:
    """Where the next line begins that may name columns, behind a line end at `position` or later;
    -1 where there is none."""
    found = _BEGIN.search(text, position)
    return found.start() + 1 if found else -1


def has_cells(text: str) -> bool:
    """Whether there is one."""
    return next(cells(text, bool), None) is not None


def _of_line(
    line: str, at: int, sign: str, asked: list[tuple[int, str]]
) -> Iterator[tuple[str, int, int]]:
    """The cells of the columns that are asked for, of a line that begins at a place."""
    said = line.split(sign)
    done = 0
    for place, name in asked:
        at += sum(map(len, said[done:place])) + place - done
        done = place
        if bare := said[place].strip(_AROUND):
            start = at + said[place].find(bare)
            yield name, start, start + len(bare)
