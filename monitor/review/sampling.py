"""Record → Pick: whether people are asked about an exchange, why, and with which probability.

Each Record has one number between 0 and 1 that depends on its id alone, and is picked where that is
less than its probability (Poisson sampling, Hájek 1964). So every replica and replay pick the same
ones, a Record is picked for the strongest of its reasons, and what a probability of 1/64 picks is
part of what 1/16 picks. Probabilities are powers of two, so that sums of their inverses are exact.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from monitor.types import EDGE_CASE, WHOLE, Record, Segment

LEAST = 2.0**-20
"""No probability is less: about one in a million."""


@dataclass(frozen=True)
class Policy:
    """With which probability people are asked about a Record, by the reason.

    `rate` is for one of the `edge_cases`, one whose confidence is below `low_confidence`, and one
    of which an output check failed; `drifted` for one of a segment that drifts; `control` for every
    one. Where two people read an item, they do so for the share `second` of all.
    """

    rate: float
    low_confidence: float
    edge_cases: frozenset[str]
    drifted: float
    control: float
    second: float = 1.0


class Pick(NamedTuple):
    """A Record that people are asked about.

    `reason` is `control`, `drifted`, `low_confidence`, `failed_check` or the name of an edge case.
    `ratio` is its number divided by its probability, less than 1: where more are picked than people
    can read, those with the least ratios are a sample of the others with known probability too.
    """

    reason: str
    propensity: float
    ratio: float


def pick(record: Record, policy: Policy, drifting: Collection[Segment]) -> Pick | None:
    """Return why people are asked about a Record, None where they are not."""
    reason, propensity = "control", power_of_two(policy.control)
    for stronger, probability in _reasons(record, policy, drifting):
        rounded = power_of_two(probability)
        if rounded > propensity:
            reason, propensity = stronger, rounded
    ratio = number(record.id) / propensity if propensity else 1.0
    return Pick(reason, propensity, ratio) if ratio < 1 else None


def _reasons(
    record: Record, policy: Policy, drifting: Collection[Segment]
) -> Iterator[tuple[str, float]]:
    for name in record.edge_cases:
        if name in policy.edge_cases:
            yield name, policy.rate
            break
    if any(not one.passed for one in record.checks.values()):
        yield "failed_check", policy.rate
    if record.confidence is not None and record.confidence < policy.low_confidence:
        yield "low_confidence", policy.rate
    if drifting and any(one in drifting for one in _segments(record)):
        yield "drifted", policy.drifted


def _segments(record: Record) -> Iterable[Segment]:
    yield WHOLE
    for dimension, value in record.segments.items():
        yield Segment(dimension, value)
    for name in record.edge_cases:
        yield Segment(EDGE_CASE, name)


def is_read_once(record_id: str, share: float) -> bool:
    """Whether one person is to read a Record, where two read the `share` of all that are picked.
    Which ones depends on the id alone, and not on why or how it was picked.
    """
    return number(record_id, b"second") >= share


def number(record_id: str, purpose: bytes = b"review") -> float:
    """The number of a Record for a purpose, evenly spread from 0 to 1. The id is made by the proxy,
    so that no client can choose it.

    >>> number("01939f2e-0000-7000-8000-000000000000") == number(
    ...     "01939f2e-0000-7000-8000-000000000000"
    ... ) < 1
    True
    """
    digest = blake2b(record_id.encode(errors="replace"), digest_size=8, person=purpose).digest()
    return (int.from_bytes(digest) >> 11) / (1 << 53)


def power_of_two(probability: float) -> float:
    """The power of two next to a probability, 0 for 0.

    >>> [power_of_two(one) for one in (0.0, 0.01, 0.05, 0.002, 1.0)]
    [0.0, 0.0078125, 0.0625, 0.001953125, 1.0]
    """
    if probability <= 0:
        return 0.0
    return min(1.0, max(LEAST, 2.0 ** round(math.log2(probability))))
