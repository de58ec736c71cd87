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
    found = [record.tokens for record in records]
    return [
        Values.of("input_tokens", "numeric", [one and one.input for one in found]),
        Values.of("output_tokens", "numeric", [one and one.output for one in found]),
    ]


FEATURE = Feature("tokens", observe, observe_many)
