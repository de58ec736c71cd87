"""How sure a classifier was: the largest probability of each row of its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

import msgspec

from monitor.types import Inference, Part

CLASSES = 1024
ROWS = 1024
_TOLERANCE = 1e-3
_data = attrgetter("data")


def sure(inference: Inference) -> Inference:
    """With the confidence of a classifier: the mean of its rows, and the least sure of them."""
    if inference.confidence is not None:
        return inference
    outputs = inference.outputs
    rows = list(largest(outputs)) if any(map(_data, outputs)) else ()
    if not rows:
        return inference
    mean = sum(rows) / len(rows)
    return msgspec.structs.replace(inference, confidence=mean, confidence_min=min(rows))


def largest(outputs: Iterable[Part]) -> Iterator[float]:
    """The largest probability, 0 to 1, of every row of an output that holds probabilities.

    They are rows of two or more numbers, none below 0, that add up to 1; scores and logits are
    none. At most ROWS rows of CLASSES numbers are looked at.
    """
    for part in outputs:
        if not part.data or len(part.shape or ()) != 2:
            continue
        classes = (part.shape or [0, 0])[1]
        if (
            type(classes) is not int
            or not 2 <= classes <= CLASSES
            or (part.datatype or "FP")[:2] not in ("FP", "BF")
        ):
            continue
        for start in range(0, min(len(part.data), classes * ROWS) - classes + 1, classes):
            row = part.data[start : start + classes]
            if _are_probabilities(row):
                yield max(row)


def _are_probabilities(row: list[Any]) -> bool:
    return (
        all(type(value) in (float, int) and 0 <= value <= 1 for value in row)
        and abs(sum(row) - 1) < _TOLERANCE
    )
