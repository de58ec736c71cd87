"""Rows of Records → the same rows once more, from memory where they are few.

To look at Records is most of what a reading costs, and a reference is read for its profile and then
for its own course.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator

from monitor.replay.files import ReadOptions
from monitor.rows import Row
from monitor.tables.blocks import Block

KEPT = 32 << 20
"""Bytes that what was seen of Records may take, about. More of them are looked at anew."""

_FRAME, _SEEN = 400, 150
"""Bytes of a column, and of an Observation, beside what they hold."""

Read = Callable[[ReadOptions], Iterator[Row | Block]]


class Remembered:
    """Reads rows, and keeps the blocks of the first whole reading in which features look at them.
    The next of the same features and dimensions is answered from these; with a later start it has
    what ended from then on, and not only what began. What could not be read is told once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._blocks: list[Block] = []
        self._made_by: ReadOptions | None = None

    def __call__(self, options: ReadOptions) -> Iterator[Row | Block]:
        """The rows."""
        if self._made_by is None:
            return self._noted(options) if options.features else self._read(options)
        if not _is_within(options, self._made_by):
            return self._read(options)
        if options.start == self._made_by.start:
            return iter(self._blocks)
        # The first reading kept what began before the end, also what ended behind it.
        later = dataclasses.replace(options, end=None)
        return (part for one in self._blocks for part in later.included(one))

    def _noted(self, options: ReadOptions) -> Iterator[Row | Block]:
        blocks: list[Block] | None = []
        left = KEPT
        for one in self._read(options):
            if blocks is not None and isinstance(one, Block) and (left := left - _size(one)) >= 0:
                blocks.append(one)
            else:
                blocks = None
            yield one
        if blocks is not None:
            self._blocks, self._made_by = blocks, options


def _is_within(asked: ReadOptions, made: ReadOptions) -> bool:
    """Whether what is asked for is among what one reading has made."""
    return (
        (asked.features, asked.columns, asked.end) == (made.features, made.columns, made.end)
        and (made.start is None or (asked.start is not None and asked.start >= made.start))
    )  # fmt: skip


def _size(block: Block) -> int:
    size = block.at.nbytes
    for labels in block.segments.values():
        size += labels.codes.nbytes + sum(map(sys.getsizeof, labels.values))
    for column in block.columns:
        size += _FRAME + column.codes.nbytes
        size += 0 if column.numbers is None else column.numbers.nbytes
        size += 0 if column.rows is None else column.rows.nbytes
        size += sum(_SEEN + sys.getsizeof(one.value) for one in column.seen)
    return size
