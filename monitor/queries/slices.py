"""Slices of up to three conditions in which something is worse than in the rest."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.findings import Slice
from monitor.queries.query import Paged, Query, System, page


class Asked(Paged, frozen=True, kw_only=True):
    """Which slices are wanted."""

    measure: Literal["", "error", "calibration", "latency", "cost", "checks"] = ""
    """Only those by this measure."""
    status: Literal["", "ok", "alarm", "insufficient"] = ""
    """Only those with this status."""


class Slices(msgspec.Struct, frozen=True):
    """A page of slices."""

    is_on: bool
    """Whether outcomes are looked at."""
    measures: list[str]
    """By which measures slices are searched for (`slices.measures`): none by others."""
    total: int
    """Slices that were asked for, on all pages."""
    items: list[Slice]
    """What is believed to be worse first, then by evidence."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


async def slices(system: System, asked: Asked) -> Slices:
    """Slices of up to three conditions in which something is worse than in the rest."""
    found = await system.outcomes()
    chosen = [
        one
        for one in found.slices
        if asked.measure in ("", one.measure) and asked.status in ("", one.status)
    ]
    return Slices(found.is_on, found.sliced, len(chosen), *page(chosen, _key, asked))


def _key(one: Slice) -> tuple[int, float, str, str]:
    order = ("alarm", "ok", "insufficient").index(one.status)
    return order, -one.log_evidence, one.measure, one.words


QUERY = Query("slices", Asked, Slices, slices)
