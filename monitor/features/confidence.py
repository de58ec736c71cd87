"""Record → how sure a classifier was: the largest of the probabilities it returned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.interfaces import Feature
from monitor.types import Observation, Record

CLASSES = 1024
ROWS = 1024
_TOLERANCE = 1e-3


def observe(record: Record) -> Iterator[Observation]:
    """`confidence`, 0 … 1, of every row of an output that holds probabilities.

    Probabilities are rows of two or more numbers, none below 0, that add up to 1.
    """
    for part in record.outputs:
        if not part.data or len(part.shape or ()) != 2:
            continue
        classes = (part.shape or [0, 0])[1]
        if not 2 <= classes <= CLASSES or (part.datatype or "FP")[:2] not in ("FP", "BF"):
            continue
        for start in range(0, min(len(part.data), classes * ROWS) - classes + 1, classes):
            row = part.data[start : start + classes]
            if _are_probabilities(row):
                yield Observation("confidence", "numeric", max(row))


def _are_probabilities(row: list[Any]) -> bool:
    return (
        all(type(value) in (float, int) and 0 <= value <= 1 for value in row)
        and abs(sum(row) - 1) < _TOLERANCE
    )


FEATURE = Feature("confidence", observe)
