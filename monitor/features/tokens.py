"""Record → token counts as the endpoint reported them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_tokens` and `output_tokens`, where they were reported."""
    if record.tokens is None:
        return
    if record.tokens.input is not None:
        yield Observation("input_tokens", "numeric", record.tokens.input)
    if record.tokens.output is not None:
        yield Observation("output_tokens", "numeric", record.tokens.output)


def observe_many(records: Sequence[Record]) -> list[Values]:
    """The same of many Records."""
    found = [(place, one.tokens) for place, one in enumerate(records) if one.tokens is not None]
    read = [(place, one.input) for place, one in found if one.input is not None]
    written = [(place, one.output) for place, one in found if one.output is not None]
    return [
        Values.of("input_tokens", "numeric", read),
        Values.of("output_tokens", "numeric", written),
    ]


FEATURE = Feature("tokens", observe, observe_many)
