"""The records of the stream, newest first, without their content."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec

from monitor.errors import UsageError
from monitor.queries.query import Cursor, Limit, Query, System, Text
from monitor.streams.entries import LARGEST
from monitor.tables.cells import is_empty, moment
from monitor.types import ABSENT, EDGE_CASE, Cost, Outcome, Record, Tokens

SCANNED = 20_000
"""Entries of the stream that are looked through for one page."""
_PLACE = re.compile(r"(0|[1-9][0-9]{0,19})-(0|[1-9][0-9]{0,19})\.(0|[1-9][0-9]{0,3})")

SegmentText = Annotated[
    str,
    msgspec.Meta(
        max_length=1000, pattern="=", extra={"is": "DIMENSION=VALUE, as population=north"}
    ),
]
"""A segment as text."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which records of the stream are wanted."""

    start: Text = msgspec.field(default="", name="from")
    """Only what began then or later, as 2026-11-28T10:00:00Z."""
    end: Text = msgspec.field(default="", name="to")
    """Only what began before."""
    segment: Annotated[list[SegmentText], msgspec.Meta(max_length=20)] = []
    """Only this segment, as population=north; may be given several times."""
    outcome: Outcome | None = None
    """Only this outcome, as `ok` or `server_error`."""
    edge_case: Text = ""
    """Only this edge case, as `refusal`."""
    model: Text = ""
    """Only this model."""
    limit: Limit = 100
    """How many records a page has, at most."""
    cursor: Cursor = ""
    """Where the page begins: the `cursor` of the page before; empty for the first page."""


class RecordSummary(msgspec.Struct, frozen=True):
    """A record without its content."""

    id: str
    """Its id: `/api/v1/records/{id}` has all of it."""
    started: float
    """When the request began, in Unix seconds."""
    duration: float
    """Seconds from the start to the end of the exchange."""
    time_to_first_token: float | None
    """Seconds to the first event with content; null when nothing was streamed."""
    operation: str
    """What was asked: `chat`, `embeddings`, `infer` …"""
    model: str
    """The model's name as the exchange states it."""
    outcome: Outcome
    """How the exchange ended."""
    status: int | None
    """The HTTP or gRPC status; null when no response came."""
    segments: dict[str, str]
    """The value of each dimension; `none` where the request states none."""
    edge_cases: list[str]
    """The edge cases that it is one of."""
    failed_checks: list[str]
    """The checks that its answer failed."""
    template: str
    """The id of its prompt template; empty without one."""
    tokens: Tokens | None
    """Token counts as the endpoint reported them."""
    cost: Cost | None
    """What it cost; null where no price is known."""
    pseudonyms: dict[str, int]
    """How many values were replaced, by entity."""
    sampled: float
    """The share of exchanges that was kept then, 0 to 1: it stands for 1 / `sampled` of them."""


class Records(msgspec.Struct, frozen=True):
    """A page of the stream, the last appended first."""

    items: list[RecordSummary]
    """The records that were found."""
    scanned: int
    """Entries of the stream that were looked through for this page."""
    cursor: str | None
    """Ask for the next page with it, also where this one has few items or none: more was not looked
    through. Null where there are no older records."""


async def answer(system: System, asked: Asked) -> Records:
    """The records that the stream keeps, newest first, without their content."""
    if asked.cursor and not _is_place(asked.cursor, await system.shards()):
        raise UsageError("cursor: is not a `cursor` of the page before")
    start, end = time_of("from", asked.start), time_of("to", asked.end)
    if is_empty(start, end):
        raise UsageError("to: is not later than `from`, so nothing lies between the two")
    wanted = chosen(
        (segment_of(one) for one in asked.segment),
        asked.outcome.value if asked.outcome else None,
        asked.edge_case or None,
    )
    found: list[RecordSummary] = []
    scanned = 0
    low, high = -math.inf if start is None else start, math.inf if end is None else end
    back = system.back(asked.cursor, start=start)
    async with contextlib.aclosing(back) as records:
        async for place, record in records:
            scanned += 1
            if (
                record is not None
                and low <= record.started < high
                and wanted(record)
                and asked.model in ("", record.model)
            ):
                found.append(listed(record))
            if len(found) == asked.limit or scanned == SCANNED:
                return Records(found, scanned, place)
    return Records(found, scanned, None)


def _is_place(cursor: str, shards: int) -> bool:
    """Whether an entry can be there: ids are two numbers of 64 bits, and the first is 0-1."""
    match = _PLACE.fullmatch(cursor)
    if match is None:
        return False
    milliseconds, number, shard = map(int, match.groups())
    return 0 < max(milliseconds, number) <= LARGEST and shard < shards


def listed(record: Record) -> RecordSummary:
    """Return a record without its content."""
    return RecordSummary(
        record.id, record.started, record.duration, record.time_to_first_token, record.operation,
        record.model, record.outcome, record.status, record.segments, record.edge_cases,
        [name for name, one in record.checks.items() if not one.passed],
        record.template.id if record.template else "", record.tokens, record.cost,
        record.pseudonyms, record.sampled,
    )  # fmt: skip


def chosen(
    segments: Iterable[tuple[str, str]], outcome: str | None, edge_case: str | None
) -> Callable[[Record], bool]:
    """Return whether a record is of all the dimensions named, in one of the values named of each,
    and of that outcome and edge case."""
    values: dict[str, set[str]] = {}
    for dimension, value in segments:
        values.setdefault(dimension, set()).add(value)
    if edge_case is not None:
        values.setdefault(EDGE_CASE, set()).add(edge_case)

    def wanted(record: Record) -> bool:
        return (outcome is None or record.outcome.value == outcome) and all(
            not those.isdisjoint(_values(record, dimension)) for dimension, those in values.items()
        )

    return wanted


def _values(record: Record, dimension: str) -> list[str]:
    """A record's values of a dimension, of which only edge cases may be several."""
    if dimension == EDGE_CASE:
        return record.edge_cases or [ABSENT]
    return [record.segments.get(dimension, ABSENT)]


def segment_of(text: str) -> tuple[str, str]:
    """Return the dimension and the value of `DIMENSION=VALUE`. Raises UsageError."""
    dimension, equals, value = text.partition("=")
    if not (dimension and equals):
        raise UsageError(f"segment: {text[:50]!r} is not DIMENSION=VALUE, as population=north")
    return dimension, value


def time_of(name: str, text: str) -> float | None:
    """Return Unix seconds of a time, None of an empty text. Raises UsageError with the name."""
    if not text:
        return None
    at = moment(text)
    if at is None or at < 0:
        raise UsageError(f"{name}: {text[:50]!r} is not a time such as 2026-11-28T10:00:00Z")
    return at


QUERY = Query("records", Asked, Records, answer, role="records")
