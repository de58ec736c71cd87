"""Record → how the exchange ended, and why the model stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

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
    ended = [str(record.outcome) if record.request.method else None for record in records]
    told = [record.finish_reasons for record in records]
    places = [place for place, reasons in enumerate(told) for _ in reasons]
    return [
        Values.of("outcome", "categorical", ended),
        Values("finish_reason", "categorical", places, list(chain.from_iterable(told))),
    ]


FEATURE = Feature("outcome", observe, observe_many)
