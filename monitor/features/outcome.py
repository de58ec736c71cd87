"""Record → how the exchange ended, and why the model stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`outcome`, and `finish_reason` of every answer that gave one."""
    if record.request.method:
        yield Observation("outcome", "categorical", str(record.outcome))
    for reason in record.finish_reasons:
        yield Observation("finish_reason", "categorical", reason)


def observe_many(records: Sequence[Record]) -> list[Values]:
    """The same of many Records."""
    ended = [
        (place, str(record.outcome))
        for place, record in enumerate(records)
        if record.request.method
    ]
    reasons = [
        (place, reason) for place, record in enumerate(records) for reason in record.finish_reasons
    ]
    return [
        Values.of("outcome", "categorical", ended),
        Values.of("finish_reason", "categorical", reasons),
    ]


FEATURE = Feature("outcome", observe, observe_many)
