"""The rows of a reference → its own course: each part of it, as long as a chunk, against all of it.

That is what a course over time is to be held against: how far parts of what is usual lie apart.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from monitor.damage import Damage
from monitor.findings import Finding
from monitor.replay.comparison import Comparison
from monitor.replay.document import Chunk, Stretch
from monitor.replay.files import ReadOptions
from monitor.replay.parts import Begin, Part, cut
from monitor.replay.periods import Period
from monitor.rows import Row
from monitor.tables.blocks import Block

FEWEST = 12
"""So many of the newest parts are told, or as many as there are chunks."""


class Usual(NamedTuple):
    """The parts of a reference, and what was found of each."""

    stretches: list[Stretch]
    findings: list[list[Finding]]


NOTHING = Usual([], [])


def course(
    both: Comparison,
    chunks: Sequence[Chunk],
    period: Period | None,
    begin: Begin,
    rows: Callable[[ReadOptions], Iterable[Row | Block]],
) -> Usual:
    """The newest parts of the reference, of which `rows` gives the rows in a range of time."""
    judged = [one.records for one in chunks if one.records]
    if both.reference is None or not both.compared.rows or not judged:
        return NOTHING
    most = max(len(chunks), FEWEST)
    options = dataclasses.replace(both.usual, damage=Damage())  # what is wrong has been told
    begin = dataclasses.replace(begin, with_facts=False)
    if period is None:
        length = sum(judged) / len(judged)
        total = both.compared.rows
        number = max(1, min(most, round(total / length)))
        parts = cut(rows(options), begin, chunks=number, total=total)
    else:
        first = period.place(both.compared.latest) - most + 1
        start = period.start(first - 1)  # what ended in the first may have begun before it
        start = start if options.start is None else max(start, options.start)
        options = dataclasses.replace(options, start=start)
        parts = cut(rows(options), begin, chunks=0, total=0, period=period)
        parts = {place: part for place, part in parts.items() if place >= first}
    return Usual(*_told(parts.items(), period))


def _told(
    parts: Iterable[tuple[int, Part]], period: Period | None
) -> tuple[list[Stretch], list[list[Finding]]]:
    stretches: list[Stretch] = []
    findings = []
    for place, part in sorted(parts):
        start, end = part.start, part.end
        if period is not None:
            start, end = period.span(place, -math.inf if stretches else part.start)
        stretches.append(Stretch(start, end, part.rows))
        findings.append(part.findings())
    return stretches, findings
