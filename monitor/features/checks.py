"""Record → what the checks said of its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`check.NAME`: whether the answer passed. `check.NAME.share`: the share that is wrong of
    several things that the check looked at."""
    for name, verdict in record.checks.items():
        yield Observation(f"check.{name}", "boolean", verdict.passed)
        if verdict.of > 1:
            yield Observation(f"check.{name}.share", "numeric", verdict.count / verdict.of)


def observe_many(records: Sequence[Record]) -> list[Values] | None:
    """Nothing of Records that were not checked."""
    return None if any(record.checks for record in records) else []


FEATURE = Feature("checks", observe, observe_many)
