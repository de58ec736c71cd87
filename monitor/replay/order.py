"""Rows of a log in any order → in order of time, in bounded memory.

What is judged is judged as it would have been live, so rows must come as they came then. Exports
are often newest first, and logs are written when exchanges end.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec
import numpy as np

from monitor.errors import SourceError
from monitor.logged import Logged
from monitor.tables.blocks import Floats

BYTES = 256 << 20
"""Bytes of bodies that wait for their turn, about."""
ROW = 1024
"""Bytes that a row takes beside its bodies, about."""
KEPT = 64 << 20
"""Bytes of a log that are kept of its first reading, about: one that is no larger is read once."""
READINGS = 40
"""Times that a log is read again, at most, to have it in order."""

Read = Callable[[], Iterator[Logged]]
"""What reads a log from its beginning."""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The number of an exchange in its log, when it began (Unix seconds), what is said of it."""

    number: int
    at: float
    said: Logged


def timed(found: Iterator[Logged]) -> Iterator[Entry]:
    """Numbered, each with a time: what has none is of that of the row before it, or of its number
    where no row had one."""
    last = None
    for number, said in enumerate(found):
        at = said.started
        if at is None:
            at = float(number) if last is None else last
            yield Entry(number, at, msgspec.structs.replace(said, started=at))
        else:
            last = at
            yield Entry(number, at, said)


def in_order(read: Read, name: str) -> Iterator[Entry]:
    """The rows of a log by their times, equal ones as they stand.

    It is read once for its times, and that is all if it is small. If its times are in order it is
    streamed then; if rows are late by little, through a window of that length; else part after
    part, each by a reading of its own. Raises SourceError, which names the log, where there would
    be more than READINGS of these.
    """
    times, size, kept = _first(read)
    if size <= KEPT:
        kept.sort(key=_place)
        kept.reverse()
        while kept:  # what was looked at is forgotten
            yield kept.pop()
        return
    if not len(times) or bool(np.all(np.diff(times) >= 0)):
        yield from timed(read())
        return
    room = max(BYTES * len(times) // size, 1)
    late = float(np.max(np.maximum.accumulate(times) - times))
    times.sort()
    held = np.searchsorted(times, times + late, "right") - np.arange(len(times))
    if int(np.max(held)) <= room:
        yield from _windowed(read, late)
        return
    edges = np.append(np.unique(times[::room]), np.inf)
    largest = int(np.max(np.diff(np.searchsorted(times, edges))))
    if len(edges) > READINGS + 1 or largest > 2 * room:
        raise SourceError(
            f"{name}: its {len(times):,} rows are not in order of time, which is too many to be "
            "put in order here; sort them by time"
        )
    for low, high in pairwise(edges.tolist()):
        part = [entry for entry in timed(read()) if low <= entry.at < high]
        part.sort(key=_place)
        yield from part


def _first(read: Read) -> tuple[Floats, int, list[Entry]]:
    """When rows began, the bytes that all of them take, and the rows themselves while these take
    no more than KEPT."""
    times, size = array("d"), 0
    kept: list[Entry] = []
    for entry in timed(read()):
        times.append(entry.at)
        said = entry.said
        size += len(said.request) + len(said.response) + ROW
        if size <= KEPT:
            kept.append(entry)
        elif kept:
            kept = []
    return np.array(times, dtype=np.float64), size, kept


def _windowed(read: Read, late: float) -> Iterator[Entry]:
    waiting: list[tuple[float, int, Entry]] = []
    newest = -float("inf")
    for entry in timed(read()):
        heapq.heappush(waiting, (entry.at, entry.number, entry))
        newest = max(newest, entry.at)
        while waiting and waiting[0][0] < newest - late:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _place(entry: Entry) -> tuple[float, int]:
    return entry.at, entry.number
