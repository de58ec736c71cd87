"""Segments side by side: latency, errors, tokens, cost and failed checks by any dimension."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from monitor.queries import samples
from monitor.queries.query import Paged, Query, System, Text, page
from monitor.types import WHOLE, Measurement, Outcome

EXCHANGES = "monitor_segment_exchanges_total"
DURATION = "monitor_segment_duration_seconds"
FIRST_TOKEN = "monitor_segment_time_to_first_token_seconds"  # noqa: S105  a metric
TOKENS = "monitor_segment_tokens_total"
COST = "monitor_segment_cost_total"
CHECKS = "monitor_segment_check_failures_total"
NAMES = (EXCHANGES, TOKENS, COST, CHECKS, *(
    f"{name}_{part}" for name in (DURATION, FIRST_TOKEN) for part in ("bucket", "sum", "count")
))  # fmt: skip


class Asked(Paged, frozen=True, kw_only=True):
    """Which segments are wanted, and in which state."""

    dimension: Text = ""
    """Only those of this dimension; `all` for the whole traffic."""
    value: Text = ""
    """Only those of this value of a dimension."""


class Seconds(msgspec.Struct, frozen=True):
    """How long something took; quantiles are estimated from the histogram's buckets."""

    count: int
    """How many were measured."""
    mean: float | None
    """Seconds in the mean; null without any."""
    p50: float | None
    """Seconds that half of them were below."""
    p95: float | None
    """Seconds that 95 of 100 were below."""
    p99: float | None
    """Seconds that 99 of 100 were below."""


class SegmentTraffic(msgspec.Struct, frozen=True):
    """One segment, since its processes have counted."""

    dimension: str
    """The dimension; `all` for the whole traffic."""
    value: str
    """The value; `all` for the whole traffic."""
    exchanges: int
    """Exchanges that the recorder read."""
    error_ratio: float | None
    """The share of them whose outcome is not `ok`, 0 to 1; null without any."""
    outcomes: dict[str, int]
    """Exchanges by outcome."""
    duration: Seconds
    """From the first byte of the request to the last byte of the response."""
    first_token: Seconds
    """From the first byte of the request to the first event with content, of streams."""
    tokens: dict[str, int]
    """Tokens by direction, as the endpoint reported them."""
    cost: dict[str, float]
    """Cost by currency, of what has a price."""
    failed_checks: dict[str, int]
    """Exchanges whose answer failed a check, by check."""


class Segments(msgspec.Struct, frozen=True):
    """A page of segments."""

    dimensions: list[str]
    """All dimensions that were counted."""
    total: int
    """Segments that were asked for, on all pages."""
    items: list[SegmentTraffic]
    """The whole traffic first, then by dimension and value."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


async def answer(system: System, asked: Asked) -> Segments:
    """Latency, errors, tokens, cost and failed checks of each segment, side by side."""
    found = samples.by_name(await system.measurements(), NAMES)
    by_place: defaultdict[tuple[str, str], dict[str, list[Measurement]]]
    by_place = defaultdict(lambda: defaultdict(list))
    for name, several in found.items():
        for one in several:
            by_place[one.labels["dimension"], one.labels["value"]][name].append(one)
    dimensions = sorted({dimension for dimension, _ in by_place}, key=_whole_first)
    chosen = [
        (dimension, value)
        for dimension, value in by_place
        if asked.dimension in ("", dimension) and asked.value in ("", value)
    ]
    places, cursor = page(chosen, lambda one: (*_whole_first(one[0]), one[1]), asked)
    items = [_row(*place, by_place[place]) for place in places]
    return Segments(dimensions, len(chosen), items, cursor)


def _whole_first(dimension: str) -> tuple[bool, str]:
    return dimension != WHOLE.dimension, dimension


def _row(dimension: str, value: str, found: dict[str, list[Measurement]]) -> SegmentTraffic:
    outcomes = _whole(samples.sums(found[EXCHANGES], "outcome"))
    exchanges = sum(outcomes.values())
    return SegmentTraffic(
        dimension,
        value,
        exchanges,
        1 - outcomes.get(Outcome.OK.value, 0) / exchanges if exchanges else None,
        outcomes,
        _seconds(found, DURATION),
        _seconds(found, FIRST_TOKEN),
        _whole(samples.sums(found[TOKENS], "direction")),
        samples.sums(found[COST], "currency"),
        _whole(samples.sums(found[CHECKS], "check")),
    )


def _whole(sums: dict[str, float]) -> dict[str, int]:
    return {name: int(number) for name, number in sums.items()}


def _seconds(found: dict[str, list[Measurement]], name: str) -> Seconds:
    buckets = samples.cumulative(found[f"{name}_bucket"])
    count = int(samples.total(found[f"{name}_count"]))
    mean = samples.total(found[f"{name}_sum"]) / count if count else None
    return Seconds(count, mean, *_quantiles((0.5, 0.95, 0.99), buckets))


def _quantiles(
    shares: Sequence[float], buckets: dict[float, float]
) -> tuple[float | None, float | None, float | None]:
    first, second, third = (samples.quantile(share, buckets) for share in shares)
    return first, second, third


QUERY = Query("segments", Asked, Segments, answer)
