"""What became of predictions: quality, calibration, coverage and fairness, by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from monitor.findings import Calibration, ClassQuality, Coverage, Fairness, OfSegment, Quality
from monitor.queries.query import Paged, Query, System, Text, page
from monitor.types import WHOLE

Found = TypeVar("Found", bound=OfSegment)


class Asked(Paged, frozen=True, kw_only=True):
    """Which segments are wanted, and in which state."""

    dimension: Text = ""
    """Only those of this dimension; `all` for the whole traffic."""
    value: Text = ""
    """Only those of this value of a dimension."""
    status: Literal["", "ok", "alarm", "insufficient"] = ""
    """Only those with this status."""


class AskedByMeasure(Asked, frozen=True, kw_only=True):
    """Which segments and measures."""

    measure: Text = ""
    """Only this measure, as `accuracy`."""


class Qualities(msgspec.Struct, frozen=True):
    """A page of how good predictions were."""

    is_on: bool
    """Whether outcomes are looked at: a setting asks for it, or there is feedback."""
    total: int
    """Entries that were asked for, on all pages."""
    items: list[Quality]
    """The whole traffic first, then by dimension, value and measure."""
    classes: list[ClassQuality]
    """The same by class, of the segments on this page."""
    early: list[Quality]
    """The same of records whose outcome is not due, by the last 2,000 things that were said: what
    became known first, which is often the bad news."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


class Calibrations(msgspec.Struct, frozen=True):
    """A page of reliability diagrams."""

    is_on: bool
    """Whether outcomes are looked at: a setting asks for it, or there is feedback."""
    total: int
    """Segments that were asked for, on all pages."""
    items: list[Calibration]
    """The whole traffic first, then by dimension and value."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


class Coverages(msgspec.Struct, frozen=True):
    """A page of how often prediction sets and intervals hold the truth."""

    is_on: bool
    """Whether outcomes are looked at: a setting asks for it, or there is feedback."""
    total: int
    """Segments that were asked for, on all pages."""
    items: list[Coverage]
    """The whole traffic first, then by dimension and value."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


class Gaps(msgspec.Struct, frozen=True):
    """A page of how groups fare beside all others of their dimension."""

    is_on: bool
    """Whether outcomes are looked at: a setting asks for it, or there is feedback."""
    total: int
    """Entries that were asked for, on all pages."""
    items: list[Fairness]
    """By dimension, group and measure."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


async def quality(system: System, asked: AskedByMeasure) -> Qualities:
    """How good predictions were, by segment and measure, of matured records."""
    found = await system.outcomes()
    chosen, items, cursor = _page(found.quality, asked)
    places = {(one.dimension, one.value) for one in items}
    classes = [one for one in found.class_quality if (one.dimension, one.value) in places]
    early = [one for one in found.early if _fits(one, asked)]
    return Qualities(found.is_on, chosen, items, classes, early, cursor)


async def calibration(system: System, asked: Asked) -> Calibrations:
    """Whether scores are the probabilities that they claim to be, with the reliability diagram."""
    found = await system.outcomes()
    return Calibrations(found.is_on, *_page(found.calibration, asked))


async def coverage(system: System, asked: Asked) -> Coverages:
    """Whether prediction sets and intervals hold the truth as often as promised."""
    found = await system.outcomes()
    return Coverages(found.is_on, *_page(found.coverage, asked))


async def fairness(system: System, asked: AskedByMeasure) -> Gaps:
    """How each group fares beside all others of its dimension."""
    found = await system.outcomes()
    return Gaps(found.is_on, *_page(found.fairness, asked))


def _page(found: Sequence[Found], asked: Asked) -> tuple[int, list[Found], str | None]:
    chosen = [one for one in found if _fits(one, asked)]
    return len(chosen), *page(chosen, _key, asked)


def _fits(one: OfSegment, asked: Asked) -> bool:
    measure = asked.measure if isinstance(asked, AskedByMeasure) else ""
    return (
        asked.dimension in ("", one.dimension)
        and asked.value in ("", one.value)
        and asked.status in ("", one.status)
        and measure in ("", getattr(one, "measure", ""))
    )


def _key(one: OfSegment) -> tuple[bool, str, str, str]:
    measure = getattr(one, "measure", "")
    return one.dimension != WHOLE.dimension, one.dimension, one.value, measure


QUALITY = Query("quality", AskedByMeasure, Qualities, quality)
CALIBRATION = Query("calibration", Asked, Calibrations, calibration)
COVERAGE = Query("coverage", Asked, Coverages, coverage)
FAIRNESS = Query("fairness", AskedByMeasure, Gaps, fairness)
