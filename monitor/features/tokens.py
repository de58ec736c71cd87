"""Record → token counts as the endpoint reported them."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.interfaces import Feature
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_tokens` and `output_tokens`, where they were reported."""
    if record.tokens is None:
        return
    if record.tokens.input is not None:
        yield Observation("input_tokens", "numeric", record.tokens.input)
    if record.tokens.output is not None:
        yield Observation("output_tokens", "numeric", record.tokens.output)


FEATURE = Feature("tokens", observe)
