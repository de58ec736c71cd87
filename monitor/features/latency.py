"""Record → how long the answer took, whole and to its first token."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.interfaces import Feature
from monitor.types import Observation, Outcome, Record


def observe(record: Record) -> Iterator[Observation]:
    """`duration`, `time_to_first_token` and `time_per_output_token` in seconds.

    Of exchanges that went well: an error answers fast, and `outcome` tells of it.
    """
    if record.outcome is not Outcome.OK or not record.request.method:
        return
    if record.duration:
        yield Observation("duration", "duration", record.duration)
    if record.time_to_first_token is not None:
        yield Observation("time_to_first_token", "duration", record.time_to_first_token)
    if record.time_per_output_token is not None:
        yield Observation("time_per_output_token", "duration", record.time_per_output_token)


FEATURE = Feature("latency", observe)
