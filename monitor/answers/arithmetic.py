"""Amounts of a text → what people make of them, by sentence, row, column and member of JSON."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from monitor.answers.quantities import Quantity
from monitor.words.units import CURRENCIES

IN_A_ROW, _MEMBERS = 8, 40
"""Rows with more numbers, and members with more values, are not combined."""
EDGE = re.compile(r"[.!?](?=[\s\"”)])|\n|\}")
"""Where a sentence or a row ends."""
_KEY = re.compile(r"[\"'](?P<key>[\w -]{1,30})[\"']: ?(?P<sign>-?)\Z")


def combine(a: Quantity, b: Quantity) -> Iterator[tuple[str, str, float]]:
    """Yield (unit, kind, value) of what two numbers of one row make: sum (+), difference (-), mean
    (~), product or part (*), change (%), share or ratio (:)."""
    if "%" in (a.unit, b.unit) and a.unit != b.unit:
        share, amount = (a, b) if a.unit == "%" else (b, a)
        part = amount.value * share.value / 100
        for value in (part, amount.value - part, amount.value + part):
            yield amount.unit, "*", value
        return
    if a.unit != b.unit:
        yield from _rates(a, b)
        if a.unit and b.unit:
            return
    yield from _compared(_alike(a, b), _alike(b, a), a.unit or b.unit)
    if not (a.unit and b.unit):
        yield a.unit or b.unit, "*", a.value * b.value


def _rates(a: Quantity, b: Quantity) -> Iterator[tuple[str, str, float]]:
    """What numbers of different units make: so much for each, and that times so many."""
    for one, of in ((a, b), (b, a)):
        head, slash, _ = one.unit.partition("/")
        if (slash and "/" not in of.unit) or (one.unit in CURRENCIES and of.unit not in CURRENCIES):
            yield head, "*", one.value * of.written
        if of.written and one.unit and of.unit:
            yield f"{one.unit}/", ":", one.value / of.written
        elif of.value and not of.unit:
            yield one.unit, ":", one.value / of.value


def _compared(x: float, y: float, unit: str) -> Iterator[tuple[str, str, float]]:
    """What two numbers of one unit make."""
    if x < y:
        x, y = y, x
    yield unit, "+", x + y
    yield unit, "-", x - y
    yield unit, "~", (x + y) / 2
    if y > 0:
        for value in (100 * (x - y) / y, 100 * (x - y) / x):
            yield "%", "%", value
        for value in (100 * y / x, 100 * x / y):
            yield "%", ":", value
        yield "", ":", x / y
        if not unit:
            yield "", ":", y / x


def _alike(one: Quantity, other: Quantity) -> float:
    """The value of a number without a unit beside one with it: of 41.5 hours and 24 both are."""
    return one.value if one.unit or one.value != one.written else one.value * other.scale


def in_rows(text: str, found: Iterable[Quantity]) -> Iterator[list[Quantity]]:
    """The amounts of each sentence or row, one reading of each number."""
    edges = [match.start() for match in EDGE.finditer(text)]
    row: list[Quantity] = []
    place = -1
    for one in found:
        now = bisect_left(edges, one.start)
        if now != place and row:
            yield row
            row = []
        place = now
        if not row or row[-1].start != one.start:
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


def of_column(group: Sequence[Quantity]) -> Iterator[tuple[str, str, float]]:
    """Yield (unit, kind, value) of the sum and mean of a column, and of pairs if they are few."""
    values = [one.value for one in group]
    yield group[0].unit, "+", sum(values)
    yield group[0].unit, "~", sum(values) / len(values)
    if len(group) <= IN_A_ROW:
        for a, b in combinations(group, 2):
            yield from (made for made in combine(a, b) if made[1] in "+-%")


def wholes(alike: Sequence[Sequence[Quantity]]) -> Iterator[tuple[str, str, float]]:
    """Yield (unit, kind, value) of sums, means and shares of rows, and of columns of rows that are
    alike."""
    groups: list[list[Quantity]] = [list(row) for row in alike if len(row) > 2]
    block: list[Sequence[Quantity]] = []
    for row in [*alike, ()]:
        if block and [one.unit for one in row] != [one.unit for one in block[0]]:
            if len(block) > 1 and len(block[0]) <= IN_A_ROW:
                groups += [list(column) for column in zip(*block, strict=True)]
            block = []
        if row:
            block.append(row)
    for group in groups:
        by_unit: dict[str, list[float]] = defaultdict(list)
        for one in group:
            by_unit[one.unit].append(one.value)
        for unit, values in by_unit.items():
            total = sum(values)
            yield from ((unit, "+", one) for one in (total, total - values[-1], total - values[0]))
            yield unit, "~", total / len(values)
            if total > 0 and len(values) <= IN_A_ROW:
                yield from (("%", ":", 100 * value / total) for value in values)
