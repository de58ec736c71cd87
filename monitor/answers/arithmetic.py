"""Amounts of a text → what people make of them, by sentence, row, column and member of JSON."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, groupby

from monitor.answers.marks import EDGE
from monitor.answers.quantities import Quantity
from monitor.words.units import CURRENCIES

Made = tuple[str, str, float]
"""(unit, kind, value) of what some numbers make."""
ALL = "+-~*%:"
IN_A_ROW, _MEMBERS = 8, 40
"""Rows with more numbers, and members with more values, are not combined."""
_KEY = re.compile(r"[\"'](?P<key>[\w -]{1,30})[\"']: ?(?P<sign>-?)\Z")


def combine(a: Quantity, b: Quantity, kinds: str = ALL) -> list[Made]:
    """Return what two numbers of one row make: sum (+), difference (-), mean (~), product or part
    (*), change (%), share or ratio (:). No products where they are none of the `kinds`."""
    found = multiply(a, b) if "*" in kinds else []
    if a.unit == b.unit:
        found += _compared(_in_one_unit(a, b), _in_one_unit(b, a), a.unit)
    elif a.unit != "%" != b.unit:
        found += _rates(a, b)
        if not (a.unit and b.unit):
            found += _compared(_in_one_unit(a, b), _in_one_unit(b, a), a.unit or b.unit)
    return found


def multiply(a: Quantity, b: Quantity) -> list[Made]:
    """Return their product, or what a share is of the other, or leaves, or adds to it."""
    if a.unit == b.unit:
        return [] if a.unit else [("", "*", a.value * b.value)]
    if "%" in (a.unit, b.unit):
        share, amount = (a, b) if a.unit == "%" else (b, a)
        part = amount.value * share.value / 100
        unit, whole = amount.unit, amount.value
        return [(unit, "*", part), (unit, "*", whole - part), (unit, "*", whole + part)]
    found = []
    for one, of in ((a, b), (b, a)):
        head, slash, _ = one.unit.partition("/")
        if (slash and "/" not in of.unit) or (one.unit in CURRENCIES and of.unit not in CURRENCIES):
            found.append((head, "*", one.value * of.written))
    if not (a.unit and b.unit):
        found.append((a.unit or b.unit, "*", a.value * b.value))
    return found


def _rates(a: Quantity, b: Quantity) -> Iterator[Made]:
    """What numbers of different units make: so much for each."""
    for one, of in ((a, b), (b, a)):
        if of.written and one.unit and of.unit:
            yield f"{one.unit}/", ":", one.value / of.written
        elif of.value and not of.unit:
            yield one.unit, ":", one.value / of.value


def _compared(x: float, y: float, unit: str) -> list[Made]:
    """What two numbers of one unit make."""
    if x < y:
        x, y = y, x
    found = [(unit, "+", x + y), (unit, "-", x - y), (unit, "~", (x + y) / 2)]
    if y > 0:
        found += (
            ("%", "%", 100 * (x - y) / y),
            ("%", "%", 100 * (x - y) / x),
            ("%", ":", 100 * y / x),
            ("%", ":", 100 * x / y),
            ("", ":", x / y),
        )
        if not unit:
            found.append(("", ":", y / x))
    return found


def _in_one_unit(one: Quantity, other: Quantity) -> float:
    """The value of a number without a unit beside one with it: of 41.5 hours and 24 both are."""
    return one.value if one.unit or one.value != one.written else one.value * other.scale


def in_rows(marked: bytes, found: Iterable[Quantity]) -> Iterator[list[Quantity]]:
    """The amounts of each sentence or row of a text with these marks, each in one reading."""
    row: list[Quantity] = []
    for one in found:
        if row:
            before = row[-1].start
            if before == one.start:
                continue
            if marked.find(EDGE, before, one.start) >= 0:
                yield row
                row = []
        row.append(one)
    if row:
        yield row


def keyed(text: str, found: Iterable[Quantity]) -> Iterator[list[Quantity]]:
    """The numbers of each member of objects in JSON, negative ones apart."""
    groups: dict[tuple[str, bool], list[Quantity]] = defaultdict(list)
    for one in found:
        match = _KEY.search(text[max(one.start - 42, 0) : one.start])
        if match:
            groups[match["key"], bool(match["sign"])].append(one)
    yield from (group for group in groups.values() if 1 < len(group) <= _MEMBERS)


def of_column(group: Sequence[Quantity]) -> Iterator[Made]:
    """Yield (unit, kind, value) of the sum and mean of a column, and of pairs if they are few."""
    values = [one.value for one in group]
    yield group[0].unit, "+", sum(values)
    yield group[0].unit, "~", sum(values) / len(values)
    if len(group) <= IN_A_ROW:
        for a, b in combinations(group, 2):
            yield from (made for made in combine(a, b) if made[1] in "+-%")


def _units(row: Sequence[Quantity]) -> str | list[str]:
    """What a row measures: its unit, or those of several numbers."""
    return row[0].unit if len(row) == 1 else [one.unit for one in row]


def wholes(alike: Sequence[Sequence[Quantity]]) -> list[Made]:
    """Return (unit, kind, value) of sums, means and shares of rows, and of columns of rows that are
    alike."""
    found: list[Made] = []
    for row in alike:
        if len(row) > 2:
            by_unit: dict[str, list[float]] = {}
            for one in row:
                by_unit.setdefault(one.unit, []).append(one.value)
            for unit, values in by_unit.items():
                found += _whole(unit, values)
    for _, same in groupby(alike, _units):
        block = list(same)
        if len(block) > 1:
            found += _columns(block)
    return found


def _columns(block: Sequence[Sequence[Quantity]]) -> list[Made]:
    """The same of each column of rows that measure the same."""
    found: list[Made] = []
    if len(block[0]) <= IN_A_ROW:
        for column in zip(*block, strict=True):
            found += _whole(column[0].unit, [one.value for one in column])
    return found


def _whole(unit: str, values: Sequence[float]) -> list[Made]:
    """The same of some values in a unit."""
    total = sum(values)
    found = [
        (unit, "+", total),
        (unit, "+", total - values[-1]),
        (unit, "+", total - values[0]),
        (unit, "~", total / len(values)),
    ]
    if total > 0 and len(values) <= IN_A_ROW:
        found += [("%", ":", 100 * value / total) for value in values]
    return found
