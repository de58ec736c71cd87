"""Drift: what changed, in which segment, since when, in words."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.findings import Finding, Status, Together
from monitor.queries.query import Paged, Query, System, Text, page
from monitor.types import WHOLE


class Asked(Paged, frozen=True, kw_only=True):
    """Which findings of drift are wanted."""

    feature: Text = ""
    """Only those of this feature, as `outcome`."""
    dimension: Text = ""
    """Only those of this dimension; `all` for the whole traffic."""
    value: Text = ""
    """Only those of this value of a dimension."""
    status: Literal["", "drift", "ok", "insufficient"] = ""
    """Only those with this status."""


class Findings(msgspec.Struct, frozen=True):
    """A page of what the analyzer found of drift."""

    verdict: Status
    """`drift` where any feature drifts, else `ok` where anything can be said, and no values came of
    late that had no place (`drift.watches`)."""
    records: int
    """Records that the analyzer has read."""
    total: int
    """Findings that were asked for, on all pages."""
    counts: dict[str, int]
    """How many findings there are by status, whatever was asked for."""
    items: list[Finding]
    """The whole traffic first, then by dimension, value and feature."""
    together: list[Together]
    """Segments in which something drifts, on every page."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""
    left_out: int
    """Values that had no place of late, and references of the profile that have none."""


async def answer(system: System, asked: Asked) -> Findings:
    """What drifts and what does not: each feature in each segment."""
    drift = await system.drift()
    counts: dict[str, int] = {}
    for one in drift.features:
        counts[one.status] = counts.get(one.status, 0) + 1
    chosen = [
        one
        for one in drift.features
        if asked.feature in ("", one.feature)
        and asked.dimension in ("", one.dimension)
        and asked.value in ("", one.value)
        and asked.status in ("", one.status)
    ]
    items, cursor = page(chosen, _key, asked)
    return Findings(
        drift.verdict, drift.records, len(chosen), counts, items, drift.together, cursor,
        drift.left_out,
    )  # fmt: skip


def _key(one: Finding) -> tuple[bool, str, str, str]:
    return one.dimension != WHOLE.dimension, one.dimension, one.value, one.feature


QUERY = Query("findings", Asked, Findings, answer)
