"""Record → how the exchange ended, and why the model stopped."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.interfaces import Feature
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`outcome`, and `finish_reason` of every answer that gave one."""
    if record.request.method:
        yield Observation("outcome", "categorical", str(record.outcome))
    for reason in record.finish_reasons:
        yield Observation("finish_reason", "categorical", reason)


FEATURE = Feature("outcome", observe)
