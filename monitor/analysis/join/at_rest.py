"""Records and Items at rest → the Rows that live traffic had, in the same order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from monitor.analysis.join.items import Item
from monitor.analysis.join.join import Join
from monitor.rows import Row
from monitor.types import Record


def due(join: Join, records: Iterable[Record], said: Iterable[Item]) -> Iterator[Row]:
    """Yield the Row of every Record, in the order in which they are due, among those that Records
    have at once; the end of the Records makes the rest due.

    Records are about in order of time, items in that in which they came, those without a time
    first. Afterwards `join` knows what became of each item.
    """
    coming = iter(said)
    item = next(coming, None)
    newest = -math.inf
    for record in records:
        ended = record.started + record.duration
        newest = max(newest, ended) if math.isfinite(ended) else newest
        while item is not None and (item.came is None or item.came <= newest):
            join.say(item)
            item = next(coming, None)
        yield from join.add(record)
        yield from join.advance(newest)
    while item is not None:
        if item.came is not None:
            yield from join.advance(item.came)
        join.say(item)
        item = next(coming, None)
    yield from join.advance(math.inf)
