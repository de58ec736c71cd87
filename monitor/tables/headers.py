"""The first lines of a CSV file → which of them is the header, and what parts its fields."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from monitor.tables.column_types import is_missing
from monitor.tables.numerals import number
from monitor.texts import seconds

DELIMITERS = ",;\t|"
"""What parts fields, by the first line alone."""

RARE = "^~\x01"
"""What parts them where the lines below agree."""

LOOKED_AT = 60
"""Lines that are looked at, of which fewer than `LATEST` stand before the header."""

LATEST = 21

LEAST = 5
"""So many rows say what a table looks like, at least."""


class Header(NamedTuple):
    """A header: how many lines stand before it, how many of these are rows, and its delimiter."""

    before: int
    rows: int
    delimiter: str


def moved(lines: Sequence[str], delimiter: str) -> Header | None:
    """Where the header is, if it is not the first line parted by `delimiter` (none, of a line
    without any); None if that line will do, or nobody can tell.

    A title, a comment or a date above a table has other fields than the rows below, or what is no
    name: blanks, as spreadsheets fill such a line up, a word twice, a moment. A header has their
    number, and in some column has a word where they have numbers.

    >>> moved(["Report", "", "a,b", *["x,1"] * 9], ""), moved(["# v2, x", "a,b", *["x,1"] * 9], ",")
    (Header(before=2, rows=1, delimiter=','), Header(before=1, rows=1, delimiter=','))
    >>> moved(["a^b", *["x^1"] * 9], ""), moved(["a,b", *["x,1"] * 9], ",")
    (Header(before=0, rows=0, delimiter='^'), None)
    >>> moved(["#a,b", "x,NA", *["x,1"] * 9], ","), moved(["city", *["Rome, Italy"] * 9], "")
    (None, None)
    """
    if delimiter:
        rows = _fields(lines, delimiter)
        is_comment = lines[0].startswith("#") and not _heads(rows[0], rows[1:])
        if len(rows[0]) == _most(list(map(len, rows[1:]))) and not is_comment:
            place = _second(lines, rows) if _are_no_names(rows[0]) else 0
            return Header(place, sum(map(bool, rows[:place])), delimiter) if place else None
    for one in DELIMITERS + RARE:
        if not any(one in line for line in lines[:LATEST]):
            continue
        rows = _fields(lines, one)
        for place in range(one in DELIMITERS, min(LATEST, len(rows) - LEAST)):
            above = "".join(lines[:place])
            if '"' not in above and _is_first(rows, place):
                return Header(place, sum(map(bool, rows[:place])), one)
    return None


def other(lines: Sequence[str], delimiter: str) -> str:
    """What to say of a first line of names above another one that may be the header, as where a
    title has as many fields as the rows, or a header has units below; empty of any other.

    >>> other(["Report,April", "a,b", *["x,1"] * 9], ",")
    'line 2 has words where the rows below have numbers; if it names the columns, take out line 1'
    >>> other(["a,b", *["x,1"] * 9], ",")
    ''
    """
    if not (place := _second(lines, _fields(lines, delimiter))):
        return ""
    above = "line 1" if place == 1 else f"lines 1 to {place}"
    return (
        f"line {place + 1} has words where the rows below have numbers; if it names the columns, "
        f"take out {above}"
    )


def unsure(lines: Sequence[str]) -> str:
    """What to say of a table that is read as one column, though its rows all have as many fields,
    or are parted by spaces; empty of any other.

    >>> unsure(["city", *["Rome, Italy"] * 9])
    "is read as one column, though ',' parts every line but the first"
    >>> unsure(["a b", *["0.5 1"] * 9])
    "is read as one column; if ' ' parts its fields, write commas there"
    >>> unsure(["note", "a, b", *["c"] * 8])
    ''
    """
    for one in DELIMITERS:
        widths = {len(fields) for fields in _fields(lines[1:], one) if fields}
        if len(lines) > LEAST and len(widths) == 1 and widths != {1}:
            return f"is read as one column, though {one!r} parts every line but the first"
    rows = _fields(lines, " ")
    if rows and _heads(rows[0], rows[1:]):
        return "is read as one column; if ' ' parts its fields, write commas there"
    return ""


def doubted(names: Sequence[str]) -> str:
    """What to say of a header that holds nothing but numbers, some of them with a fraction; columns
    may be called by whole ones.

    >>> doubted(["0.5", "12"]), doubted(["2024", "2025"]), doubted(["0.5", "age"])
    ('its first line, taken for the header, holds numbers alone; write the names there', '', '')
    """
    if not all(map(_is_number, names)) or all(name.isdigit() for name in names):
        return ""
    return "its first line, taken for the header, holds numbers alone; write the names there"


def _second(lines: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How many lines stand before one that heads the rows below it, where the first does not; 0 if
    none does."""
    for place in range(1, min(LATEST, len(rows) - LEAST)):
        if '"' in lines[place - 1]:
            break
        if all(rows[place][1:]) and _is_first(rows, place):
            return place
    return 0


def _are_no_names(fields: Sequence[str]) -> bool:
    """Whether fields are no names of columns: some inside are blank, or two the same, or one is a
    moment. An index and what stands behind a last delimiter have no name either."""
    texts = [one.strip() for one in fields]
    if not all(texts[1:-1]) or (len(texts) == 2 and not texts[1]):
        return True
    named = [one for one in texts if one]
    return len(set(named)) < len(named) or any(seconds(one) is not None for one in named)


def _fields(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The fields of each line; none of one that is empty, or is no row by itself."""
    found = []
    for line in lines:
        try:
            found.append(next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), []))
        except csv.Error:
            found.append([])
    return found


def _most(widths: Sequence[int]) -> int:
    """The number of fields that most rows have; 0 of none."""
    found = Counter(filter(None, widths)).most_common(1)
    return found[0][0] if found else 0


def _is_first(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether a line is the header of those below, and no row of the same table is above it, as
    where one row has a word in place of a number."""
    names, below = rows[place], [row for row in rows[place + 1 :] if row]
    if not _heads(names, below):
        return False
    figures = [of for of in range(len(names)) if _are_figures([row[of] for row in below])]
    above = [row for row in rows[:place] if len(row) == len(names)]
    return not any(_is_number(row[of]) for row in above for of in figures)


def _heads(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a line is the header of the rows below."""
    full = [row for row in rows if row]
    if len(names) < 2 or len(full) < LEAST or {len(row) for row in full} != {len(names)}:
        return False
    if any(_is_number(name) for name in names) or len(set(names)) < len(names):
        return False
    # A column may have no name at an edge (an index, a delimiter that ends each line).
    if any(map(is_missing, names[1:-1])) or any(one and is_missing(one) for one in names):
        return False  # it is a row that lacks a number
    return any(map(_are_figures, zip(*full, strict=True)))


def _are_figures(values: Sequence[str]) -> bool:
    there = [value for value in values if not is_missing(value)]
    return len(there) >= LEAST and all(map(_is_number, there))


def _is_number(text: str) -> bool:
    return number(text.strip()) is not None or number(text.strip(), ",") is not None
