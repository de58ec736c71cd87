"""Rows → the same without the labels that are missing: they come later, and are no value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

import msgspec
import numpy as np

from monitor.rows import Row
from monitor.tables.blocks import Block, Column


def without_missing(rows: Iterable[Row | Block], labels: AbstractSet[str]) -> Iterator[Row | Block]:
    """The rows, in which `labels` are only those that are there."""
    for one in rows:
        yield of_block(one, labels) if isinstance(one, Block) else of_row(one, labels)


def of_row(row: Row, labels: AbstractSet[str]) -> Row:
    """A row, in which `labels` are only those that are there."""
    if not labels:
        return row
    seen = [
        each for each in row.observations if each.value is not None or each.feature not in labels
    ]
    return msgspec.structs.replace(row, observations=seen)


def of_block(block: Block, labels: AbstractSet[str]) -> Block:
    """The same of a block of rows."""
    if not labels:
        return block
    columns = [_told(each) if each.feature in labels else each for each in block.columns]
    return dataclasses.replace(block, columns=[each for each in columns if len(each)])


def _told(column: Column) -> Column:
    missing = [place for place, one in enumerate(column.seen) if one.value is None]
    if not missing:
        return column
    kept = np.flatnonzero(~np.isin(column.codes, missing))
    return dataclasses.replace(column.part(kept), rows=column.places[kept])
