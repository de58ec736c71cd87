"""Record → how sure the model was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor import probabilities
from monitor.interfaces import Feature, Values
from monitor.openings import talks
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`confidence`, 0 … 1: of every row of an output that holds probabilities, else of the text."""
    is_classifier = False
    for largest in probabilities.largest(record.outputs):
        is_classifier = True
        yield Observation("confidence", "numeric", largest)
    if not is_classifier and record.confidence is not None:
        yield Observation("confidence", "numeric", record.confidence)


def observe_many(records: Sequence[Record]) -> list[Values]:
    """The same of many Records."""
    if not talks(records).hold_data:
        return [Values.of("confidence", "numeric", [record.confidence for record in records])]
    places, found = [], []
    for place, record in enumerate(records):
        told = list(probabilities.largest(record.outputs))
        if not told and record.confidence is not None:
            told = [record.confidence]
        places += [place] * len(told)
        found += told
    return [Values("confidence", "numeric", places, found)]


FEATURE = Feature("confidence", observe, observe_many)
