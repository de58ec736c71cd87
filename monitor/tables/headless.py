"""The first lines of a text file → whether the first is one like those below it, so that nothing
names the columns: a program's log, or rows alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from monitor.interfaces import Head
from monitor.packing import named
from monitor.tables.headers import DELIMITERS, LEAST, LOOKED_AT, moved
from monitor.texts import seconds

WHY = (
    "has no header: its first line is like those below it, as in a program's log; write the names "
    "of its columns above it, or --format csv to take that line for names"
)
"""What is said of such a file."""

_LONGEST = 400
"""Characters of a line that are looked at."""

_LEAST = 2
"""So many other lines like the first are no chance."""

_WORDS = 4
"""So many words in a field with a number are a sentence."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

_BEGIN = re.compile(
    r"""(?: \S{1,60}\s+\|\s | \([^()]{1,60}\)\s | <\d{1,3}>\d?\s? )?  # of a container, a process
    [\[("']{0,2}
    (?: (?:\[?[A-Z]{2,9}\]?[\s:|]{1,9})?                              # how bad, who writes
        (?: [A-Z]?\d{4}\s\d\d:\d\d:\d\d                                # I0401 10:00:00
          | (?:\d{4}[-/])?\d\d[-/]\d\d[T\s]{1,3}(?:-\s)?\d\d:\d\d      # 04-01 10:00, ISO 8601
          | \d\d/[A-Z][a-z]{2}/\d{4}[:\s]\d\d:\d\d
          | [A-Z][a-z]{2}\s[\s\d]\d\s(?:\d{4}\s)?\d\d:\d\d:\d\d        # Apr  1 10:00:00
          | \d\d:\d\d:\d\d[.,:\s\]|-]
          | \d{1,9}:[A-Z]\s\d\d\s[A-Z][a-z]{2}\s\d{4}\s )
      | (?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERR|ERROR|CRITICAL|FATAL)
        (?: \s?[:\])|] | \s{1,9}[-\[(] )
      | (?:time|ts|level|lvl|severity)="?\w[^,;\t]*?\s\w+= )""",
    re.VERBOSE,
)
"""How a line of a log begins: with a time, with how bad it is, or by naming either."""

_NUMBER = re.compile(r"\d+")
_MOMENT = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[T ]\d{1,2}:\d\d|\d+\.\d+$")
_LOG = named(".log")


def is_headless(head: Head) -> bool:
    """Whether the first line is one like those below it.

    So it is where it and half of the others begin as the lines of a log do; where others are the
    same but for their numbers, and it holds what is no name, such as a sentence with a number, a
    fraction or a moment. Of a file that is called a log the others are enough.

    >>> def of(*lines, name="t.csv"):
    ...     return is_headless(Head(Path(name), "\\n".join(lines).encode()))
    >>> from pathlib import Path
    >>> of("INFO 04-01 10:00:00 [x.py:1] up", *["INFO:     10.0.0.1 - GET, 200"] * 3)
    True
    >>> of("Rome,0.5,ok", "Rome,0.7,ok", "Rome,1.5,ok"), of("at,x", *["2026-04-01 10:00,1"] * 3)
    (True, False)
    >>> of("node1,node2", "node7,node9", "node3,node5"), of("2019,2020", "5,7", "6,8")
    (False, False)
    """
    text = head.text.decode("utf-8", "replace")
    whole = [one for one in text.splitlines()[: LOOKED_AT + 1] if one.strip()]
    lines = [_COLOURS.sub("", one[:_LONGEST]) for one in whole]
    if len(lines) <= _LEAST or "\0" in text[:_LONGEST]:
        return False
    first, rest = lines[0], lines[1:]
    begin = sum(_BEGIN.match(one) is not None for one in rest)
    greets = _BEGIN.match(first) is None
    if 2 * begin >= len(rest) and (not greets or head.path.name.endswith(_LOG)):
        return not _has_header(whole, greets=greets)
    return _are_rows(first, rest)


def _has_header(lines: list[str], *, greets: bool) -> bool:
    """Whether a table stands in lines that begin with times: below a title with a date or, where
    the first begins otherwise, below names."""
    if len(lines) > LEAST + 2:
        lines = lines[:-1]  # the last may be cut
    delimiter = max(DELIMITERS, key=lines[0].count)
    if delimiter not in lines[0]:
        return moved(lines, "") is not None
    try:
        names, *rows = (next(csv.reader([one], delimiter=delimiter), []) for one in lines)
    except csv.Error:
        return False
    if greets and {len(names)} == set(map(len, rows)) and len(set(names)) == len(names):
        return all(names)
    return moved(lines, delimiter) is not None


def _are_rows(first: str, rest: Sequence[str]) -> bool:
    shape = _NUMBER.sub("0", first)
    like = [one for one in rest if one != first and _NUMBER.sub("0", one) == shape]
    if len(like) < _LEAST or not any(map(str.isalpha, shape)) or "0" not in shape:
        return False
    delimiter = max(DELIMITERS, key=first.count)
    try:
        fields = next(csv.reader([first], delimiter=delimiter))
    except csv.Error:
        return False
    return any(map(_is_no_name, fields))


def _is_no_name(field: str) -> bool:
    text = field.strip()
    if _NUMBER.search(text) is None:
        return False
    return (
        len(text.split()) >= _WORDS or _MOMENT.match(text) is not None or seconds(text) is not None
    )
