"""Record → which columns it has: a field that clients stop sending is seen to be gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.openings import talks
from monitor.texts import CATEGORY, cell, plain
from monitor.types import Observation, Part, Record

CELLS = 1 << 20
"""Lists of columns that are too long to be read are told apart by hash, of so many."""


def observe(record: Record) -> Iterator[Observation]:
    """`input_columns` and `output_columns`: the names of the tensors, in order of name.

    A null is a missing value of its column; a column that is not there at all is no value of
    anything, and only shows here.
    """
    for name, parts in (("input_columns", record.inputs), ("output_columns", record.outputs)):
        names = _names(parts)
        if names:
            listed = ", ".join(names)
            if len(listed) > CATEGORY:
                listed = f"{len(names)} columns {cell(listed, CELLS)}"
            yield Observation(name, "categorical", listed)


def _names(parts: Iterable[Part]) -> list[str]:
    names = {part.name for part in parts if part.data is not None and part.name}
    if "<" in "".join(names):
        names = set(map(plain, names))
    return sorted(names)


def observe_many(records: Sequence[Record]) -> list[Values] | None:
    """Nothing of Records of texts alone."""
    return None if talks(records).hold_data else []


FEATURE = Feature("columns", observe, observe_many)
