"""Amounts of a text → its rows, and what the numbers of each row and column make.

Of short texts both are remembered with their amounts (`quantities.of_source`); what they make only
of those that come again, because it costs something to keep it small.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise

from monitor.answers.arithmetic import (
    IN_A_ROW,
    Made,
    combine,
    in_rows,
    keyed,
    of_column,
    wholes,
)
from monitor.answers.marks import EDGE
from monitor.answers.quantities import Amounts, Quantity

PAIRS = 150
"""So many pairs and rows of a text are looked at."""

Pair = tuple[Quantity, Quantity]

Values = Mapping[tuple[str, str], Iterable[float]]
"""(unit, kind of `arithmetic.combine`) → values."""


def rows_of(amounts: Amounts) -> list[list[Quantity]]:
    """Return the amounts of each sentence or row of a text. They are to be read only."""
    if amounts.rows is None:
        amounts.rows = list(in_rows(amounts.marked, amounts))
    return amounts.rows


def side_by_side(amounts: Amounts) -> Iterator[Pair]:
    """Yield each number of a row with the next one, in one reading each."""
    if amounts.rows is not None:
        for row in amounts.rows:
            yield from pairwise(row)
        return
    find = amounts.marked.find
    before: Quantity | None = None
    for one in amounts:
        start = one.start
        if before is not None:
            if before.start == start:
                continue
            if find(EDGE, before.start, start) < 0:
                yield before, one
        before = one


def made_of(text: str, amounts: Amounts) -> Values:
    """Return what two numbers of one sentence or row make, or of one column in rows that follow one
    another, and all of a row or column. It is to be read only."""
    if amounts.made is not None:
        return amounts.made
    found = _by_kind(_made(text, amounts))
    if amounts.came_before:
        amounts.made = {key: array("d", values) for key, values in found.items()}
    amounts.came_before = True
    return found


def _by_kind(made: Iterable[Made]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for unit, kind, value in made:
        found[unit, kind].append(value)
    return found


def _made(text: str, amounts: Amounts) -> Iterable[Made]:
    pairs, made = parts_of(text, amounts)
    for a, b in pairs:
        yield from combine(a, b)
    yield from made


def parts_of(text: str, amounts: Amounts) -> tuple[list[Pair], list[Made]]:
    """Return the pairs of one sentence or row, or of one column in rows that follow one another,
    and what all of a row or column make."""
    rows = rows_of(amounts)
    within: list[Pair] = []
    columns: list[Pair] = []
    above: Sequence[Quantity] = ()
    for row in rows:
        if len(row) > 1 and len(within) < PAIRS:
            within += _pairs(row)
        if len(columns) < PAIRS:
            columns += [one for one in zip(above, row, strict=False) if one[0].unit == one[1].unit]
        above = row if len(row) <= IN_A_ROW else row[:IN_A_ROW]
    made = wholes(rows[:PAIRS])
    for group in keyed(text, amounts) if '":' in text else ():
        made += of_column(group)
    return within[:PAIRS] + columns[:PAIRS], made


def _pairs(row: Sequence[Quantity]) -> Iterable[Pair]:
    """The pairs of a row, of a long one those that stand side by side."""
    return combinations(row, 2) if len(row) <= IN_A_ROW else pairwise(row)
