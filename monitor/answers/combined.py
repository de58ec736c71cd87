"""Amounts of a text → its rows, and what the numbers of each row and column make.

Of short texts both are remembered with their amounts (`quantities.of_source`); what they make only
of those that come again, because it costs something to keep it small.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, combinations, islice, pairwise

from monitor.answers.arithmetic import (
    IN_A_ROW,
    Made,
    combine,
    in_rows,
    keyed,
    of_column,
    wholes,
)
from monitor.answers.quantities import Quantity, Remembered

PAIRS = 150
"""So many pairs and rows of a text are looked at."""

Values = Mapping[tuple[str, str], Iterable[float]]
"""(unit, kind of `arithmetic.combine`) → values."""


def rows_of(text: str, amounts: Sequence[Quantity]) -> list[list[Quantity]]:
    """Return the amounts of each sentence or row of a text. They are to be read only."""
    if not isinstance(amounts, Remembered):
        return list(in_rows(text, amounts))
    if amounts.rows is None:
        amounts.rows = list(in_rows(text, amounts))
    return amounts.rows


def made_of(text: str, amounts: Sequence[Quantity]) -> Values:
    """Return what two numbers of one sentence or row make, or of one column in rows that follow one
    another, and all of a row or column. It is to be read only."""
    if isinstance(amounts, Remembered) and amounts.made is not None:
        return amounts.made
    found = _by_kind(_made(text, amounts))
    if isinstance(amounts, Remembered):
        if amounts.came_before:
            amounts.made = {key: array("d", values) for key, values in found.items()}
        amounts.came_before = True
    return found


def _by_kind(made: Iterable[Made]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for unit, kind, value in made:
        found[unit, kind].append(value)
    return found


def _made(text: str, amounts: Sequence[Quantity]) -> list[Made]:
    rows = rows_of(text, amounts)
    within = (pair for row in rows if len(row) > 1 for pair in _pairs(row))
    columns = (
        (a, b)
        for above, below in pairwise(rows)
        for a, b in zip(above[:IN_A_ROW], below, strict=False)
        if a.unit == b.unit
    )
    made: list[Made] = []
    for a, b in chain(islice(within, PAIRS), islice(columns, PAIRS)):
        made += combine(a, b)
    made += wholes(rows[:PAIRS])
    for group in keyed(text, amounts) if '":' in text else ():
        made += of_column(group)
    return made


def _pairs(row: Sequence[Quantity]) -> Iterable[tuple[Quantity, Quantity]]:
    """The pairs of a row, of a long one those that stand side by side."""
    return combinations(row, 2) if len(row) <= IN_A_ROW else pairwise(row)
